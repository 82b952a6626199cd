//! The collections known by name, and the hashes that tell them from anything else.

use std::fmt;
use std::str::FromStr;

/// A collection whose files' hashes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collection {
    /// 60,000 and 10,000 handwritten digits of Yann LeCun, Corinna Cortes and Christopher Burges: "mnist".
    Mnist,
    /// As many pictures of clothes in ten classes, by Zalando Research: "fashion-mnist".
    FashionMnist,
}

/// A file of a [`Collection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KnownFile {
    /// Name without folder and without `.gz`.
    pub(crate) name: &'static str,
    /// SHA-256 of the raw IDX bytes, 64 lower-case hexadecimal digits.
    pub(crate) sha256: &'static str,
    /// Length of the raw IDX file in bytes.
    #[cfg_attr(not(feature = "fetch"), allow(dead_code, reason = "only a download asks for it"))]
    pub(crate) n_bytes: u64,
}

/// Names of the four files, in the order of [`Collection::files`].
pub(crate) const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

const fn known(index: usize, n_bytes: u64, sha256: &'static str) -> KnownFile {
    KnownFile { name: NAMES[index], sha256, n_bytes }
}

/// The files as their makers published them.
static MNIST: [KnownFile; 4] = [
    known(0, 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    known(1, 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    known(2, 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    known(3, 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
];

/// Made from Debian's package dataset-fashion-mnist 0.0~git20200523.55506a9-1: SHA-256 of its four files, gunzipped.
/// They are the makers' own: with the file's name and the time of 31 August 2017 (10:50:06 and 10:50:27 UTC) put back
/// into the gzip headers, where Debian strips them, all four files have the MD5 sums of the makers' README.
static FASHION_MNIST: [KnownFile; 4] = [
    known(0, 47_040_016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
    known(1, 60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    known(2, 7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
    known(3, 10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
];

impl Collection {
    /// Training images, training labels, test images, test labels.
    pub(crate) fn files(self) -> &'static [KnownFile; 4] {
        match self {
            Collection::Mnist => &MNIST,
            Collection::FashionMnist => &FASHION_MNIST,
        }
    }

    /// The name in configs and folders: "mnist" or "fashion-mnist".
    pub fn name(self) -> &'static str {
        match self {
            Collection::Mnist => "mnist",
            Collection::FashionMnist => "fashion-mnist",
        }
    }
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no collection's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("collection \"{got}\", expected \"mnist\" or \"fashion-mnist\"")]
pub struct UnknownCollection {
    /// The name given.
    pub got: String,
}

impl FromStr for Collection {
    type Err = UnknownCollection;

    fn from_str(name: &str) -> Result<Self, UnknownCollection> {
        let all = [Collection::Mnist, Collection::FashionMnist];
        let found = all.into_iter().find(|collection| collection.name() == name);
        found.ok_or_else(|| UnknownCollection { got: name.to_owned() })
    }
}

/// What a verification needs to know, so that tests can bring collections of their own.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) name: &'static str,
    /// In the order of [`NAMES`].
    pub(crate) files: [KnownFile; 4],
}

impl From<Collection> for Manifest {
    fn from(collection: Collection) -> Self {
        Manifest { name: collection.name(), files: *collection.files() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for collection in [Collection::Mnist, Collection::FashionMnist] {
            assert_eq!(collection.to_string().parse(), Ok(collection));
        }
        let error = "Mnist".parse::<Collection>().unwrap_err();
        assert_eq!(error.to_string(), "collection \"Mnist\", expected \"mnist\" or \"fashion-mnist\"");
    }

    #[test]
    fn hashes_are_of_eight_different_files() {
        let files = || [Collection::Mnist, Collection::FashionMnist].into_iter().flat_map(Collection::files);
        let mut hashes: Vec<_> = files().map(|file| file.sha256).collect();
        assert!(
            hashes
                .iter()
                .all(|hash| hash.len() == 64 && hash.chars().all(|c| "0123456789abcdef".contains(c)))
        );
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 8);
        // 60,000 and 10,000 images of 28 × 28 after a header of 16 bytes, labels after one of 8.
        for file in files() {
            let n = if file.name.starts_with("train") { 60_000 } else { 10_000 };
            assert_eq!(file.n_bytes, if file.name.contains("images") { 16 + n * 784 } else { 8 + n });
        }
    }
}
