//! Events of one round back into the parts of a message, for the request of the next round.

use crate::protocols::{At, Event, Part, PartKind, Seal, Thought, ToolCall};

/// Parts as they come.
#[derive(Default)]
pub struct Assembler {
    parts: Vec<Part>,
    /// Whether the next piece of its kind begins a new part.
    is_closed: bool,
}

impl Assembler {
    pub fn push(&mut self, event: &Event) {
        match event {
            Event::Text(text) => self.text(text),
            Event::Refusal(text) => self.refusal(text),
            Event::Reasoning(text) => self.thought(|it| match it.texts.last_mut() {
                Some(last) => last.push_str(text),
                None => it.texts.push(text.clone()),
            }),
            Event::ReasoningBreak => self.thought(|it| it.texts.push(String::new())),
            Event::Sealed { seal, id } => self.seal(seal, id.as_ref()),
            Event::PartEnd => self.is_closed = true,
            Event::ToolStart { id, name, .. } => {
                let call = ToolCall { id: id.clone(), name: name.clone(), arguments: String::new() };
                self.add(PartKind::ToolCall(call));
            }
            Event::ToolArguments { call, json } => self.arguments(*call, json),
            _ => {}
        }
    }

    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    fn add(&mut self, kind: PartKind) {
        self.is_closed = false;
        self.parts.push(Part::new(kind, At::whole("output")));
    }

    fn text(&mut self, text: &str) {
        match self.parts.last_mut().map(|it| &mut it.kind) {
            Some(PartKind::Text(last)) if !self.is_closed => last.push_str(text),
            _ => self.add(PartKind::Text(text.to_owned())),
        }
    }

    fn refusal(&mut self, text: &str) {
        match self.parts.last_mut().map(|it| &mut it.kind) {
            Some(PartKind::Refusal(last)) if !self.is_closed => last.push_str(text),
            _ => self.add(PartKind::Refusal(text.to_owned())),
        }
    }

    fn thought(&mut self, change: impl FnOnce(&mut Thought)) {
        if self.is_closed || !matches!(self.parts.last().map(|it| &it.kind), Some(PartKind::Reasoning(_))) {
            self.add(PartKind::Reasoning(Thought::default()));
        }
        if let Some(PartKind::Reasoning(thought)) = self.parts.last_mut().map(|it| &mut it.kind) {
            change(thought);
        }
    }

    fn seal(&mut self, seal: &Seal, id: Option<&String>) {
        self.thought(|it| {
            it.seal = Some(seal.clone());
            it.id = id.cloned();
        });
    }

    fn arguments(&mut self, call: u32, json: &str) {
        let calls = self.parts.iter_mut().filter_map(|it| match &mut it.kind {
            PartKind::ToolCall(call) => Some(call),
            _ => None,
        });
        if let Some(found) = calls.into_iter().nth(call as usize) {
            found.arguments.push_str(json);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_become_parts() {
        let text = |text: &str| Event::Text(text.into());
        let arguments = |call, json: &str| Event::ToolArguments { call, json: json.into() };
        let start = |call, name: &str| Event::ToolStart { call, id: format!("c{call}"), name: name.into() };
        let events = [
            Event::Reasoning("th".into()),
            Event::Reasoning("ink".into()),
            Event::Sealed { seal: Seal::Signature("s".into()), id: None },
            Event::PartEnd,
            text("a"),
            text("b"),
            Event::PartEnd,
            text("c"),
            start(0, "one"),
            arguments(0, "{"),
            start(1, "two"),
            arguments(1, "[]"),
            arguments(0, "}"),
            Event::ToolEnd { call: 0 },
        ];
        let mut assembler = Assembler::default();
        events.iter().for_each(|event| assembler.push(event));
        let told: Vec<String> = assembler
            .into_parts()
            .iter()
            .map(|it| match &it.kind {
                PartKind::Text(text) => text.clone(),
                PartKind::Reasoning(it) => format!("{:?} {:?}", it.texts, it.seal),
                PartKind::ToolCall(it) => format!("{} {} {}", it.id, it.name, it.arguments),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [r#"["think"] Some(Signature("s"))"#, "ab", "c", "c0 one {}", "c1 two []"]);
    }
}
