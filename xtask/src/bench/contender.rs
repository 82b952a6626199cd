//! A contender of a race: a program that works on as many images as it is told.
//!
//! The protocol: it loads its data, warms up, and writes one line of JSON about itself on stdout ([`Introduction`]). To each
//! line on stdin, a number of images, it answers with a line of JSON ([`Answer`]): how many it worked on, at least those, and
//! the seconds that took by its own clock. When stdin ends, it leaves with exit code 0.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::results::Side;

/// Longest wait for the first line: libraries are loaded from disk.
const START_LIMIT: Duration = Duration::from_secs(300);
/// Longest wait for an answer; turns take a fraction of a second, except for the slowest at the smallest piece of work.
const TURN_LIMIT: Duration = Duration::from_secs(120);
/// Longest wait for the end.
const END_LIMIT: Duration = Duration::from_secs(20);
/// Lines of stderr that are kept for the reason of a failure.
const KEPT_LINES: usize = 20;

/// A contender that has not been started yet.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) side: Side,
    pub(super) threads: usize,
    /// How to start it, or why it cannot be.
    pub(super) command: Result<Command, String>,
}

/// What a contender says of itself. Further keys are free.
#[derive(Debug, Deserialize)]
pub(super) struct Introduction {
    pub(super) version: String,
    pub(super) threads: usize,
    pub(super) task: String,
    #[serde(default)]
    pub(super) detail: String,
}

/// What a contender answers to a number of images.
#[derive(Debug, Deserialize)]
struct Answer {
    images: Option<u64>,
    seconds: Option<f64>,
    error: Option<String>,
}

/// A turn that was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    pub(super) n_images: u64,
    pub(super) seconds: f64,
}

impl Turn {
    pub(super) fn images_per_s(self) -> f64 {
        self.n_images as f64 / self.seconds
    }
}

/// A contender that runs, waiting for its next turn. Ended when dropped.
pub(super) struct Contender {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    complaints: Arc<Mutex<VecDeque<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Contender {
    /// Starts the program and waits until it is ready.
    ///
    /// # Errors
    /// A sentence that says why it is not, with the last line of its stderr.
    pub(super) fn start(
        mut command: Command,
        task: &str,
        threads: usize,
    ) -> Result<(Self, Introduction), String> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
        let stdin = child.stdin.take();
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            // Ends with the program's stdout, or at the first line that nobody waits for.
            thread::spawn(move || {
                BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
            });
        }
        let complaints: Arc<Mutex<VecDeque<String>>> = Arc::default();
        let reader = child.stderr.take().map(|stderr| {
            let complaints = Arc::clone(&complaints);
            thread::spawn(move || keep_last_lines(stderr, &complaints))
        });
        let mut contender = Self { child, stdin, lines, complaints, reader };
        let introduction: Introduction = contender.line(START_LIMIT)?;
        let said = (introduction.task.as_str(), introduction.threads);
        if said == (task, threads) {
            Ok((contender, introduction))
        } else {
            Err(format!("it is ready for {} on {} threads, expected {task} on {threads}", said.0, said.1))
        }
    }

    /// Has it work on `n_images`.
    ///
    /// # Errors
    /// Its own reason, or a sentence on how it broke the protocol.
    pub(super) fn turn(&mut self, n_images: u64) -> Result<Turn, String> {
        let sent = self.stdin.as_mut().map_or(Ok(()), |stdin| writeln!(stdin, "{n_images}"));
        if let Err(error) = sent {
            return Err(self.blamed(&format!("it takes no more orders: {error}")));
        }
        let answer: Answer = self.line(TURN_LIMIT)?;
        match answer {
            Answer { error: Some(error), .. } => Err(error),
            Answer { images: Some(n), seconds: Some(seconds), .. } if n >= n_images && seconds > 0.0 => {
                Ok(Turn { n_images: n, seconds })
            }
            other => Err(format!("it was asked for {n_images} images and answered {other:?}")),
        }
    }

    /// Lets it end.
    ///
    /// # Errors
    /// When it does not, or not with exit code 0.
    pub(super) fn end(mut self) -> Result<(), String> {
        drop(self.stdin.take());
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(self.blamed(&format!("it ended with {status}"))),
                Ok(None) if begun.elapsed() < END_LIMIT => thread::sleep(Duration::from_millis(5)),
                Ok(None) => return Err(format!("it did not end within {} s", END_LIMIT.as_secs())),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// The next line of its stdout.
    fn line<T: DeserializeOwned>(&mut self, limit: Duration) -> Result<T, String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => serde_json::from_str(&line).map_err(|error| format!("it wrote {line:?}: {error}")),
            Err(RecvTimeoutError::Timeout) => Err(format!("no answer within {} s", limit.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(self.blamed("it ended without an answer")),
        }
    }

    /// The sentence with what the program complained of last, which is waited for: the program is at its end.
    fn blamed(&mut self, sentence: &str) -> String {
        self.kill();
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has kept what it had read.
            let _ended = reader.join();
        }
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        match complaints.back() {
            Some(last) => format!("{sentence}: {last}"),
            None => sentence.to_owned(),
        }
    }

    fn kill(&mut self) {
        // Both fail only where it has ended already.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        self.kill();
    }
}

fn keep_last_lines(stream: impl Read, kept: &Mutex<VecDeque<String>>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        if line.trim().is_empty() {
            continue;
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

#[cfg(all(test, unix))]
pub(super) mod tests {
    use super::*;

    /// A contender written for the shell.
    pub(crate) fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    pub(crate) const READY: &str =
        r#"echo '{"name":"sh","version":"1","threads":1,"task":"sleep","anything":[]}'"#;

    fn start(script: &str) -> Result<Contender, String> {
        Contender::start(shell(script), "sleep", 1).map(|(contender, _)| contender)
    }

    fn started(script: &str) -> Contender {
        start(&format!("{READY}; {script}")).unwrap_or_else(|reason| panic!("{reason}"))
    }

    #[test]
    fn a_contender_takes_turns_until_its_input_ends() {
        let mut contender =
            started(r#"while read n; do echo "{\"images\": $((n + 1)), \"seconds\": 0.5}"; done"#);
        assert_eq!(contender.turn(10), Ok(Turn { n_images: 11, seconds: 0.5 }));
        assert_eq!(contender.turn(20).map(Turn::images_per_s), Ok(42.0));
        assert_eq!(contender.end(), Ok(()));
    }

    #[test]
    fn what_goes_wrong_is_said() {
        let reason = |script: &str| match start(script) {
            Ok(_) => panic!("{script} is ready"),
            Err(reason) => reason,
        };
        assert_eq!(
            reason("echo first >&2; echo 'no library' >&2; exit 1"),
            "it ended without an answer: no library"
        );
        assert!(reason("echo ready").starts_with("it wrote \"ready\": expected"));
        let other = r#"echo '{"version":"1","threads":2,"task":"sleep"}'"#;
        assert_eq!(reason(other), "it is ready for sleep on 2 threads, expected sleep on 1");
        let missing = Contender::start(Command::new("/no/such/program"), "sleep", 1).err();
        assert!(missing.is_some_and(|reason| reason.starts_with("/no/such/program: ")));

        let turn = |script: &str| started(script).turn(10).unwrap_err();
        assert_eq!(turn(r#"read n; echo '{"error":"out of digits"}'"#), "out of digits");
        assert!(turn(r#"read n; echo '{"images":9,"seconds":1}'"#).contains("asked for 10 images"));
        assert!(turn(r#"read n; echo '{"images":10,"seconds":0}'"#).contains("asked for 10 images"));
        assert_eq!(turn("read n; echo 'too much' >&2; exit 3"), "it ended without an answer: too much");

        let end = started("cat > /dev/null; echo 'not saved' >&2; exit 3").end().unwrap_err();
        assert!(end.contains('3') && end.ends_with(": not saved"), "{end}");
    }
}
