//! The ways to ask for an end: signals, and a parent that goes away.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{process, thread};

use anyhow::{Context, Result};

/// Sets `stop` on the first SIGINT, SIGTERM or SIGHUP, and ends the process on the second. With `at_end_of_stdin`, a thread
/// reads stdin and sets `stop` when it ends.
pub(super) fn listen(stop: &Arc<AtomicBool>, at_end_of_stdin: bool) -> Result<()> {
    let signalled = AtomicBool::new(false);
    let on_signal = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if signalled.swap(true, Ordering::Relaxed) {
            // Files are whole or absent at every moment, so there is nothing to tidy.
            process::exit(1);
        }
        on_signal.store(true, Ordering::Relaxed);
    })
    .context("cannot listen for signals")?;
    if at_end_of_stdin {
        let at_end = Arc::clone(stop);
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                wait_for_end(&mut io::stdin().lock());
                at_end.store(true, Ordering::Relaxed);
            })
            .context("cannot start the thread that reads stdin")?;
    }
    Ok(())
}

/// Reads until the end or an error that does not pass: either way nobody is at the other end.
fn wait_for_end(stdin: &mut impl Read) {
    let mut ignored = [0; 256];
    loop {
        match stdin.read(&mut ignored) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_the_end_is_ignored() {
        wait_for_end(&mut [7u8; 1000].as_slice());
        wait_for_end(&mut io::empty());
    }
}
