//! `probabilities.npy` and `validation.npy`: a column's softmax outputs on the test digits and on those held out.

use std::path::Path;

use committee::{FileError, check_probabilities};
use ndarray::{Array2, ArrayView2};
use ndarray_npy::WriteNpyExt;

use crate::data_set::N_CLASSES;
use crate::read_file::read_column_file;
use crate::{StudyError, write_whole};

/// Reads the probabilities at `path`.
///
/// # Shapes
/// `[digits, 10]`, row-major; class 0 first.
/// # Units
/// Probabilities 0..=1; each row sums to 1 within [`committee::ROW_SUM_TOLERANCE`].
/// # Errors
/// [`StudyError::Probabilities`] when the file cannot be read or holds anything else.
pub fn read_probabilities(path: &Path) -> Result<Array2<f32>, StudyError> {
    let bytes =
        read_column_file(path).map_err(|reason| FileError::Io { path: path.to_path_buf(), reason })?;
    parse(path, &bytes)
}

/// The probabilities in the bytes of the file at `path`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Array2<f32>, StudyError> {
    let probabilities = committee::parse_probabilities(path, bytes)?;
    check_classes(path, probabilities.view())?;
    Ok(probabilities)
}

/// Writes probabilities as a `.npy` array, whole or not at all.
///
/// # Shapes
/// `[digits, 10]`; class 0 first.
/// # Errors
/// [`StudyError::Probabilities`] when they are not what [`read_probabilities`] would take, [`StudyError::Io`]
/// when the file cannot be written.
pub fn write_probabilities(path: &Path, probabilities: ArrayView2<'_, f32>) -> Result<(), StudyError> {
    let wrong = |problem| FileError::Probabilities { path: path.to_path_buf(), problem, hint: "" };
    check_probabilities(probabilities).map_err(wrong)?;
    check_classes(path, probabilities)?;
    let mut bytes = Vec::new();
    probabilities
        .as_standard_layout()
        .write_npy(&mut bytes)
        .expect("memory takes every byte, and the array is one that .npy has a form for");
    write_whole(path, &bytes)
}

fn check_classes(path: &Path, probabilities: ArrayView2<'_, f32>) -> Result<(), StudyError> {
    match probabilities.ncols() {
        N_CLASSES => Ok(()),
        got => Err(StudyError::Classes { path: path.to_path_buf(), got }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray_npy::write_npy;

    use super::*;

    fn uniform(n_rows: usize) -> Array2<f32> {
        Array2::from_elem((n_rows, N_CLASSES), 0.1)
    }

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probabilities.npy");
        (folder, path)
    }

    #[test]
    fn probabilities_come_back_bit_for_bit() {
        let (_folder, path) = file();
        let mut probabilities = uniform(7);
        probabilities[[3, 0]] = 0.2;
        probabilities[[3, 9]] = 0.0;
        write_probabilities(&path, probabilities.view()).unwrap();
        assert_eq!(read_probabilities(&path).unwrap(), probabilities);
    }

    #[track_caller]
    fn check_refused(probabilities: &Array2<f32>, want: &str) {
        let (_folder, path) = file();
        let message = format!("{}: {want}", path.display());
        assert_eq!(write_probabilities(&path, probabilities.view()).unwrap_err().to_string(), message);
        assert!(!path.exists());
        write_npy(&path, probabilities).unwrap();
        assert_eq!(read_probabilities(&path).unwrap_err().to_string(), message);
    }

    #[test]
    fn what_is_no_distribution_of_ten_classes_is_refused_both_ways() {
        let mut damaged = uniform(3);
        damaged[[1, 4]] = f32::NAN;
        check_refused(&damaged, "row 1 has the probability NaN for class 4, expected 0 to 1");
        check_refused(&Array2::zeros((3, 10)), "row 0 sums to 0, expected 1 within 0.001");
        check_refused(&Array2::from_elem((3, 8), 0.125), "probabilities of 8 classes, expected 10");
    }

    #[test]
    fn a_half_written_file_is_refused() {
        let (_folder, path) = file();
        write_probabilities(&path, uniform(3).view()).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let message = read_probabilities(&path).unwrap_err().to_string();
        assert!(message.contains("probabilities.npy: not a .npy array"), "{message}");
    }
}
