//! `study.json`: a study's config with the provenance of its results.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use crate::json;
use crate::{ColumnId, ConfigError, Study, StudyError, write_whole};

/// The manifest's format: the value of its key `schema`.
pub const MANIFEST_SCHEMA: u32 = 1;

/// Longest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

/// A study's config and where its results come from: `study.json`.
///
/// A study trained in several runs has the version, commit, engine and device of its last one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    #[serde(deserialize_with = "this_version")]
    pub schema: u32,
    /// The config, every key written out.
    pub config: Study,
    /// [`Study::hash`] of it.
    pub config_hash: String,
    /// Version of the program.
    pub version: String,
    /// Commit of the program's source, as the program knows it.
    pub commit: String,
    /// What trained the columns.
    pub engine: String,
    /// What it ran on.
    pub device: String,
    /// The data files.
    pub data: Vec<DataFile>,
    /// The finished columns, in training order.
    pub columns: Vec<ColumnId>,
    /// Seconds of training over all runs, by the clock.
    pub wall_s: f64,
}

/// One file of digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct DataFile {
    /// Its name.
    pub name: String,
    /// SHA-256 of its raw bytes, hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest at `path`; `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StudyError> {
        let text = match json::read_text(path, "read the manifest", MAX_MANIFEST_BYTES) {
            Ok(text) => text,
            Err(StudyError::Io { reason, .. }) if reason.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let damaged =
            |error: ConfigError| StudyError::Manifest { path: path.to_path_buf(), error: error.into() };
        json::parse(&text).map(Some).map_err(damaged)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), StudyError> {
        let mut text = serde_json::to_vec_pretty(self).expect("plain keys and finite numbers");
        text.push(b'\n');
        write_whole(path, &text)
    }
}

fn this_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        MANIFEST_SCHEMA => Ok(MANIFEST_SCHEMA),
        _ => Err(json::expected("", format_args!("{MANIFEST_SCHEMA}, the manifest format of this version"))),
    }
}
