//! What is wrong with a request in any format: tools of one name, a choice of a tool that is not there.

use std::collections::HashSet;

use super::{
    edit::Body,
    json::Node,
    openai,
    refusal::Refusal,
    request::{Request, ToolChoice},
};

/// Refuses what every provider refuses, before anything is sent.
pub fn check(request: &Request) -> Result<(), Refusal> {
    let tools = request.tools.iter().map(|it| (it.name(), it.at.to_string()));
    // A vendor's own tools may bring further names with them.
    let is_closed = request.tools.iter().all(|it| it.name().is_some());
    check_tools(tools, is_closed, request.tool_choice.as_ref())
}

/// As [`check`], for a body that stays in its format: only what is understood for sure is judged.
pub fn check_body(body: &Body<'_>) -> Result<(), Refusal> {
    let (tools, root) = (body.tools()?, body.root());
    let brings_more = |tool: Node<'_>| tool.get("tools").is_some();
    let is_closed = tools.iter().all(|it| it.name.is_some())
        && !root.get("tools").iter().flat_map(|it| it.items()).any(brings_more);
    let tools = tools.iter().enumerate().map(|(idx, it)| (it.name.as_deref(), format!("tools[{idx}]")));
    check_tools(tools, is_closed, root.get("tool_choice").and_then(choice).as_ref())
}

fn check_tools<'a>(
    tools: impl Iterator<Item = (Option<&'a str>, String)>,
    is_closed: bool,
    choice: Option<&ToolChoice>,
) -> Result<(), Refusal> {
    let (mut names, mut n_tools) = (HashSet::new(), 0);
    for (name, at) in tools {
        n_tools += 1;
        if let Some(name) = name.filter(|name| !names.insert(*name)) {
            return Err(Refusal::new(at, &format!("has the name `{name}` of an earlier tool; rename one")));
        }
    }
    if n_tools == 0 && choice == Some(&ToolChoice::Required) {
        return Err(Refusal::new("tool_choice", "asks for a call, and there are no tools"));
    }
    let chosen = match choice {
        Some(ToolChoice::Named(name)) => std::slice::from_ref(name),
        Some(ToolChoice::Allowed { names, .. }) => names.as_slice(),
        _ => &[],
    };
    match chosen.iter().find(|it| is_closed && !names.contains(it.as_str())) {
        Some(name) => Err(Refusal::new("tool_choice", &format!("names `{name}`, which is not among the tools"))),
        None => Ok(()),
    }
}

/// A choice in any format, as far as it names functions.
fn choice(node: Node<'_>) -> Option<ToolChoice> {
    if let Some(word) = node.str() {
        return openai::tool_choice_word(&word);
    }
    match &*node.text_of("type") {
        "any" => Some(ToolChoice::Required),
        "function" | "custom" | "tool" => name(node).map(ToolChoice::Named),
        "allowed_tools" => {
            let allowed = node.get("allowed_tools").unwrap_or(node);
            let is_function = |it: &Node<'_>| matches!(&*it.text_of("type"), "function" | "custom");
            let names = allowed.get("tools")?.items().filter(is_function).filter_map(name).collect();
            Some(ToolChoice::Allowed { names, is_required: false })
        }
        _ => None,
    }
}

/// The name of a tool, which lies deeper in chat completions.
fn name(node: Node<'_>) -> Option<String> {
    let inner = node.get("function").or_else(|| node.get("custom")).unwrap_or(node);
    inner.get("name").and_then(Node::str).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each with what is told of it; nothing where it may pass.
    const BODIES: &[(&str, &str)] = &[
        ("{}", ""),
        (r#"{"tools":null,"tool_choice":"none"}"#, ""),
        (r#"{"tools":[{"name":"a"},{"name":"b"}],"tool_choice":{"type":"tool","name":"b"}}"#, ""),
        (r#"{"tools":[{"type":"mcp"}],"tool_choice":{"type":"function","name":"x"}}"#, ""),
        (r#"{"tools":[{"type":"web_search"},{"type":"web_search"}]}"#, ""),
        (r#"{"tools":[{"type":"namespace","name":"n","tools":[]}],"tool_choice":{"type":"function","name":"x"}}"#, ""),
        (r#"{"tools":[{"name":"a"}],"tool_choice":{"type":"web_search_preview"}}"#, ""),
        (r#"{"tools":{}}"#, "`tools` must be an array"),
        (r#"{"tools":[{"name":"a"},{"name":"a"}]}"#, "`tools[1]` has the name `a` of an earlier tool"),
        (
            r#"{"tools":[{"type":"function","function":{"name":"a"}},{"type":"custom","custom":{"name":"a"}}]}"#,
            "`tools[1]`",
        ),
        (r#"{"tools":[{"name":"a"}],"tool_choice":{"type":"tool","name":"x"}}"#, "names `x`"),
        (r#"{"tools":[{"name":"a"}],"tool_choice":{"type":"function","function":{"name":"x"}}}"#, "names `x`"),
        (r#"{"tool_choice":"required"}"#, "there are no tools"),
        (r#"{"tools":[],"tool_choice":{"type":"any"}}"#, "there are no tools"),
        (
            r#"{"tools":[{"name":"a"}],"tool_choice":{"type":"allowed_tools","tools":[{"type":"function","name":"x"}]}}"#,
            "names `x`",
        ),
    ];

    #[test]
    fn bodies_are_judged_where_they_are_understood() {
        for (body, told) in BODIES {
            let checked = check_body(&Body::read(body.as_bytes()).unwrap());
            match checked {
                Ok(()) => assert!(told.is_empty(), "{body}"),
                Err(refusal) => assert!(!told.is_empty() && refusal.message.contains(told), "{body}: {refusal:?}"),
            }
        }
    }
}
