//! A serde deserializer over a [`Node`].

use std::iter::Enumerate;
use std::vec;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::{Node, unquoted};
use crate::ConfigProblem;

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
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map identifier ignored_any
    }
}

/// The members of an object, one by one.
struct Fields<'n, 't> {
    members: vec::IntoIter<(&'t str, &'t str)>,
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

impl<'de> MapAccess<'de> for &mut Fields<'_, 'de> {
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
    items: Enumerate<vec::IntoIter<&'t str>>,
    parent: &'n Node<'t>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
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
