//! A training and a test set together: from a folder, verified or not.

use std::path::{Path, PathBuf};

use ndarray::{Array1, Array3, Dimension};

use crate::collection::{KnownFile, Manifest, NAMES};
use crate::idx::{read_u8, sha256_u8};
use crate::labels::into_vec;
use crate::{Collection, Digits, Error, FileHash, TestDigits};

/// Digits to train on and digits to test on, of one image size.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    /// To train and to validate on: 60,000 in MNIST.
    pub train: Digits,
    /// To test on: 10,000 in MNIST.
    pub test: TestDigits,
}

impl Data {
    /// Reads the four files of a folder, whatever digits they hold, without comparing them with any known hash.
    ///
    /// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`, each as it is or with `.gz`; names with a dot for the second hyphen
    /// (`train-images.idx3-ubyte`), as some archives have them, do too, and so does a folder of the file's name with the file in it. They may
    /// lie in the folders `raw` or `MNIST/raw` below, as torchvision has them. Where a file cannot be used, one of another of these names is.
    ///
    /// # Errors
    /// [`Error::Folder`], [`Error::Missing`], [`Error::ImageSize`], and those of [`Digits::read`].
    pub fn read(folder: impl AsRef<Path>) -> Result<Data, Error> {
        load(folder.as_ref(), None, &mut |_| ())
    }

    /// Reads the four files of a folder, as [`read`](Self::read) does, and refuses any whose raw bytes do not have the
    /// collection's SHA-256. The hashed bytes are those returned: each file is read once.
    ///
    /// # Errors
    /// [`Error::Hash`], and those of [`read`](Self::read).
    pub fn read_verified(
        collection: Collection,
        folder: impl AsRef<Path>,
    ) -> Result<(Data, Vec<FileHash>), Error> {
        Self::read_verified_telling(collection, folder, &mut |_| ())
    }

    /// [`read_verified`](Self::read_verified), and reports each file that was skipped because it could not be used.
    ///
    /// # Errors
    /// As [`read_verified`](Self::read_verified).
    pub fn read_verified_telling(
        collection: Collection,
        folder: impl AsRef<Path>,
        skipped: &mut dyn FnMut(&Error),
    ) -> Result<(Data, Vec<FileHash>), Error> {
        read_manifest(&collection.into(), folder.as_ref(), skipped)
    }

    /// Name and SHA-256 of the four raw IDX files that hold these digits, training images, training labels, test images,
    /// test labels: for digits read from files, those of the files.
    pub fn hashes(&self) -> Vec<FileHash> {
        let labels = |labels| sha256_u8(ndarray::ArrayView1::from(labels));
        let hashes = [
            sha256_u8(self.train.images()),
            labels(self.train.labels()),
            sha256_u8(self.test.images()),
            labels(self.test.labels()),
        ];
        let named = NAMES.into_iter().zip(hashes);
        named.map(|(name, sha256)| FileHash { name: name.to_owned(), sha256 }).collect()
    }
}

/// [`Data::read_verified`] for any manifest.
pub(crate) fn read_manifest(
    manifest: &Manifest,
    folder: &Path,
    skipped: &mut dyn FnMut(&Error),
) -> Result<(Data, Vec<FileHash>), Error> {
    let data = load(folder, Some(manifest), skipped)?;
    let hashes =
        manifest.files.map(|file| FileHash { name: file.name.to_owned(), sha256: file.sha256.to_owned() });
    Ok((data, hashes.to_vec()))
}

/// Folders below the one given that the files may lie in.
const BELOW: [&str; 4] = ["", "raw", "MNIST/raw", "FashionMNIST/raw"];

fn load(folder: &Path, manifest: Option<&Manifest>, skipped: &mut dyn FnMut(&Error)) -> Result<Data, Error> {
    // All four files come from one folder. With a manifest, the first folder whose files match it is used.
    let below = BELOW.map(|below| if below.is_empty() { folder.to_path_buf() } else { folder.join(below) });
    let mut errors = Vec::new();
    for folder in below.iter().filter(|folder| !candidates(folder, NAMES[0]).is_empty()) {
        match load_from(folder, manifest, skipped) {
            Ok(data) => {
                errors.iter().for_each(&mut *skipped);
                return Ok(data);
            }
            Err(error) => errors.push(error),
        }
    }
    Err(if errors.is_empty() { missing(folder, NAMES[0]) } else { errors.swap_remove(0) })
}

fn load_from(
    folder: &Path,
    manifest: Option<&Manifest>,
    skipped: &mut dyn FnMut(&Error),
) -> Result<Data, Error> {
    let (_, train) = read_pair(folder, manifest, 0, skipped)?;
    let (path, test) = read_pair(folder, manifest, 2, skipped)?;
    let size = |digits: &Digits| [digits.images().dim().1, digits.images().dim().2];
    if size(&test) != size(&train) {
        return Err(Error::ImageSize { path, got: size(&test), want: size(&train) });
    }
    Ok(Data { train, test: TestDigits::from_digits(test) })
}

/// The images of that index and the labels that follow them, with the images' path.
fn read_pair(
    folder: &Path,
    manifest: Option<&Manifest>,
    index: usize,
    skipped: &mut dyn FnMut(&Error),
) -> Result<(PathBuf, Digits), Error> {
    let (images_path, images): (_, Array3<u8>) = read_file(folder, manifest, index, skipped)?;
    let (labels_path, labels): (_, Array1<u8>) = read_file(folder, manifest, index + 1, skipped)?;
    let digits = Digits::checked(images, into_vec(labels), &images_path, &labels_path)?;
    Ok((images_path, digits))
}

/// Reads one of the four files, the first of its names that can be used.
fn read_file<D: Dimension>(
    folder: &Path,
    manifest: Option<&Manifest>,
    index: usize,
    skipped: &mut dyn FnMut(&Error),
) -> Result<(PathBuf, ndarray::Array<u8, D>), Error> {
    let mut errors = Vec::new();
    for path in candidates(folder, NAMES[index]) {
        match read_candidate(&path, manifest, index) {
            Ok(array) => {
                errors.iter().for_each(&mut *skipped);
                return Ok((path, array));
            }
            Err(error) => errors.push(error),
        }
    }
    Err(if errors.is_empty() { missing(folder, NAMES[index]) } else { errors.swap_remove(0) })
}

/// Reads a file, and verifies it when there is something to verify it with.
fn read_candidate<D: Dimension>(
    path: &Path,
    manifest: Option<&Manifest>,
    index: usize,
) -> Result<ndarray::Array<u8, D>, Error> {
    let array = read_u8::<D>(path)?;
    if let Some(manifest) = manifest {
        let KnownFile { name, sha256, .. } = manifest.files[index];
        let got = sha256_u8(array.view());
        if got != sha256 {
            let (collection, name, want) = (manifest.name.to_owned(), name.to_owned(), sha256.to_owned());
            return Err(Error::Hash { path: path.to_path_buf(), collection, name, got, want });
        }
    }
    Ok(array)
}

/// The files of that name, raw first.
fn candidates(folder: &Path, name: &str) -> Vec<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let names = [name.to_owned(), format!("{name}.gz"), dotted.clone(), format!("{dotted}.gz")];
    let at = |name: &String| [folder.join(name), folder.join(name).join(name)];
    names.iter().flat_map(at).filter(|path| path.is_file()).collect()
}

fn missing(folder: &Path, name: &str) -> Error {
    let name = name.to_owned();
    if folder.is_dir() {
        Error::Missing { folder: folder.to_path_buf(), name }
    } else {
        Error::Folder { path: folder.to_path_buf(), name }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::idx::{self, Encoding};

    /// The sample's four files as raw IDX, in a folder of their own.
    pub(crate) fn sample_folder(encoding: Encoding) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::sample();
        let labels = |labels: &[u8]| Array1::from(labels.to_vec()).into();
        let arrays: [idx::Array; 4] = [
            data.train.images().to_owned().into(),
            labels(data.train.labels()),
            data.test.images().to_owned().into(),
            labels(data.test.labels()),
        ];
        for (name, array) in NAMES.into_iter().zip(&arrays) {
            let name = if encoding == Encoding::Gzip { format!("{name}.gz") } else { name.to_owned() };
            idx::write(folder.path().join(name), array, encoding).unwrap();
        }
        folder
    }

    /// A collection that is the sample: what tests verify and fetch instead of MNIST.
    pub(crate) fn sample_manifest() -> Manifest {
        let known = |name, n_bytes, sha256| KnownFile { name, sha256, n_bytes };
        Manifest {
            name: "sample",
            files: [
                known(NAMES[0], 16 + 400 * 784, SAMPLE_HASHES[0]),
                known(NAMES[1], 8 + 400, SAMPLE_HASHES[1]),
                known(NAMES[2], 16 + 100 * 784, SAMPLE_HASHES[2]),
                known(NAMES[3], 8 + 100, SAMPLE_HASHES[3]),
            ],
        }
    }

    /// From `zcat sample/*.gz | sha256sum`, one file at a time.
    const SAMPLE_HASHES: [&str; 4] = [
        "23c12e9a95f10c9ed0199efbd7077743274b1f31cdbbaf9b2763ac63d52975e9",
        "a6af1fb7aacc0682e84fbfcc901cf32e3d116ebc9fd803a90900fabcdc6552d5",
        "42252e7c2af7ac320cf33577d7098dba09d7ef6f7724b8826cf577dd233ad06d",
        "e51cec5270b5c7dba2b27a9d853f6691e4af7a0043f6eaf58569bd2f5bd722a1",
    ];

    #[test]
    fn the_sample_is_balanced_and_never_changes() {
        let data = Data::sample();
        for (labels, n_per_class) in [(data.train.labels(), 40), (data.test.labels(), 10)] {
            for class in 0..10 {
                assert_eq!(labels.iter().filter(|&&label| label == class).count(), n_per_class);
            }
        }
        assert_eq!(data.train.images().dim(), (400, 28, 28));
        assert_eq!(data.test.images().dim(), (100, 28, 28));
        // MNIST's training file starts with these labels, and no class has 40 among them.
        assert_eq!(data.train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
        assert!(data.hashes().iter().map(|hash| hash.sha256.as_str()).eq(SAMPLE_HASHES));
    }

    #[test]
    fn a_folder_is_read_raw_gzipped_or_with_dots() {
        let sample = Data::sample();
        let raw = sample_folder(Encoding::Raw);
        assert_eq!(Data::read(raw.path()).unwrap(), sample);
        assert_eq!(Data::read(sample_folder(Encoding::Gzip).path()).unwrap(), sample);
        for name in NAMES {
            let dotted = name.replace("-idx", ".idx");
            fs::rename(raw.path().join(name), raw.path().join(dotted)).unwrap();
        }
        assert_eq!(Data::read(raw.path()).unwrap(), sample);
        let [images, labels] = ["train-images.idx3-ubyte", "train-labels.idx1-ubyte"];
        assert_eq!(Digits::read(raw.path().join(images), raw.path().join(labels)).unwrap(), sample.train);
    }

    #[test]
    fn folders_as_others_make_them_are_read() {
        let sample = Data::sample();
        let raw = sample_folder(Encoding::Raw);
        for below in ["raw", "MNIST/raw", "FashionMNIST/raw"] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join(below)).unwrap();
            for name in NAMES {
                fs::copy(raw.path().join(name), root.path().join(below).join(name)).unwrap();
            }
            assert_eq!(Data::read(root.path()).unwrap(), sample, "{below}");
        }
        // Both collections side by side: the one that is asked for.
        let root = tempfile::tempdir().unwrap();
        for below in ["MNIST/raw", "FashionMNIST/raw"] {
            fs::create_dir_all(root.path().join(below)).unwrap();
            for name in NAMES {
                let bytes = fs::read(raw.path().join(name)).unwrap();
                let other = [&bytes[..bytes.len() - 1], &[bytes[bytes.len() - 1] ^ 1]].concat();
                let bytes = if below == "MNIST/raw" { other } else { bytes };
                fs::write(root.path().join(below).join(name), bytes).unwrap();
            }
        }
        let (data, _) = read_manifest(&sample_manifest(), root.path(), &mut |_| ()).unwrap();
        assert_eq!(data, sample);
        // A folder of the file's name, as unpacked by some archives.
        for name in NAMES {
            let file = fs::read(raw.path().join(name)).unwrap();
            fs::remove_file(raw.path().join(name)).unwrap();
            fs::create_dir(raw.path().join(name)).unwrap();
            fs::write(raw.path().join(name).join(name), file).unwrap();
        }
        assert_eq!(Data::read(raw.path()).unwrap(), sample);
    }

    #[test]
    fn an_empty_or_damaged_file_next_to_a_good_one_is_reported_and_skipped() {
        let folder = sample_folder(Encoding::Gzip);
        fs::write(folder.path().join(NAMES[0]), "").unwrap();
        fs::write(folder.path().join(NAMES[3]), [0, 0, 8, 1, 0, 0, 0, 9, 1]).unwrap();
        let mut told = Vec::new();
        let (data, _) =
            read_manifest(&sample_manifest(), folder.path(), &mut |error| told.push(error.to_string()))
                .unwrap();
        assert_eq!(data, Data::sample());
        let said =
            |name: &str, what: &str| format!("{}: truncated: {what}", folder.path().join(name).display());
        assert_eq!(
            told,
            [said(NAMES[0], "got 0 bytes, expected 4"), said(NAMES[3], "got 9 bytes, expected 17")]
        );
    }

    #[test]
    fn verification_returns_the_hashes_of_the_raw_bytes() {
        for encoding in [Encoding::Raw, Encoding::Gzip] {
            let (data, hashes) =
                read_manifest(&sample_manifest(), sample_folder(encoding).path(), &mut |_| ()).unwrap();
            assert_eq!(data, Data::sample());
            assert_eq!(hashes, data.hashes());
        }
    }

    #[test]
    fn one_wrong_pixel_is_refused() {
        let folder = sample_folder(Encoding::Raw);
        let path = folder.path().join(NAMES[2]);
        let mut bytes = fs::read(&path).unwrap();
        bytes[1000] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert!(Data::read(folder.path()).is_ok());
        let error = read_manifest(&sample_manifest(), folder.path(), &mut |_| ()).unwrap_err().to_string();
        let Err(Error::Hash { got, .. }) = read_manifest(&sample_manifest(), folder.path(), &mut |_| ())
        else {
            panic!("{error}")
        };
        let want = format!(
            "{}: SHA-256 {got}, expected {} of sample's t10k-images-idx3-ubyte: the file is damaged or belongs to another collection; \
             name a folder with sample's files, or no folder to download them",
            path.display(),
            SAMPLE_HASHES[2]
        );
        assert_eq!(error, want);
        // The sample is no MNIST.
        let error = Data::read_verified(Collection::Mnist, folder.path()).unwrap_err();
        assert!(matches!(error, Error::Hash { collection, .. } if collection == "mnist"));
    }

    #[test]
    fn what_is_missing_or_of_the_wrong_kind_is_named() {
        let folder = sample_folder(Encoding::Raw);
        let at = |name: &str| folder.path().join(name);
        let message = || Data::read(folder.path()).unwrap_err().to_string();
        let said = |name: &str, what: &str| format!("{}: {what}", at(name).display());

        let images: idx::Array = ndarray::Array3::<u8>::zeros((100, 29, 28)).into();
        idx::write(at(NAMES[2]), &images, Encoding::Raw).unwrap();
        let what = "images of [29, 28] pixels (height, width), expected [28, 28] as in the training images";
        assert_eq!(message(), said(NAMES[2], what));

        idx::write(at(NAMES[3]), &ndarray::Array2::<u8>::zeros((100, 1)).into(), Encoding::Raw).unwrap();
        assert_eq!(message(), said(NAMES[3], "rank 2 (shape [100, 1]), expected 1"));

        idx::write(at(NAMES[1]), &ndarray::Array1::<i32>::zeros(400).into(), Encoding::Raw).unwrap();
        assert_eq!(message(), said(NAMES[1], "elements of type i32, expected u8"));

        fs::remove_file(at(NAMES[0])).unwrap();
        assert_eq!(message(), format!("{}: no file {}, raw or .gz", folder.path().display(), NAMES[0]));

        let error = Data::read(at("nowhere")).unwrap_err().to_string();
        let what = "no such folder; expected a folder with train-images-idx3-ubyte and the three other files, raw or .gz";
        assert_eq!(error, said("nowhere", what));
    }
}
