//! What Python makes of JSON values: types, equality, and the leaderboard's standard form of strings.

use serde_json::Value;

/// The type of a value as `json.loads` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Str,
    Int,
    Float,
    Bool,
    List,
    Dict,
    None,
}

pub(super) fn type_of(value: &Value) -> Type {
    match value {
        Value::String(_) => Type::Str,
        Value::Number(number) if number.is_f64() => Type::Float,
        Value::Number(_) => Type::Int,
        Value::Bool(_) => Type::Bool,
        Value::Array(_) => Type::List,
        Value::Object(_) => Type::Dict,
        Value::Null => Type::None,
    }
}

/// The type that a declared type stands for. Both the leaderboard's words and JSON Schema's are known; `any` is a string
/// there.
pub(super) fn declared(word: &str) -> Option<Type> {
    match word {
        "string" | "any" => Some(Type::Str),
        "integer" => Some(Type::Int),
        "float" | "number" => Some(Type::Float),
        "boolean" => Some(Type::Bool),
        "array" | "tuple" => Some(Type::List),
        "dict" | "object" => Some(Type::Dict),
        _ => None,
    }
}

/// `==`: numbers by their value, and `True` is 1.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return one == other;
    }
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| equal(value, other));
            one.len() == other.len() && one.iter().all(has_same)
        }
        _ => one == other,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        other => other.as_f64(),
    }
}

/// A string without spaces and the marks `,./-_*^`, in small letters, with double quotes; other values as they are.
pub(super) fn standard(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let kept = text.chars().filter(|c| !matches!(c, ' ' | ',' | '.' | '/' | '-' | '_' | '*' | '^'));
            Value::String(kept.collect::<String>().to_lowercase().replace('\'', "\""))
        }
        other => other.clone(),
    }
}

pub(super) fn holds(values: &[Value], value: &Value) -> bool {
    values.iter().any(|it| equal(it, value))
}
