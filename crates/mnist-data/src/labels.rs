//! Labels: the class of each image, in either form that data sets of digits store them.

use std::path::Path;

use ndarray::{Array1, Ix1, Ix2};

use crate::Error;
use crate::idx::{self, Array};

/// Number of classes: labels are 0 to 9.
pub const N_CLASSES: usize = 10;

/// Columns of a wide label, of which the first is the class.
const N_WIDE_COLUMNS: usize = 8;

/// Reads an IDX file of labels, raw or gzipped.
///
/// # Shapes
/// `[n]` of `u8` (`idx1-ubyte`, as in MNIST), or `[n, 8]` of `i32` (`idx2-int`, as in QMNIST): the class, and then who
/// wrote the digit, which is dropped. Returns `n` labels in the order of the file.
/// # Units
/// Of wide labels the classes are checked: 0 to 9. The bytes of the other form are returned as they are.
/// # Errors
/// Those of [`idx::read`], [`Error::LabelsForm`] for any other array, [`Error::Label`] for a wide label's first class
/// outside 0 to 9.
/// # Source
/// Yadav, Bottou, *Cold Case: The Lost MNIST Digits*, NeurIPS 2019, for the wide form.
pub(crate) fn read_labels(path: &Path) -> Result<Vec<u8>, Error> {
    let array = idx::read(path)?;
    let (element, shape) = (array.element(), array.shape().to_vec());
    let form = |_| Error::LabelsForm { path: path.to_path_buf(), element, shape: shape.clone() };
    match array {
        Array::U8(labels) => labels.into_dimensionality::<Ix1>().map(into_vec).map_err(form),
        Array::I32(wide) if shape.last() == Some(&N_WIDE_COLUMNS) => {
            let wide = wide.into_dimensionality::<Ix2>().map_err(form)?;
            let class = |(label_idx, &got): (usize, &i32)| {
                let class = u8::try_from(got).ok().filter(|&class| usize::from(class) < N_CLASSES);
                class.ok_or_else(|| Error::Label { path: path.to_path_buf(), label_idx, got })
            };
            wide.column(0).iter().enumerate().map(class).collect()
        }
        _ => Err(Error::LabelsForm { path: path.to_path_buf(), element, shape }),
    }
}

/// Refuses the first label above 9.
pub(crate) fn check_labels(labels: &[u8], path: &Path) -> Result<(), Error> {
    match labels.iter().position(|&label| usize::from(label) >= N_CLASSES) {
        Some(label_idx) => {
            let got = i32::from(labels[label_idx]);
            Err(Error::Label { path: path.to_path_buf(), label_idx, got })
        }
        None => Ok(()),
    }
}

/// The elements of an array as reading makes it, which begins where its memory does: that memory, not a copy.
pub(crate) fn into_vec(labels: Array1<u8>) -> Vec<u8> {
    labels.into_raw_vec_and_offset().0
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use ndarray::{Array2, Array3};
    use proptest::prelude::*;

    use super::*;
    use crate::idx::Encoding;

    /// Labels in QMNIST's form: after the class the columns hold numbers that are no classes.
    pub(crate) fn wide(classes: &[i32]) -> Array {
        let column = |(image, column)| match column {
            0 => classes[image],
            4 => 0x30 + classes[image],
            _ => -1000 * column as i32 + image as i32,
        };
        Array2::from_shape_fn((classes.len(), 8), column).into()
    }

    fn bytes(array: &Array) -> Vec<u8> {
        let mut bytes = Vec::new();
        idx::write_to(&mut bytes, array, "memory").unwrap();
        bytes
    }

    #[test]
    fn wide_and_classic_labels_are_the_same_raw_and_gzipped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        let classic = Array::from(Array1::from(vec![7_u8, 0, 9]));
        for array in [wide(&[7, 0, 9]), classic] {
            for encoding in [Encoding::Raw, Encoding::Gzip] {
                idx::write(&path, &array, encoding).unwrap();
                assert_eq!(read_labels(&path).unwrap(), [7, 0, 9]);
            }
        }
    }

    #[test]
    fn the_bytes_of_the_wide_form_are_those_of_qmnist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("qmnist-test-labels-idx2-int");
        // 0x0c: big-endian i32; rank 2; 1 × 8: class, series, writer, digit of the writer, class code, place in NIST, two unused.
        let mut file = vec![0, 0, 0x0c, 2, 0, 0, 0, 1, 0, 0, 0, 8];
        for column in [7_i32, 4, 2_150, 38, 0x37, 274_242, 0, 0] {
            file.extend(column.to_be_bytes());
        }
        fs::write(&path, file).unwrap();
        assert_eq!(read_labels(&path).unwrap(), [7]);
    }

    #[test]
    fn other_arrays_and_other_classes_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        let check = |array: Array, want: &str| {
            idx::write(&path, &array, Encoding::Raw).unwrap();
            let message = read_labels(&path).unwrap_err().to_string();
            assert_eq!(message, format!("{}: {want}", path.display()));
        };
        let want = "expected [n] of u8 (idx1-ubyte) or [n, 8] of i32 (idx2-int)";
        check(Array2::<i32>::zeros((3, 7)).into(), &format!("labels of shape [3, 7] of i32, {want}"));
        check(Array1::<i32>::zeros(8).into(), &format!("labels of shape [8] of i32, {want}"));
        check(Array3::<i32>::zeros((3, 1, 8)).into(), &format!("labels of shape [3, 1, 8] of i32, {want}"));
        check(Array2::<u8>::zeros((3, 8)).into(), &format!("labels of shape [3, 8] of u8, {want}"));
        check(Array2::<f32>::zeros((3, 8)).into(), &format!("labels of shape [3, 8] of f32, {want}"));
        check(wide(&[9, 10]), "label 10 at index 1, expected 0 to 9");
        check(wide(&[-1]), "label -1 at index 0, expected 0 to 9");
        // A byte would take it for 0.
        check(wide(&[0, 0, 256]), "label 256 at index 2, expected 0 to 9");
    }

    proptest! {
        // Few cases: each writes as many files as its file has bytes.
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn every_prefix_and_every_longer_file_is_an_error(
            classes in prop::collection::vec(0..10_i32, 0..4),
            more in prop::collection::vec(any::<u8>(), 1..9),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("labels");
            let whole = bytes(&wide(&classes));
            for n in 0..whole.len() {
                fs::write(&path, &whole[..n]).unwrap();
                prop_assert!(read_labels(&path).is_err(), "{n} bytes of {}", whole.len());
            }
            fs::write(&path, [&whole[..], &more[..]].concat()).unwrap();
            let is_trailing = matches!(read_labels(&path), Err(Error::Trailing { .. }));
            prop_assert!(is_trailing);
            fs::write(&path, &whole).unwrap();
            let want: Vec<u8> = classes.iter().map(|&class| class as u8).collect();
            prop_assert_eq!(read_labels(&path).unwrap(), want);
        }
    }
}
