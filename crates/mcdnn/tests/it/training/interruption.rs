//! However a run is broken off, the columns become the same bits.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;
#[cfg(unix)]
use std::{process::Command, thread, time::Duration};

use serde_json::{Value, json};

use crate::training::{Ended, Fixture};

/// Long enough that no run ends before its signal arrives, even on a busy machine.
const EPOCHS: u32 = 40;

fn fixture() -> Fixture {
    Fixture::with(json!({ "epochs": EPOCHS }))
}

/// What two runs have in common: weights and probabilities, and the metrics but for the clock.
type Results = (BTreeMap<String, Vec<u8>>, [Vec<Value>; 2]);

fn results(fixture: &Fixture) -> Results {
    (fixture.bits(), ["w14-1", "original-1"].map(|id| fixture.metrics(id)))
}

/// Checks that a fixture has come to what an uninterrupted run on one worker comes to.
#[track_caller]
fn check_same_bits(fixture: &Fixture) {
    static UNBROKEN: OnceLock<Results> = OnceLock::new();
    let want = UNBROKEN.get_or_init(|| {
        let unbroken = self::fixture();
        unbroken.run(&["--workers", "1"]).check(0, &[]);
        results(&unbroken)
    });
    let got = results(fixture);
    assert_eq!(got.1[0].len(), EPOCHS as usize);
    assert_eq!(got.1, want.1);
    assert!(got.0 == want.0, "weights or probabilities differ");
    for id in ["w14-1", "original-1"] {
        assert!(!fixture.column(id).checkpoint().exists());
    }
}

#[test]
fn two_workers_give_the_bits_of_one() {
    let fixture = fixture();
    fixture.run(&["--workers", "2"]).check(0, &[]);
    check_same_bits(&fixture);
}

#[cfg(unix)]
#[test]
fn a_run_killed_again_and_again_gives_the_same_bits() {
    let fixture = fixture();
    for (n_epochs, workers) in [(1, "2"), (3, "1"), (2, "2"), (4, "2")] {
        let running = fixture.start_until(n_epochs, &["--workers", workers]);
        running.signal(rustix::process::Signal::KILL);
        assert_eq!(running.end().code, None);
    }
    fixture.run(&["--workers", "2"]).check(0, &["resumes after epoch "]);
    check_same_bits(&fixture);
}

#[track_caller]
fn check_stopped(ended: &Ended) {
    ended.check(1, &["stopped: ", " saved in mid-training", " not started; ", " images left, about "]);
}

#[cfg(unix)]
#[test]
fn signals_save_and_stop() {
    use rustix::process::Signal;
    let fixture = fixture();
    for (signal, workers) in
        [(Signal::INT, "2"), (Signal::TERM, "1"), (Signal::HUP, "2"), (Signal::USR1, "1")]
    {
        if signal == Signal::HUP && is_hangup_ignored() {
            println!("skipped: SIGHUP is ignored here, as under nohup");
            continue;
        }
        let running = fixture.start_until(2, &["--workers", workers]);
        running.signal(signal);
        check_stopped(&running.end());
        assert!(fixture.column("w14-1").checkpoint().exists());
    }
    fixture.run(&[]).check(0, &["resumes after epoch "]);
    check_same_bits(&fixture);
}

/// Whether the tests themselves, and so whatever they start, were started under `nohup`.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    Command::new("/bin/sh").args(["-c", "kill -HUP $$"]).status().unwrap().success()
}

#[cfg(unix)]
#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    use rustix::process::Signal;
    let fixture = fixture();
    let mut running = fixture.start_without_hangup(2, &["--workers", "1"]);
    running.signal(Signal::HUP);
    thread::sleep(Duration::from_millis(50));
    assert!(running.is_at_work());
    // The others are listened to.
    running.signal(Signal::USR1);
    let ended = running.end();
    check_stopped(&ended);
    ended.check(
        1,
        &[
            "stopped: 0 of 2 columns finished, 1 saved in mid-training, 1 not started; ",
            "error: interrupted and saved; ",
        ],
    );
    fixture.run(&[]).check(0, &[]);
    check_same_bits(&fixture);
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    use rustix::process::Signal;
    for signal in [Signal::INT, Signal::TERM] {
        let longer_and_longer = [300, 1_000, 4_000].into_iter();
        assert!(longer_and_longer.map(Duration::from_millis).any(|wait| ends_at_second(signal, wait)));
    }
}

/// Sends two signals, the first one `wait` after the column has begun; false when that was before its first step.
#[cfg(unix)]
fn ends_at_second(signal: rustix::process::Signal, wait: Duration) -> bool {
    // A step of many seconds, which the first signal lets end.
    let network = "1x29x29-200C4-MP2-1000C5-MP3-500N-10N";
    let fixture = Fixture::with(json!({ "network": network, "batch": 400, "distortion": null }));
    let mut running = fixture.start(&["--workers", "1"]);
    while !fixture.column("w14-1").root().exists() {
        assert!(running.is_at_work());
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(wait);
    running.signal(signal);
    thread::sleep(Duration::from_millis(100));
    if !running.is_at_work() {
        return false;
    }
    running.signal(signal);
    let ended = running.end();
    ended.check(1, &[]);
    assert!(!ended.stderr.contains("stopped: "), "{}", ended.stderr);
    true
}

#[cfg(unix)]
#[test]
fn a_column_resumes_from_the_checkpoint_before_a_damaged_one_and_two_damaged_ones_stop_it_alone() {
    let fixture = fixture();
    let running = fixture.start_until(4, &["--workers", "2"]);
    running.signal(rustix::process::Signal::TERM);
    check_stopped(&running.end());
    let path = fixture.column("w14-1").checkpoint();
    let damage = |path: &std::path::Path| {
        let mut bytes = fs::read(path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    damage(&path);
    let name = path.display().to_string();
    let running = fixture.start_until(1, &["--workers", "2"]);
    running.signal(rustix::process::Signal::TERM);
    let warning = format!(
        "warning: column w14-1: {name}: damaged: its checksum does not match its content: training resumes from the \
         previous checkpoint, after epoch "
    );
    running.end().check(1, &[&warning, "stopped: "]);
    damage(&path);
    damage(&fixture.column("w14-1").checkpoint_before());
    fixture.run(&[]).check(
        1,
        &[
            &format!("error: column w14-1: {name}: damaged: its checksum does not match its content; "),
            "delete the checkpoints in this folder to train the column anew\n",
            "error: 1 of 2 columns failed: w14-1\n",
            "trained 1 column, ",
        ],
    );
    assert!(fixture.column("original-1").probabilities().exists());
    fs::remove_file(&path).unwrap();
    fs::remove_file(fixture.column("w14-1").checkpoint_before()).unwrap();
    fixture.run(&[]).check(0, &["to train  1 column (w14-1), 1 finished before"]);
    check_same_bits(&fixture);
}

#[test]
fn another_instruction_set_is_told_of() {
    let fixture = Fixture::with(json!({ "epochs": 1 }));
    let begun = fixture.run_on("portable", &["--columns", "w14-1"]);
    begun.check(0, &["engine    ciresan-cpu portable fp32, 1 worker"]);
    assert!(!begun.stderr.contains("note:"), "{}", begun.stderr);

    // Where there is no other instruction set than the portable one, there is nothing to tell.
    let other = fixture.run(&[]);
    let differs = ciresan_cpu::InstructionSet::best().name() != "portable";
    other.check(
        0,
        if differs {
            &["note: some columns of this study were trained on ciresan-cpu portable fp32. The others will be trained on "]
        } else {
            &[]
        },
    );
}

#[test]
fn an_unknown_instruction_set_is_refused() {
    let ended = Fixture::new().run_on("mmx", &[]);
    ended.check(2, &["error: CIRESAN_INSTRUCTION_SET: instruction set \"mmx\" is not available on this CPU"]);
}
