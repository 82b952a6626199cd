//! The folder that the files are fetched into.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use super::error::Trouble;
use super::{Event, Failure, FetchError};
use crate::collection::KnownFile;
use crate::hash::HashWriter;
use crate::whole_file::{TEMPORARY_PREFIX, write_whole};

/// The lock's name. The file stays; only the lock on it comes and goes, also when its holder is killed.
const LOCK: &str = ".lock";

/// Start of the names of folders that `npm` works in.
pub(super) const NPM_PREFIX: &str = ".npm-";

/// Bytes copied at once.
pub(super) const CHUNK: usize = 64 * 1024;

pub(super) struct Cache<'a> {
    pub(super) folder: &'a Path,
    pub(super) files: &'a [KnownFile; 4],
}

/// A file to download.
pub(super) struct Wanted {
    pub(super) file: KnownFile,
    /// Whether there is something of that name.
    pub(super) is_damaged: bool,
}

impl Cache<'_> {
    /// The files that are not there, or not what they should be.
    pub(super) fn wanted(&self) -> Result<Vec<Wanted>, FetchError> {
        let mut wanted = Vec::new();
        for &file in self.files {
            let path = self.folder.join(file.name);
            let is_damaged = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(FetchError::io(&path, "open")(error)),
                Ok(opened) if is_whole(&opened, file).map_err(FetchError::io(&path, "read"))? => continue,
                Ok(_) => true,
            };
            wanted.push(Wanted { file, is_damaged });
        }
        Ok(wanted)
    }

    /// Creates the folder and takes its lock, which is given back when the returned file is dropped.
    pub(super) fn lock(&self, observe: &mut dyn FnMut(Event<'_>)) -> Result<File, FetchError> {
        fs::create_dir_all(self.folder).map_err(FetchError::io(self.folder, "create"))?;
        let path = self.folder.join(LOCK);
        let opened = File::options().write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(FetchError::io(&path, "open"))?;
        let locked = match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                observe(Event::Waiting { lock: &path });
                file.lock()
            }
            Err(TryLockError::Error(source)) => Err(source),
        };
        locked.map_err(|source| FetchError::Lock { path, source })?;
        Ok(file)
    }

    /// Removes what killed processes left behind. Only for the holder of the lock.
    pub(super) fn sweep(&self) -> Result<(), FetchError> {
        let unreadable = |error| FetchError::io(self.folder, "read")(error);
        for entry in fs::read_dir(self.folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let is_left = |name: &str| name.starts_with(TEMPORARY_PREFIX) || name.starts_with(NPM_PREFIX);
            if entry.file_name().to_str().is_some_and(is_left) {
                let path = entry.path();
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(FetchError::io(&path, "remove"))?;
            }
        }
        Ok(())
    }

    /// Stores the raw bytes of a file, provided they are the right ones.
    pub(super) fn store(
        &self,
        file: KnownFile,
        raw: &mut dyn Read,
        observe: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Trouble> {
        let path = self.folder.join(file.name);
        let stored = write_whole::<StoreError>(&path, |to| copy_verified(file, raw, to));
        match stored {
            Ok(()) => {
                observe(Event::Stored { path: &path, n_bytes: file.n_bytes });
                Ok(())
            }
            Err(StoreError::Io(error)) => Err(Trouble::Here(FetchError::io(&path, "write")(error))),
            Err(StoreError::Content(failure)) => Err(Trouble::There(failure)),
        }
    }
}

fn is_whole(mut opened: &File, file: KnownFile) -> io::Result<bool> {
    let metadata = opened.metadata()?;
    if !metadata.is_file() || metadata.len() != file.n_bytes {
        return Ok(false);
    }
    let mut hash = HashWriter::default();
    io::copy(&mut opened, &mut hash)?;
    Ok(hash.finish() == file.sha256)
}

enum StoreError {
    Io(io::Error),
    Content(Failure),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        StoreError::Io(error)
    }
}

fn copy_verified(file: KnownFile, raw: &mut dyn Read, to: &mut File) -> Result<(), StoreError> {
    let name = || file.name.to_owned();
    let mut hash = HashWriter::default();
    let mut chunk = vec![0; CHUNK];
    let mut n_bytes = 0;
    loop {
        let n = match raw.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(StoreError::Content(damaged(file.name, &error))),
        };
        n_bytes += n as u64;
        // Whatever is being inflated, it fills no disk.
        if n_bytes > file.n_bytes {
            let failure = Failure::TooLong { name: name(), got: n_bytes, want: file.n_bytes };
            return Err(StoreError::Content(failure));
        }
        hash.write_all(&chunk[..n])?;
        to.write_all(&chunk[..n])?;
    }
    let got = hash.finish();
    if got == file.sha256 {
        return Ok(());
    }
    Err(StoreError::Content(Failure::Hash { name: name(), got, want: file.sha256.to_owned() }))
}

pub(super) fn damaged(name: &str, error: &io::Error) -> Failure {
    Failure::Damaged { name: name.to_owned(), reason: error.to_string() }
}
