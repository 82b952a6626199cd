//! What a person at a terminal sees: the program runs on a pseudo terminal, and an emulator draws what it writes.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::num::NonZeroU16;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use vt100::Parser;

use crate::run::Place;

/// So many rows that nothing scrolls away.
const ROWS: u16 = 200;

/// A program at a terminal.
struct Session {
    child: Child,
    terminal: File,
    screen: Parser,
    /// All that was written.
    bytes: Vec<u8>,
}

impl Session {
    fn start(mut command: Command, columns: u16) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let path = ptsname(&terminal, Vec::new()).unwrap();
        let other_end = OpenOptions::new().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        tcsetwinsize(&terminal, size(columns)).unwrap();
        command.stdout(other_end.try_clone().unwrap()).stderr(other_end);
        let child = command.spawn().unwrap();
        drop(command); // and with it this process's copies of the other end
        let screen = Parser::new(cells(ROWS), cells(columns), 0);
        Self { child, terminal: terminal.into(), screen, bytes: Vec::new() }
    }

    /// Reads on; whether there was something to read.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 4096];
        // Linux says EIO when the last program at the terminal has ended.
        let n = self.terminal.read(&mut chunk).unwrap_or(0);
        self.screen.process(&chunk[..n]);
        self.bytes.extend(&chunk[..n]);
        n > 0
    }

    /// Reads until the screen shows this.
    fn until(&mut self, shown: &str) {
        self.until_screen(shown, |screen| screen.contains(shown));
    }

    /// Reads until the screen is so.
    fn until_screen(&mut self, how: &str, is_so: impl Fn(&str) -> bool) {
        while !is_so(&self.screen.screen().contents()) {
            assert!(self.read(), "it ended without {how:?}: {}", self.screen.screen().contents());
        }
    }

    fn resize(&mut self, columns: u16) {
        tcsetwinsize(&self.terminal, size(columns)).unwrap();
        self.screen.screen_mut().set_size(cells(ROWS), cells(columns));
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// The exit code, what the screen shows at the end, and all that was written.
    fn end(mut self) -> (Option<i32>, String, Vec<u8>) {
        while self.read() {}
        (self.child.wait().unwrap().code(), self.screen.screen().contents(), self.bytes)
    }
}

fn cells(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

fn size(columns: u16) -> Winsize {
    Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn at_a_terminal(place: &Place, arguments: &str) -> Command {
    let mut command = place.command(arguments);
    command.env("TERM", "xterm-256color");
    command
}

/// No part of a progress bar is left, and each of `words` stands in one line.
#[track_caller]
fn check_clean(screen: &str, words: &[&str]) {
    assert!(!screen.contains(['━', '╸', '─']) && !screen.contains(" left"), "a bar is left:\n{screen}");
    for word in words {
        assert!(screen.lines().any(|line| line.contains(word)), "no line with {word:?}:\n{screen}");
    }
}

#[test]
fn a_finished_run_leaves_its_lines_and_no_bars_at_any_width() {
    for columns in [60, 100] {
        let place = Place::new();
        place.config(&[("\"epochs\": 2", "\"epochs\": 20")]);
        let mut session =
            Session::start(at_a_terminal(&place, "reproduce --config tiny.json --workers 2"), columns);
        session.until(" %  epoch");
        let (code, screen, _) = session.end();
        assert_eq!(code, Some(0), "{screen}");
        let words =
            ["time      about", "w14-1       finished in", "original-1  finished in", "trained 2 columns"];
        check_clean(&screen, &words);
        check_clean(&screen, &["misclassifies", "| all "]);
        let tables = screen.lines().filter(|line| line.starts_with('|'));
        assert!(tables.map(|line| line.chars().count()).max() <= Some(columns.into()), "{screen}");
    }
}

#[test]
fn a_terminal_may_be_resized_meanwhile() {
    let place = Place::new();
    place.config(&[("\"epochs\": 2", "\"epochs\": 600")]);
    let mut session = Session::start(at_a_terminal(&place, "reproduce --config tiny.json --workers 2"), 100);
    session.until(" %  epoch");
    session.resize(130);
    let is_wider = |line: &str| line.contains(" %  epoch") && line.chars().count() > 100;
    session.until_screen("a bar as wide as the terminal now", |screen| screen.lines().any(is_wider));
    let (code, screen, _) = session.end();
    assert_eq!(code, Some(0), "{screen}");
    check_clean(&screen, &["w14-1       finished in", "original-1  finished in", "trained 2 columns"]);
}

#[test]
fn ctrl_c_clears_the_bars_and_says_how_to_resume() {
    let place = Place::new();
    place.config(&[("\"epochs\": 2", "\"epochs\": 9000")]);
    let mut session = Session::start(at_a_terminal(&place, "reproduce --config tiny.json --workers 1"), 100);
    session.until(" %  epoch");
    session.interrupt();
    let (code, screen, _) = session.end();
    assert_eq!(code, Some(1), "{screen}");
    let screen = screen.replace(" images left", "");
    check_clean(&screen, &["stopped: 0 of 2 columns finished, 1 saved in mid-training, 1 not started"]);
    check_clean(
        &screen,
        &["error: interrupted and saved; resume with `mcdnn reproduce --config tiny.json --workers 1`"],
    );
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let place = Place::new();
    place.config(&[]);
    let mut command = at_a_terminal(&place, "reproduce --config tiny.json");
    command.env("TERM", "dumb");
    let (code, screen, bytes) = Session::start(command, 100).end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!bytes.contains(&0x1b), "{screen}");
    assert!(screen.contains("w14-1       epoch 2/2"), "{screen}");
}

#[test]
fn a_folder_of_images_shows_how_far_it_is() {
    let place = Place::new();
    place.config(&[]);
    place.run("reproduce --config tiny.json").succeeded();
    let mut bytes = Vec::new();
    let image = image::ImageBuffer::from_fn(400, 500, |x, y| {
        image::Luma([if x.abs_diff(200) < 15 && y.abs_diff(250) < 180 { 20_u8 } else { 230 }])
    });
    image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    (0..300).for_each(|n| place.write(&format!("images/{n}.png"), &bytes));
    let mut session = Session::start(at_a_terminal(&place, "predict --json images"), 60);
    session.until("/300");
    let (code, screen, _) = session.end();
    assert_eq!(code, Some(0));
    assert!(!screen.contains('━'), "{screen}");
}
