"""What a client gets where a provider fails, and where the client itself does: the table of docs/rest.md."""

import http.client
import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anthropic
import openai
import pytest

from provider import Provider, scenario
from sdks import HELLO, USER, anthropic_client, openai_client
from test_rest import FORMATS, NAMES, Rest, explained, post, providers, tools, totals
from tollgate import Gateway

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
MODES = [False, True]
"""Whole, streamed."""

STREAM_ERROR = "an error that ends the stream"
ANSWER = "the answer"
OVERLOADED = {503, 529}
"""529 is Anthropic's; clients of OpenAI get it where OpenAI's format is spoken all the way."""

FAULTS = {
    # What is asked for, and for a whole answer and a stream: what the client gets, how often the provider was asked,
    # and as what the ledger counts it.
    "429": ("429", (429, 2, "rate_limited"), (429, 2, "rate_limited")),
    "429-for-a-minute": (scenario("429", retry_after=60), (429, 1, "rate_limited"), (429, 1, "rate_limited")),
    "500": ("500", (500, 2, "provider"), (500, 2, "provider")),
    "503": ("503", (OVERLOADED, 2, "provider"), (OVERLOADED, 2, "provider")),
    "401": ("401", (424, 1, "provider"), (424, 1, "provider")),
    "529": ("529", (OVERLOADED, 2, "provider"), (OVERLOADED, 2, "provider")),
    "slow-first-byte": (scenario("plain", first_byte_ms=2500), (504, 1, "timeout"), (504, 1, "timeout")),
    "hang": ("hang", (504, 1, "timeout"), (504, 1, "timeout")),
    "close": ("close", (502, 2, "provider"), (502, 2, "provider")),
    "refused": (None, (502, 2, "provider"), (502, 2, "provider")),
    "cut": ("cut", (502, 2, "provider"), (STREAM_ERROR, 1, "cut")),
    "pause": (scenario("plain", chunks=3, delay_ms=2500), (ANSWER, 1, None), (STREAM_ERROR, 1, "cut")),
    "error-body": ("error-body", (500, 2, "provider"), (500, 2, "provider")),
    "error-event": ("error-event", (500, 2, "provider"), (STREAM_ERROR, 1, "cut")),
    "malformed-json": ("malformed-json", (502, 1, "provider"), (STREAM_ERROR, 1, "cut")),
    "malformed-events": ("malformed-sse", (ANSWER, 1, None), (ANSWER, 1, None)),
    "html": ("html", (502, 1, "provider"), (502, 1, "provider")),
    "empty": ("empty", (502, 1, "provider"), (502, 1, "provider")),
    "wrong-type": ("wrong-type", (ANSWER, 1, None), (502, 1, "provider")),
    "gzip": ("gzip", (502, 1, "provider"), (502, 1, "provider")),
}


def target(behind, fault):
    """The model that fails so."""
    chosen = FAULTS[fault][0]
    return f"{behind}/mock/{chosen}" if chosen else f"down-{behind}/{fault}"


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(provider, tmp_path_factory):
    """Patient for a second, and never done with a provider."""
    hasty = {"first_byte_timeout_s": 1, "idle_timeout_s": 1, "retry_initial_ms": 1, "breaker_failures": 0}
    down = {f"down-{api}": it for api, it in providers("http://127.0.0.1:9", **hasty).items()}
    tables = {
        "providers": {**providers(provider.url, **hasty), **down},
        "routes": {name: {"targets": [target("chat", name), "messages/plain"]} for name in FAULTS},
    }
    with Gateway(tmp_path_factory.mktemp("faults"), {}, tables=tables) as running:
        yield running


def ask(gateway, api, model, streamed):
    body = {"model": model, "stream": streamed}
    body |= {"input": "Hello"} if api == "responses" else {"messages": USER, "max_tokens": 99}
    return post(Rest(gateway).url, PATHS[api], body)


def is_error(api, said):
    """Whether it is an error in the words of the API."""
    if api == "messages":
        return said.get("type") == "error" and bool(said["error"]["message"] and said["error"]["type"])
    told = said if said.get("type") == "error" else said.get("error") or {}
    return bool(told.get("message"))


def outcome(api, streamed, status, text):
    """A status, or one of the two endings of a good one."""
    if status != 200:
        assert is_error(api, json.loads(text)), text
        return status
    if not streamed:
        assert HELLO in text or "word word" in text, text
        return ANSWER
    last = [line for line in text.splitlines() if line.startswith("data:") and "[DONE]" not in line][-1]
    return STREAM_ERROR if is_error(api, json.loads(last.removeprefix("data:"))) else ANSWER


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_every_format_and_counted(provider, gateway, fault):
    since = provider.next_number()
    cases = [(api, behind, streamed) for api in PATHS for behind in FORMATS for streamed in MODES]

    def run(case):
        api, behind, streamed = case
        return ask(gateway, api, target(behind, fault), streamed)

    with ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(run, cases))

    _, *rows = FAULTS[fault]
    for (api, behind, streamed), (status, headers, text) in zip(cases, answers, strict=True):
        expected, asked, _ = rows[streamed]
        got = outcome(api, streamed, status, text)
        assert got in (expected if isinstance(expected, set) else {expected}), (api, behind, streamed, text)
        assert len(explained(Rest(gateway), headers)["attempts"]) == asked, (api, behind, streamed)
        waits = "60" if fault == "429-for-a-minute" else None
        assert headers["retry-after"] == waits, (api, behind, streamed)
    each = len(cases) // 2
    if FAULTS[fault][0]:
        assert provider.next_number() - since == each * sum(asked for _, asked, _ in rows)
    models = {target(behind, fault) for behind in FORMATS}
    counted = sum((Counter(it["errors_by_kind"]) for it in totals(gateway) if it["model"] in models), Counter())
    assert counted == sum((Counter({kind: each}) for *_, kind in rows if kind), Counter())


@pytest.mark.parametrize("streamed", MODES, ids=["whole", "streamed"])
def test_before_its_first_byte_a_fault_is_the_next_targets_turn(gateway, streamed):
    passing = [name for name, (_, *rows) in FAULTS.items() if rows[streamed][0] not in (ANSWER, STREAM_ERROR)]
    with ThreadPoolExecutor(len(passing)) as pool:
        answers = list(pool.map(lambda name: ask(gateway, "chat", name, streamed), passing))
    for name, (status, headers, text) in zip(passing, answers, strict=True):
        assert (status, headers["x-tollgate-target"]) == (200, "messages/plain"), (name, text)
        assert outcome("chat", streamed, status, text) == ANSWER, name


@pytest.mark.parametrize("shown", ["variable", "file"])
def test_a_missing_key_is_told_once_and_at_the_start(provider, tmp_path, shown):
    """SDKs repeat what they think will pass; this will not."""
    key = {"variable": {"api_key_env": "NO_SUCH_KEY"}, "file": {"api_key_file": str(tmp_path / "none")}}[shown]
    known = {"bare": {"base_url": provider.url + "/v1", "protocols": ["openai-chat"], **key}, **providers(provider.url)}
    routes = {
        "lucky": {"targets": ["bare/x", "chat/plain"]},
        "unlucky": {"targets": ["chat/mock/500", "bare/x"]},
    }
    with Gateway(tmp_path, {}, tables={"providers": known, "routes": routes}) as running:
        rest = Rest(running)
        with pytest.raises(openai.APIStatusError) as caught:
            openai_client(rest).chat.completions.create(model="bare/x", messages=USER)
        assert (caught.value.status_code, caught.value.code) == (424, "provider_credentials")
        with pytest.raises(anthropic.APIStatusError) as caught:
            anthropic_client(rest).messages.create(model="bare/x", messages=USER, max_tokens=9)
        assert (caught.value.status_code, caught.value.body["error"]["type"]) == (424, "permission_error")
        assert ("NO_SUCH_KEY" if shown == "variable" else str(tmp_path / "none")) in str(caught.value)
        (row,) = totals(running)
        assert (row["requests"], row["errors_by_kind"]) == (2, {"gateway": 2})
        # Before and after others, who was asked decides.
        assert ask(running, "chat", "lucky", False)[0] == 200
        assert ask(running, "chat", "unlucky", False)[0] == 500
        assert "WARN" in running.log_tail() and f"`providers.bare.{next(iter(key))}`" in running.log_tail()


@pytest.mark.parametrize("behind,budget", [("chat", "off"), ("messages", "off"), ("chat", 400)])
def test_streams_that_break_open_the_breaker(provider, tmp_path, behind, budget):
    """Passed on, translated, and with planned tools; two that break, though each began well."""
    known = providers(provider.url, breaker_failures=2, breaker_pause_s=60)
    rules = {"tools_budget_tokens": budget}
    with Gateway(tmp_path, {}, tables={"providers": known, "route_defaults": rules}) as running:

        def stream(chosen):
            body = {"model": f"{behind}/mock/{chosen}", "stream": True, "messages": USER, "tools": tools(NAMES)}
            return post(Rest(running).url, PATHS["chat"], body)

        assert stream("plain")[0] == 200
        for _ in range(2):
            status, _, text = stream(scenario("plain", chunks=9, cut=4))
            assert outcome("chat", True, status, text) == STREAM_ERROR
        status, headers, text = stream("plain")
        assert status == 503 and "failed 2 times in a row" in text and int(headers["retry-after"]) > 50
        counted = sum((Counter(it["errors_by_kind"]) for it in totals(running)), Counter())
        assert counted == {"cut": 2, "gateway": 1}


def test_streams_that_end_well_keep_it_closed(provider, tmp_path):
    known = providers(provider.url, breaker_failures=2)
    with Gateway(tmp_path, {}, tables={"providers": known}) as running:
        for _ in range(3):
            for chosen in (scenario("plain", chunks=9, cut=4), "plain"):
                assert ask(running, "chat", f"chat/mock/{chosen}", True)[0] == 200


def tool(api, name):
    schema = {"type": "object", "properties": {}}
    if api == "chat":
        return {"type": "function", "function": {"name": name, "parameters": schema}}
    if api == "responses":
        return {"type": "function", "name": name, "parameters": schema}
    return {"name": name, "input_schema": schema}


def choice(api, name):
    named = {"chat": {"type": "function", "function": {"name": name}}, "responses": {"type": "function", "name": name}}
    return named.get(api, {"type": "tool", "name": name})


def nested(depth):
    """A schema so deep."""
    return json.loads('{"items":' * depth + "{}" + "}" * depth)


BAD = {
    "duplicate tools": (lambda api: {"tools": [tool(api, "a"), tool(api, "b"), tool(api, "a")]}, "tools[2]"),
    "unknown tool chosen": (lambda api: {"tools": [tool(api, "a")], "tool_choice": choice(api, "b")}, "names `b`"),
    "deep nesting": (lambda _: {"metadata": nested(400)}, "recursion limit"),
    "line ends in the model": (lambda _: {"model": "chat/plain\r\nx-evil: 1"}, "control character"),
    "tools of a wrong type": (lambda _: {"tools": "all"}, "tools"),
}
"""What is added to a good request, and what is told of it."""


@pytest.mark.parametrize("behind", FORMATS)
@pytest.mark.parametrize("api", PATHS)
@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_refused_in_every_format(provider, gateway, name, api, behind):
    since = provider.next_number()
    added, told = BAD[name]
    body = {"model": f"{behind}/plain", "input": "Hello"} if api == "responses" else {"messages": USER, "max_tokens": 9}
    body = {"model": f"{behind}/plain", **body, **added(api)}

    status, _, text = post(Rest(gateway).url, PATHS[api], body)

    assert status == 400 and told in json.loads(text)["error"]["message"], text
    assert is_error(api, json.loads(text))
    assert provider.next_number() == since


@pytest.mark.parametrize("api", PATHS)
@pytest.mark.parametrize("length", ["told", "chunked"])
def test_a_hundred_megabytes_are_refused_and_not_kept(provider, gateway, api, length):
    """The refusal comes while the client still sends, and the gateway reads no more than it has to."""
    since, before = provider.next_number(), resident_kb(gateway)
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
    piece = b" " * (1 << 20)
    try:
        pieces = (piece for _ in range(100))
        headers = {"content-length": str(100 << 20)} if length == "told" else {}
        connection.request("POST", PATHS[api], pieces, headers, encode_chunked=length == "chunked")
    except OSError:
        # It went on sending after the answer.
        pass
    answer = connection.getresponse()
    status, text = answer.status, answer.read()
    connection.close()
    assert status == 413 and is_error(api, json.loads(text)), text
    assert provider.next_number() == since
    assert resident_kb(gateway) - before < 40_000


def resident_kb(gateway):
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


@pytest.mark.parametrize("line", ["anthropic-beta: a\rx-evil: 1", "anthropic-beta: a\x00b", "x evil: 1"])
def test_a_header_with_control_characters_ends_the_request(provider, gateway, line):
    since = provider.next_number()
    body = json.dumps({"model": "messages/plain", "messages": USER, "max_tokens": 9})
    head = f"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n{line}\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as client:
        client.sendall((head + body).encode())
        assert client.recv(99).startswith(b"HTTP/1.1 400 ")
    assert provider.next_number() == since
