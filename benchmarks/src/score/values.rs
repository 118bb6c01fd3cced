//! Whether an argument is the one that was expected: equality of JSON values, accepted values, and bindings to what earlier
//! calls gave.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::task::Arguments;

/// What the calls of a task gave, by their ids.
pub type Results = BTreeMap<String, String>;

/// Whether `given` are arguments that count as right.
#[must_use]
pub fn accepts(arguments: &Arguments, given: &Value, results: &Results) -> bool {
    match arguments {
        Arguments::Any => true,
        Arguments::Equal(wanted) => same_or_bound(wanted, given, results),
        Arguments::Accepted(wanted) => given.as_object().is_some_and(|given| all_accepted(wanted, given)),
    }
}

/// Whether two values are the same as JSON: the order of keys and the spelling of numbers do not matter.
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    same_or_bound(one, other, &Results::new())
}

/// The ids that a text binds to, as in `<1_result>`.
#[must_use]
pub fn bindings(text: &str) -> Vec<&str> {
    let closed = text.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(inside, _)| inside));
    closed.filter_map(|inside| inside.strip_suffix("_result")).filter(|id| !id.is_empty()).collect()
}

/// The call's id and the field's path, of a text that is one binding as a whole, as in `<1_result>` or `<1_result.a.b>`.
#[must_use]
pub fn binding(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?.strip_suffix('>').filter(|inside| !inside.contains(['<', '>']))?;
    let (id, rest) = inside.split_once("_result").filter(|(id, _)| !id.is_empty())?;
    if rest.is_empty() { Some((id, "")) } else { Some((id, rest.strip_prefix('.')?)) }
}

/// The field at a dotted path; the whole where the path is empty.
#[must_use]
pub fn field<'a>(result: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(result);
    }
    path.split('.').try_fold(result, |value, key| value.get(key))
}

fn same_or_bound(wanted: &Value, given: &Value, results: &Results) -> bool {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => {
            let is_same = |(key, value): (&String, &Value)| {
                given.get(key).is_some_and(|given| same_or_bound(value, given, results))
            };
            wanted.len() == given.len() && wanted.iter().all(is_same)
        }
        (Value::Array(wanted), Value::Array(given)) => {
            wanted.len() == given.len()
                && wanted.iter().zip(given).all(|(one, other)| same_or_bound(one, other, results))
        }
        (Value::Number(wanted), Value::Number(given)) => wanted == given || wanted.as_f64() == given.as_f64(),
        (Value::String(wanted), given) => is_bound(wanted, given, results) || *given == Value::String(wanted.clone()),
        _ => wanted == given,
    }
}

/// A binding that is the whole value is met by anything that the call's result holds.
fn is_bound(wanted: &str, given: &Value, results: &Results) -> bool {
    let [id] = bindings(wanted)[..] else { return false };
    if wanted.len() != id.len() + "<_result>".len() {
        return false;
    }
    let text = match given {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    results.get(id).is_some_and(|result| !text.is_empty() && result.contains(&text))
}

fn all_accepted(wanted: &Map<String, Value>, given: &Map<String, Value>) -> bool {
    let choices = |values: &Value| values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
    let is_met = |(name, values): (&String, &Value)| match given.get(name) {
        Some(given) => choices(values).iter().any(|it| same(it, given)),
        None => choices(values).iter().any(|it| it == ""),
    };
    wanted.iter().all(is_met) && given.keys().all(|name| wanted.contains_key(name))
}
