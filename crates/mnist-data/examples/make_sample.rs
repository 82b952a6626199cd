//! Makes the embedded sample from the files of MNIST:
//! `cargo run -p mnist-data --example make_sample -- <folder of MNIST> crates/mnist-data/sample`.
//!
//! Of each class the first 50 digits of the training file, in file order; of those the first 40 to train, the next 10
//! to test. Test digits of MNIST are not touched.

use std::error::Error;
use std::path::PathBuf;

use mnist_data::idx::{self, Encoding};
use mnist_data::{Collection, Data, DigitsView, N_CLASSES};
use ndarray::{Array1, Axis};

const N_TRAIN_PER_CLASS: usize = 40;
const N_TEST_PER_CLASS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [from, to] = folders.as_slice() else {
        return Err("give two folders: that of MNIST's files, and that of the sample".into());
    };
    let (data, _) = Data::read_verified(Collection::Mnist, from)?;
    let digits = data.train.view();
    let (train, test) = choose(digits.labels());
    for (prefix, indices) in [("train", train), ("t10k", test)] {
        let (images, labels) = take(digits, &indices);
        idx::write(to.join(format!("{prefix}-images-idx3-ubyte.gz")), &images, Encoding::Gzip)?;
        idx::write(to.join(format!("{prefix}-labels-idx1-ubyte.gz")), &labels, Encoding::Gzip)?;
    }
    Ok(())
}

/// Indices of the digits to train and to test on, in file order.
fn choose(labels: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let mut n_seen = [0; N_CLASSES];
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (index, &label) in labels.iter().enumerate() {
        let n_before = n_seen[usize::from(label)];
        if n_before < N_TRAIN_PER_CLASS {
            train.push(index);
        } else if n_before < N_TRAIN_PER_CLASS + N_TEST_PER_CLASS {
            test.push(index);
        }
        n_seen[usize::from(label)] += 1;
    }
    (train, test)
}

fn take(digits: DigitsView<'_>, indices: &[usize]) -> (idx::Array, idx::Array) {
    let labels: Array1<u8> = indices.iter().map(|&index| digits.labels()[index]).collect();
    (digits.images().select(Axis(0), indices).into(), labels.into())
}
