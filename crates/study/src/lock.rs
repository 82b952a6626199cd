//! Columns that one process holds, while others, on other hosts too, hold others of the same results folder.
//!
//! ```text
//! <root>/.locks/run-<random>        a run's heartbeat: who it is, and a number that it raises every five seconds
//! <root>/.locks/<column>.<number>   a claim to a column, which names its run; the one with the highest number counts
//! <root>/.lock                      held by older versions, which lock the whole folder; shared by this one
//! ```
//!
//! A claim is made by a link, which fails if the name is there: atomic on every file system, over NFS too. Who wants a column
//! whose last claim is another's asks whether that run is at work:
//!
//! - its file is gone: it has ended;
//! - it is of the same kernel: the operating system's lock on its file says so at once, however it ended;
//! - it is of another kernel: such locks may be missing, may not reach beyond a host, or may outlive one, so they decide nothing.
//!   It has ended when its number has stayed the same for [`Pace::silent_looks`], counted by who waits: no two clocks are
//!   compared, and while the file server does not answer nothing is counted.
//!
//! A run that only seems to have ended (stopped, cut off, its host asleep) must not write any more. So before each write it
//! [confirms](ColumnLocks::confirm) that it holds the column: its last heartbeat is younger than [`Pace::lapse`], a third of what
//! others wait for, and nobody has claimed the column since. An older one does not count, and it must claim its column anew,
//! which succeeds only if no other has. What is left is a write that begins within the one time and ends after the other, a minute
//! later. Files are whole or absent then, too, and both runs work on the same bits.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use self::claims::{Claim, Claims};
pub use self::holder::Holder;
use self::run_file::{Life, RunFile, is_run_file, look, token};
use crate::listing::{entries, remove_if_there};
use crate::{ColumnId, StudyError, whole_file};

mod claims;
mod holder;
mod run_file;
#[cfg(test)]
mod tests;

/// How often a column that is held is tried, and the pause in between: two seconds in all, because a run that was told to
/// stop finishes saving first.
const TRIES: u32 = 41;
const PAUSE: Duration = Duration::from_millis(50);

/// The age from which a temporary file outside the columns' folders is nobody's: no file takes so long to write.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// How fast runs beat, and how slow is dead.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Between two heartbeats, and between two looks at those of another.
    beat: Duration,
    /// The age from which a run's own last heartbeat does not let it write any more.
    lapse: Duration,
    /// Looks in a row that must have found the same before a run of another host is taken to have ended.
    silent_looks: u32,
}

const PACE: Pace = Pace { beat: Duration::from_secs(5), lapse: Duration::from_secs(30), silent_looks: 18 };

/// The time since any fixed moment, sleep of the machine included; handed in, because the library reads no clock.
pub type AwakeClock = fn() -> Duration;

/// Who asks for columns, and by what clock.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// This process.
    pub holder: &'a Holder,
    /// For the age of its heartbeats.
    pub clock: AwakeClock,
    /// Told before a wait for a heartbeat of another run: that run, as far as it is known, and the longest wait.
    pub waits: &'a dyn Fn(Option<&Holder>, Duration),
}

/// Columns of a results folder, held for this process until dropped. When it dies, however it dies, others can tell.
#[derive(Debug)]
pub struct ColumnLocks {
    root: PathBuf,
    heart: Arc<Mutex<Heart>>,
    /// Dropping the sender ends the thread.
    beating: Option<(Sender<()>, JoinHandle<()>)>,
    /// Keeps older versions away, which lock the whole folder.
    _old: Option<File>,
}

/// What the thread that beats and those that write share.
#[derive(Debug)]
struct Heart {
    /// The folder of locks.
    folder: PathBuf,
    run: RunFile,
    /// When the last heartbeat that has arrived was begun.
    last: Duration,
    /// The number of each column's claim; `None` for one that was lost.
    claims: BTreeMap<ColumnId, Option<u64>>,
    clock: AwakeClock,
    pace: Pace,
}

impl Heart {
    /// Sends a heartbeat. When the last one is so old that others may have stopped to believe in it, every column is claimed
    /// anew first: those that others have claimed meanwhile are lost.
    fn beat(&mut self) -> io::Result<()> {
        let begun = (self.clock)();
        if self.has_lapsed(begun) {
            let name = self.run.name();
            for (&column, claim) in &mut self.claims {
                if let Some(number) = *claim {
                    let is_mine = Claims(&self.folder).make(column, number + 1, &name)?;
                    *claim = is_mine.then_some(number + 1);
                }
            }
        }
        self.run.beat()?;
        self.last = begun;
        Ok(())
    }

    fn has_lapsed(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= self.pace.lapse
    }
}

/// A run that may be dead, and what its file held when we looked.
#[derive(Debug, PartialEq)]
struct Silent {
    claim: Claim,
    holder: Option<Holder>,
    seen: Vec<u8>,
}

/// What stands between a run and a column.
enum Obstacle {
    /// Nothing: it holds the column now.
    None,
    /// A run at work.
    AtWork(Holder),
    /// A run that may have ended.
    Silent(Silent),
}

impl ColumnLocks {
    pub(crate) fn take(root: &Path, columns: &[ColumnId], asking: &Asking<'_>) -> Result<Self, StudyError> {
        Self::take_at(PACE, root, columns, asking)
    }

    fn take_at(
        pace: Pace,
        root: &Path,
        columns: &[ColumnId],
        asking: &Asking<'_>,
    ) -> Result<Self, StudyError> {
        let old = share_with_older_programs(root)?;
        let folder = folder(root);
        fs::create_dir_all(&folder).map_err(StudyError::io(&folder, "make the folder of locks"))?;
        let last = (asking.clock)();
        let run = RunFile::create(&folder, asking.holder).map_err(StudyError::io(&folder, "make a lock"))?;
        let heart = Heart { folder, run, last, claims: BTreeMap::new(), clock: asking.clock, pace };
        let heart = Arc::new(Mutex::new(heart));
        let mut locks = Self { root: root.to_path_buf(), heart, beating: None, _old: old };
        locks.beating = Some(locks.start_beating(pace.beat)?);
        locks.claim_all(columns, asking, pace)?;
        locks.sweep(columns, &asking.holder.kernel)?;
        Ok(locks)
    }

    fn start_beating(&self, pause: Duration) -> Result<(Sender<()>, JoinHandle<()>), StudyError> {
        let (sender, receiver) = channel();
        let heart = Arc::clone(&self.heart);
        let thread = thread::Builder::new().name("locks".to_owned()).spawn(move || {
            while receiver.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // One that fails makes the last one older: whoever writes will see.
                drop(lock(&heart).beat());
            }
        });
        let thread = thread.map_err(StudyError::io(&self.root, "start a thread"))?;
        Ok((sender, thread))
    }

    fn claim_all(&self, columns: &[ColumnId], asking: &Asking<'_>, pace: Pace) -> Result<(), StudyError> {
        let kernel = &asking.holder.kernel;
        let mut silent: Vec<(ColumnId, Silent)> = Vec::new();
        let mut left = columns.to_vec();
        for tried in 1.. {
            let mut at_work = None;
            let mut held = Vec::new();
            for column in left {
                match self.claim(column, kernel, None)? {
                    Obstacle::None => {}
                    Obstacle::AtWork(by) => {
                        at_work = Some((column, by));
                        held.push(column);
                    }
                    Obstacle::Silent(run) => silent.push((column, run)),
                }
            }
            left = held;
            match at_work {
                None => break,
                Some(_) if tried < TRIES => thread::sleep(PAUSE),
                Some((column, by)) => return Err(self.busy(column, Some(by))),
            }
        }
        if let Some((_, run)) = silent.first() {
            (asking.waits)(run.holder.as_ref(), pace.beat * pace.silent_looks);
        }
        for look in 1.. {
            if silent.is_empty() {
                break;
            }
            thread::sleep(pace.beat);
            let mut left = Vec::new();
            for (column, before) in silent {
                let given_up = (look >= pace.silent_looks).then_some(&before);
                match self.claim(column, kernel, given_up)? {
                    Obstacle::None => {}
                    Obstacle::Silent(now) if now == before => left.push((column, before)),
                    Obstacle::AtWork(by) => return Err(self.busy(column, Some(by))),
                    Obstacle::Silent(now) => return Err(self.busy(column, now.holder)),
                }
            }
            silent = left;
        }
        Ok(())
    }

    /// Claims a column if it is nobody's, or that run's which has been silent for so long.
    fn claim(
        &self,
        column: ColumnId,
        kernel: &str,
        given_up: Option<&Silent>,
    ) -> Result<Obstacle, StudyError> {
        let folder = folder(&self.root);
        let claims = Claims(&folder);
        let fail = || StudyError::io(&folder, "claim a column");
        loop {
            let last = claims.last(column).map_err(fail())?;
            let mut heart = lock(&self.heart);
            if let Some(claim) = &last
                && claim.run != heart.run.name()
            {
                match look(&folder, &claim.run, kernel).map_err(fail())? {
                    Life::Ended => {}
                    Life::AtWork(by) => return Ok(Obstacle::AtWork(by)),
                    Life::Elsewhere(holder, seen) => {
                        let silent = Silent { claim: claim.clone(), holder, seen };
                        if given_up != Some(&silent) {
                            return Ok(Obstacle::Silent(silent));
                        }
                    }
                }
            }
            let number = last.map_or(1, |claim| claim.number + 1);
            if claims.make(column, number, &heart.run.name()).map_err(fail())? {
                heart.claims.insert(column, Some(number));
                return Ok(Obstacle::None);
            }
        }
    }

    /// Makes sure that this process still holds the column, and may write its files.
    ///
    /// # Errors
    /// [`StudyError::Lost`] when another has claimed it, because this process sent no heartbeat for long;
    /// [`StudyError::NotHeld`] for a column that it never held; [`StudyError::Io`] when neither can be found out.
    pub fn confirm(&self, column: ColumnId) -> Result<(), StudyError> {
        let mut heart = lock(&self.heart);
        let folder = heart.folder.clone();
        let fail = || StudyError::io(&folder, "confirm a lock");
        if heart.has_lapsed((heart.clock)()) {
            heart.beat().map_err(fail())?;
        }
        let number = match heart.claims.get(&column) {
            Some(Some(number)) => *number,
            Some(None) => return Err(StudyError::Lost { path: self.root.clone(), column }),
            None => return Err(StudyError::NotHeld { path: self.root.clone(), column }),
        };
        if Claims(&folder).is_there(column, number + 1).map_err(fail())? {
            heart.claims.insert(column, None);
            return Err(StudyError::Lost { path: self.root.clone(), column });
        }
        Ok(())
    }

    fn busy(&self, column: ColumnId, by: Option<Holder>) -> StudyError {
        StudyError::Busy { path: self.root.clone(), column: Some(column), by }
    }

    /// Removes what killed runs have left: half-written files, heartbeats and claims that do not count.
    fn sweep(&self, columns: &[ColumnId], kernel: &str) -> Result<(), StudyError> {
        let remove = |path: &Path| {
            remove_if_there(path).map_err(StudyError::io(path, "remove what a killed run left"))
        };
        for column in columns {
            let files = entries(&self.root.join("columns").join(column.to_string()))?;
            files.iter().filter(|file| whole_file::is_temporary(file)).try_for_each(|file| remove(file))?;
        }
        let folder = folder(&self.root);
        let fail = || StudyError::io(&folder, "tidy up the locks");
        // Outside the columns' folders nobody holds anything: what is an hour old is nobody's.
        let now = lock(&self.heart).run.modified().map_err(fail())?;
        let figures = self.root.join("figures");
        for file in [&self.root, &figures, &folder].into_iter().map(|folder| entries(folder)) {
            for file in file?.iter().filter(|file| whole_file::is_temporary(file)) {
                let modified = fs::metadata(file).and_then(|metadata| metadata.modified());
                if modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > ABANDONED)) {
                    remove(file)?;
                }
            }
        }
        // Those of other hosts stay: whoever seems dead there may beat again.
        for file in entries(&folder)?.iter().filter(|file| is_run_file(file)) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if look(&folder, &name, kernel).map_err(fail())? == Life::Ended {
                remove(&token(&folder, &name))?;
                remove(file)?;
            }
        }
        let claims = lock(&self.heart).claims.clone();
        let mut claims = claims.into_iter().filter_map(|(column, number)| Some((column, number?)));
        claims.try_for_each(|(column, number)| Claims(&folder).tidy(column, number)).map_err(fail())
    }
}

impl Drop for ColumnLocks {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.beating.take() {
            drop(sender);
            drop(thread.join()); // the thread cannot panic: it does nothing but beat
        }
    }
}

/// The columns that runs are at work on at this moment, as far as can be told without waiting: a run of another host counts whose
/// heartbeat is, by the clock of the computer that keeps the file, younger than others would wait. Makes no file and removes none.
pub(crate) fn at_work(
    root: &Path,
    kernel: &str,
    now: SystemTime,
) -> Result<BTreeMap<ColumnId, Option<Holder>>, StudyError> {
    let folder = folder(root);
    let claims = Claims(&folder);
    let fail = || StudyError::io(&folder, "look at the locks");
    // One listing for all columns: there may be hundreds of claims, and a file server between.
    let mut last: BTreeMap<ColumnId, u64> = BTreeMap::new();
    for path in entries(&folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some((column, number)) = name.rsplit_once('.') else { continue };
        if let (Ok(column), Ok(number)) = (column.parse(), number.parse::<u64>()) {
            let known = last.entry(column).or_default();
            *known = number.max(*known);
        }
    }
    let mut found = BTreeMap::new();
    for (column, number) in last {
        let claim = claims.last_from(column, number).map_err(fail())?;
        match look(&folder, &claim.run, kernel).map_err(fail())? {
            Life::AtWork(by) => found.insert(column, Some(by)),
            Life::Elsewhere(by, _) => {
                let modified = fs::metadata(folder.join(&claim.run)).and_then(|file| file.modified());
                let age = modified.map(|time| now.duration_since(time).unwrap_or_default());
                let is_young = age.is_ok_and(|age| age < PACE.beat * PACE.silent_looks);
                if is_young { found.insert(column, by) } else { None }
            }
            Life::Ended => None,
        };
    }
    Ok(found)
}

/// Whether an older version, which locks the whole folder, is running. The lock is tried as a shared one, so that two who ask at
/// once do not see each other.
pub(crate) fn is_held_by_an_older_program(root: &Path) -> Result<bool, StudyError> {
    let path = old_path(root);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(reason) => return Err(StudyError::io(&path, "open the lock")(reason)),
    };
    match file.try_lock_shared() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(false), // without locks, that program does not start
        Err(TryLockError::WouldBlock) => Ok(true),
    }
}

/// Older versions hold this file alone; this one shares it.
fn share_with_older_programs(root: &Path) -> Result<Option<File>, StudyError> {
    let path = old_path(root);
    let fail = || StudyError::io(&path, "lock the results folder");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(fail())?;
    for tried in 1.. {
        match file.try_lock_shared() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if tried < TRIES => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(StudyError::Busy { path: root.to_path_buf(), column: None, by: None });
            }
            // No locks on this file system: that program does not start.
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
    Ok(Some(file))
}

fn lock(heart: &Mutex<Heart>) -> MutexGuard<'_, Heart> {
    heart.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder(root: &Path) -> PathBuf {
    root.join(".locks")
}

fn old_path(root: &Path) -> PathBuf {
    root.join(".lock")
}
