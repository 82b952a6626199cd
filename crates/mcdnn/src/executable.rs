//! Programs that tests make up.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a program to `path`.
///
/// Another process writes it: a file that this one holds open for writing may not be started, and whatever another test
/// starts meanwhile inherits it for a moment.
pub(crate) fn executable(path: &Path, text: &str) -> io::Result<()> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"cat > "$0" && chmod 755 "$0""#]).arg(path).stdin(Stdio::piped());
    let mut writing = shell.spawn()?;
    if let Some(mut stdin) = writing.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let status = writing.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{}: {status}", path.display()))) }
}
