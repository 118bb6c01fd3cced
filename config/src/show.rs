//! The merged tree, leaf by leaf: what `config show` prints.

use crate::origin::Origin;
use crate::raw::{Node, RawConfig, Table, Value, key_segment};
use crate::redact;

/// One leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// Dotted path.
    pub key: String,
    /// As TOML, before `${VAR}` was expanded; `"***"` for a secret.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// A leaf of the tree.
pub(crate) struct Leaf<'a> {
    path: Vec<&'a str>,
    pub(crate) node: &'a Node,
}

impl Leaf<'_> {
    pub(crate) fn key(&self) -> String {
        let segments: Vec<String> = self.path.iter().map(|segment| key_segment(segment)).collect();
        segments.join(".")
    }

    fn is_catalogue(&self) -> bool {
        self.path.first() == Some(&"models") && self.node.origin.is_default()
    }
}

pub(crate) fn show(raw: &RawConfig) -> Vec<ShownKey> {
    let shown = |leaf: Leaf<'_>| ShownKey {
        key: leaf.key(),
        value: redact::shown(&leaf.path, leaf.node),
        origin: leaf.node.origin.clone(),
    };
    leaves(raw).filter(|leaf| !leaf.is_catalogue()).map(shown).collect()
}

pub(crate) fn leaves(raw: &RawConfig) -> impl Iterator<Item = Leaf<'_>> {
    let mut leaves = Vec::new();
    collect(&raw.root, &mut Vec::new(), &mut leaves);
    leaves.into_iter()
}

fn collect<'a>(table: &'a Table, path: &mut Vec<&'a str>, leaves: &mut Vec<Leaf<'a>>) {
    for (key, node) in table {
        path.push(key);
        match &node.value {
            Value::Table(inner) => collect(inner, path, leaves),
            _ => leaves.push(Leaf { path: path.clone(), node }),
        }
        path.pop();
    }
}
