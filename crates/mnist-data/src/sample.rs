//! The digits that are part of the program.

use ndarray::{Array1, Array3};

use crate::idx::{into_u8, read_from};
use crate::labels::into_vec;
use crate::{Data, Digits, TestDigits};

/// The four files of the folder `sample/`, with their names there.
static FILES: [(&str, &[u8]); 4] = [
    ("train-images-idx3-ubyte.gz", include_bytes!("../sample/train-images-idx3-ubyte.gz")),
    ("train-labels-idx1-ubyte.gz", include_bytes!("../sample/train-labels-idx1-ubyte.gz")),
    ("t10k-images-idx3-ubyte.gz", include_bytes!("../sample/t10k-images-idx3-ubyte.gz")),
    ("t10k-labels-idx1-ubyte.gz", include_bytes!("../sample/t10k-labels-idx1-ubyte.gz")),
];

impl Data {
    /// Real digits that need no file and no network: 400 to train on and 100 to test on, 28×28 pixels, 40 and 10 of
    /// each class. For tests, examples and a first try; far too few to learn much from.
    ///
    /// All 500 come from MNIST's *training* file, so nothing learned from them has seen a test digit: of each class
    /// the first 50 in file order, of those the first 40 to train and the next 10 to test on. Both sets keep the
    /// order of the file, so classes are mixed. The committed program `examples/make_sample.rs` made the files.
    ///
    /// # Source
    /// MNIST, by Yann LeCun, Corinna Cortes and Christopher Burges, under CC BY-SA 3.0: these files are, too
    /// (`sample/LICENSE.md`).
    pub fn sample() -> Data {
        let [train_images, train_labels, test_images, test_labels] = FILES;
        Data {
            train: digits(train_images, train_labels),
            test: TestDigits::from_digits(digits(test_images, test_labels)),
        }
    }
}

fn digits(images: (&str, &[u8]), labels: (&str, &[u8])) -> Digits {
    let read = |(name, bytes): (&str, &[u8])| read_from(bytes, name);
    let images: Array3<u8> =
        read(images).and_then(|array| into_u8(array, images.0.as_ref())).expect(EMBEDDED);
    let labels: Array1<u8> =
        read(labels).and_then(|array| into_u8(array, labels.0.as_ref())).expect(EMBEDDED);
    Digits::new(images, into_vec(labels)).expect(EMBEDDED)
}

/// Why reading the sample cannot fail.
const EMBEDDED: &str = "the embedded files never change, and a test reads them";
