//! What is wrong with a config, and where in its text.

use ciresan_net::NotationError;

/// A wrong place in a config's text.
///
/// The message is one sentence: `line 4, column 3: unknown key "epoch" (known: …)`; with a file's name in
/// front, [`StudyError::Config`](crate::StudyError::Config) writes `configs/quick.json:4:3: unknown key …`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
#[non_exhaustive]
pub struct ConfigError {
    /// Line of the offending key or value, counted from 1.
    pub line: usize,
    /// Its first character in that line, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: ConfigProblem,
}

/// What is wrong in a config. Keys are paths like `learning_rate.floor` or `widths[2]`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// A key that does not exist (here).
    #[error("unknown key {key:?} (known: {})", known.join(", "))]
    UnknownKey {
        /// The key.
        key: String,
        /// The keys there are in its place.
        known: Vec<&'static str>,
    },
    /// A key is not there: nothing that changes a result has a default.
    #[error("missing key {key:?}")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A key stands there twice.
    #[error("key {key:?} stands there twice")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// A value of another type or out of its range.
    #[error("{key} is {got}, expected {want}")]
    Value {
        /// The key.
        key: String,
        /// The value as written, cut when it is long.
        got: String,
        /// What it may be.
        want: String,
    },
    /// A value that is wrong in another way.
    #[error("{key}: {reason}")]
    Other {
        /// The key.
        key: String,
        /// The reason in words.
        reason: String,
    },
    /// A network that is none.
    #[error("{0}")]
    Network(NotationError),
}
