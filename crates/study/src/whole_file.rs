//! Files that are whole or absent.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::StudyError;

/// What the names of temporary files end with.
pub(crate) const SUFFIX: &str = ".tmp";

/// Writes a file so that after a crash at any moment there is either the file as it was or the new one whole:
/// a temporary sibling, fsync, rename, fsync of the folder. The folder must exist.
///
/// # Errors
/// [`StudyError::Io`] with the path and the operating system's reason; the file is then as it was, and the
/// temporary one gone.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StudyError> {
    replace(path, bytes).map_err(StudyError::io(path, "write the file"))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // A name of its own for every call, process and host. Dropped on failure, it is removed.
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let mut temporary = temporary(folder, &prefix, 6)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    // `persist` makes the system call itself; this one is the C library's, which the tests of faults replace. The temporary file's
    // own clean-up then finds nothing to remove.
    fs::rename(temporary.path(), path)?;
    // Makes the rename last. Only Unix can open a folder for that; elsewhere the file system is trusted.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A temporary file in a folder, named by a prefix and so many random characters.
pub(crate) fn temporary(folder: &Path, prefix: &str, n_random: usize) -> io::Result<NamedTempFile> {
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(prefix).suffix(SUFFIX).rand_bytes(n_random);
    #[cfg(unix)] // readable by whom the user's umask allows, as any file
    temporary.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    temporary.tempfile_in(folder)
}

/// Whether a path looks like a temporary file of [`write_whole`].
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        assert!(message.starts_with(&want), "{message}");

        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        write_whole(&taken, b"x").unwrap_err();
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[test]
    fn temporary_names_are_known_again() {
        assert!(is_temporary(Path::new("a/.weights.safetensors.Xy12zq.tmp")));
        for kept in ["weights.safetensors", ".lock", "a.tmp"] {
            assert!(!is_temporary(Path::new(kept)));
        }
    }
}
