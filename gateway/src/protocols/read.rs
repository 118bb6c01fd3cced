//! Typed reading of a caller's JSON: what is missing or of the wrong type is a refusal that names the field.

use super::{
    json::{Json, Kind, Node, Tape},
    refusal::Refusal,
};

/// A body as JSON; anything but an object is refused.
pub fn body(bytes: &[u8]) -> Result<Tape<'_>, Refusal> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Err(Refusal::new("", "is not UTF-8")) };
    let tape = Tape::parse(text)?;
    if tape.root().kind() == Kind::Object { Ok(tape) } else { Err(Refusal::new("", "must be a JSON object")) }
}

impl<'t> Node<'t> {
    /// The path of a member, there or not.
    fn field(self, key: &str) -> String {
        let path = self.path();
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    }

    pub fn need(self, key: &str) -> Result<Node<'t>, Refusal> {
        self.get(key).ok_or_else(|| Refusal::new(self.field(key), "is missing"))
    }

    pub fn need_text(self) -> Result<String, Refusal> {
        self.str().map(String::from).ok_or_else(|| Refusal::at(self, "must be a string"))
    }

    pub fn need_str(self, key: &str) -> Result<String, Refusal> {
        self.need(key)?.need_text()
    }

    pub fn want_str(self, key: &str) -> Result<Option<String>, Refusal> {
        self.get(key).map(Self::need_text).transpose()
    }

    pub fn want_bool(self, key: &str) -> Result<Option<bool>, Refusal> {
        let Some(node) = self.get(key) else { return Ok(None) };
        node.bool().map(Some).ok_or_else(|| Refusal::at(node, "must be true or false"))
    }

    pub fn want_u64(self, key: &str) -> Result<Option<u64>, Refusal> {
        let Some(node) = self.get(key) else { return Ok(None) };
        node.u64().map(Some).ok_or_else(|| Refusal::at(node, "must be a whole number of at least 0"))
    }

    /// A number as it is spelled.
    pub fn want_number(self, key: &str) -> Result<Option<Json>, Refusal> {
        let Some(node) = self.get(key) else { return Ok(None) };
        match node.f64() {
            Some(number) if number.is_finite() => Ok(Some(Json::of(node))),
            _ => Err(Refusal::at(node, "must be a number")),
        }
    }

    pub fn need_items(self) -> Result<impl Iterator<Item = Node<'t>>, Refusal> {
        if self.kind() == Kind::Array { Ok(self.items()) } else { Err(Refusal::at(self, "must be an array")) }
    }

    /// The elements under `key`; none where it is absent.
    pub fn want_items(self, key: &str) -> Result<Vec<Node<'t>>, Refusal> {
        let Some(node) = self.get(key) else { return Ok(Vec::new()) };
        Ok(node.need_items()?.collect())
    }

    pub fn need_object(self) -> Result<Node<'t>, Refusal> {
        if self.kind() == Kind::Object { Ok(self) } else { Err(Refusal::at(self, "must be an object")) }
    }

    pub fn want_object(self, key: &str) -> Result<Option<Node<'t>>, Refusal> {
        self.get(key).map(Self::need_object).transpose()
    }
}
