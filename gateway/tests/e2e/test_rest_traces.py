"""Traces of requests over REST, read by a collector that knows OpenTelemetry's own messages."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from provider import Provider, header, scenario
from sdks import USER
from test_rest import NAMES, Rest, new_key, post, providers, tools
from tollgate import Gateway, poll

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
"""Milliseconds until a batch is sent."""

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector:
    """Takes spans over HTTP, from `with` to the end of the block."""

    def __init__(self, status=200):
        self.status = status
        self.requests = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                collector.requests.append((self.path, headers, body))
                self.send_response(collector.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def resources(self):
        batches = [ExportTraceServiceRequest.FromString(body) for _, _, body in self.requests]
        return [resource for batch in batches for resource in batch.resource_spans]

    def spans(self):
        return [span for it in self.resources() for scope in it.scope_spans for span in scope.spans]

    def wait_for(self, number):
        """That many spans, oldest first, and no more."""
        poll(f"{number} spans", lambda: len(self.spans()) >= number)
        found = sorted(self.spans(), key=lambda it: it.start_time_unix_nano)
        assert len(found) == number
        return found


def values(item):
    """Attributes as Python's own values."""
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in item.attributes}


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


def gateway(folder, provider, variables, **tables):
    known = providers(provider.url, retry_initial_ms=1)
    return Gateway(folder, {}, tables={"providers": known, **tables}, variables={**SOON, **variables})


def ask(running, model, headers=None, **more):
    return post(Rest(running).url, "/v1/chat/completions", {"model": model, "messages": USER, **more}, headers)


def test_a_request_is_a_span_with_the_conventions_names(provider, tmp_path):
    variables = {
        "OTEL_SERVICE_NAME": "gate",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b",
    }
    rules = {"tools_budget_tokens": 700, "cache_ttl_s": 60}
    with Collector() as collector:
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
        with gateway(tmp_path, provider, variables, route_defaults=rules) as running:
            model = "chat/mock/" + scenario("plain", prompt=100, cached=40, completion=7)
            status, headers, _ = ask(running, model, tools=tools(NAMES))
            assert status == 200
            for _ in range(2):
                assert ask(running, "messages/mock/plain", stream=True, temperature=0)[0] == 200
            found = collector.wait_for(3)
    path, sent, _ = collector.requests[0]
    assert (path, sent["content-type"], sent["x-tenant"]) == ("/v1/traces", "application/x-protobuf", "a b")
    about = values(collector.resources()[0].resource)
    assert (about["service.name"], about["deployment.environment"]) == ("gate", "test")
    first, streamed, cached = (values(it) for it in found)
    assert found[0].name == f"chat {model}" and found[0].kind == 3 and found[0].status.code == 0
    assert 0 < found[0].end_time_unix_nano - found[0].start_time_unix_nano < 60e9
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "chat",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model.removeprefix("chat/"),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.output_tokens": 7,
        "http.response.status_code": 200,
        "tollgate.request.id": headers["x-tollgate-request-id"],
        "tollgate.protocol": "openai-chat",
        "tollgate.stream": False,
        "tollgate.cache_hit": False,
        "tollgate.attempts": 1,
        "tollgate.tokens.before": int(headers["x-tollgate-tokens-before"]),
        "tollgate.tokens.sent": int(headers["x-tollgate-tokens-sent"]),
    }
    assert {key: first.get(key) for key in expected} == expected
    assert first["tollgate.tools.left_out"] > 0
    assert (streamed["gen_ai.provider.name"], streamed["tollgate.stream"]) == ("messages", True)
    assert (cached["tollgate.cache_hit"], cached["tollgate.attempts"]) == (True, 0)
    assert USER[0]["content"] not in str(collector.spans())


def test_failures_say_what_failed_and_not_how_it_was_put(provider, tmp_path):
    cut = scenario("plain", chunks=9, cut=4)
    rows = [("500", {}, 500, "500"), ("close", {}, 502, "broke_off"), ("400", {}, 400, "400")]
    with Collector() as collector:
        variables = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": collector.url + "/all"}
        with gateway(tmp_path, provider, variables) as running:
            for fault, more, status, _ in [*rows, (cut, {"stream": True}, 200, "cut")]:
                assert ask(running, f"chat/mock/{fault}", **more)[0] == status
            found = collector.wait_for(4)
    assert collector.requests[0][0] == "/all"
    told = [(values(it)["error.type"], it.status.code, it.status.message) for it in found]
    assert told == [(kind, 2, "") for kind in ("500", "broke_off", "400", "cut")]


def test_a_trace_goes_through(provider, tmp_path):
    """The client's span is above the gateway's, and that above the provider's; what is not sampled is not sent."""
    with Collector() as collector:
        tables = {"telemetry": {"otlp_endpoint": collector.url}}
        with gateway(tmp_path, provider, {}, **tables) as running:
            since = provider.next_number()
            key = {"x-api-key": new_key(running, "--name", "ci")}
            for flags in ("01", "00"):
                above = {"traceparent": f"00-{TRACE}-{PARENT}-{flags}", "tracestate": "vendor=1"}
                assert ask(running, "chat/plain", {**key, **above})[0] == 200
            assert ask(running, "chat/plain", key)[0] == 200
            (span, own) = collector.wait_for(2)
            sent = provider.requests(since)
            sampled, unsampled, begun = (header(it, "traceparent")[0] for it in sent)
            assert [header(it, "tracestate") for it in sent] == [["vendor=1"], ["vendor=1"], []]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert sampled == f"00-{TRACE}-{span.span_id.hex()}-01"
    assert unsampled.startswith(f"00-{TRACE}-") and unsampled.endswith("-00")
    assert begun == f"00-{own.trace_id.hex()}-{own.span_id.hex()}-01" and own.parent_span_id == b""
    assert len(values(span)["tollgate.key"]) == 12


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "URL", "OTEL_SDK_DISABLED": "true"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}],
    ids=["default", "disabled", "empty"],
)
def test_nothing_is_sent_unasked(provider, tmp_path, variables):
    with Collector() as collector:
        variables = {name: value.replace("URL", collector.url) for name, value in variables.items()}
        with gateway(tmp_path, provider, variables) as running:
            since = provider.next_number()
            headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            assert ask(running, "chat/plain", headers)[0] == 200
            assert header(provider.requests(since)[0], "traceparent") == [headers["traceparent"]]
        assert collector.requests == []


def test_a_collector_that_fails_is_told_of_once_and_costs_no_request(provider, tmp_path):
    with Collector(status=503) as collector:
        with gateway(tmp_path, provider, {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}) as running:
            for number in range(1, 4):
                assert ask(running, "chat/plain")[0] == 200
                poll("another batch", lambda number=number: len(collector.requests) >= number)
        warned = running.log_tail().count("traces are lost")
    assert warned == 1


def test_the_last_spans_are_sent_at_the_end(provider, tmp_path):
    with Collector() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        with gateway(tmp_path, provider, variables) as running:
            assert ask(running, "chat/plain")[0] == 200
        assert len(collector.spans()) == 1
