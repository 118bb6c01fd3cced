//! Tool-call transcripts in the chat format of the model that is trained: the template, and a seeded generator.

mod generic;
mod pyjson;
mod talk;
mod tool;
mod tools;
mod transcript;

pub use self::{pyjson::to_json, transcript::transcripts};

/// The template that a server renders requests with; the generator writes the same text.
pub const TEMPLATE: &str = "{%- if tools %}{%- if messages[0].role == 'system' %}{%- set opening = messages[0].content %}\
{%- set rest = messages[1:] %}{%- else %}{%- set opening = 'You are a helpful assistant.' %}{%- set rest = messages %}{%- endif %}\
{{- '<|im_start|>system\\n' + opening + '\\n# Tools\\n' }}\
{%- for tool in tools %}{{- (tool.function if tool.function else tool) | tojson }}{{- '\\n' }}{%- endfor %}\
{{- '<|im_end|>\\n' }}{%- else %}{%- set rest = messages %}{%- endif %}\
{%- for message in rest %}{{- '<|im_start|>' + message.role + '\\n' }}\
{%- if message.content %}{{- message.content }}{%- endif %}\
{%- if message.tool_calls %}{%- for call in message.tool_calls %}\
{%- set call = call.function if call.function else call %}\
{{- '<tool_call>\\n{\"name\": \"' + call.name + '\", \"arguments\": ' }}\
{{- call.arguments if call.arguments is string else call.arguments | tojson }}{{- '}\\n</tool_call>' }}\
{%- endfor %}{%- endif %}{{- '<|im_end|>\\n' }}{%- endfor %}\
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

#[cfg(test)]
mod tests;
