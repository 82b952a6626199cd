//! `column.json`: that a column is done, where it comes from, and the checksums of its files.

use std::collections::BTreeMap;
use std::path::Path;

use preprocess::Views;
use serde::{Deserialize, Serialize};

use crate::format::{self, Format, other_format};
use crate::provenance::{Provenance, TrainingRun};
use crate::sealed::{seal, unseal};
use crate::{ColumnId, StudyError, write_whole};

/// The record's format: the value of its key `schema`.
pub const RECORD_SCHEMA: u32 = 1;

/// Longest record that is read, in bytes; a run takes about half a kilobyte.
const MAX_RECORD_BYTES: u64 = 16 << 20;

/// What is known of a finished column: `column.json`, written when all its files are there.
///
/// Keys that later versions add are ignored; a record of a newer format is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct ColumnRecord {
    /// [`RECORD_SCHEMA`].
    pub schema: u32,
    /// The column.
    pub column: ColumnId,
    /// [`Study::hash`](crate::Study::hash) of its study's config.
    pub config_hash: String,
    /// The runs that trained it, in order; each but the last was interrupted.
    pub runs: Vec<TrainingRun>,
    /// What made the predictions, where this was not the last run: they were lost, and made again from the weights on
    /// something that rounds otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted_by: Option<Provenance>,
    /// The epoch whose weights these are, counted from 1, where the config has `early_stopping`; else those of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_epoch: Option<u32>,
    /// The views that `views.npy` is of, where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views>,
    /// SHA-256 of each of its files, hexadecimal, by name.
    pub files: BTreeMap<String, String>,
}

impl ColumnRecord {
    /// How often its training was interrupted.
    #[must_use]
    pub fn n_interruptions(&self) -> usize {
        self.runs.len().saturating_sub(1)
    }

    /// Seconds spent on it, all runs together.
    #[must_use]
    pub fn wall_s(&self) -> f64 {
        self.runs.iter().map(|run| run.wall_s).sum()
    }

    /// What decides its rounding: [`Provenance::kind`] of its runs, joined by "and" where they differ.
    #[must_use]
    pub fn kind(&self) -> String {
        let mut kinds: Vec<String> = self.runs.iter().map(|run| run.by.kind()).collect();
        kinds.dedup();
        if kinds.is_empty() { "unknown".to_owned() } else { kinds.join(" and ") }
    }

    /// Reads the record at `path`; `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StudyError> {
        let Some(text) = format::read_if_there(path, "read the column's record", MAX_RECORD_BYTES)? else {
            return Ok(None);
        };
        let wrong = |reason: String| StudyError::Record { path: path.to_path_buf(), reason };
        let text = unseal(&text).map_err(|error| wrong(error.to_string()))?;
        let Format { schema } = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if schema != RECORD_SCHEMA {
            return Err(wrong(other_format(schema, RECORD_SCHEMA)));
        }
        serde_json::from_str(&text).map(Some).map_err(|error| wrong(error.to_string()))
    }

    /// Writes the record, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), StudyError> {
        write_whole(path, &seal(self))
    }
}
