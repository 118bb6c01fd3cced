//! `[telemetry]`, and OpenTelemetry's own variables, which win
//! (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables, and .../protocol/exporter).

use super::{Context, rules};
use crate::config::Telemetry;
use crate::env::Env;
use crate::error::quoted;
use crate::origin::Origin;
use crate::redact;
use crate::section::Section;

/// The endpoint of all signals, to which the signal's path is appended, and that of traces, which is used as it is.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const TRACES_PATH: &str = "/v1/traces";
const PROTOBUF: &str = "http/protobuf";

pub(super) fn check(section: Section<'_>, context: Context<'_>) -> Option<Telemetry> {
    let traces_url = traces_url(&section, context.env);
    section.finish();
    let service_name = set(context.env, "OTEL_SERVICE_NAME").unwrap_or("tollgate").to_owned();
    Some(Telemetry { traces_url: traces_url?.filter(|_| !is_off(context.env)), service_name })
}

/// An empty variable is none.
fn set<'a>(env: &'a Env, name: &str) -> Option<&'a str> {
    env.get(name).map(str::trim).filter(|value| !value.is_empty())
}

fn is_off(env: &Env) -> bool {
    set(env, "OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
        || set(env, "OTEL_TRACES_EXPORTER") == Some("none")
}

/// The outer `None` is a mistake.
#[expect(clippy::option_option, reason = "no traces are not the same as a URL with a mistake")]
fn traces_url(section: &Section<'_>, env: &Env) -> Option<Option<String>> {
    let own = section.text("otlp_endpoint")?;
    let variable = [TRACES_ENDPOINT, ENDPOINT].into_iter().find_map(|name| Some((name, set(env, name)?)));
    let (what, origin, url) = match variable {
        Some((name, url)) => (name.to_owned(), Origin::Env { name: name.to_owned() }, url),
        None => (section.path_of("otlp_endpoint"), own.origin.clone(), own.value),
    };
    if url.is_empty() {
        return Some(None);
    }
    if let Err(remedy) = rules::url(url) {
        section.fail(&origin, format!("`{what}` is not a URL: {}", quoted(&redact::url(url))), remedy);
        return None;
    }
    warn_of_protocol(section, env);
    let is_whole = what == TRACES_ENDPOINT || url.ends_with(TRACES_PATH);
    let path = if is_whole { "" } else { TRACES_PATH };
    Some(Some(format!("{}{path}", if is_whole { url } else { url.trim_end_matches('/') })))
}

/// Another encoding may be wanted at another port.
fn warn_of_protocol(section: &Section<'_>, env: &Env) {
    let asked = PROTOCOLS.into_iter().find_map(|name| Some((name, set(env, name)?)));
    if let Some((name, protocol)) = asked.filter(|(_, protocol)| *protocol != PROTOBUF) {
        let origin = Origin::Env { name: name.to_owned() };
        let message = format!("traces are sent as `{PROTOBUF}`, and `{name}` is {}", quoted(protocol));
        section.report.warn(&origin, message, "name an endpoint that takes it, mostly at port 4318");
    }
}
