//! Probabilities and labels from NumPy's `.npy` files, which every framework can write.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use half::f16;
use ndarray::{Array, Array2, ArrayView2, Dimension, Ix1, Ix2};
use ndarray_npy::{ViewElement, ViewNpyError, ViewNpyExt};

use crate::check::check_probabilities;
use crate::{Committee, CommitteeError, Member, ProbabilitiesProblem, Rule};

/// Why there is no committee of files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system refused.
    #[error("{path}: cannot read: {reason}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        reason: io::Error,
    },
    /// Another kind of array, or cut off, or too long, or no `.npy` file.
    #[error("{path}: not a .npy array of {want}: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// Types and axes that are read.
        want: &'static str,
        /// What it is instead.
        reason: String,
    },
    /// An array that holds no probabilities.
    #[error("{path}: {problem}{hint}")]
    Probabilities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: ProbabilitiesProblem,
        /// What it looks like, and what to do; may be empty.
        hint: &'static str,
    },
    /// A label that is none.
    #[error("{path}: row {row} has the label {got}, expected 0 to 255")]
    Label {
        /// The file.
        path: PathBuf,
        /// The row, counted from 0.
        row: usize,
        /// The number there.
        got: i64,
    },
    /// Files that do not fit together.
    #[error(transparent)]
    Committee(#[from] CommitteeError),
}

/// Largest file, in bytes: 1 GiB, 26 million rows of ten `f32`.
const MAX_FILE: u64 = 1 << 30;

/// Reads and checks probabilities: `f16`, `f32`, or `f64` that are rounded to it, of either order of bytes.
///
/// # Shapes
/// `[images, classes]`, in either order of memory; the array returned is row-major.
/// # Errors
/// [`FileError`] when the file cannot be read or holds anything else. Whatever its header promises, no more
/// memory is taken than the file's own size asks for.
pub fn read_probabilities(path: impl AsRef<Path>) -> Result<Array2<f32>, FileError> {
    let path = path.as_ref();
    parse_probabilities(path, &read(path)?)
}

/// The same from the bytes of a file, which errors call by its path.
///
/// # Shapes
/// As [`read_probabilities`].
/// # Errors
/// [`FileError`] when they hold anything else.
pub fn parse_probabilities(path: &Path, bytes: &[u8]) -> Result<Array2<f32>, FileError> {
    let file = Aligned::new(bytes);
    let array = match file.array::<f32, Ix2>() {
        Err(ViewNpyError::WrongDescriptor(_)) => {
            file.array::<f64, Ix2>().map(|array| array.mapv(|value| value as f32))
        }
        array => array,
    };
    let array = array.map_err(format(path, "f16, f32 or f64 with two axes"))?;
    let wrong = |problem| {
        let hint = hint(array.view(), &problem);
        FileError::Probabilities { path: path.to_path_buf(), problem, hint }
    };
    check_probabilities(array.view()).map_err(wrong)?;
    Ok(array)
}

/// What the first row that is no distribution looks like.
fn hint(array: ArrayView2<'_, f32>, problem: &ProbabilitiesProblem) -> &'static str {
    let (ProbabilitiesProblem::Value { row, .. } | ProbabilitiesProblem::Sum { row, .. }) = problem else {
        return "";
    };
    let values = || array.row(*row).into_iter().map(|&value| f64::from(value));
    let near = |sum: f64, want: f64| (sum - want).abs() <= 0.01 * want;
    if values().any(|value| !value.is_finite()) {
        ""
    } else if values().all(|value| value >= 0.0) && near(values().sum(), 100.0) {
        "; these look like percents: divide them by 100"
    } else if values().all(|value| value <= 0.0) && near(values().map(f64::exp).sum(), 1.0) {
        "; these look like logarithms of probabilities: apply exp"
    } else if values().any(|value| !(0.0..=1.0).contains(&value)) {
        "; these look like logits: apply softmax to each row"
    } else {
        ""
    }
}

/// Reads labels: integers of any width and order of bytes, each 0 to 255.
///
/// # Shapes
/// `[images]`.
/// # Errors
/// [`FileError`] when the file cannot be read or holds anything else.
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>, FileError> {
    let path = path.as_ref();
    let file = Aligned::new(&read(path)?);
    let wide = file.array::<i64, Ix1>().map_err(format(path, "integers with one axis"))?;
    let label = |(row, &got): (usize, &i64)| {
        u8::try_from(got).map_err(|_| FileError::Label { path: path.to_path_buf(), row, got })
    };
    wide.iter().enumerate().map(label).collect()
}

impl Committee {
    /// A committee of files, each with the name of its group. The members' names are their paths.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// # ndarray_npy::write_npy("labels.npy", &ndarray::array![0i64, 1])?;
    /// # ndarray_npy::write_npy("first.npy", &ndarray::array![[0.9f32, 0.1], [0.6, 0.4]])?;
    /// # ndarray_npy::write_npy("second.npy", &ndarray::array![[0.7f64, 0.3], [0.2, 0.8]])?;
    /// use committee::{Committee, Rule, read_labels};
    /// let labels = read_labels("labels.npy")?;
    /// let committee = Committee::read(Rule::Mean, [("small", "first.npy"), ("large", "second.npy")], &labels)?;
    /// println!("{} %", committee.figures().all.score.error_percent());
    /// # assert_eq!(committee.figures().all.score.errors, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Shapes
    /// As [`read_probabilities`], all alike. `labels`: a class for each image.
    /// # Errors
    /// Those of [`read_probabilities`] and of [`new`](Self::new).
    pub fn read<G: Into<String>, P: AsRef<Path>>(
        rule: Rule,
        files: impl IntoIterator<Item = (G, P)>,
        labels: &[u8],
    ) -> Result<Self, FileError> {
        let member = |(group, path): (G, P)| {
            let path = path.as_ref();
            Ok(Member::new(group, path.display().to_string(), read_probabilities(path)?))
        };
        let members = files.into_iter().map(member).collect::<Result<_, FileError>>()?;
        Ok(Self::by(rule, members, labels)?)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    read_at_most(path, MAX_FILE).map_err(|reason| FileError::Io { path: path.to_path_buf(), reason })
}

/// The bytes of a file of at most so many; of a longer one none is read, where its length is known (a pipe has none).
///
/// # Errors
/// The system's, and one that names the limit.
pub fn read_at_most(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let too_long = || io::Error::other(format!("longer than {max_bytes} bytes"));
    let file = File::open(path)?;
    let n_bytes = file.metadata()?.len();
    if n_bytes > max_bytes {
        return Err(too_long());
    }
    let mut bytes = Vec::with_capacity(n_bytes as usize);
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes { Err(too_long()) } else { Ok(bytes) }
}

fn format(path: &Path, want: &'static str) -> impl FnOnce(ViewNpyError) -> FileError {
    move |error| FileError::Format { path: path.to_path_buf(), want, reason: error.to_string() }
}

/// The bytes of a file, beginning where any number may. They are viewed and not read as an array, because a
/// reader allocates what the header asks for before it looks at how much there is.
struct Aligned {
    bytes: Vec<u8>,
    begin: usize,
}

impl Aligned {
    const ALIGNMENT: usize = align_of::<f64>();

    fn new(file: &[u8]) -> Self {
        let native = native(file);
        let file = native.as_deref().unwrap_or(file);
        let mut bytes = vec![0; file.len() + Self::ALIGNMENT - 1];
        let begin = bytes.as_ptr().align_offset(Self::ALIGNMENT).min(Self::ALIGNMENT - 1);
        bytes[begin..begin + file.len()].copy_from_slice(file);
        bytes.truncate(begin + file.len());
        Self { bytes, begin }
    }

    fn array<T: ViewElement + Clone, D: Dimension>(&self) -> Result<Array<T, D>, ViewNpyError> {
        let view = ndarray::ArrayView::<T, D>::view_npy(&self.bytes[self.begin..])?;
        Ok(view.as_standard_layout().into_owned())
    }
}

/// From the bytes of a number, little-endian and filled up, to those of the wider one, filled up as well.
type Widen = fn([u8; 8]) -> [u8; 8];

/// The file with numbers of another kind turned into those that are read: halves and big-endian ones into little-endian `f32` and `f64`,
/// integers into `i64`. `None` where nothing is to be done, or the header is not understood, which the reader then says.
fn native(file: &[u8]) -> Option<Vec<u8>> {
    let (begin, length) = match file.get(..12)? {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (10, u32::from_le_bytes([*a, *b, 0, 0])),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d] => {
            (12, u32::from_le_bytes([*a, *b, *c, *d]))
        }
        _ => return None,
    };
    let end = begin + usize::try_from(length).ok()?;
    let header = file.get(begin..end)?;
    let key = b"'descr':";
    let after = begin + header.windows(key.len()).position(|window| window == key)? + key.len();
    let quote = after + file[after..end].iter().position(|byte| *byte != b' ')?;
    let [b'\'', order, kind, size, b'\'', ..] = file[quote..end] else { return None };
    let n_bytes = usize::from(size.checked_sub(b'0')?);
    let (want, wide): (&[u8; 3], Widen) = match (order, kind, n_bytes) {
        (b'<', b'f', 4 | 8) | (b'<', b'i', 8) => return None,
        (_, b'f', 2) => (b"<f4", |[low, high, ..]| {
            let [a, b, c, d] = f16::from_le_bytes([low, high]).to_f32().to_le_bytes();
            [a, b, c, d, 0, 0, 0, 0]
        }),
        (_, b'f', 4) => (b"<f4", |bytes| bytes),
        (_, b'f', 8) => (b"<f8", |bytes| bytes),
        (_, b'u', 1 | 2 | 4 | 8) => (b"<i8", |bytes| {
            // What is too large for a label is too large as the largest number, too.
            i64::try_from(u64::from_le_bytes(bytes)).unwrap_or(i64::MAX).to_le_bytes()
        }),
        (_, b'i', 1 | 2 | 4 | 8) => (b"<i8", |bytes| bytes),
        _ => return None,
    };
    let mut native = file[..end].to_vec();
    native[quote + 1..quote + 4].copy_from_slice(want);
    let values = file[end..].chunks_exact(n_bytes);
    if !values.remainder().is_empty() {
        return None;
    }
    let n_wide = usize::from(want[2] - b'0');
    native.reserve(values.len() * n_wide);
    for value in values {
        let mut bytes = [0; 8];
        bytes[..n_bytes].copy_from_slice(value);
        if order == b'>' {
            bytes[..n_bytes].reverse();
        }
        if kind == b'i' && bytes[n_bytes - 1] >= 0x80 {
            bytes[n_bytes..].fill(0xff); // the sign
        }
        native.extend_from_slice(&wide(bytes)[..n_wide]);
    }
    Some(native)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ndarray::{Array1, array};
    use ndarray_npy::{WriteNpyExt, write_npy};
    use proptest::prelude::*;

    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.npy");
        (folder, path)
    }

    fn uniform(n_rows: usize) -> Array2<f32> {
        Array2::from_elem((n_rows, 10), 0.1)
    }

    #[test]
    fn probabilities_are_read_bit_for_bit_in_either_order() {
        let (_folder, path) = file();
        let mut probabilities = uniform(7);
        probabilities[[3, 0]] = 0.2;
        probabilities[[3, 9]] = 0.0;
        // Sure, and a rounding above 1.
        probabilities.row_mut(5).fill(0.0);
        probabilities[[5, 7]] = 1.0 + f32::EPSILON;
        write_npy(&path, &probabilities).unwrap();
        assert_eq!(read_probabilities(&path).unwrap(), probabilities);

        // Stored by columns, as NumPy may do.
        write_npy(&path, &probabilities.t().as_standard_layout().into_owned().reversed_axes()).unwrap();
        let read = read_probabilities(&path).unwrap();
        assert!(read.is_standard_layout());
        assert_eq!(read, probabilities);

        write_npy(&path, &probabilities.mapv(f64::from)).unwrap();
        assert_eq!(read_probabilities(&path).unwrap(), probabilities);
    }

    #[test]
    fn labels_are_read_from_what_frameworks_write() {
        let (_folder, path) = file();
        write_npy(&path, &array![7u8, 0, 9]).unwrap();
        assert_eq!(read_labels(&path).unwrap(), [7, 0, 9]);
        write_npy(&path, &array![7i64, 0, 9]).unwrap();
        assert_eq!(read_labels(&path).unwrap(), [7, 0, 9]);
        write_npy(&path, &array![7i32, 0, 9]).unwrap();
        assert_eq!(read_labels(&path).unwrap(), [7, 0, 9]);

        let message = || read_labels(&path).unwrap_err().to_string();
        write_npy(&path, &array![7i64, -1]).unwrap();
        assert_eq!(message(), format!("{}: row 1 has the label -1, expected 0 to 255", path.display()));
        write_npy(&path, &array![1.0f32]).unwrap();
        assert!(message().contains("not a .npy array of integers with one axis: "), "{}", message());
    }

    /// A file as NumPy writes it.
    fn numpy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        let header = format!("{header:<117}\n");
        let length = (header.len() as u16).to_le_bytes();
        [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), values].concat()
    }

    #[test]
    fn halves_and_big_endian_numbers_are_read() {
        let (_folder, path) = file();
        let want = array![[0.25_f32, 0.75], [1.0, 0.0]];
        // As numpy has them: np.array([[0.25, 0.75], [1, 0]], dtype=descr).tobytes().
        let halves: &[u8] = &[0x00, 0x34, 0x00, 0x3a, 0x00, 0x3c, 0x00, 0x00];
        let swapped: Vec<u8> = halves.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        let big4: Vec<u8> = want.iter().flat_map(|value| value.to_be_bytes()).collect();
        let big8: Vec<u8> = want.iter().flat_map(|value| f64::from(*value).to_be_bytes()).collect();
        for (descr, values) in [("<f2", halves), (">f2", &swapped), (">f4", &big4), (">f8", &big8)] {
            fs::write(&path, numpy(descr, "2, 2", values)).unwrap();
            assert_eq!(read_probabilities(&path).unwrap(), want, "{descr}");
            fs::write(&path, numpy(descr, "2, 2", &values[1..])).unwrap();
            assert!(matches!(read_probabilities(&path), Err(FileError::Format { .. })), "{descr}");
        }
    }

    #[test]
    fn labels_of_any_width_are_read() {
        let (_folder, path) = file();
        for n_bytes in [1, 2, 4, 8] {
            for (kind, big) in [('i', false), ('i', true), ('u', false), ('u', true)] {
                let value = |label: i64| {
                    let mut bytes = label.to_le_bytes()[..n_bytes].to_vec();
                    if big {
                        bytes.reverse();
                    }
                    bytes
                };
                let descr = format!(
                    "{}{kind}{n_bytes}",
                    if n_bytes == 1 {
                        '|'
                    } else if big {
                        '>'
                    } else {
                        '<'
                    }
                );
                fs::write(&path, numpy(&descr, "3,", &[7, 0, 9].map(value).concat())).unwrap();
                assert_eq!(read_labels(&path).unwrap(), [7, 0, 9], "{descr}");
                fs::write(&path, numpy(&descr, "1,", &value(-1))).unwrap();
                let is_label = kind == 'u' && n_bytes == 1;
                assert_eq!(read_labels(&path).ok(), is_label.then(|| vec![255]), "{descr}");
            }
        }
    }

    #[test]
    fn logits_and_percents_get_a_hint() {
        let (_folder, path) = file();
        let hint = |row: [f32; 2]| {
            write_npy(&path, &Array2::from(vec![row])).unwrap();
            read_probabilities(&path)
                .unwrap_err()
                .to_string()
                .rsplit_once("; ")
                .map(|(_, hint)| hint.to_owned())
        };
        assert_eq!(hint([25.0, 75.0]).unwrap(), "these look like percents: divide them by 100");
        assert_eq!(hint([-3.5, 8.25]).unwrap(), "these look like logits: apply softmax to each row");
        assert_eq!(hint([12.0, 8.25]).unwrap(), "these look like logits: apply softmax to each row");
        assert_eq!(hint([-0.5, -0.93275]).unwrap(), "these look like logarithms of probabilities: apply exp");
        assert_eq!(hint([0.25, 0.25]), None);
        assert_eq!(hint([f32::NAN, 1.0]), None);
    }

    #[test]
    fn a_file_too_long_is_refused_unread() {
        let (_folder, path) = file();
        File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
        let message = read_probabilities(&path).unwrap_err().to_string();
        assert!(message.ends_with("cannot read: longer than 1073741824 bytes"), "{message}");
    }

    #[test]
    fn what_is_no_distribution_is_refused_with_file_and_row() {
        let (_folder, path) = file();
        let check = |row: [f32; 2], want: &str| {
            write_npy(&path, &array![[0.5, 0.5], [row[0], row[1]]]).unwrap();
            let message = read_probabilities(&path).unwrap_err().to_string();
            assert_eq!(message, format!("{}: {want}", path.display()));
        };
        check([f32::NAN, 1.0], "row 1 has the probability NaN for class 0, expected 0 to 1");
        check([0.25, 0.25], "row 1 sums to 0.5, expected 1 within 0.001");
        write_npy(&path, &Array2::<f32>::zeros((0, 10))).unwrap();
        let message = read_probabilities(&path).unwrap_err().to_string();
        assert!(
            message.ends_with("shape [0, 10], expected at least one image, and 2 to 256 classes"),
            "{message}"
        );
    }

    #[test]
    fn other_files_are_refused() {
        let (_folder, path) = file();
        let refused = || matches!(read_probabilities(&path), Err(FileError::Format { .. }));
        write_npy(&path, &Array1::<f32>::zeros(10)).unwrap();
        assert!(refused());
        write_npy(&path, &array![[1i64, 0]]).unwrap();
        assert!(refused());
        fs::write(&path, "not an array").unwrap();
        assert!(refused());
        fs::remove_file(&path).unwrap();
        let message = read_probabilities(&path).unwrap_err().to_string();
        assert!(
            message.ends_with("some.npy: cannot read: No such file or directory (os error 2)"),
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

    #[test]
    fn files_that_do_not_fit_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        write_npy(path("a.npy"), &uniform(2)).unwrap();
        write_npy(path("b.npy"), &uniform(3)).unwrap();
        let read = |labels: &[u8], names: &[&str]| {
            let files = names.iter().map(|name| ("one", path(name)));
            Committee::read(Rule::Mean, files, labels).unwrap_err().to_string()
        };
        let b = path("b.npy");
        let want = format!("member {}: shape [3, 10], expected [2, 10] like the first member", b.display());
        assert_eq!(read(&[0, 1], &["a.npy", "b.npy"]), want);
        assert_eq!(read(&[0], &["a.npy"]), "1 labels, expected 2: one for each image");
        assert_eq!(read(&[], &[]), "a committee needs at least one member");
        assert!(read(&[0], &["c.npy"]).contains("c.npy: cannot read: "));
    }

    proptest! {
        #[test]
        fn a_prefix_or_a_longer_file_is_an_error(cut in 0.0..1.0f64, tail in 1usize..100) {
            let mut bytes = Vec::new();
            uniform(3).write_npy(&mut bytes).unwrap();
            let kept = (cut * bytes.len() as f64) as usize;
            prop_assert!(Aligned::new(&bytes[..kept]).array::<f32, Ix2>().is_err());
            bytes.extend(vec![0; tail]);
            prop_assert!(Aligned::new(&bytes).array::<f32, Ix2>().is_err());
        }
    }
}
