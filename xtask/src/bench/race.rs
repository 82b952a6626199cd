//! A race: turn by turn, so that whatever the machine does to one contender it does to its neighbours.

use std::thread;
use std::time::Duration;

use super::contender::{Contender, Entry, Introduction};
use super::results::{ContenderResult, TaskResult, median};
use crate::terminal;

/// Length of a turn that is aimed at.
pub(super) const TURN: Duration = Duration::from_millis(400);

/// Between turns: a library's threads look for more work for a while before they sleep.
const PAUSE: Duration = Duration::from_millis(20);

/// The most attempts to find the number of images for a turn, each at most [`GROWTH`] times the one before.
const MAX_CALIBRATIONS: usize = 12;
const GROWTH: f64 = 30.0;

/// One kind of work, and who does it.
pub(super) struct Task {
    pub(super) name: String,
    /// The task in a sentence.
    pub(super) what: String,
    pub(super) entries: Vec<Entry>,
}

/// A contender and what is known of it so far. It is gone once it has failed.
struct Runner {
    contender: Option<Contender>,
    result: ContenderResult,
}

/// Races all contenders of a task for some rounds. Whoever fails is out, and the others go on.
pub(super) fn run(task: Task, n_rounds: usize) -> TaskResult {
    terminal::note(format_args!("── {}: {}", task.name, task.what));
    let mut runners: Vec<Runner> =
        task.entries.into_iter().map(|entry| Runner::start(entry, &task.name)).collect();
    for round in 0..n_rounds {
        // The first of a round is another each time, so that nobody always follows the same neighbour's heat.
        let n = runners.len();
        (0..n).for_each(|place| runners[(round + place) % n].take_turn());
    }
    let contenders = runners.into_iter().map(Runner::finish).collect();
    TaskResult::new(task.name, task.what, contenders)
}

impl Runner {
    fn start(entry: Entry, task: &str) -> Self {
        let Entry { name, side, threads, command } = entry;
        let mut runner = Self {
            contender: None,
            result: ContenderResult {
                name,
                side,
                threads,
                version: String::new(),
                detail: String::new(),
                images_per_turn: 0,
                images_per_s: Vec::new(),
                median_images_per_s: None,
                failed: None,
            },
        };
        let started = command.and_then(|command| Contender::start(command, task, threads));
        match started {
            Ok((contender, Introduction { version, detail, .. })) => {
                runner.contender = Some(contender);
                (runner.result.version, runner.result.detail) = (version, detail);
                runner.calibrate();
            }
            Err(reason) => runner.fail(reason),
        }
        runner
    }

    /// Finds out how many images a turn takes.
    fn calibrate(&mut self) {
        let Some(contender) = &mut self.contender else { return };
        let mut n_images = 1;
        for _ in 0..MAX_CALIBRATIONS {
            match contender.turn(n_images) {
                Ok(turn) => {
                    let wanted = turn.images_per_s() * TURN.as_secs_f64();
                    let largest = GROWTH * turn.n_images as f64;
                    n_images = wanted.clamp(1.0, largest) as u64;
                    if wanted <= 2.0 * turn.n_images as f64 {
                        break;
                    }
                }
                Err(reason) => return self.fail(reason),
            }
        }
        self.result.images_per_turn = n_images;
        let ContenderResult { name, version, threads, .. } = &self.result;
        terminal::note(format_args!("{name} {version} on {threads}: {n_images} images a turn"));
    }

    fn take_turn(&mut self) {
        let Some(contender) = &mut self.contender else { return };
        thread::sleep(PAUSE);
        match contender.turn(self.result.images_per_turn) {
            Ok(turn) => self.result.images_per_s.push(turn.images_per_s()),
            Err(reason) => self.fail(reason),
        }
    }

    fn fail(&mut self, reason: String) {
        terminal::note(format_args!("{} is out: {reason}", self.result.name));
        self.contender = None;
        self.result.images_per_s.clear();
        self.result.failed = Some(reason);
    }

    fn finish(mut self) -> ContenderResult {
        if let Some(Err(reason)) = self.contender.take().map(Contender::end) {
            self.fail(reason);
        }
        self.result.median_images_per_s = median(&mut self.result.images_per_s.clone());
        self.result
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::contender::tests::{READY, shell};
    use super::super::results::Side;
    use super::*;

    fn entry(name: &str, side: Side, script: &str) -> Entry {
        let command = Ok(shell(&format!("{READY}; {script}")));
        Entry { name: name.to_owned(), side, threads: 1, command }
    }

    /// Contenders that pretend their speed: this many images a millisecond.
    fn steady(images_per_ms: u32) -> String {
        format!(
            r#"while read n; do echo "{{\"images\": $n, \"seconds\": $((n / {images_per_ms} + 1))e-3}}"; done"#
        )
    }

    #[test]
    fn turns_are_taken_in_a_rotating_order_and_compared_round_by_round() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("turns");
        // Numbers below the turn's length are calibrations.
        let logged = |name: &str| {
            format!(
                r#"while read n; do [ $n -lt 1000 ] || echo {name} >> {}; echo "{{\"images\": $n, \"seconds\": 0.4}}"; done"#,
                log.display()
            )
        };
        let entries = ["a", "b", "c"].map(|name| {
            let script = logged(name).replacen("0.4", "$((n < 1000 ? 1 : 400))e-3", 1);
            entry(name, if name == "a" { Side::Ours } else { Side::Peer }, &script)
        });
        let task = Task {
            name: "sleep".to_owned(),
            what: "nothing".to_owned(),
            entries: entries.into_iter().collect(),
        };
        let result = run(task, 3);
        let turns = std::fs::read_to_string(&log).unwrap();
        let turns: Vec<&str> = turns.lines().collect();
        let raced = &turns[turns.len() - 9..];
        assert_eq!(raced, ["a", "b", "c", "b", "c", "a", "c", "a", "b"]);
        assert_eq!(result.ratios.len(), 2);
        assert!(result.contenders.iter().all(|c| c.images_per_s.len() == 3 && c.failed.is_none()));
    }

    #[test]
    fn whoever_fails_is_out_and_the_others_go_on() {
        let entries = vec![
            entry("ours", Side::Ours, &steady(100)),
            entry(
                "late",
                Side::Peer,
                "i=0; while read n; do i=$((i + 1)); [ $i -lt 6 ] || exit 1; \
                   echo \"{\\\"images\\\": $n, \\\"seconds\\\": 0.4}\"; done",
            ),
            Entry {
                name: "absent".to_owned(),
                side: Side::Peer,
                threads: 1,
                command: Err("not installed".to_owned()),
            },
            entry("steady", Side::Peer, &steady(10)),
        ];
        let task = Task { name: "sleep".to_owned(), what: "nothing".to_owned(), entries };
        let result = run(task, 8);
        let failed: Vec<_> = result.contenders.iter().map(|c| c.failed.as_deref()).collect();
        assert_eq!(failed, [None, Some("it ended without an answer"), Some("not installed"), None]);
        let n_samples: Vec<_> = result.contenders.iter().map(|c| c.images_per_s.len()).collect();
        assert_eq!(n_samples, [8, 0, 0, 8]);
        let [ratio] = &result.ratios[..] else { panic!("{:?}", result.ratios) };
        assert!(ratio.to.name == "steady" && (9.0..11.0).contains(&ratio.median), "{ratio:?}");
        assert!((30_000..=50_000).contains(&result.contenders[0].images_per_turn));
    }
}
