//! Which digits some images show, by the finished columns of a study.
//!
//! ```text
//! cargo run --release -p classifier --example classify -- results/quick                            ten digits of the sample
//! cargo run --release -p classifier --example classify -- results/quick t10k-images-idx3-ubyte.gz  an IDX file of digits
//! ```
#![allow(clippy::print_stdout, reason = "an example prints its answer")]

use std::env;
use std::error::Error;

use classifier::{Answers, Classifier, Image};
use mnist_data::Data;
use mnist_data::idx::{self, Array};
use ndarray::{Array3, Ix3, s};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("the results folder of a study is missing")?;
    let digits = match arguments.next() {
        Some(path) => read(&path)?,
        None => Data::sample().test.images().slice(s![..10, .., ..]).to_owned(),
    };
    let classifier = Classifier::open(folder)?;
    let images: Vec<Image<'_>> = digits.outer_iter().map(Image::Mnist).collect();
    let answers = classifier.classify_all(&images)?;
    let Answers { committee, columns, .. } = &answers;
    println!("{} by {} columns", classifier.study().name, columns.len_of(ndarray::Axis(0)));
    for (index, class) in answers.classes().into_iter().enumerate() {
        println!("image {index}: {class} ({:.1} %)", 100.0 * committee[[index, usize::from(class)]]);
    }
    Ok(())
}

fn read(path: &str) -> Result<Array3<u8>, Box<dyn Error>> {
    match idx::read(path)? {
        Array::U8(digits) => Ok(digits.into_dimensionality::<Ix3>()?),
        other => Err(format!("{path}: {} instead of u8", other.element()).into()),
    }
}
