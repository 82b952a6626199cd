//! Who gets a column whose holder is at work, has died here, has died elsewhere, or only seems to have.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::*;

/// So fast that a test need not wait, but for the heartbeat of a thread that is scheduled late.
const FAST: Pace =
    Pace { beat: Duration::from_millis(40), lapse: Duration::from_millis(240), silent_looks: 12 };

fn still() -> Duration {
    Duration::ZERO
}

fn holder(kernel: &str) -> Holder {
    Holder { host: "here".to_owned(), kernel: kernel.to_owned(), pid: 4711 }
}

fn column(name: &str) -> ColumnId {
    name.parse().unwrap()
}

fn take_as(
    kernel: &str,
    clock: AwakeClock,
    root: &Path,
    columns: &[&str],
) -> Result<ColumnLocks, StudyError> {
    let columns: Vec<ColumnId> = columns.iter().map(|name| column(name)).collect();
    ColumnLocks::take_at(FAST, root, &columns, &Asking { holder: &holder(kernel), clock, waits: &|_, _| {} })
}

fn take(root: &Path, columns: &[&str]) -> Result<ColumnLocks, StudyError> {
    take_as("kernel-1", still, root, columns)
}

/// A run file and a claim of a process that no longer exists, or is not to be seen.
fn leave_behind(root: &Path, kernel: &str, name: &str, locked: bool) -> PathBuf {
    let folder = folder(root);
    fs::create_dir_all(&folder).unwrap();
    let run = folder.join("run-other");
    let head = format!(
        "{{\"holder\":{{\"host\":\"there\",\"kernel\":\"{kernel}\",\"pid\":12}},\"locked\":{locked}}}\n"
    );
    fs::write(&run, head + "beat 00000000000000000001\n").unwrap();
    assert!(Claims(&folder).make(column(name), 1, "run-other").unwrap());
    run
}

#[test]
fn columns_are_held_one_by_one() {
    let root = tempfile::tempdir().unwrap();
    let first = take(root.path(), &["w14-1", "original-1"]).unwrap();
    let second = take(root.path(), &["w14-2"]).unwrap();
    let error = take(root.path(), &["w16-1", "w14-1"]).unwrap_err();
    let want = format!(
        "{}: another run is training in this results folder on column w14-1 (process 4711 on here); wait until it has ended",
        root.path().display()
    );
    assert_eq!(error.to_string(), want);
    // All or none: who was refused holds nothing.
    drop(take(root.path(), &["w16-1"]).unwrap());
    let held = at_work(root.path(), "kernel-1", SystemTime::now()).unwrap();
    assert_eq!(held.keys().map(ToString::to_string).collect::<Vec<_>>(), ["original-1", "w14-1", "w14-2"]);
    assert_eq!(held[&column("w14-1")], Some(holder("kernel-1")));

    first.confirm(column("w14-1")).unwrap();
    assert!(matches!(first.confirm(column("w14-2")), Err(StudyError::NotHeld { .. })));
    drop(first);
    take(root.path(), &["w14-1", "original-1"]).unwrap().confirm(column("w14-1")).unwrap();
    drop(second);
    assert!(at_work(root.path(), "kernel-1", SystemTime::now()).unwrap().is_empty());
}

#[test]
fn a_run_that_died_on_this_kernel_is_known_to_be_dead_at_once() {
    let root = tempfile::tempdir().unwrap();
    let run = leave_behind(root.path(), "kernel-1", "w14-1", true);
    let begun = Instant::now();
    take(root.path(), &["w14-1"]).unwrap().confirm(column("w14-1")).unwrap();
    assert!(begun.elapsed() < FAST.beat * FAST.silent_looks);
    assert!(!run.exists(), "its file was not swept");
}

#[test]
fn a_run_that_died_elsewhere_is_dead_after_its_silence() {
    for (kernel, locked) in [("kernel-2", true), ("kernel-1", false)] {
        let root = tempfile::tempdir().unwrap();
        let run = leave_behind(root.path(), kernel, "w14-1", locked);
        let told = Mutex::new(Vec::new());
        let waits = |by: Option<&Holder>, time| told.lock().unwrap().push((by.unwrap().to_string(), time));
        let asking = Asking { holder: &holder("kernel-1"), clock: still, waits: &waits };
        let begun = Instant::now();
        let columns = [column("w14-1"), column("w14-2")];
        let locks = ColumnLocks::take_at(FAST, root.path(), &columns, &asking).unwrap();
        assert!(begun.elapsed() >= FAST.beat * FAST.silent_looks);
        columns.iter().for_each(|&column| locks.confirm(column).unwrap());
        assert_eq!(
            told.into_inner().unwrap(),
            [("process 12 on there".to_owned(), FAST.beat * FAST.silent_looks)]
        );
        assert!(run.exists(), "it may beat again, and must find its claims lost, not its file");
    }
}

#[test]
fn a_run_elsewhere_that_gives_signs_of_life_keeps_its_column() {
    let root = tempfile::tempdir().unwrap();
    let there = take_as("kernel-2", still, root.path(), &["w14-1"]).unwrap();
    let error = take(root.path(), &["w14-2", "w14-1"]).unwrap_err();
    assert!(error.to_string().contains("on column w14-1 (process 4711 on here)"), "{error}");
    there.confirm(column("w14-1")).unwrap();
    assert_eq!(at_work(root.path(), "kernel-1", SystemTime::now()).unwrap().len(), 1);
    let later = SystemTime::now() + Duration::from_secs(1_000);
    assert!(at_work(root.path(), "kernel-1", later).unwrap().is_empty(), "it has been silent for long");
    drop(there);
    take(root.path(), &["w14-1"]).unwrap();
}

/// Of a dead run's column, and of one that nobody has held, one of many gets it.
#[test]
fn one_of_many_gets_a_column() {
    for kernel in ["kernel-1", "kernel-2", ""] {
        let root = tempfile::tempdir().unwrap();
        if !kernel.is_empty() {
            leave_behind(root.path(), kernel, "w14-1", true);
        }
        let take_one = || {
            take(root.path(), &["w14-1"]).inspect_err(|error| {
                assert!(matches!(error, StudyError::Busy { .. }), "{error}");
            })
        };
        let got: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(take_one)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap().ok()).collect()
        });
        assert_eq!(got.len(), 1, "{kernel}");
        got[0].confirm(column("w14-1")).unwrap();
    }
}

#[test]
fn who_was_silent_for_long_claims_its_columns_anew() {
    static NOW_MS: AtomicU64 = AtomicU64::new(0);
    let clock: AwakeClock = || Duration::from_millis(NOW_MS.load(Ordering::SeqCst));
    let root = tempfile::tempdir().unwrap();
    let locks = take_as("kernel-1", clock, root.path(), &["w14-1", "w14-2"]).unwrap();
    let last = |name: &str| Claims(&folder(root.path())).last(column(name)).unwrap().unwrap();
    assert_eq!((last("w14-1").number, last("w14-2").number), (1, 1));
    NOW_MS.store(10_000, Ordering::SeqCst);
    // Whether the thread has beaten since or this call does.
    locks.confirm(column("w14-1")).unwrap();
    assert_eq!((last("w14-1").number, last("w14-2").number), (2, 2));
    locks.confirm(column("w14-2")).unwrap();
    assert_eq!(last("w14-1").run, last("w14-2").run);

    // Another has claimed one of them while this run seemed dead.
    assert!(Claims(&folder(root.path())).make(column("w14-2"), 3, "run-other").unwrap());
    let error = locks.confirm(column("w14-2")).unwrap_err();
    assert!(matches!(error, StudyError::Lost { .. }), "{error}");
    assert!(error.to_string().contains("another run has taken over column w14-2"), "{error}");
    NOW_MS.store(20_000, Ordering::SeqCst);
    locks.confirm(column("w14-1")).unwrap();
    assert!(matches!(locks.confirm(column("w14-2")), Err(StudyError::Lost { .. })));
    assert_eq!(last("w14-2"), Claim { number: 3, run: "run-other".to_owned() });
}

/// A run whose heartbeats do not arrive, as one that is stopped: the other takes over, and the first may not write.
#[test]
fn two_never_hold_one_column() {
    static NOW_MS: AtomicU64 = AtomicU64::new(0);
    let clock: AwakeClock = || Duration::from_millis(NOW_MS.load(Ordering::SeqCst));
    let root = tempfile::tempdir().unwrap();
    let first = take_as("kernel-2", clock, root.path(), &["w14-1"]).unwrap();
    let stopped = lock(&first.heart); // its thread waits for this
    let second = take(root.path(), &["w14-1"]).unwrap();
    NOW_MS.store(10_000, Ordering::SeqCst);
    drop(stopped);
    assert!(matches!(first.confirm(column("w14-1")), Err(StudyError::Lost { .. })));
    second.confirm(column("w14-1")).unwrap();
    drop(first);
    second.confirm(column("w14-1")).unwrap();
}

#[test]
fn an_older_program_and_this_one_keep_each_other_away() {
    let root = tempfile::tempdir().unwrap();
    let old = File::create(old_path(root.path())).unwrap();
    old.try_lock().unwrap();
    assert!(is_held_by_an_older_program(root.path()).unwrap());
    let error = take(root.path(), &["w14-1"]).unwrap_err();
    let want = format!(
        "{}: another run is training in this results folder; wait until it has ended",
        root.path().display()
    );
    assert_eq!(error.to_string(), want);
    old.unlock().unwrap();
    assert!(!is_held_by_an_older_program(root.path()).unwrap());
    let _locks = take(root.path(), &["w14-1"]).unwrap();
    assert!(matches!(old.try_lock(), Err(TryLockError::WouldBlock)));
    assert!(!is_held_by_an_older_program(root.path()).unwrap());
}

#[test]
fn claims_that_no_longer_count_are_removed_but_for_the_last() {
    let root = tempfile::tempdir().unwrap();
    for _ in 0..40 {
        drop(take(root.path(), &["w14-1"]).unwrap());
    }
    let files = fs::read_dir(folder(root.path())).unwrap().count();
    assert_eq!(files, 16);
    // By an old listing, a number that was made and removed long ago looks free.
    assert!(!Claims(&folder(root.path())).make(column("w14-1"), 3, "run-other").unwrap());
    take(root.path(), &["w14-1"]).unwrap().confirm(column("w14-1")).unwrap();
}

#[test]
fn a_claim_that_was_never_completed_is_silent() {
    let root = tempfile::tempdir().unwrap();
    leave_behind(root.path(), "kernel-1", "w14-2", true);
    fs::write(folder(root.path()).join("w14-1.1"), "").unwrap();
    let waited = AtomicBool::new(false);
    let waits = |by: Option<&Holder>, _| {
        assert_eq!(by, None);
        waited.store(true, Ordering::SeqCst);
    };
    let asking = Asking { holder: &holder("kernel-1"), clock: still, waits: &waits };
    let locks = ColumnLocks::take_at(FAST, root.path(), &[column("w14-1")], &asking).unwrap();
    locks.confirm(column("w14-1")).unwrap();
    assert!(waited.load(Ordering::SeqCst));
}
