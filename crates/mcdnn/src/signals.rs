//! Signals that ask a program to save and stop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// From now on SIGINT, SIGTERM, SIGUSR1 and SIGHUP set the flag that this returns; SIGINT and SIGTERM end the program at
/// once when the flag is set already. SIGHUP stays ignored where it was ignored at the start, as under `nohup`.
///
/// # Errors
/// When the system takes no handler.
pub fn listen() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order, so that the first signal does not find the flag that it sets. Files are whole or absent at every
        // moment, so there is nothing to tidy.
        flag::register_conditional_shutdown(signal, 1, Arc::clone(&stop))?;
        flag::register(signal, Arc::clone(&stop))?;
    }
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGUSR1};
        flag::register(SIGUSR1, Arc::clone(&stop))?;
        if !is_hangup_ignored() {
            flag::register(SIGHUP, Arc::clone(&stop))?;
        }
    }
    Ok(stop)
}

/// Whether SIGHUP is ignored: by this process, so by every program that it starts. A shell that survives one tells; to ask
/// the system itself takes unsafe code.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    use std::process::{Command, Stdio};
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill -HUP $$"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}
