//! One run at a time in a results folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::StudyError;
use crate::file_names::MANIFEST;
use crate::listing::entries;
use crate::whole_file;

/// How often a taken lock is tried, and the pause in between: two seconds in all, because a trainer whose
/// parent was killed finishes saving first.
const TRIES: u32 = 41;
const PAUSE: Duration = Duration::from_millis(50);

/// A results folder, held for this process until dropped. The operating system lets go of it when the process
/// dies, however it dies; the file `.lock` stays and means nothing by itself.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// Whether another holds the lock. Waits for nothing, makes no file and removes none. The lock is tried as a shared one, so
/// that two who ask at once do not see each other.
pub(crate) fn is_locked(root: &Path) -> Result<bool, StudyError> {
    let path = lock_path(root);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(reason) => return Err(StudyError::io(&path, "open the lock")(reason)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(reason)) => Err(StudyError::io(&path, "try the lock")(reason)),
    }
}

fn lock_path(root: &Path) -> PathBuf {
    root.join(".lock")
}

impl FolderLock {
    pub(crate) fn take(root: &Path, columns: &Path) -> Result<Self, StudyError> {
        let path = lock_path(root);
        let fail = || StudyError::io(&path, "lock the results folder");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(fail())?;
        for tried in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if tried < TRIES => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(StudyError::Busy { path: root.to_path_buf() }),
                Err(TryLockError::Error(reason)) => return Err(fail()(reason)),
            }
        }
        sweep(root, columns)?;
        Ok(Self { _file: file })
    }
}

/// Removes the unfinished temporary files of [`write_whole`](crate::write_whole) that only the holder of the lock
/// writes: those in the columns' folders and those of the manifest.
fn sweep(root: &Path, columns: &Path) -> Result<(), StudyError> {
    let is_manifest = |file: &Path| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&format!(".{MANIFEST}."))
    };
    let mut files = entries(root)?;
    files.retain(|file| is_manifest(file));
    for column in entries(columns)?.iter().filter(|column| column.is_dir()) {
        files.extend(entries(column)?);
    }
    for file in files.iter().filter(|file| whole_file::is_temporary(file)) {
        fs::remove_file(file).map_err(StudyError::io(file, "remove the half-written file"))?;
    }
    Ok(())
}
