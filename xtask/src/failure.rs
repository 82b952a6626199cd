//! The failures that leave with another exit code than 1, or without a sentence of their own.

use std::fmt;
use std::process::ExitCode;

use report::ReportError;
use study::StudyError;

/// The caller asked for something that cannot be: a bad config, a flag's value, another config's folder. Exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(String);

/// The usage error that says `what` is wrong.
pub(crate) fn usage_error(what: impl fmt::Display) -> anyhow::Error {
    anyhow::Error::new(UsageError(what.to_string()))
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// A program started from here failed and has said why on stderr itself: leave with its exit code, add nothing.
#[derive(Debug)]
pub(crate) struct AlreadyTold(pub(crate) u8);

impl fmt::Display for AlreadyTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a program started from here left with exit code {}", self.0)
    }
}

impl std::error::Error for AlreadyTold {}

/// The exit code of a failed command, and the sentence to print before it unless that is printed already.
pub(crate) fn exit(error: &anyhow::Error) -> (ExitCode, Option<String>) {
    if let Some(AlreadyTold(code)) = error.downcast_ref() {
        return (ExitCode::from(*code), None);
    }
    let wrong_config = error.downcast_ref().is_some_and(StudyError::is_wrong_usage);
    let wrong_wish = error.downcast_ref().is_some_and(ReportError::is_wrong_usage);
    let code = if error.is::<UsageError>() || wrong_config || wrong_wish { 2 } else { 1 };
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
    }
}
