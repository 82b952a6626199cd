//! Several fetches into one cache: threads, processes, and a process that is killed.
//!
//! A second process is this test program again, told by a variable to be [`the_other_process`] and nothing else.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// Holds the cache's folder and the mirror, with a line end between them, for the other process.
const TASK: &str = "MNIST_DATA_TEST_TASK";

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Not a test by itself: does what its parent asks for, or nothing.
#[test]
fn the_other_process() {
    if let Ok(task) = std::env::var(TASK) {
        let (cache, mirror) = task.split_once('\n').unwrap();
        fetch(&fetcher(Path::new(cache)).mirrors(vec![mirror.to_owned()]));
    }
}

fn spawn(cache: &Path, server: &Server) -> Child {
    let name = format!("{}::the_other_process", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &name, "--quiet"]).stdout(Stdio::null());
    command.env(TASK, format!("{}\n{}", cache.display(), server.url())).spawn().unwrap()
}

#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn of_two_threads_one_fetches_and_the_other_waits_and_finds() {
    let cache = tempfile::tempdir().unwrap();
    let server = good_server();
    let fetcher = Arc::new(fetcher(cache.path()).mirrors(vec![server.url()]));
    // Has the lock when both start, so that both wait and are sure to meet.
    let lock = Cache { folder: &fetcher.folder, files: &fetcher.manifest.files }.lock(&mut |_| {}).unwrap();
    let both_wait = Arc::new(Barrier::new(3));
    let run = || {
        let (fetcher, both_wait) = (Arc::clone(&fetcher), Arc::clone(&both_wait));
        thread::spawn(move || {
            let mut events = Vec::new();
            fetcher
                .fetch(&mut |event| {
                    if matches!(event, Event::Waiting { .. }) {
                        both_wait.wait();
                    }
                    events.push(event.to_string());
                })
                .unwrap();
            events
        })
    };
    let threads = [run(), run()];
    both_wait.wait();
    drop(lock);
    let events = threads.map(|thread| thread.join().unwrap());
    assert!(events.iter().all(|events| contains(events, "another process is downloading; waiting")));
    assert_eq!(events.iter().filter(|events| contains(events, "all files are there")).count(), 1);
    assert_eq!(server.requests().len(), 4);
    check_folder(&fetcher.folder);
}

#[test]
fn of_two_processes_one_fetches() {
    let cache = tempfile::tempdir().unwrap();
    let server = good_server();
    let processes = [spawn(cache.path(), &server), spawn(cache.path(), &server)];
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(server.requests().len(), 4);
    check_folder(&cache.path().join("sample"));
}

#[test]
fn a_killed_process_is_in_nobodys_way() {
    let cache = tempfile::tempdir().unwrap();
    let server = server_with(|n_asked| match n_asked {
        0 => Reply::Stalled(file(TRAIN_IMAGES), 30_000),
        _ => Reply::Body(file(TRAIN_IMAGES)),
    });
    let mut process = spawn(cache.path(), &server);
    wait_until(|| n_asked(&server) == 1);
    process.kill().unwrap();
    process.wait().unwrap();

    // Neither its lock nor anything else of it is left.
    let events = fetch(&fetcher(cache.path()).mirrors(vec![server.url()]));
    assert!(!contains(&events, "another process is downloading"), "{events:#?}");
    assert_eq!(n_asked(&server), 2);
}
