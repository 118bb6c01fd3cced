//! Traces: one span for each request over REST, by OpenTelemetry's semantic conventions for generative AI
//! (opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans), sent by a thread of its own to a collector. Where that is off,
//! nothing of this exists. Spans hold numbers and names, never what people or providers wrote.

mod sender;

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator as _,
    trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider, Span},
};

use super::{explain::Explanation, ticket::Ending};
use sender::Sender;
use tollgate_config::Telemetry;

/// Written by the propagator even where there is none.
const TRACE_STATE: &str = "tracestate";

/// How long the last spans may take at the end of the process.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// Where spans are made.
pub struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Spans {
    /// `None` where no traces are asked for.
    ///
    /// # Errors
    /// What of the environment cannot be used.
    pub fn open(config: &Telemetry) -> Result<Option<Self>, String> {
        let Some(url) = &config.traces_url else { return Ok(None) };
        let told = |error: &dyn std::fmt::Display| format!("no traces can be sent to `{url}` ({error})");
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new(url.clone()).map_err(|error| told(&error))?)
            .with_endpoint(url)
            .build()
            .map_err(|error| told(&error))?;
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Some(Self { tracer: provider.tracer("tollgate"), provider }))
    }

    /// Begins the span of a request, below that of the client's where `asked` names one, and names it in `headers`, so that
    /// the provider's is below it.
    pub fn begin(&self, asked: &HeaderMap, headers: &mut HeaderMap, told: &Explanation) -> Box<Span> {
        let propagator = TraceContextPropagator::new();
        let parent = propagator.extract_with_context(&Context::new(), &HeaderExtractor(asked));
        let name = format!("{} {}", told.operation(), told.model);
        let span = self.tracer.span_builder(name).with_kind(SpanKind::Client);
        let span = span.start_with_context(&self.tracer, &parent);
        let context = Context::new().with_remote_span_context(span.span_context().clone());
        propagator.inject_context(&context, &mut HeaderInjector(headers));
        if headers.get(TRACE_STATE).is_some_and(HeaderValue::is_empty) {
            headers.remove(TRACE_STATE);
        }
        Box::new(span)
    }

    /// Sends what is left; to be called once, at the end.
    pub async fn close(self: Arc<Self>) {
        // The other thread's requests run on this runtime, so that it must not be blocked.
        let closed = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_SPANS)).await;
        if let Ok(Err(error)) = closed {
            tracing::warn!("the last traces may be lost ({error})");
        }
    }
}

/// Ends a request's span with what is known of it.
pub fn end(span: &mut Span, told: &Explanation, ending: &Ending) {
    if span.is_recording() {
        span.set_attributes(attributes(told));
        if let Some(kind) = error_type(told, ending) {
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(""));
        }
    }
    span.end();
}

/// The status, or a word for why there is none.
fn error_type(told: &Explanation, ending: &Ending) -> Option<String> {
    match ending {
        Ending::ClientLeft => Some("client_left".into()),
        Ending::Done if told.status < 400 => None,
        Ending::Failed(_) if told.status < 400 => Some("cut".into()),
        _ => {
            let last = told.attempts.last().map(|it| it.kind().to_owned());
            Some(last.filter(|_| told.status >= 500).unwrap_or_else(|| told.status.to_string()))
        }
    }
}

fn attributes(told: &Explanation) -> Vec<KeyValue> {
    let number = |name: &'static str, value: u64| KeyValue::new(name, i64::try_from(value).unwrap_or(i64::MAX));
    let count = |name: &'static str, value: usize| number(name, value as u64);
    let mut all = vec![
        KeyValue::new("gen_ai.operation.name", told.operation()),
        KeyValue::new("gen_ai.request.model", told.model.clone()),
        number("http.response.status_code", told.status.into()),
        KeyValue::new("tollgate.request.id", told.id.clone()),
        KeyValue::new("tollgate.protocol", told.protocol),
        KeyValue::new("tollgate.stream", told.is_stream),
        KeyValue::new("tollgate.cache_hit", told.is_cached == Some(true)),
        count("tollgate.attempts", told.attempts.len()),
        count("tollgate.rounds", told.rounds.len()),
        count("tollgate.tokens.before", told.tokens.before),
        count("tollgate.tokens.sent", told.tokens.sent),
    ];
    if let Some((provider, model)) = told.target.as_deref().and_then(|it| it.split_once('/')) {
        all.push(KeyValue::new("gen_ai.provider.name", provider.to_owned()));
        all.push(KeyValue::new("gen_ai.response.model", model.to_owned()));
    }
    if let Some(returned) = told.tokens.returned {
        all.push(number("gen_ai.usage.input_tokens", returned.input));
        all.push(number("gen_ai.usage.cache_read.input_tokens", returned.cached));
        all.push(number("gen_ai.usage.output_tokens", returned.output));
    }
    if let Some(tools) = told.tools {
        all.push(count("tollgate.tools.full", tools.full));
        all.push(count("tollgate.tools.shortened", tools.shortened));
        all.push(count("tollgate.tools.left_out", tools.left_out));
    }
    all.extend(told.key.clone().map(|key| KeyValue::new("tollgate.key", key)));
    all.extend(told.tokens.cost_usd.map(|cost| KeyValue::new("tollgate.cost_usd", cost)));
    all
}
