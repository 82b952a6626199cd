//! Why a fetch failed: here, or at each of the sources.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// Why the files of a collection are not in the cache.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The system knows no cache folder for this user.
    #[error("this user has no cache folder: name a folder with the files with --data DIR")]
    NoCacheFolder,
    /// The cache folder cannot be used.
    #[error("{path}: cannot {action}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What was tried, as a verb: "create", "read", "write", ….
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The cache folder cannot be locked, as on some network file systems.
    #[error(
        "{path}: cannot lock the cache folder, because its file system has no locks: put the cache on a local disk, or name a folder \
         with the files with --data DIR"
    )]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was given as a proxy is no address.
    #[error("proxy \"{got}\", expected an address like http://localhost:3128 or socks5://localhost:1080")]
    Proxy {
        /// What was given.
        got: String,
    },
    /// No source had all files.
    #[error(
        "{collection} could not be downloaded into {folder}: {}; if you have its four files, name their folder with \
         --data DIR{hint}",
        list(attempts)
    )]
    Sources {
        /// Name of the collection.
        collection: String,
        /// The cache folder.
        folder: PathBuf,
        /// Every source tried, in order.
        attempts: Vec<Attempt>,
        /// Where else the files may be had; may be empty.
        hint: &'static str,
    },
}

/// A source that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Address of a file, or the command that was run.
    pub source: String,
    /// Why it failed.
    pub failure: Failure,
}

/// Why a source failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No answer: no such host, no connection, no certificate, a time-out.
    #[error("no answer ({reason})")]
    Unreachable {
        /// What the connection said.
        reason: String,
    },
    /// An answer, but not the file.
    #[error("status {got}, expected 200")]
    Status {
        /// The HTTP status.
        got: u16,
    },
    /// A web page in place of the file.
    #[error("got a web page instead of the file: log in to the network or its proxy first")]
    WebPage,
    /// The file's beginning only, however often asked.
    #[error("interrupted after {got} bytes{} ({reason})", of(*want))]
    BrokenOff {
        /// Bytes that came.
        got: u64,
        /// Bytes that should have come, where the server said.
        want: Option<u64>,
        /// What the connection said.
        reason: String,
    },
    /// Something longer or shorter than the file.
    #[error("{name}: got {got} bytes or more, expected {want}")]
    TooLong {
        /// The file.
        name: String,
        /// Bytes seen when it was given up.
        got: u64,
        /// Bytes the file has; of a download, the most it may have.
        want: u64,
    },
    /// Compressed data that cannot be inflated.
    #[error("{name}: damaged archive ({reason})")]
    Damaged {
        /// The file.
        name: String,
        /// What the decoder said.
        reason: String,
    },
    /// Some other file than the collection's.
    #[error("{name}: SHA-256 {got}, expected {want}")]
    Hash {
        /// The file.
        name: String,
        /// SHA-256 of the raw bytes that came, in hex.
        got: String,
        /// SHA-256 of the collection's file, in hex.
        want: String,
    },
    /// A package without the file.
    #[error("no file {name} in the package")]
    NotInPackage {
        /// The file.
        name: String,
    },
    /// The program did not run, or said no.
    #[error("{} failed ({reason})", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system or the program said.
        reason: String,
    },
}

fn of(want: Option<u64>) -> String {
    want.map_or_else(String::new, |want| format!(", expected {want}"))
}

fn list(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return "there is no source to download from".to_owned();
    }
    let mut text = String::new();
    for Attempt { source, failure } in attempts {
        let separator = if text.is_empty() { "" } else { "; " };
        write!(text, "{separator}{source}: {failure}").expect("a string takes every character");
    }
    text
}

/// Tells what is wrong on this machine, where no other source helps, from what is wrong with a source.
#[derive(Debug)]
pub(super) enum Trouble {
    Here(FetchError),
    There(Failure),
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        Trouble::Here(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Trouble::There(failure)
    }
}

impl FetchError {
    /// Wraps an error of the system: use as `.map_err(FetchError::io(path, "read"))`.
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> FetchError {
        let path = path.to_path_buf();
        move |source| FetchError::Io { path, action, source }
    }
}
