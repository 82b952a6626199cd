//! Files that are whole or absent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::StudyError;

/// What the names of temporary files end with.
const SUFFIX: &str = ".tmp";

/// Writes a file so that after a crash at any moment there is either the file as it was or the new one whole:
/// a temporary sibling, fsync, rename, fsync of the folder. The folder must exist.
///
/// # Errors
/// [`StudyError::Io`] with the path and the operating system's reason; the file is then as it was, and the
/// temporary one gone.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StudyError> {
    let temporary = temporary_sibling(path);
    let written = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first failure is the one to report; often there is nothing to remove.
        let _ = fs::remove_file(&temporary);
    }
    written.and_then(|()| sync_folder(path)).map_err(StudyError::io(path, "write the file"))
}

/// Whether a path looks like a temporary file of [`write_whole`].
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(SUFFIX)
}

/// A name of its own for every call in every process, so that two writers of one file never share a temporary
/// one.
fn temporary_sibling(path: &Path) -> PathBuf {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{call}{SUFFIX}", process::id()))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Truncates: what a killed process of the same id left there is nobody's.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename last. Only Unix can open a folder for that; elsewhere the file system is trusted.
fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        for bytes in [b"long content".as_slice(), b"short", b""] {
            write_whole(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
            assert_eq!(names(folder.path()), ["a.json"]);
        }
    }

    #[test]
    fn a_failure_names_the_path_and_the_reason_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("nowhere").join("a.json");
        let message = write_whole(&missing, b"x").unwrap_err().to_string();
        let want =
            format!("{}: cannot write the file: No such file or directory (os error 2)", missing.display());
        assert_eq!(message, want);

        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        write_whole(&taken, b"x").unwrap_err();
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[test]
    fn temporary_names_are_known_again() {
        assert!(is_temporary(&temporary_sibling(Path::new("a/weights.safetensors"))));
        assert_ne!(temporary_sibling(Path::new("a")), temporary_sibling(Path::new("a")));
        for kept in ["weights.safetensors", ".lock", "a.tmp"] {
            assert!(!is_temporary(Path::new(kept)));
        }
    }
}
