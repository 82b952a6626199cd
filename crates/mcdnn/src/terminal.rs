//! The two streams: results to stdout, everything else to stderr. A closed pipe at either is not an error.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use crate::layout::fit;

/// Where a program writes.
pub struct Terminal {
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    /// Whether a person reads results, and in lines of how many characters.
    stdout_width: Option<usize>,
    /// Characters in a line of anything that is not a terminal.
    plain_width: usize,
    stderr_is_interactive: bool,
}

/// Characters in a line where neither a terminal nor the variable `COLUMNS` says how many.
const WIDTH: usize = 80;

/// Narrower lines than this are not tried.
const MIN_WIDTH: usize = 30;

impl Terminal {
    /// This process's own streams.
    #[must_use]
    pub fn standard() -> Self {
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let columns = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self {
            stdout_width: width,
            plain_width: columns.unwrap_or(WIDTH),
            // A dumb terminal cannot draw over what it shows, so it gets lines as a file does.
            stderr_is_interactive: io::stderr().is_terminal() && !is_dumb(),
            ..Self::new(io::stdout(), io::stderr())
        }
    }

    /// Two streams that nobody sits at.
    pub fn new(stdout: impl Write + Send + 'static, stderr: impl Write + Send + 'static) -> Self {
        Self {
            stdout: Mutex::new(Box::new(stdout)),
            stderr: Mutex::new(Box::new(stderr)),
            stdout_width: None,
            plain_width: WIDTH,
            stderr_is_interactive: false,
        }
    }

    /// Prints a result on stdout, followed by a line's end if it has none.
    ///
    /// # Errors
    /// When stdout takes no more, for another reason than that nobody reads on.
    pub fn result(&self, text: impl Display) -> io::Result<()> {
        write_line(&self.stdout, &text.to_string())
    }

    /// Prints a result for people on stdout, in lines that fit.
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub(crate) fn fitted_result(&self, text: impl Display) -> io::Result<()> {
        self.result(fit(&text.to_string(), self.width()))
    }

    /// Whether a result can be drawn over: a terminal shows it that knows the commands for that.
    pub(crate) fn can_redraw(&self) -> bool {
        self.shows_results() && !is_dumb()
    }

    /// Replaces the result that was printed before, or prints below it where the terminal cannot redraw. Prints only as many lines as fit.
    ///
    /// # Errors
    /// As for [`result`](Self::result).
    pub(crate) fn redraw(&self, text: &str) -> io::Result<()> {
        if !self.can_redraw() {
            return self.result(text);
        }
        let size = terminal_size::terminal_size_of(io::stdout());
        let height = size.map_or(usize::MAX, |(_, height)| usize::from(height.0));
        let lines: Vec<&str> = text.lines().take(height.saturating_sub(1)).collect();
        // From the top, each line cleared behind its end and all below the last one: nothing flickers.
        write_line(&self.stdout, &format!("\x1b[H{}\x1b[K\n\x1b[J", lines.join("\x1b[K\n")))
    }

    /// Prints something for people on stderr, in lines that fit.
    pub(crate) fn fitted_note(&self, text: impl Display) {
        let terminal = terminal_size::terminal_size_of(io::stderr()).filter(|_| self.stderr_is_interactive);
        let width = terminal.map_or(self.plain_width, |(width, _)| usize::from(width.0));
        self.note(fit(&text.to_string(), width.max(MIN_WIDTH)));
    }

    /// Prints something for people on stderr. Nothing depends on its arriving.
    pub fn note(&self, text: impl Display) {
        let written = write_line(&self.stderr, &text.to_string());
        drop(written); // stderr is where failures are reported: there is no other place
    }

    /// Draws over the last line of stderr, where a person looks at it.
    pub(crate) fn draw(&self, text: impl Display) {
        let drawn = write!(self.stderr.lock().unwrap_or_else(PoisonError::into_inner), "\r\x1b[K{text}");
        drop(drawn); // what cannot be shown is not missed
    }

    /// Whether notes and progress reach a person.
    pub(crate) fn is_interactive(&self) -> bool {
        self.stderr_is_interactive
    }

    /// Whether results reach a person.
    pub(crate) fn shows_results(&self) -> bool {
        self.stdout_width.is_some()
    }

    /// Characters in a line of stdout: the terminal's, else those of the variable `COLUMNS`, else 80.
    pub(crate) fn width(&self) -> usize {
        let now = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        let width = self.stdout_width.map(|width| now().unwrap_or(width)); // it may have been resized
        width.unwrap_or(self.plain_width).max(MIN_WIDTH)
    }
}

/// Whether the terminal knows no commands to draw over what it shows.
fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term == "dumb")
}

fn write_line(stream: &Mutex<Box<dyn Write + Send>>, text: &str) -> io::Result<()> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let written = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(end.as_bytes()));
    match written.and_then(|()| stream.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_ends_once_and_a_closed_pipe_is_no_error() {
        let (out, err) = (Kept::default(), Kept::default());
        let terminal = Terminal::new(out.clone(), err.clone());
        terminal.result("a").unwrap();
        terminal.result("b\n").unwrap();
        terminal.note("c");
        assert_eq!(
            (out.0.lock().unwrap().as_slice(), err.0.lock().unwrap().as_slice()),
            (&b"a\nb\n"[..], &b"c\n"[..])
        );
        assert_eq!((terminal.width(), terminal.is_interactive()), (80, false));
        let terminal = Terminal::new(Closed, Closed);
        terminal.result("a").unwrap();
        terminal.note("b");
    }
}
