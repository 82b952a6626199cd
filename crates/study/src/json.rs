//! JSON read so that every mistake can be named: which key, what stands there, where in the text.
//!
//! `serde_json` alone says "invalid type: string, expected u32 at line 3", without the key, and nothing at all about values that a
//! later check refuses. Here the text is kept: [`Node`] is a piece of it with its key and place, and a serde
//! `Deserializer` that descends into objects and lists only as far as the type being read asks.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer,
    Unexpected, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::value::RawValue;

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

    /// The value at a path below this node with the offset of its key (or of itself in a list); the innermost value on the
    /// way there when the path goes on after it.
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

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
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

/// What went wrong while reading, and where once a [`Node`] has said so.
#[derive(Debug)]
struct Fault {
    problem: ConfigProblem,
    at: Option<usize>,
}

impl Fault {
    fn new(problem: ConfigProblem) -> Self {
        Self { problem, at: None }
    }

    /// Another value is wanted; which one stands there is added by [`Fault::at`].
    fn want(want: String) -> Self {
        Self::new(ConfigProblem::Value { key: String::new(), got: String::new(), want })
    }

    /// Adds the node's key, wording and place, unless a node further in has done so.
    fn at(mut self, node: &Node<'_>) -> Self {
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

    fn into_error(self, text: &str) -> ConfigError {
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

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let read = match self.raw.as_bytes().first() {
            Some(b'{') => {
                let mut fields = Fields { members: self.members().into_iter(), last: None, parent: &self };
                let read = visitor.visit_map(&mut fields);
                read.map_err(|fault| fields.placed(fault))
            }
            Some(b'[') => {
                visitor.visit_seq(Items { items: self.items().into_iter().enumerate(), parent: &self })
            }
            Some(b'"') => visitor.visit_string(unquoted(self.raw)),
            Some(b't') => visitor.visit_bool(true),
            Some(b'f') => visitor.visit_bool(false),
            Some(b'n') => visitor.visit_unit(),
            _ => visit_number(self.raw, visitor),
        };
        read.map_err(|fault| fault.at(&self))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.raw == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// Serde's structs take lists too, values without their keys: not here.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.raw.starts_with('{') {
            self.deserialize_any(visitor)
        } else {
            Err(Fault::invalid_type(Unexpected::Other("no object"), &visitor).at(&self))
        }
    }

    /// Only enums without data are read here: their variants are strings.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let read = if self.raw.starts_with('"') {
            visitor.visit_enum(unquoted(self.raw).into_deserializer())
        } else {
            Err(Fault::unknown_variant("", variants))
        };
        read.map_err(|fault| fault.at(&self))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The members of an object, one by one.
struct Fields<'n, 't> {
    members: std::vec::IntoIter<(&'t str, &'t str)>,
    /// The member whose key was read last.
    last: Option<(&'t str, &'t str)>,
    parent: &'n Node<'t>,
}

impl Fields<'_, '_> {
    /// Places a fault about a key at that key.
    fn placed(&self, mut fault: Fault) -> Fault {
        let of_a_key =
            matches!(fault.problem, ConfigProblem::UnknownKey { .. } | ConfigProblem::RepeatedKey { .. });
        match self.last {
            Some((name, _)) if of_a_key && fault.at.is_none() => {
                fault = fault.at(self.parent);
                fault.at = Some(self.parent.offset(name));
                fault
            }
            _ => fault,
        }
    }
}

impl<'de> de::MapAccess<'de> for &mut Fields<'_, 'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.last = self.members.next();
        let Some((name, _)) = self.last else { return Ok(None) };
        seed.deserialize(unquoted(name).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (name, raw) = self.last.ok_or_else(|| Fault::custom("a value was asked for before its key"))?;
        let node = self.parent.member(&unquoted(name), raw);
        seed.deserialize(node.clone()).map_err(|fault| fault.at(&node))
    }
}

/// The items of a list, one by one.
struct Items<'n, 't> {
    items: std::iter::Enumerate<std::vec::IntoIter<&'t str>>,
    parent: &'n Node<'t>,
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, raw)) = self.items.next() else { return Ok(None) };
        let node = self.parent.item(index, raw);
        seed.deserialize(node.clone()).map(Some).map_err(|fault| fault.at(&node))
    }
}

/// A whole number if it is written as one and fits 64 bits, else the nearest f64.
fn visit_number<'de, V: Visitor<'de>>(raw: &str, visitor: V) -> Result<V::Value, Fault> {
    if let Ok(number) = raw.parse() {
        return visitor.visit_u64(number);
    }
    if let Ok(number) = raw.parse() {
        return visitor.visit_i64(number);
    }
    match raw.parse::<f64>() {
        Ok(number) if number.is_finite() => visitor.visit_f64(number),
        _ => Err(Fault::want(format!("a number up to {:e}", f64::MAX))),
    }
}

/// The content of a JSON string.
fn unquoted(raw: &str) -> String {
    // A string that has passed the parser once: only half a surrogate pair can still fail, and is shown as written.
    serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned())
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
