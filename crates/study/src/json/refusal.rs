//! Values that were read and then refused by a check.

use std::fmt::{self, Display};

use super::{Node, error_at, shown};
use crate::{ConfigError, ConfigProblem};

/// A value that was read and then refused by a check.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Path of the key, like `learning_rate.floor` or `widths[2]`.
    pub(crate) key: String,
    /// What is wrong with it.
    pub(crate) reason: Reason,
}

/// Why a check refused a value.
#[derive(Debug)]
pub(crate) enum Reason {
    /// Not one of the values it may have.
    Want(String),
    /// The key does not belong there.
    UnknownKey(Vec<&'static str>),
    /// The key is not there; its place is that of the object that lacks it.
    MissingKey,
    /// The network's notation.
    Network(ciresan_net::NotationError),
}

impl Refusal {
    /// The error with the place and the wording of the value in `text`, the text that it was read from.
    pub(crate) fn placed_in(self, text: &str) -> ConfigError {
        let Self { key, reason } = self;
        let (node, key_at) = match Node::root(text) {
            Ok(root) => root.find(&key, 0),
            Err(error) => return error,
        };
        let value_at = node.offset(node.raw);
        match reason {
            Reason::Want(want) => {
                error_at(text, value_at, ConfigProblem::Value { key, got: shown(node.raw), want })
            }
            Reason::UnknownKey(known) => error_at(text, key_at, ConfigProblem::UnknownKey { key, known }),
            Reason::MissingKey => error_at(text, value_at, ConfigProblem::MissingKey { key }),
            Reason::Network(error) => error_at(text, value_at, ConfigProblem::Network(error)),
        }
    }
}

/// For values that are part of another file: the key and the reason, without the value.
impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, reason } = self;
        match reason {
            Reason::Want(want) => write!(f, "{key}: expected {want}"),
            Reason::UnknownKey(known) => write!(f, "unknown key \"{key}\" (known: {})", known.join(", ")),
            Reason::MissingKey => write!(f, "missing key \"{key}\""),
            Reason::Network(error) => write!(f, "{error}"),
        }
    }
}
