//! Local definitions: who uses which, which may move to their one use, which are dropped.

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value};

use super::walk::{each_child, each_child_mut};

/// Definitions of a schema nested deeper than this stay as they are.
const MAX_DEPTH: usize = 32;

/// No definition moves deeper than this, so that the result stays well within the 128 levels that JSON parsers read.
const MAX_INLINE_DEPTH: usize = 16;

/// The two spellings of where definitions live.
const CONTAINERS: [&str; 2] = ["$defs", "definitions"];

/// Keywords that say something about a schema without constraining it. Beside a `$ref` these may move along.
const ANNOTATIONS: &[&str] =
    &["title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment"];

/// Keywords that change how references resolve. A schema that has one keeps its definitions as they are.
const REBASING: &[&str] =
    &["$id", "id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];

/// The definitions of one schema, taken out of it, by pointer such as `#/$defs/User`.
pub(super) struct Definitions {
    containers: Vec<(&'static str, Map<String, Value>)>,
}

impl Definitions {
    /// Takes the definitions out of `schema`, or returns `None` and leaves it alone if there are none or they cannot
    /// be moved safely.
    pub(super) fn take(schema: &mut Value) -> Option<Self> {
        if cannot_move(schema, 0) {
            return None;
        }
        let fields = schema.as_object_mut()?;
        let mut containers = Vec::new();
        for key in CONTAINERS {
            if matches!(fields.get(key), Some(Value::Object(_))) {
                let Some(Value::Object(named)) = fields.shift_remove(key) else {
                    continue;
                };
                containers.push((key, named));
            }
        }
        (!containers.is_empty()).then_some(Self { containers })
    }

    /// Moves every definition that is used exactly once, by a plain reference, to that use.
    pub(super) fn inline_single_uses(&mut self, schema: &mut Value) {
        let uses = self.count_uses(schema);
        let is_single = |pointer: &String| uses.get(pointer) == Some(&1);
        let mut movable: FxHashMap<String, Value> = FxHashMap::default();
        for (container, named) in &self.containers {
            let pointers = named.iter().map(|(name, body)| (pointer(container, name), body));
            movable.extend(pointers.filter(|(at, _)| is_single(at)).map(|(at, body)| (at, body.clone())));
        }
        inline(schema, &mut movable, 0);
        for (container, named) in &mut self.containers {
            // One that moves is inlined where it goes; one that nothing uses shall take nothing away.
            let stays = |name: &str| uses.get(&pointer(container, name)).is_some_and(|&n_uses| n_uses > 1);
            named.iter_mut().filter(|(name, _)| stays(name)).for_each(|(_, body)| inline(body, &mut movable, 0));
        }
    }

    /// Puts back those definitions that are still reachable, at the end of `schema`, in their own order.
    pub(super) fn put_back_used(self, schema: &mut Value) {
        let used = self.reachable(schema);
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        for (container, mut named) in self.containers {
            named.retain(|name, _| used.contains(&pointer(container, name)));
            if !named.is_empty() {
                fields.insert(container.to_owned(), Value::Object(named));
            }
        }
    }

    /// How often each definition is used from `schema` and from definitions reachable from there. A reference to a
    /// part of a definition counts as many uses, because the definition cannot move.
    fn count_uses(&self, schema: &Value) -> FxHashMap<String, u32> {
        let mut uses = FxHashMap::default();
        let bodies = self.reachable(schema);
        let bodies = bodies.iter().filter_map(|at| self.body(at));
        for part in std::iter::once(schema).chain(bodies) {
            each_reference(part, &mut |to| {
                let (definition, n_uses) = match split_pointer(to) {
                    Some((definition, true)) => (definition, 1),
                    Some((definition, false)) => (definition, 2),
                    None => return,
                };
                *uses.entry(definition).or_insert(0) += n_uses;
            });
        }
        uses
    }

    fn reachable(&self, schema: &Value) -> FxHashSet<String> {
        let mut seen: FxHashSet<String> = FxHashSet::default();
        let mut open = vec![schema];
        while let Some(part) = open.pop() {
            each_reference(part, &mut |to| {
                let Some((definition, _)) = split_pointer(to) else {
                    return;
                };
                if let (false, Some(body)) = (seen.contains(&definition), self.body(&definition)) {
                    open.push(body);
                    seen.insert(definition);
                }
            });
        }
        seen
    }

    /// The definition at a pointer such as `#/$defs/User`.
    pub(super) fn body(&self, at: &str) -> Option<&Value> {
        let (container, name) = at.strip_prefix("#/")?.split_once('/')?;
        let (_, named) = self.containers.iter().find(|(key, _)| *key == container)?;
        named.get(&unescape(name))
    }
}

/// True if a reference in `schema` may mean something else than it seems to, or there are too many levels to tell.
fn cannot_move(schema: &Value, depth: usize) -> bool {
    let Value::Object(fields) = schema else {
        return false;
    };
    let is_rebasing = |key: &str| REBASING.contains(&key) && fields.get(key).is_some_and(Value::is_string);
    let is_encoded = fields.get("$ref").and_then(Value::as_str).is_some_and(|to| to.contains('%'));
    if depth > MAX_DEPTH || is_encoded || REBASING.iter().any(|key| is_rebasing(key)) {
        return true;
    }
    let mut found = false;
    each_child(fields, &mut |child| found = found || cannot_move(child, depth + 1));
    found
}

fn each_reference<'a>(schema: &'a Value, visit: &mut impl FnMut(&'a str)) {
    let Value::Object(fields) = schema else {
        return;
    };
    if let Some(to) = fields.get("$ref").and_then(Value::as_str) {
        visit(to);
    }
    let mut children = Vec::new();
    each_child(fields, &mut |child| children.push(child));
    children.into_iter().for_each(|child| each_reference(child, visit));
}

/// Replaces references to `movable` definitions by their bodies; each body is handed out once.
fn inline(schema: &mut Value, movable: &mut FxHashMap<String, Value>, depth: usize) {
    let Value::Object(fields) = schema else {
        return;
    };
    if depth > MAX_INLINE_DEPTH {
        return;
    }
    while let Some(to) = fields.get("$ref").and_then(Value::as_str) {
        let Some(Value::Object(body)) = movable.get(to) else {
            break;
        };
        let moves_along = |key: &str| key == "$ref" || (ANNOTATIONS.contains(&key) && !body.contains_key(key));
        if !fields.keys().all(|key| moves_along(key)) {
            break;
        }
        let mut merged = body.clone();
        movable.remove(&to.to_owned());
        fields.shift_remove("$ref");
        merged.append(fields);
        *fields = merged;
    }
    each_child_mut(fields, &mut |child, _| inline(child, movable, depth + 1));
}

/// The pointer of a definition, and whether `to` means all of it. `None` if it leads anywhere else.
fn split_pointer(to: &str) -> Option<(String, bool)> {
    let (container, rest) = to.strip_prefix("#/")?.split_once('/')?;
    let name = rest.split('/').next().unwrap_or_default();
    let is_container = CONTAINERS.contains(&container);
    is_container.then(|| (format!("#/{container}/{name}"), name.len() == rest.len()))
}

fn pointer(container: &str, name: &str) -> String {
    format!("#/{container}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}
