//! What is wrong with a request in any format: tools of one name, a choice of a tool that is not there.

use std::collections::HashSet;

use super::{
    refusal::Refusal,
    request::{Request, ToolChoice},
};

/// Refuses what every provider refuses, before anything is sent.
pub fn check(request: &Request) -> Result<(), Refusal> {
    let mut names = HashSet::new();
    for tool in &request.tools {
        let Some(name) = tool.name() else { continue };
        if !names.insert(name) {
            return Err(Refusal::new(
                tool.at.to_string(),
                &format!("has the name `{name}` of an earlier tool; rename one"),
            ));
        }
    }
    if request.tools.is_empty() && request.tool_choice == Some(ToolChoice::Required) {
        return Err(Refusal::new("tool_choice", "asks for a call, and there are no tools"));
    }
    // A vendor's own tools may bring further names with them.
    let chosen = match &request.tool_choice {
        Some(ToolChoice::Named(name)) => std::slice::from_ref(name),
        Some(ToolChoice::Allowed { names, .. }) => names.as_slice(),
        _ => &[],
    };
    let is_closed = request.tools.iter().all(|it| it.name().is_some());
    match chosen.iter().find(|it| is_closed && !names.contains(it.as_str())) {
        Some(name) => Err(Refusal::new("tool_choice", &format!("names `{name}`, which is not among the tools"))),
        None => Ok(()),
    }
}
