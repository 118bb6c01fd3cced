//! The environment that `transformers` gives a chat template, in minijinja, within bounds.

use std::{error::Error as _, fmt, io};

use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Kwargs};

use super::{MAX_TEMPLATE_BYTES, TemplateError, clock, context::Context, python};

/// The name in which errors speak of the template.
const NAME: &str = "chat_template";

/// Steps that any template may take, and further ones for each byte of the request.
const MIN_FUEL: u64 = 1_000_000;
const FUEL_PER_BYTE: u64 = 4;

/// Bytes that any template may write, and further ones for each byte of the request.
const MIN_OUTPUT_BYTES: usize = 1 << 20;
const OUTPUT_PER_BYTE: usize = 8;

/// Nested calls and blocks.
const MAX_DEPTH: usize = 200;

/// The words of `raise_exception`.
#[derive(Debug)]
struct Refusal;

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refusal {}

pub(super) fn compile(template: &str) -> Result<Environment<'static>, TemplateError> {
    if template.len() > MAX_TEMPLATE_BYTES {
        return Err(TemplateError::TooLong(template.len()));
    }
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| TemplateError::Syntax(error.to_string()))?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_recursion_limit(MAX_DEPTH);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_formatter(|output, state, value| {
        // Most of what is written are texts, which are not copied first.
        if let Some(text) = value.as_str() {
            state.consume_fuel(text.len() as u64 / 64)?;
            return output.write_str(text).map_err(Error::from);
        }
        let text = python::display(value)?;
        state.consume_fuel(text.len() as u64 / 64)?;
        output.write_str(&text).map_err(Error::from)
    });
    environment.add_filter("tojson", to_json);
    environment.add_filter("string", python::string);
    environment.add_function("raise_exception", |words: String| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, words).with_source(Refusal))
    });
    let template = without_generation_tags(template);
    environment.add_template_owned(NAME, template).map_err(|error| TemplateError::Syntax(said(&error)))?;
    Ok(environment)
}

/// `{% generation %}` marks what a model is trained on and writes nothing.
fn without_generation_tags(template: &str) -> String {
    let mut text = template.to_owned();
    for (tag, instead) in [("generation", "if true"), ("endgeneration", "endif")] {
        for open in ["{% ", "{%- ", "{%", "{%-"] {
            for close in [" %}", " -%}", "%}", "-%}"] {
                text = text.replace(&format!("{open}{tag}{close}"), &format!("{open} {instead} {close}"));
            }
        }
    }
    text
}

pub(super) fn render(
    environment: &Environment<'static>,
    context: Context,
    now_unix_s: Option<i64>,
) -> Result<String, TemplateError> {
    let mut environment = environment.clone();
    environment.set_fuel(Some(MIN_FUEL + FUEL_PER_BYTE * context.bytes as u64));
    environment.add_function("strftime_now", move |format: &str| match now_unix_s {
        Some(now) => Ok(clock::format(now, format)),
        None => Err(Error::new(ErrorKind::InvalidOperation, "it asks for the time and none was given")),
    });
    let mut output = Bounded { bytes: Vec::new(), limit: MIN_OUTPUT_BYTES + OUTPUT_PER_BYTE * context.bytes };
    let template = environment.get_template(NAME).map_err(|error| TemplateError::Failed(said(&error)))?;
    template.render_captured_to(context.value, &mut output).map_err(|error| why(&error))?;
    String::from_utf8(output.bytes).map_err(|error| TemplateError::Failed(error.to_string()))
}

/// What is written, up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it writes over {} bytes", self.limit)));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn why(error: &Error) -> TemplateError {
    let detail = error.detail().unwrap_or_default();
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::Limit("it takes too many steps".to_owned()),
        ErrorKind::WriteFailure => TemplateError::Limit("it writes too much".to_owned()),
        _ if is_refusal(error) => TemplateError::Refused(detail.to_owned()),
        _ if detail.contains("recursion limit") => TemplateError::Limit("it nests too deep".to_owned()),
        _ => TemplateError::Failed(said(error)),
    }
}

fn is_refusal(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(each) = cause {
        if each.is::<Refusal>() {
            return true;
        }
        cause = each.source();
    }
    false
}

/// The error in a line: what, and where.
fn said(error: &Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}, {detail}", error.kind()));
    error.line().map_or_else(|| what.clone(), |line| format!("line {line}: {what}"))
}

/// `tojson` of `transformers`: Python's `json.dumps` with `ensure_ascii=False`, nothing escaped for HTML.
fn to_json(state: &State, value: &Value, indent: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    let indent = indent.or(options.get::<Option<Value>>("indent")?).filter(|it| !it.is_none());
    let indent = indent.map(usize::try_from).transpose()?;
    let sorted = options.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    let ascii = options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false);
    let separators = options.get::<Option<Vec<String>>>("separators")?;
    options.assert_all_used()?;
    let style = python::Style::new(indent, sorted, ascii, separators);
    let text = python::json(value, &style)?;
    state.consume_fuel(text.len() as u64 / 64)?;
    Ok(Value::from(text))
}
