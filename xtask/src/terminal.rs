//! The two streams: results to stdout, everything else to stderr.

use std::fmt::Display;
use std::io;

use mcdnn::Terminal;

/// Prints a result on stdout, followed by a line's end if it has none.
pub(crate) fn result(text: impl Display) -> io::Result<()> {
    Terminal::standard().result(text)
}

/// Tells the person at the terminal something, on stderr. Nothing depends on its arriving.
pub(crate) fn note(text: impl Display) {
    Terminal::standard().note(text);
}
