//! A JSON object split one level deep: its keys can be edited while every value keeps its bytes and its place.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// JSON text that is carried and not read.
pub type Raw = Box<RawValue>;

/// Any serialisable value as raw JSON; what cannot be serialised (a map with non-string keys) becomes `null`.
pub fn raw<T: serde::Serialize>(value: &T) -> Raw {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The members of one JSON object in order. Of duplicate keys the last one counts, as with most readers.
#[derive(Clone, Debug, Default)]
pub struct RawObject {
    members: Vec<(String, Raw)>,
}

impl RawObject {
    /// Splits `text`; anything but an object gives `None`.
    pub fn parse(text: &RawValue) -> Option<Self> {
        serde_json::from_str(text.get()).ok()
    }

    /// As [`Self::parse`], with absent params read as an empty object.
    pub fn parse_or_empty(text: Option<&RawValue>) -> Option<Self> {
        text.map_or_else(|| Some(Self::default()), Self::parse)
    }

    pub fn get(&self, key: &str) -> Option<&RawValue> {
        self.members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    /// The member as a string, if it is one.
    pub fn get_str(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?.get()).ok()
    }

    /// The member as a nested object, if it is one.
    pub fn get_object(&self, key: &str) -> Option<Self> {
        Self::parse(self.get(key)?)
    }

    /// Replaces the member in its place, or appends it.
    pub fn set(&mut self, key: &str, value: Raw) {
        match self.members.iter_mut().rev().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.members.push((key.to_owned(), value)),
        }
    }

    pub fn set_str(&mut self, key: &str, value: &str) {
        self.set(key, raw(&value));
    }

    pub fn remove(&mut self, key: &str) -> Option<Raw> {
        let found = self.members.iter().rposition(|(name, _)| name == key)?;
        Some(self.members.remove(found).1)
    }

    /// Takes out every member whose key does not satisfy `keep`.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.members.retain(|(name, _)| keep(name));
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub fn to_raw(&self) -> Raw {
        raw(self)
    }
}

impl serde::Serialize for RawObject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.members.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = RawObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry::<String, Raw>()? {
            members.push(member);
        }
        Ok(RawObject { members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Option<RawObject> {
        RawObject::parse(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn editing_one_member_leaves_the_others_alone() {
        let mut it = object(r#"{"z":1.0e5, "name":"a","big":12345678901234567890123,"n":{ "k" : 1 }}"#).unwrap();
        it.set_str("name", "b");
        it.set_str("new", "c");
        assert_eq!(it.remove("missing").map(|_| ()), None);
        assert_eq!(
            it.to_raw().get(),
            r#"{"z":1.0e5,"name":"b","big":12345678901234567890123,"n":{ "k" : 1 },"new":"c"}"#
        );
        assert_eq!(it.get_object("n").unwrap().get("k").unwrap().get(), "1");
    }

    #[test]
    fn only_objects_are_objects() {
        for text in ["[]", "1", "null", "\"{}\""] {
            assert!(object(text).is_none(), "{text}");
        }
        assert!(RawObject::parse_or_empty(None).unwrap().is_empty());
    }
}
