//! JSON read so that every mistake can be named: which key, what stands there, where in the text.
//!
//! `serde_json` alone says "invalid type: string, expected u32 at line 3", without the key, and nothing at
//! all about values that a later check refuses. Here the text is kept: [`Node`] is a piece of it with its key
//! and place, and a serde `Deserializer` (in `reader`) that descends into objects and lists only as far as
//! the type being read asks.

mod fault;
mod reader;
mod refusal;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub(crate) use self::refusal::{Reason, Refusal};
use crate::{ConfigError, ConfigProblem, StudyError};

/// Most characters of a wrong value that a message shows.
const SHOWN_CHARS: usize = 40;

/// Reads a value from a whole text.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let root = Node::root(text)?;
    T::deserialize(root.clone()).map_err(|fault| fault.at(&root).into_error(text))
}

/// The whole text of a file of at most `max_bytes`.
pub(crate) fn read_text(path: &Path, action: &'static str, max_bytes: u64) -> Result<String, StudyError> {
    let too_long = || std::io::Error::other(format!("longer than {max_bytes} bytes"));
    let read = || {
        let mut text = String::new();
        let n_bytes = File::open(path)?.take(max_bytes + 1).read_to_string(&mut text)?;
        if n_bytes as u64 > max_bytes { Err(too_long()) } else { Ok(text) }
    };
    read().map_err(StudyError::io(path, action))
}

/// One value in the text.
#[derive(Clone)]
struct Node<'t> {
    text: &'t str,
    raw: &'t str,
    /// Its path; empty for the whole.
    key: String,
}

impl<'t> Node<'t> {
    fn root(text: &'t str) -> Result<Self, ConfigError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| ConfigError {
            line: error.line().max(1),
            column: error.column().max(1),
            problem: ConfigProblem::Syntax(without_place(&error)),
        })?;
        Ok(Self { text, raw: raw.get(), key: String::new() })
    }

    /// Byte offset of a piece of the text.
    fn offset(&self, piece: &str) -> usize {
        (piece.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn member(&self, name: &str, raw: &'t str) -> Self {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) };
        Self { text: self.text, raw, key }
    }

    fn item(&self, index: usize, raw: &'t str) -> Self {
        Self { text: self.text, raw, key: format!("{}[{index}]", self.key) }
    }

    /// Keys (as written, quotes included) and values of an object, in order; empty for everything else.
    fn members(&self) -> Vec<(&'t str, &'t str)> {
        serde_json::from_str(self.raw).map(|Members(members)| members).unwrap_or_default()
    }

    fn items(&self) -> Vec<&'t str> {
        let items: Vec<&RawValue> = serde_json::from_str(self.raw).unwrap_or_default();
        items.into_iter().map(RawValue::get).collect()
    }

    /// What a message calls this value.
    fn name(&self) -> String {
        if self.key.is_empty() { "the whole text".to_owned() } else { self.key.clone() }
    }

    /// The value at a path below this node with the offset of its key (or of itself in a list); the innermost
    /// value on the way there when the path goes on after it.
    fn find(self, path: &str, key_at: usize) -> (Self, usize) {
        let on_the_way = |child: &(Self, usize)| {
            path.strip_prefix(child.0.key.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let members = self.members().into_iter();
        let members = members.map(|(name, raw)| (self.member(&unquoted(name), raw), self.offset(name)));
        let items = self.items().into_iter().enumerate();
        let items = items.map(|(index, raw)| (self.item(index, raw), self.offset(raw)));
        match members.chain(items).find(on_the_way) {
            Some((child, child_at)) => child.find(path, child_at),
            None => (self, key_at),
        }
    }
}

/// The members of an object, as written.
struct Members<'t>(Vec<(&'t str, &'t str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((name.get(), value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// The content of a JSON string.
fn unquoted(raw: &str) -> String {
    // A string that has passed the parser once: only half a surrogate pair can still fail, and is shown as
    // written.
    serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())
}

/// A value as written, on one line and cut when it is long.
fn shown(raw: &str) -> String {
    let line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn error_at(text: &str, at: usize, problem: ConfigProblem) -> ConfigError {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ConfigError {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        problem,
    }
}

/// The parser's message without the place, which stands in front of it already.
fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    message.strip_suffix(&place).map_or(message.clone(), ToOwned::to_owned)
}
