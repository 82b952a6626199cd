//! What serde says when a value does not fit its type, kept apart instead of in a sentence.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::{Node, error_at, shown};
use crate::{ConfigError, ConfigProblem};

/// What went wrong while reading, and where once a [`Node`] has said so.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) problem: ConfigProblem,
    /// Byte offset in the text.
    pub(super) at: Option<usize>,
}

impl Fault {
    fn new(problem: ConfigProblem) -> Self {
        Self { problem, at: None }
    }

    /// Another value is wanted; which one stands there is added by [`Fault::at`].
    pub(super) fn want(want: String) -> Self {
        Self::new(ConfigProblem::Value { key: String::new(), got: String::new(), want })
    }

    /// Adds the node's key, wording and place, unless a node further in has done so.
    pub(super) fn at(mut self, node: &Node<'_>) -> Self {
        if self.at.is_some() {
            return self;
        }
        self.at = Some(node.offset(node.raw));
        match &mut self.problem {
            ConfigProblem::Value { key, got, .. } => {
                *key = node.name();
                *got = shown(node.raw);
            }
            ConfigProblem::Other { key, .. } => *key = node.name(),
            ConfigProblem::UnknownKey { key, .. }
            | ConfigProblem::RepeatedKey { key }
            | ConfigProblem::MissingKey { key } => *key = node.member(key, "").key,
            ConfigProblem::Syntax(_) | ConfigProblem::Network(_) => {}
        }
        self
    }

    pub(super) fn into_error(self, text: &str) -> ConfigError {
        error_at(text, self.at.unwrap_or(0), self.problem)
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.problem, f)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(ConfigProblem::Other { key: String::new(), reason: message.to_string() })
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::want(plain(&expected.to_string()))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::want(plain(&expected.to_string()))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let names: Vec<String> = expected.iter().map(|name| format!("\"{name}\"")).collect();
        Self::want(names.join(" or "))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(ConfigProblem::UnknownKey { key: field.to_owned(), known: expected.to_vec() })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(ConfigProblem::MissingKey { key: field.to_owned() })
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(ConfigProblem::RepeatedKey { key: field.to_owned() })
    }
}

/// Serde's names of types, in words.
fn plain(expected: &str) -> String {
    match expected {
        "i128" | "u16" | "u32" | "u64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        words => words.to_owned(),
    }
}
