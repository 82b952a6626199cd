//! What happens during a fetch, for whoever wants to show it.

use std::fmt;
use std::path::Path;

use super::Failure;

/// A step of [`Fetcher::fetch`](super::Fetcher::fetch). Prints as one line.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// All four files are there, verified.
    Found {
        /// The folder that has them.
        folder: &'a Path,
    },
    /// Another process is fetching: this one waits for it.
    Waiting {
        /// The lock that the other one holds.
        lock: &'a Path,
    },
    /// A file of the cache is not what it should be, and will be replaced.
    Damaged {
        /// The file.
        path: &'a Path,
    },
    /// A download starts.
    Started {
        /// Address of the file, or the command that is run.
        source: &'a str,
    },
    /// More has come; often, so show it rarely.
    Progress {
        /// Address of the file.
        source: &'a str,
        /// Bytes that have come.
        n_bytes: u64,
        /// Bytes to come in all, where the server says.
        total: Option<u64>,
    },
    /// A download broke off; it is started again.
    BrokenOff {
        /// Address of the file.
        source: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// A source is given up, for this file at least.
    Failed {
        /// Address of the file, or the command that was run.
        source: &'a str,
        /// Why.
        failure: &'a Failure,
    },
    /// A file is verified and in its place.
    Stored {
        /// Where it is.
        path: &'a Path,
        /// Its length in bytes.
        n_bytes: u64,
    },
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Found { folder } => write!(f, "{}: all files are there and verified", folder.display()),
            Event::Waiting { lock } => {
                write!(f, "{}: another process is downloading; waiting", lock.display())
            }
            Event::Damaged { path } => write!(f, "{}: damaged, downloading it again", path.display()),
            Event::Started { source } => write!(f, "{source}: downloading"),
            Event::Progress { source, n_bytes, total: Some(total) } => {
                write!(f, "{source}: {n_bytes} of {total} bytes")
            }
            Event::Progress { source, n_bytes, total: None } => write!(f, "{source}: {n_bytes} bytes"),
            Event::BrokenOff { source, failure } => write!(f, "{source}: {failure}; trying again"),
            Event::Failed { source, failure } => write!(f, "{source}: {failure}"),
            Event::Stored { path, n_bytes } => {
                write!(f, "{}: {n_bytes} bytes, verified and stored", path.display())
            }
        }
    }
}
