//! `probabilities.npy`: a column's softmax outputs on the test digits.

use std::fs;
use std::path::Path;

use ndarray::{Array2, ArrayView2};
use ndarray_npy::{ViewNpyExt, WriteNpyExt};

use crate::{Study, StudyError, write_whole};

/// Columns of the array: the ten digits.
pub const N_CLASSES: usize = Study::N_CLASSES;

/// How far a row's sum may be from 1. Ten f32 softmax outputs are within 10⁻⁶; a column kept in half
/// precision is within this.
pub const ROW_SUM_TOLERANCE: f64 = 1e-3;

/// A sure class may be a rounding above 1. A NaN is in no range.
const VALUES: std::ops::RangeInclusive<f32> = 0.0..=1.0 + ROW_SUM_TOLERANCE as f32;

/// What is wrong with probabilities.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbabilitiesProblem {
    /// Not a two-dimensional `.npy` array of f32, or cut off, or too long.
    #[error("not a .npy array of f32 with two axes: {0}")]
    Format(String),
    /// Not ten columns, or no row.
    #[error("shape [{}, {}], expected at least one row of {N_CLASSES}", got[0], got[1])]
    Shape {
        /// The array's shape.
        got: [usize; 2],
    },
    /// Not a number, or outside 0..=1.
    #[error("row {row} has the probability {got} for class {class}, expected 0 to 1")]
    Value {
        /// Row, counted from 0.
        row: usize,
        /// Class.
        class: usize,
        /// The value.
        got: f32,
    },
    /// A row that is no distribution.
    #[error("row {row} sums to {got}, expected 1 within {ROW_SUM_TOLERANCE}")]
    Sum {
        /// Row, counted from 0.
        row: usize,
        /// Its sum.
        got: f64,
    },
}

/// Reads the probabilities at `path`.
///
/// # Shapes
/// `[test digits, 10]`, row-major; class 0 first.
/// # Units
/// Probabilities 0..=1; each row sums to 1 within [`ROW_SUM_TOLERANCE`].
/// # Errors
/// [`StudyError::Probabilities`] when the file holds anything else, [`StudyError::Io`] when it cannot be
/// read.
pub fn read_probabilities(path: &Path) -> Result<Array2<f32>, StudyError> {
    let bytes = fs::read(path).map_err(StudyError::io(path, "read the probabilities"))?;
    let probabilities = from_npy(&bytes).and_then(|array| check(array.view()).map(|()| array));
    probabilities.map_err(|problem| StudyError::Probabilities { path: path.to_path_buf(), problem })
}

/// Writes probabilities as a `.npy` array, whole or not at all.
///
/// # Shapes
/// `[test digits, 10]`; class 0 first.
/// # Errors
/// [`StudyError::Probabilities`] when they are not what [`read_probabilities`] would take, [`StudyError::Io`]
/// when the file cannot be written.
pub fn write_probabilities(path: &Path, probabilities: ArrayView2<'_, f32>) -> Result<(), StudyError> {
    let wrong = |problem| StudyError::Probabilities { path: path.to_path_buf(), problem };
    check(probabilities).map_err(wrong)?;
    let mut bytes = Vec::new();
    let written = probabilities.as_standard_layout().write_npy(&mut bytes);
    written.map_err(|error| wrong(ProbabilitiesProblem::Format(error.to_string())))?;
    write_whole(path, &bytes)
}

/// The array in the bytes of a `.npy` file. Views it instead of reading it, because a reader allocates what
/// the header asks for before it looks at how much there is.
fn from_npy(bytes: &[u8]) -> Result<Array2<f32>, ProbabilitiesProblem> {
    // A view needs the file to begin where an f32 may; up to three bytes in front see to that.
    let mut aligned = vec![0; bytes.len() + align_of::<f32>() - 1];
    let shift = aligned.as_ptr().align_offset(align_of::<f32>()).min(align_of::<f32>() - 1);
    let file = &mut aligned[shift..shift + bytes.len()];
    file.copy_from_slice(bytes);
    let view = ArrayView2::<f32>::view_npy(file);
    view.map(|view| view.as_standard_layout().into_owned())
        .map_err(|error| ProbabilitiesProblem::Format(error.to_string()))
}

fn check(probabilities: ArrayView2<'_, f32>) -> Result<(), ProbabilitiesProblem> {
    let (n_rows, n_classes) = probabilities.dim();
    if n_rows == 0 || n_classes != N_CLASSES {
        return Err(ProbabilitiesProblem::Shape { got: [n_rows, n_classes] });
    }
    for (row, values) in probabilities.outer_iter().enumerate() {
        if let Some(class) = values.iter().position(|value| !VALUES.contains(value)) {
            return Err(ProbabilitiesProblem::Value { row, class, got: values[class] });
        }
        let got: f64 = values.iter().map(|&value| f64::from(value)).sum();
        if (got - 1.0).abs() > ROW_SUM_TOLERANCE {
            return Err(ProbabilitiesProblem::Sum { row, got });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};
    use ndarray_npy::write_npy;
    use proptest::prelude::*;

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
        // Sure, and a rounding above 1.
        probabilities.row_mut(5).fill(0.0);
        probabilities[[5, 7]] = 1.0 + f32::EPSILON;
        write_probabilities(&path, probabilities.view()).unwrap();
        assert_eq!(read_probabilities(&path).unwrap(), probabilities);

        // Stored by columns, as NumPy may do.
        write_npy(&path, &probabilities.t().as_standard_layout().into_owned().reversed_axes()).unwrap();
        let read = read_probabilities(&path).unwrap();
        assert!(read.is_standard_layout());
        assert_eq!(read, probabilities);
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
    fn what_is_no_distribution_is_refused_with_its_row() {
        let with = |value: f32| {
            let mut probabilities = uniform(3);
            probabilities[[1, 4]] = value;
            probabilities
        };
        check_refused(&with(f32::NAN), "row 1 has the probability NaN for class 4, expected 0 to 1");
        check_refused(&with(f32::INFINITY), "row 1 has the probability inf for class 4, expected 0 to 1");
        check_refused(&with(-0.1), "row 1 has the probability -0.1 for class 4, expected 0 to 1");
        check_refused(&with(1.5), "row 1 has the probability 1.5 for class 4, expected 0 to 1");
        check_refused(&Array2::zeros((3, 10)), "row 0 sums to 0, expected 1 within 0.001");
        check_refused(&Array2::zeros((0, 10)), "shape [0, 10], expected at least one row of 10");
        check_refused(&Array2::zeros((3, 9)), "shape [3, 9], expected at least one row of 10");
    }

    #[test]
    fn other_arrays_are_refused() {
        let (_folder, path) = file();
        let refused = || {
            matches!(
                read_probabilities(&path),
                Err(StudyError::Probabilities { problem: ProbabilitiesProblem::Format(_), .. })
            )
        };
        write_npy(&path, &Array1::<f32>::zeros(10)).unwrap();
        assert!(refused());
        write_npy(&path, &array![[1.0f64, 0.0]]).unwrap();
        assert!(refused());
        fs::write(&path, "not an array").unwrap();
        assert!(refused());
        fs::remove_file(&path).unwrap();
        let message = read_probabilities(&path).unwrap_err().to_string();
        assert!(
            message.ends_with(": cannot read the probabilities: No such file or directory (os error 2)"),
            "{message}"
        );
    }

    #[test]
    fn a_header_that_promises_too_much_is_refused_without_allocating_it() {
        let mut bytes = Vec::new();
        uniform(2).write_npy(&mut bytes).unwrap();
        let text = b"(2, 10)}".as_slice();
        let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
        let (_folder, path) = file();
        for shape in [b"(9999999999999, 10)}".as_slice(), b"(99999999999999999999, 10)}", b"(-2, 10)}"] {
            let mut hostile = bytes.clone();
            hostile[at..at + shape.len()].copy_from_slice(shape);
            fs::write(&path, &hostile).unwrap();
            assert!(read_probabilities(&path).is_err());
        }
    }

    proptest! {
        #[test]
        fn a_prefix_or_a_longer_file_is_an_error(cut in 0.0..1.0f64, tail in 1usize..100) {
            let mut bytes = Vec::new();
            uniform(3).write_npy(&mut bytes).unwrap();
            let kept = (cut * bytes.len() as f64) as usize;
            prop_assert!(from_npy(&bytes[..kept]).is_err());
            bytes.extend(vec![0; tail]);
            prop_assert!(from_npy(&bytes).is_err());
        }
    }
}
