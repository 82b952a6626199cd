//! Files with a format number: reading them as far as that number.

use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::{StudyError, json};

/// The part that every format of a file has.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(crate) struct Format {
    pub(crate) schema: u32,
}

/// What is wrong with a format that this version does not know.
pub(crate) fn other_format(got: u32, known: u32) -> String {
    let advice = if got > known { "; a newer version of this program wrote it" } else { "" };
    format!("its format is {got}, but this version reads formats up to {known}{advice}")
}

/// The whole text of a file of at most `max_bytes`; `None` when there is no such file.
pub(crate) fn read_if_there(
    path: &Path,
    action: &'static str,
    max_bytes: u64,
) -> Result<Option<String>, StudyError> {
    match json::read_text(path, action, max_bytes) {
        Ok(text) => Ok(Some(text)),
        Err(StudyError::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
