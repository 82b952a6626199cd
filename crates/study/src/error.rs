//! What can go wrong with a config or a results folder.

use std::io;
use std::path::{Path, PathBuf};

use committee::FileError;

use crate::data_set::N_CLASSES;
use crate::file_names::{PROBABILITIES, VALIDATION};
use crate::{ColumnId, ConfigError, Difference, Holder};

/// Errors of this crate: each names the file or folder and the reason in one sentence.
///
/// The message holds the whole reason and [`source`](std::error::Error::source) is always `None`, so a chain
/// of errors never says a thing twice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A config that is wrong.
    #[error("{path}:{}:{}: {}", error.line, error.column, error.problem)]
    Config {
        /// The config.
        path: PathBuf,
        /// The place and the reason.
        error: Box<ConfigError>,
    },
    /// The results folder holds a study of another config.
    #[error(
        "{path}: this results folder belongs to another config: {}; \
         undo the change to the config, or choose another results folder",
        first_of(differences)
    )]
    OtherConfig {
        /// The results folder.
        path: PathBuf,
        /// The keys in which the folder's config differs.
        differences: Vec<Difference>,
    },
    /// The results folder holds columns, but not the config they were trained with.
    #[error(
        "{path}: this results folder has files of columns, but neither study.json nor a column says which config they belong to: \
         choose another results folder"
    )]
    NoManifest {
        /// The results folder.
        path: PathBuf,
    },
    /// Another process holds a column, or an older version, which locks the whole folder, is running.
    #[error("{path}: another run is training in this results folder{}; wait until it has ended", busy(*column, by.as_ref()))]
    Busy {
        /// The results folder.
        path: PathBuf,
        /// The column; `None` for all.
        column: Option<ColumnId>,
        /// Who holds it, if that is known.
        by: Option<Holder>,
    },
    /// Another process has taken a column over.
    #[error(
        "{path}: another run has taken over column {column}, because this run sent no heartbeat for too long"
    )]
    Lost {
        /// The results folder.
        path: PathBuf,
        /// The column.
        column: ColumnId,
    },
    /// A column that this process does not hold.
    #[error("{path}: column {column} is not locked by this run")]
    NotHeld {
        /// The results folder.
        path: PathBuf,
        /// The column.
        column: ColumnId,
    },
    /// A `study.json` that is not one.
    #[error("{path}:{}:{}: not a study's manifest: {}", error.line, error.column, error.problem)]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The place and the reason.
        error: Box<ConfigError>,
    },
    /// A `study.json` whose checksum or config's hash does not hold, or of a newer format.
    #[error("{path}: {reason}")]
    DamagedManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A `column.json` that is missing, damaged or of a newer format.
    #[error("{path}: not a finished column's record: {reason}")]
    Record {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of a finished column that is not the one that was written.
    #[error("{path}: {}, expected {}… by column.json; {}", found(got), short(want), cure(path))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its SHA-256, hexadecimal; `None` when it is not there.
        got: Option<String>,
        /// That of the record.
        want: String,
    },
    /// Probabilities that cannot be read, or are not probabilities.
    #[error("{0}")]
    Probabilities(FileError),
    /// Probabilities of something else than ten digits.
    #[error("{path}: probabilities of {got} classes, expected {}", N_CLASSES)]
    Classes {
        /// The file.
        path: PathBuf,
        /// Its classes.
        got: usize,
    },
    /// Weights that cannot be read, or are not weights.
    #[error("{path}: {reason}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Weights of another network, column or config.
    #[error("{path}: not a column of this study: its {what} is {got}, expected {want}")]
    ForeignColumn {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the file has.
        got: String,
        /// What the study has.
        want: String,
    },
    /// The operating system refused.
    #[error("{path}: cannot {action}: {reason}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb.
        action: &'static str,
        /// The operating system's reason.
        reason: io::Error,
    },
}

impl From<FileError> for StudyError {
    fn from(error: FileError) -> Self {
        Self::Probabilities(error)
    }
}

impl StudyError {
    /// Whether the caller asked for something wrong (exit code 2) and not something failed (exit code 1): a
    /// config that is wrong or cannot be read, or a results folder of another config.
    #[must_use]
    pub fn is_wrong_usage(&self) -> bool {
        match self {
            Self::Config { .. } | Self::OtherConfig { .. } | Self::NoManifest { .. } => true,
            Self::Io { action, .. } => *action == READ_CONFIG,
            Self::Busy { .. } | Self::Lost { .. } | Self::NotHeld { .. } => false,
            Self::Manifest { .. } | Self::Probabilities(_) | Self::Classes { .. } => false,
            Self::DamagedManifest { .. } | Self::Record { .. } | Self::Damaged { .. } => false,
            Self::Weights { .. } | Self::ForeignColumn { .. } => false,
        }
    }

    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self::Io { path: path.to_path_buf(), action, reason }
    }
}

/// ` on column w14-1 (process 4711 on node7)`
fn busy(column: Option<ColumnId>, by: Option<&Holder>) -> String {
    let column = column.map_or_else(String::new, |column| format!(" on column {column}"));
    let by = by.map_or_else(String::new, |by| format!(" ({by})"));
    format!("{column}{by}")
}

fn found(got: &Option<String>) -> String {
    match got {
        Some(got) => format!("damaged: its SHA-256 is {}…", short(got)),
        None => "no such file".to_owned(),
    }
}

/// What helps against a damaged file.
fn cure(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default();
    if [VALIDATION, PROBABILITIES].iter().any(|predictions| name == *predictions) {
        "`reproduce` computes it again from the weights"
    } else {
        "restore it from a copy, or delete the column's folder to train the column again"
    }
}

/// The beginning of a hash, enough to tell one from another.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// The first three differences, in words.
fn first_of(differences: &[Difference]) -> String {
    let (shown, others) = differences.split_at(differences.len().min(3));
    let mut words: Vec<String> = shown.iter().map(ToString::to_string).collect();
    match others.len() {
        0 if words.is_empty() => words.push("its columns have another config's hash".to_owned()),
        0 => {}
        1 => words.push("1 more key differs".to_owned()),
        n => words.push(format!("{n} more keys differ")),
    }
    words.join(", ")
}

/// The one action of [`StudyError::Io`] that is a matter of usage.
pub(crate) const READ_CONFIG: &str = "read the config";
