//! A JSON object as its raw fields, so that what is not touched keeps its bytes.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Fields in the order in which they were written; each value is the original text.
#[derive(Debug, Default)]
pub(super) struct RawObject<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> RawObject<'a> {
    /// The fields of `raw`, or none if it is not an object.
    pub(super) fn of(raw: &'a RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap_or_default()
    }

    /// The value of the first field with this name.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(name, _)| name == key).map(|&(_, value)| value)
    }

    /// The value of that field if it is a string.
    pub(super) fn string(&self, key: &str) -> Option<String> {
        self.get(key).and_then(|text| serde_json::from_str(text).ok())
    }

    /// The object with the `changes` made: a field that exists is replaced where it stands, or removed by `None`;
    /// another one is appended.
    pub(super) fn with(&self, changes: &[(&str, Option<String>)]) -> String {
        let change = |key: &str| changes.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_deref());
        let kept = self.0.iter().filter_map(|(name, value)| Some((&**name, change(name).unwrap_or(Some(value))?)));
        let is_new = |name: &str| self.get(name).is_none();
        let added = changes.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        let fields = kept.chain(added.filter(|(name, _)| is_new(name)));
        let fields: Vec<String> = fields.map(|(name, value)| format!("{}:{value}", json_string(name))).collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// `value` as a JSON string.
pub(super) fn json_string(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A JSON value from text that was written as one.
pub(super) fn raw_value(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_default()
}

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = RawObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
            fields.push((name, value.get()));
        }
        Ok(RawObject(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untouched_fields_keep_their_bytes() {
        let raw = raw_value(r#"{ "name": "a",  "x": { "n" : 1.00e5 }, "na\u006de": 2, "z":[ 1,2 ]}"#.to_owned());
        let object = RawObject::of(&raw);
        assert_eq!(object.get("x"), Some(r#"{ "n" : 1.00e5 }"#));
        let changed = object.with(&[("name", Some("\"b\"".to_owned())), ("new", Some("null".to_owned())), ("z", None)]);
        assert_eq!(changed, r#"{"name":"b","x":{ "n" : 1.00e5 },"name":"b","new":null}"#);
        assert_eq!(RawObject::of(&raw_value("[1]".to_owned())).with(&[]), "{}");
    }
}
