//! Files that are whole or absent.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Start of the names of temporary siblings.
pub(crate) const TEMPORARY_PREFIX: &str = ".tmp-";

/// Writes `path` through `fill` so that it is never seen half written: temporary sibling, sync, rename, sync of the
/// folder. When `fill` fails, nothing is left behind and an older file of that name stays as it was.
pub(crate) fn write_whole<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = temporary_in(folder)?;
    fill(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)?;
    Ok(())
}

fn temporary_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    // As readable as any other new file (the umask still applies), not for the owner alone.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Makes the rename itself survive a power cut; only Unix can sync a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn replaces_the_old_file_only_when_all_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole::<io::Error>(&path, |file| file.write_all(b"old")).unwrap();
        let broken = write_whole::<io::Error>(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("broken off"))
        });
        assert_eq!(broken.unwrap_err().to_string(), "broken off");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write_whole::<io::Error>(&path, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left behind");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_the_file_as_the_umask_says() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        let whole = folder.path().join("whole");
        fs::write(&plain, b"").unwrap();
        write_whole::<io::Error>(&whole, |_| Ok(())).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&whole), mode(&plain));
    }
}
