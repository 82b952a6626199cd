//! The two streams: results to stdout, everything else to stderr. A closed pipe at either is not an error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use report::{Listing, Summary};

/// Prints a result on stdout, followed by a line's end if it has none.
pub(crate) fn result(text: impl Display) -> io::Result<()> {
    write_line(&mut io::stdout().lock(), &text.to_string())
}

/// Prints a study's figures on stdout: the tables, or one JSON object on one line.
pub(crate) fn figures(summary: &Summary, listing: Listing, json: bool) -> anyhow::Result<()> {
    Ok(result(if json { serde_json::to_string(summary)? } else { report::markdown(summary, listing) })?)
}

/// Tells the person at the terminal something, on stderr. Nothing depends on its arriving.
pub(crate) fn note(text: impl Display) {
    let told = write_line(&mut io::stderr().lock(), &text.to_string());
    drop(told); // stderr is the place where failures are told: there is no other
}

/// Whether [`note`]s and progress reach a person.
pub(crate) fn is_interactive() -> bool {
    io::stderr().is_terminal()
}

/// Characters in a line of the terminal that results are printed on; 80 where it is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(80, |(terminal_size::Width(width), _)| width.into())
}

fn write_line(stream: &mut impl Write, text: &str) -> io::Result<()> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(end.as_bytes())) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.and_then(|()| stream.flush()),
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_line_ends_once_and_a_closed_pipe_is_no_error() {
        let mut out = Vec::new();
        write_line(&mut out, "a").unwrap();
        write_line(&mut out, "b\n").unwrap();
        assert_eq!(out, b"a\nb\n");
        write_line(&mut Closed, "a").unwrap();
    }
}
