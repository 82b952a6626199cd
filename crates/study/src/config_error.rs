//! What is wrong with a config, and where in its text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_path_to_error::Path;

/// Most characters of a wrong value that a message shows.
const SHOWN_CHARS: usize = 40;

/// A wrong place in a config's text.
///
/// The message is one sentence: `line 4, column 3: unknown key "epoch" (known: …)`; with a file's name in
/// front, [`StudyError::Config`](crate::StudyError::Config) writes `configs/quick.json:4:3: unknown key …`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
#[non_exhaustive]
pub struct ConfigError {
    /// Line of the wrong key or value, or of the object that lacks a key, counted from 1.
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
        /// The keys that exist in its place, those spelled most like it first.
        known: Vec<String>,
    },
    /// A required key is missing: nothing that changes a result has a default.
    #[error("missing key {key:?}")]
    MissingKey {
        /// The key.
        key: String,
    },
    /// A key is there more than once.
    #[error("key {key:?} is there twice")]
    RepeatedKey {
        /// The key.
        key: String,
    },
    /// A value of another type or out of its range.
    #[error("{key} is {got}, expected {want}")]
    Value {
        /// The key, or "the whole text".
        key: String,
        /// The value as written, cut when it is long.
        got: String,
        /// The allowed values.
        want: String,
    },
    /// A value that is wrong in another way: a sentence that names the key.
    #[error("{0}")]
    Other(String),
}

impl ConfigError {
    /// A text that is not JSON.
    pub(crate) fn syntax(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line().max(1), error.column().max(1));
        Self { line, column, problem: ConfigProblem::Syntax(without_place(error)) }
    }

    /// What serde found wrong at `path` of `text`, which is JSON; `root` is the value in it.
    pub(crate) fn in_value(error: &serde_json::Error, path: &Path, text: &str, root: &str) -> Self {
        let message = without_place(error);
        let (mut key, mut words) = (path.to_string(), message.as_str());
        // A check of several keys says which one it means: see `json::expected`.
        if words.starts_with(['.', '['])
            && let Some((below, rest)) = words.split_once(": ")
        {
            key.push_str(below);
            words = rest;
        }
        let named = ["unknown field `", "missing field `", "duplicate field `"];
        let named = named.iter().find_map(|start| words.strip_prefix(start));
        let (name, known) = named
            .and_then(|rest| rest.split_once("`, expected ").or_else(|| rest.rsplit_once('`')))
            .unwrap_or_default();
        // The path of a missing key is that of its object.
        if !name.is_empty() && !format!(".{key}").ends_with(&format!(".{name}")) {
            key = format!("{key}.{name}");
        }
        let key = key.trim_start_matches('.').to_owned();
        let value = find(root, &key);
        let mut before = &text[..value.as_ptr() as usize - text.as_ptr() as usize];
        // A key that should not be there is the wrong place itself.
        if !name.is_empty()
            && !words.starts_with("missing")
            && let Some(at) = before.rfind(&format!("\"{name}\""))
        {
            before = &before[..at];
        }
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem: problem(key, words, name, known, value),
        }
    }
}

/// A sentence of serde's, read for its parts; tests pin what becomes of each.
fn problem(key: String, words: &str, name: &str, known: &str, value: &str) -> ConfigProblem {
    let words = words.replace("number out of range", &format!("expected a number up to {:e}", f64::MAX));
    let starts = |starts: &[&str]| starts.iter().any(|start| words.starts_with(start));
    if starts(&["unknown field"]) {
        let mut known: Vec<String> = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        known.sort_by_cached_key(|known| strsim::damerau_levenshtein(known, name));
        return ConfigProblem::UnknownKey { key, known };
    } else if starts(&["missing field"]) {
        return ConfigProblem::MissingKey { key };
    } else if starts(&["duplicate field"]) {
        return ConfigProblem::RepeatedKey { key };
    }
    match words.rsplit_once("expected ") {
        Some((_, want)) if starts(&["invalid type", "invalid value", "unknown variant", "expected "]) => {
            let key = if key.is_empty() { "the whole text".to_owned() } else { key };
            ConfigProblem::Value { key, got: shown(value), want: plain(want) }
        }
        _ if key.is_empty() || words.starts_with(&key) => ConfigProblem::Other(words),
        _ => ConfigProblem::Other(format!("{key}: {words}")),
    }
}

/// Serde's names of types, in words.
fn plain(want: &str) -> String {
    match want {
        "u64" => format!("a whole number from 0 to {}", u64::MAX),
        "i64" | "u32" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        words => words.replace('`', "\""),
    }
}

/// The value at `key` in `root`, or the innermost one on the way there.
fn find<'t>(mut root: &'t str, key: &str) -> &'t str {
    for step in key.split(['.', '[']) {
        let next: Option<&RawValue> = match step.strip_suffix(']') {
            Some(index) => serde_json::from_str::<Vec<&RawValue>>(root)
                .ok()
                .and_then(|items| items.get(index.parse::<usize>().ok()?).copied()),
            None => serde_json::from_str::<BTreeMap<String, &RawValue>>(root)
                .ok()
                .and_then(|members| members.get(step).copied()),
        };
        let Some(next) = next else { break };
        root = next.get();
    }
    root
}

/// A value as written, on one line and cut when it is long.
fn shown(raw: &str) -> String {
    let line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The parser's message without the place, which stands in front of it already.
fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    message.strip_suffix(&place).map_or(message.clone(), ToOwned::to_owned)
}
