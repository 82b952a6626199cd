//! What is wrong is named: folders, columns and files, images.

use std::fs;

use ciresan_net::Parameters;
use classifier::{Classifier, ClassifyError, Image, ImageError, OpenError};
use ndarray::Array2;
use study::StudyError;

use crate::made_up;

const NETWORK: &str = "1x29x29-3C4-MP2-4C4-MP3-10N";

#[test]
fn a_folder_without_study_or_finished_columns_is_named() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("tiny");
    let shown = path.display();
    let message = || Classifier::open(&path).err().unwrap().to_string();
    assert_eq!(message(), format!("{shown}: not the results folder of a study: it has no study.json"));
    made_up::study(&path, NETWORK, r#"["original", 14, 20]"#, 4);
    assert_eq!(message(), format!("{shown}: none of the study's 12 columns is finished"));
}

#[test]
fn columns_that_are_not_finished_are_left_out() {
    let root = tempfile::tempdir().unwrap();
    let folder = made_up::study(root.path(), NETWORK, r#"["original", 14, 20]"#, 2);
    let study = folder.manifest().unwrap().unwrap().config;
    let some = ["w20-1", "w14-2"].map(|id| id.parse().unwrap());
    some.iter().for_each(|id| made_up::finish(&folder, *id, &made_up::weights(&study, *id)));
    let classifier = Classifier::open(root.path()).unwrap();
    assert_eq!((classifier.columns(), classifier.widths()), (&some[..], &[some[1].width, some[0].width][..]));
    assert_eq!(*classifier.study(), study);
}

#[test]
fn a_damaged_file_is_named() {
    let root = tempfile::tempdir().unwrap();
    let (folder, study) = made_up::finished(root.path(), NETWORK, "[14, 20]", 1);
    let files = folder.column(&study.columns()[1]);
    for path in [files.weights(), files.record()] {
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        flipped[whole.len() / 2] ^= 1;
        fs::write(&path, flipped).unwrap();
        let error = Classifier::open(root.path()).err().unwrap();
        assert!(matches!(error, OpenError::Study(_)), "{error}");
        let message = error.to_string();
        assert!(message.starts_with(&path.display().to_string()) && message.contains("damaged"), "{message}");
        fs::write(&path, whole).unwrap();
    }
    fs::remove_file(files.weights()).unwrap();
    let error = Classifier::open(root.path()).err().unwrap();
    let OpenError::Study(error) = error else { panic!("{error}") };
    assert!(matches!(*error, StudyError::Damaged { got: None, .. }), "{error}");
}

#[test]
fn the_first_image_that_is_no_digit_is_named() {
    let root = tempfile::tempdir().unwrap();
    let (folder, _) = made_up::finished(root.path(), NETWORK, "[14]", 1);
    let classifier = Classifier::open(folder.root()).unwrap();
    let message = |images: &[Image<'_>]| classifier.classify_all(images).unwrap_err().to_string();
    let (digit, wide, blank) =
        (Array2::zeros((28, 28)), Array2::zeros((28, 30)), Array2::from_elem((50, 40), 200));
    let (digit, wide, blank) = (digit.view(), wide.view(), blank.view());
    let size = "28 x 30 pixels (height x width), expected 28 x 28 of a digit in MNIST's form; any other image is Image::Grey";
    let images = [Image::Mnist(digit), Image::Mnist(wide), Image::Grey(blank), Image::Mnist(wide)];
    assert_eq!(message(&images), format!("image 1: {size}"));
    assert_eq!(message(&[Image::Mnist(digit), Image::Grey(blank)]), "image 1: the image is blank");
    let one = classifier.classify(Image::Mnist(wide)).unwrap_err();
    let ClassifyError::Image { index: 0, problem: ImageError::Size { got: [28, 30] } } = one else {
        panic!("{one}")
    };
    // Blank paper in MNIST's form is taken as it is.
    assert!(classifier.classify(Image::Mnist(digit)).is_ok());
}

#[test]
fn a_column_whose_sums_overflow_is_named() {
    let root = tempfile::tempdir().unwrap();
    let folder = made_up::study(root.path(), NETWORK, "[14, 20]", 1);
    let study = folder.manifest().unwrap().unwrap().config;
    let mut huge = Parameters::zeros(&study.network);
    huge.values_mut().fill(1e30);
    let ids = study.columns();
    made_up::finish(&folder, ids[0], &made_up::weights(&study, ids[0]));
    made_up::finish(&folder, ids[1], &huge);
    let digit = Array2::from_elem((28, 28), 255);
    let error = Classifier::open(root.path()).unwrap().classify(Image::Mnist(digit.view())).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("column w20-1: row 0 has the probability NaN for class 0"), "{message}");
}
