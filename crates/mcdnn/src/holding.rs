//! Columns held by this process while others hold others, and who that is.

use std::fs;
use std::process;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use study::{Asking, ColumnId, ColumnLocks, Holder, ResultsFolder, StudyError};

use crate::numbers::duration;
use crate::terminal::Terminal;

/// Takes columns for this process, and says so when it must wait for a heartbeat of another.
///
/// # Errors
/// When another process is at work on one of them, or the folder cannot be written.
pub(crate) fn lock(
    folder: &ResultsFolder,
    columns: &[ColumnId],
    terminal: &Terminal,
) -> Result<ColumnLocks, StudyError> {
    let waits = |by: Option<&Holder>, time: Duration| {
        let by = by.map_or_else(|| "a run".to_owned(), ToString::to_string);
        let time = duration(time);
        terminal.note(format_args!("waiting   up to {time} to learn whether {by} is still running"));
    };
    let holder = Holder { host: host(), kernel: kernel(), pid: process::id() };
    folder.lock(columns, &Asking { holder: &holder, clock: awake, waits: &waits })
}

/// What tells the running kernel from all others: on Linux its boot id, elsewhere the host's name.
pub(crate) fn kernel() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if id.trim().is_empty() { host() } else { id.trim().to_owned() }
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "this computer".to_owned())
}

/// The time since some moment, with that which the machine has slept: others on other machines were awake.
fn awake() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        if let Ok(now) = Duration::try_from(now) {
            return now;
        }
    }
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_be_told_of() {
        assert!(!host().is_empty() && !kernel().is_empty());
        assert_eq!(kernel(), kernel());
        let begun = awake();
        std::thread::sleep(Duration::from_millis(20));
        assert!((Duration::from_millis(20)..Duration::from_secs(60)).contains(&(awake() - begun)));
    }
}
