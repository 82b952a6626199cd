//! The failures that leave with another exit code than 1, or without a sentence of their own.

use std::fmt;
use std::process::ExitCode;

use report::ReportError;
use study::StudyError;

use crate::device::Device;
use crate::terminal::Terminal;

/// The caller asked for something impossible: a bad config, a wrong value of a flag, the folder of another config. Exit code 2.
#[derive(Debug)]
pub struct UsageError(String);

/// The usage error that says `what` is wrong.
#[must_use]
pub fn usage_error(what: impl fmt::Display) -> anyhow::Error {
    anyhow::Error::new(UsageError(what.to_string()))
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The failure is printed on stderr already: exit with this code and add nothing.
#[derive(Debug)]
pub(crate) struct AlreadyTold(pub(crate) u8);

impl fmt::Display for AlreadyTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed with exit code {}; the reason is printed above", self.0)
    }
}

impl std::error::Error for AlreadyTold {}

/// The exit code of what is to be run again: `EX_TEMPFAIL` of sysexits.h, and what schedulers look for.
pub(crate) const RUN_AGAIN: u8 = 75;

/// Not finished, but nothing failed: what was trained is saved, or another process works on it. Exit code [`RUN_AGAIN`].
#[derive(Debug)]
pub(crate) struct RunAgain(pub(crate) String);

impl fmt::Display for RunAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RunAgain {}

/// A device was asked for whose engine this program was built without. Exit code 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithoutLibtorch(pub Device);

impl fmt::Display for WithoutLibtorch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "--device {}: this program was built without libtorch. In a clone of the project, `cargo xtask setup --libtorch` \
             downloads libtorch and `cargo install --path crates/mcdnn --features libtorch` builds mcdnn with it",
            self.0
        )
    }
}

impl std::error::Error for WithoutLibtorch {}

/// The demo was asked for, and this program was built without its server. Exit code 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithoutDemo;

impl fmt::Display for WithoutDemo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this program was built without the demo. In a clone of the project, `cargo xtask demo` builds and starts it, \
             and `cargo install --path crates/mcdnn --features demo` installs an mcdnn that has it",
        )
    }
}

impl std::error::Error for WithoutDemo {}

/// Prints why a command failed, unless that is printed already, and returns the exit code.
pub fn tell(error: &anyhow::Error, terminal: &Terminal) -> ExitCode {
    let (code, told) = exit(error);
    if let Some(sentence) = told {
        terminal.note(format_args!("error: {sentence}"));
    }
    code
}

/// The exit code of a failed command, and the sentence to print before it unless that is printed already.
fn exit(error: &anyhow::Error) -> (ExitCode, Option<String>) {
    if let Some(AlreadyTold(code)) = error.downcast_ref() {
        return (ExitCode::from(*code), None);
    }
    let wrong_config = error.downcast_ref().is_some_and(StudyError::is_wrong_usage);
    let wrong_wish = error.downcast_ref().is_some_and(ReportError::is_wrong_usage);
    let wrong_flag = error.is::<UsageError>() || error.is::<WithoutLibtorch>() || error.is::<WithoutDemo>();
    let code = if wrong_flag || wrong_config || wrong_wish {
        2
    } else if error.is::<RunAgain>() {
        RUN_AGAIN
    } else {
        1
    };
    (ExitCode::from(code), Some(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn exit_codes_survive_context() {
        let (code, told) = exit(&usage_error("width 99").context("quick.json"));
        assert_eq!((code, told.as_deref()), (ExitCode::from(2), Some("quick.json: width 99")));

        let plain: anyhow::Result<()> = Err(std::io::Error::other("disk full")).context("weights");
        let (code, told) = exit(&plain.unwrap_err());
        assert_eq!((code, told.as_deref()), (ExitCode::from(1), Some("weights: disk full")));

        let config = study::Study::read("no/such.json".as_ref()).unwrap_err();
        assert_eq!(exit(&config.into()).0, ExitCode::from(2));
        assert_eq!(exit(&anyhow::Error::new(AlreadyTold(2))), (ExitCode::from(2), None));
        let (code, told) = exit(&anyhow::Error::new(RunAgain("saved".to_owned())));
        assert_eq!((code, told.as_deref()), (ExitCode::from(75), Some("saved")));
    }
}
