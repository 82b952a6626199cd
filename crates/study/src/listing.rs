//! What is in a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::StudyError;

/// Removes a file; that it is not there is no error.
///
/// # Errors
/// The system's.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(reason),
        _ => Ok(()),
    }
}

/// What is in a folder; nothing when there is none.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StudyError> {
    let list = |listing: fs::ReadDir| listing.map(|entry| entry.map(|entry| entry.path())).collect();
    match fs::read_dir(folder).and_then(list) {
        Ok(paths) => Ok(paths),
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(reason) => Err(StudyError::io(folder, "list the folder")(reason)),
    }
}
