//! One call against its accepted values, by the rules of the leaderboard's checker for Python (`ast_checker.py` in
//! ShishirPatil/gorilla): required parameters, types, values, and an empty string among the accepted values for what may be
//! left out.

use serde_json::{Map, Value};

use super::python::{Type, declared, equal, holds, standard, type_of};

/// A call, its function, and what is accepted.
pub(super) struct Call<'a> {
    pub(super) given: &'a Map<String, Value>,
    /// The function's parameters.
    pub(super) schema: &'a Value,
    /// For each parameter the values that will do.
    pub(super) accepted: &'a Map<String, Value>,
}

impl Call<'_> {
    /// Whether it is right.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        let required = self.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required {
            if !self.given.contains_key(name) {
                return Err(format!("missing required parameter `{name}`"));
            }
        }
        for (name, value) in self.given {
            self.check_value(name, value)?;
        }
        let may_be_left_out = |values: &Value| values.as_array().is_some_and(|values| holds(values, &Value::from("")));
        match self.accepted.iter().find(|(name, values)| !self.given.contains_key(*name) && !may_be_left_out(values)) {
            Some((name, _)) => Err(format!("missing parameter `{name}`, which is not optional")),
            None => Ok(()),
        }
    }

    fn check_value(&self, name: &str, value: &Value) -> Result<(), String> {
        let details = self.schema["properties"].get(name);
        let accepted = self.accepted.get(name).and_then(Value::as_array);
        let (Some(details), Some(accepted)) = (details, accepted) else {
            return Err(format!("unexpected parameter `{name}`"));
        };
        // `any` is left out of the schema that models see.
        let word = details["type"].as_str().unwrap_or("any");
        let expected =
            declared(word).ok_or_else(|| format!("type `{word}` of `{name}` is none of the leaderboard's"))?;
        let inner = if expected == Type::List { details["items"]["type"].as_str().and_then(declared) } else { None };
        // Python's checker turns integers into floats where floats are declared.
        let given = if expected == Type::Float && type_of(value) == Type::Int { Type::Float } else { type_of(value) };
        let is_variable = checked_type(given, value, accepted, (expected, inner))
            .ok_or_else(|| format!("`{name}` is not of type {word}"))?;
        let is_right = match expected {
            _ if is_variable => holds(accepted, value),
            Type::Dict => is_dict(value, accepted),
            Type::List if inner == Some(Type::Dict) => is_list_of_dicts(value, accepted),
            Type::Str | Type::List => is_standard(value, accepted),
            _ => holds(accepted, value),
        };
        if is_right { Ok(()) } else { Err(format!("{value} is not accepted for `{name}`")) }
    }
}

/// The type of the first accepted value that says one.
fn accepted_type(accepted: &[Value]) -> Option<Type> {
    accepted.iter().find(|value| **value != "").map(type_of)
}

/// Whether the type is right; then whether the value stands for a variable, which is known by accepted values of another
/// type than the declared one.
fn checked_type(
    given: Type,
    value: &Value,
    accepted: &[Value],
    (expected, inner): (Type, Option<Type>),
) -> Option<bool> {
    let known = accepted_type(accepted);
    let is_variable = known.is_some_and(|known| known != expected);
    if given == expected {
        match inner {
            None => return Some(is_variable),
            Some(inner) if accepted.iter().any(|choice| are_items(value, choice, inner)) => return Some(is_variable),
            // Items of another type: the checker goes on as if the value were a variable.
            Some(_) => {}
        }
    }
    (known == Some(given)).then_some(true)
}

fn are_items(value: &Value, choice: &Value, inner: Type) -> bool {
    let Some(choices) = choice.as_array() else { return true };
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().all(|item| checked_type(type_of(item), item, choices, (inner, None)).is_some())
}

/// Strings, and the strings of a list, in their standard form.
fn is_standard(value: &Value, accepted: &[Value]) -> bool {
    let of = |value: &Value| match value {
        Value::Array(items) => Value::Array(items.iter().map(standard).collect()),
        other => standard(other),
    };
    let value = of(value);
    accepted.iter().filter(|choice| type_of(choice) == type_of(&value)).any(|choice| equal(&of(choice), &value))
}

fn is_dict(value: &Value, accepted: &[Value]) -> bool {
    let Some(given) = value.as_object() else { return false };
    let is_met = |choices: &Map<String, Value>| {
        let list = |key: &str| choices.get(key).and_then(Value::as_array);
        let is_value = |(key, value): (&String, &Value)| {
            list(key).is_some_and(|list| holds(&list.iter().map(standard).collect::<Vec<_>>(), &standard(value)))
        };
        let is_whole =
            |key: &String| given.contains_key(key) || list(key).is_some_and(|list| holds(list, &Value::from("")));
        given.iter().all(is_value) && choices.keys().all(is_whole)
    };
    accepted.iter().filter_map(Value::as_object).any(is_met)
}

fn is_list_of_dicts(value: &Value, accepted: &[Value]) -> bool {
    let Some(given) = value.as_array() else { return false };
    let is_met = |choices: &Vec<Value>| {
        let pairs = given.iter().zip(choices);
        given.len() == choices.len()
            && pairs.into_iter().all(|(given, choice)| is_dict(given, std::slice::from_ref(choice)))
    };
    accepted.iter().filter_map(Value::as_array).any(is_met)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The checker's rules, a row each: declared parameters, accepted values, arguments, whether they are right.
    #[test]
    fn calls_are_right_as_the_checker_says() {
        let (int, text) = (json!({"type": "integer"}), json!({"type": "string"}));
        let floats = json!({"type": "array", "items": {"type": "float"}});
        let texts = json!({"type": "array", "items": {"type": "string"}});
        let dicts = json!({"type": "array", "items": {"type": "dict"}});
        for (declared, accepted, given, expected) in [
            (int.clone(), json!([10]), json!({"p": 10}), true),
            (int.clone(), json!([10]), json!({"p": 11}), false),
            (int.clone(), json!([10]), json!({"p": "10"}), false),
            (int.clone(), json!([10]), json!({"p": 10.0}), false),
            (int.clone(), json!(["n"]), json!({"p": "n"}), true),
            (int.clone(), json!(["N"]), json!({"p": "n"}), false),
            (int.clone(), json!([10, ""]), json!({}), true),
            (int.clone(), json!([10]), json!({}), false),
            (int.clone(), json!([10]), json!({"p": 10, "q": 1}), false),
            (json!({"type": "float"}), json!([5.0]), json!({"p": 5}), true),
            (json!({"type": "float"}), json!([5]), json!({"p": 5.0}), true),
            (json!({"type": "boolean"}), json!([true]), json!({"p": true}), true),
            (json!({"type": "boolean"}), json!([true]), json!({"p": 1}), false),
            (text.clone(), json!(["April 1, 2024"]), json!({"p": "april 1 2024"}), true),
            (text.clone(), json!(["it's"]), json!({"p": "it\"s"}), true),
            (text.clone(), json!(["a", ""]), json!({"p": ""}), true),
            (text, json!(["Rome"]), json!({"p": "Paris"}), false),
            (texts.clone(), json!([["New York", "Rome"]]), json!({"p": ["newyork", "rome"]}), true),
            (texts.clone(), json!([["New York", "Rome"]]), json!({"p": ["rome", "newyork"]}), false),
            (texts, json!([["a"]]), json!({"p": "a"}), false),
            (floats.clone(), json!([[1.0, 2.0]]), json!({"p": [1.0, 2.0]}), true),
            (floats.clone(), json!([[1.0, 2.0]]), json!({"p": [1, 2]}), true),
            (floats, json!([[1.0, 2.0]]), json!({"p": [1, 3]}), false),
            (json!({"type": "tuple", "items": {"type": "integer"}}), json!([[1, 2]]), json!({"p": [1, 2]}), true),
            (json!({"type": "dict"}), json!([{"a": ["x"], "b": ["", 1]}]), json!({"p": {"a": "X"}}), true),
            (json!({"type": "dict"}), json!([{"a": ["x"], "b": ["", 1]}]), json!({"p": {"a": "x", "b": 2}}), false),
            (json!({"type": "dict"}), json!([{"a": ["x"]}]), json!({"p": {"a": "x", "c": 1}}), false),
            (json!({"type": "dict"}), json!([{"a": ["x"], "b": [1]}]), json!({"p": {"a": "x"}}), false),
            (dicts.clone(), json!([[{"a": [1]}, {"a": [2]}]]), json!({"p": [{"a": 1}, {"a": 2}]}), true),
            (dicts.clone(), json!([[{"a": [1]}, {"a": [2]}]]), json!({"p": [{"a": 2}, {"a": 1}]}), false),
            (dicts, json!([[{"a": [1]}]]), json!({"p": [{"a": 1}, {"a": 1}]}), false),
        ] {
            let schema = json!({"properties": {"p": declared}, "required": []});
            let accepted = json!({"p": accepted});
            let call =
                Call { given: given.as_object().unwrap(), schema: &schema, accepted: accepted.as_object().unwrap() };
            assert_eq!(call.check().is_ok(), expected, "{schema} {accepted} {given}: {:?}", call.check());
        }
        let schema = json!({"properties": {"p": int}, "required": ["p"]});
        let accepted = json!({"p": [1, ""]});
        let call = Call { given: &Map::new(), schema: &schema, accepted: accepted.as_object().unwrap() };
        assert!(call.check().is_err(), "a required parameter is missing");
    }
}
