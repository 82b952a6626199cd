//! `study.json`: a study's config and the hashes of its data, written when the study begins.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::format::{self, Format, other_format};
use crate::provenance::Provenance;
use crate::sealed::{seal, unseal};
use crate::{ConfigError, Study, StudyError, json, write_whole};

/// The manifest's format: the value of its key `schema`.
pub const MANIFEST_SCHEMA: u32 = 2;

/// Longest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;

/// A study's config and data: `study.json`. It never changes once it is written; what was trained when and by what
/// stands in each column's [`record`](crate::ColumnRecord).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: u32,
    /// The config, every key written out.
    pub config: Study,
    /// [`Study::hash`] of it.
    pub config_hash: String,
    /// The data files.
    pub data: Vec<DataFile>,
    /// What trained the study last, of a manifest of format 1, which had it in place of columns' records.
    #[serde(skip)]
    pub format_1: Option<Provenance>,
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

/// A manifest of format 1, which was written again at every end of an epoch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Format1 {
    #[serde(rename = "schema")]
    _schema: u32,
    config: Study,
    config_hash: String,
    version: String,
    commit: String,
    /// `ciresan-cpu avx2 fp32`
    engine: String,
    /// `AMD EPYC, 2 workers`
    device: String,
    data: Vec<DataFile>,
    #[serde(rename = "columns")]
    _columns: serde::de::IgnoredAny,
    #[serde(rename = "wall_s")]
    _wall_s: f64,
}

impl From<Format1> for Manifest {
    fn from(old: Format1) -> Self {
        let mut words: Vec<&str> = old.engine.split(' ').collect();
        let precision = words.pop().filter(|_| !words.is_empty()).unwrap_or_default().to_owned();
        let instruction_set = match words[..] {
            ["ciresan-cpu", instruction_set] => Some(instruction_set.to_owned()),
            _ => None,
        };
        let engine = if instruction_set.is_some() { words[0].to_owned() } else { words.join(" ") };
        let (version, commit) = (old.version, old.commit);
        let cpu = old.device;
        let by =
            Provenance { version, commit, engine, instruction_set, precision, cpu, ..Provenance::default() };
        Self { format_1: Some(by), ..Self::with_hash(old.config, old.config_hash, old.data) }
    }
}

impl Manifest {
    /// The manifest of a study that begins.
    #[must_use]
    pub fn new(study: &Study, data: &[DataFile]) -> Self {
        Self::with_hash(study.clone(), study.hash(), data.to_vec())
    }

    fn with_hash(config: Study, config_hash: String, data: Vec<DataFile>) -> Self {
        Self { schema: MANIFEST_SCHEMA, config, config_hash, data, format_1: None }
    }

    /// Reads the manifest at `path`; `None` when there is no such file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StudyError> {
        let Some(text) = format::read_if_there(path, "read the manifest", MAX_MANIFEST_BYTES)? else {
            return Ok(None);
        };
        let wrong =
            |error: ConfigError| StudyError::Manifest { path: path.to_path_buf(), error: error.into() };
        let damaged = |reason: String| StudyError::DamagedManifest { path: path.to_path_buf(), reason };
        let Format { schema } = json::parse(&text).map_err(wrong)?;
        let manifest: Self = match schema {
            1 => json::parse::<Format1>(&text).map_err(wrong)?.into(),
            MANIFEST_SCHEMA => {
                let text = unseal(&text).map_err(|error| damaged(error.to_string()))?;
                json::parse(&text).map_err(wrong)?
            }
            newer => return Err(damaged(other_format(newer, MANIFEST_SCHEMA))),
        };
        let hash = manifest.config.hash();
        if manifest.config_hash != hash {
            let reason =
                format!("damaged: the hash of its config is {hash}, and it says {}", manifest.config_hash);
            return Err(damaged(reason));
        }
        Ok(Some(manifest))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), StudyError> {
        write_whole(path, &seal(self))
    }
}
