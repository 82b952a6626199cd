//! A run's heartbeat: a file of its own, locked and updated while the run is active, removed when it ends.
//!
//! ```text
//! {"holder":{"host":"node7","kernel":"0c1f…","pid":4711},"locked":true}
//! beat 00000000000000000012
//! ```
//!
//! Beside it lies `<name>.token`, which holds the run's name: a claim is a further link to it, so that it is whole at once.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::holder::Holder;
use crate::whole_file;

/// What the names of these files begin with.
const PREFIX: &str = "run-";
/// What those of tokens end with.
const TOKEN: &str = "token";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    holder: Holder,
    /// Whether the operating system's lock on this file is held: not every file system has locks.
    locked: bool,
}

/// The file of this process.
#[derive(Debug)]
pub(super) struct RunFile {
    path: PathBuf,
    file: File,
    /// Where the second line begins.
    beat_at: u64,
    beats: u64,
}

/// What can be seen of a run from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    /// It has ended: it has removed its file, or its kernel says that nobody holds the lock.
    Ended,
    /// It is at work: its kernel, which is this one, says so.
    AtWork(Holder),
    /// It is on another kernel, or holds no lock: whether it is at work shows in whether these bytes change.
    Elsewhere(Option<Holder>, Vec<u8>),
}

impl RunFile {
    /// Makes the file in `folder`, locked before it has the name by which others find it.
    pub(super) fn create(folder: &Path, holder: &Holder) -> io::Result<Self> {
        let temporary = whole_file::temporary(folder, &format!(".{PREFIX}"), 12)?;
        let locked = match temporary.as_file().try_lock() {
            Ok(()) => true,
            // No locks on this file system: the beats must do.
            Err(TryLockError::Error(_) | TryLockError::WouldBlock) => false,
        };
        let head = serde_json::to_string(&Head { holder: holder.clone(), locked })?;
        let hidden = temporary.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = hidden.trim_start_matches('.').trim_end_matches(whole_file::SUFFIX);
        let path = folder.join(name);
        temporary.as_file().write_all(format!("{head}\n").as_bytes())?;
        let beat_at = head.len() as u64 + 1;
        let file = temporary.persist(&path)?;
        let mut run = Self { path, file, beat_at, beats: 0 };
        run.beat()?;
        fs::write(token(folder, name), name)?;
        Ok(run)
    }

    /// What others call it.
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A heartbeat, on the disk or at the file server when this returns.
    pub(super) fn beat(&mut self) -> io::Result<()> {
        self.beats += 1;
        self.file.seek(SeekFrom::Start(self.beat_at))?;
        self.file.write_all(format!("beat {:020}\n", self.beats).as_bytes())?;
        self.file.sync_data()
    }

    /// When the file was last written, by the clock of the computer that keeps it.
    pub(super) fn modified(&self) -> io::Result<SystemTime> {
        self.file.metadata()?.modified()
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // Where it cannot be removed, the lock is let go all the same, and the beats end. The token first: who finds a run's file
        // removes both.
        drop(fs::remove_file(self.path.with_extension(TOKEN)));
        drop(fs::remove_file(&self.path));
    }
}

/// The token of the run whose file has this name.
pub(super) fn token(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension(TOKEN)
}

/// Looks at the run whose file has this name.
pub(super) fn look(folder: &Path, name: &str, kernel: &str) -> io::Result<Life> {
    if !name.starts_with(PREFIX) {
        return Ok(Life::Elsewhere(None, Vec::new())); // a claim that is being written, or was never completed
    }
    let path = folder.join(name);
    // Opened anew for every look: this is when a client of NFS asks its server.
    let read = || -> io::Result<(File, Vec<u8>)> {
        let mut file = File::open(&path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok((file, bytes))
    };
    let (file, bytes) = match read() {
        Ok(read) => read,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(Life::Ended),
        Err(reason) => return Err(reason),
    };
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice(line) {
        Ok(Head { holder, locked: true }) if holder.kernel == kernel => match file.try_lock_shared() {
            Ok(()) => Ok(Life::Ended),
            Err(TryLockError::WouldBlock) => Ok(Life::AtWork(holder)),
            Err(TryLockError::Error(_)) => Ok(Life::Elsewhere(Some(holder), bytes)),
        },
        Ok(Head { holder, .. }) => Ok(Life::Elsewhere(Some(holder), bytes)),
        Err(_) => Ok(Life::Elsewhere(None, bytes)),
    }
}

/// Whether a path is that of such a file.
pub(super) fn is_run_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(PREFIX) && path.extension().is_none()
}
