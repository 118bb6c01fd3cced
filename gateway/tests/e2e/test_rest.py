"""LLM APIs through the gateway: the official SDKs before it, a provider of each format behind it."""

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import anthropic
import openai
import pytest

from provider import Provider, header, scenario
from sdks import (
    APIS,
    HELLO,
    SAID,
    SCENARIOS,
    TYPESCRIPT,
    TYPESCRIPT_SAID,
    USER,
    StreamFailed,
    anthropic_client,
    openai_client,
    typescript,
)
from tollgate import TOLLGATE, Gateway, environment, poll

FORMATS = {"chat": "openai-chat", "responses": "openai-responses", "messages": "anthropic"}
"""The formats of providers, by the API that speaks them."""


class Rest:
    """What the SDKs are pointed at."""

    def __init__(self, gateway):
        self.url = f"http://127.0.0.1:{gateway.port}"


def providers(url, **settings):
    """One provider of each format, all of them the same server."""
    return {
        api: {"base_url": url + "/v1", "protocols": [name], "api_key": f"key-of-{api}", **settings}
        for api, name in FORMATS.items()
    }


def started(folder, url, **tables):
    """A gateway before the provider at `url`."""
    tables = {"providers": providers(url), **tables}
    return Gateway(folder, {}, tables=tables)


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def rest(provider, tmp_path_factory):
    with started(tmp_path_factory.mktemp("rest"), provider.url) as running:
        yield Rest(running)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("behind", FORMATS)
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_sdk_reads_every_provider(rest, name, api, behind, streamed):
    chosen, expected = SCENARIOS[name]

    said = APIS[api](rest, f"{behind}/mock/{chosen}", streamed)

    expected = {**SAID, "usage": said["usage"], **expected}
    if name == "refusal" and behind == "messages" and api != "messages":
        # Anthropic's text is text, whatever the reason of its end.
        expected.update(text=expected["refusal"], refusal="", stop="filter")
    assert said == expected


@pytest.mark.parametrize("sdk", TYPESCRIPT)
def test_the_sdks_for_typescript_read_every_provider(rest, sdk):
    seen = typescript(sdk, rest.url, *(f"{behind}/" for behind in FORMATS))
    assert seen["answers"] == {f"{behind}/": {api: TYPESCRIPT_SAID for api in TYPESCRIPT[sdk]} for behind in FORMATS}
    assert "gpt-5" in seen["models"]
    # Where the provider counts in the client's own API it is asked, and the gateway counts elsewhere.
    counts = {behind: seen["counts"][f"{behind}/"] for behind in FORMATS}
    own = TYPESCRIPT[sdk][-1]
    assert counts.pop(own) == 77 and all(0 < it < 77 for it in counts.values())


def post(url, path, body, headers=None):
    """Status, headers and text of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    "path, status", [("/v1/chat/completions", 413), ("/v1/embeddings", 413), ("/mcp", 413), ("/nowhere", 404)]
)
def test_who_sends_too_much_still_reads_why(rest, path, status, chunked):
    """The whole body is sent before the first byte of the answer is read: no connection is reset under it."""
    body = (b"x" * (1 << 20) for _ in range(40)) if chunked else b"x" * (40 << 20)
    accepts = "application/json, text/event-stream"
    request = urllib.request.Request(rest.url + path, body, {"content-type": "application/json", "accept": accepts})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    assert refused.value.code == status and refused.value.read()


def test_bytes_stay_as_they_are_where_the_format_stays(provider, rest):
    since = provider.next_number()
    odd = b'{ "x-unknown":1.0e5, "messages":[{"role":"user","content":"\\u0041"}],"model" : "chat/plain","n":1 }'

    status, _, text = post(rest.url, "/v1/chat/completions", odd)
    direct = post(provider.url, "/v1/chat/completions", odd.replace(b"chat/plain", b"plain"))

    assert (status, text) == (200, direct[2])
    assert provider.requests(since)[0]["body"].encode() == odd.replace(b"chat/plain", b"plain")


def test_credentials_stop_at_the_gateway(provider, rest):
    since = provider.next_number()
    secrets = {"authorization": "Bearer mine", "x-api-key": "mine", "cookie": "mine=1", "anthropic-beta": "b"}

    for api, path in [("chat", "/v1/chat/completions"), ("messages", "/v1/messages")]:
        body = {"model": f"{api}/plain", "messages": USER, "max_tokens": 9}
        assert post(rest.url, path, body, secrets)[0] == 200

    chat, messages = provider.requests(since)
    assert header(chat, "authorization") == ["Bearer key-of-chat"]
    assert header(messages, "x-api-key") == ["key-of-messages"]
    assert header(messages, "anthropic-beta") == ["b"]
    assert all("mine" not in json.dumps(it["headers"]) for it in (chat, messages))


def test_a_client_that_hangs_up_ends_the_call(provider, rest):
    since = provider.next_number()
    client = openai_client(rest)
    model = "chat/mock/" + scenario("plain", chunks=1000, delay_ms=50)
    stream = client.chat.completions.create(model=model, messages=USER, stream=True)
    next(iter(stream))
    stream.close()

    assert provider.wait_for("hung-up", since)


FAULTS = {"429": 429, "500": 500, "400": 400, "401": 424, "close": 502}
"""What the client gets of a provider's status; a key that is refused is the gateway's."""


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("behind", FORMATS)
@pytest.mark.parametrize("api", APIS)
def test_a_provider_that_fails_is_an_error_in_the_callers_format(rest, api, behind, fault):
    with pytest.raises((openai.APIStatusError, anthropic.APIStatusError)) as caught:
        APIS[api](rest, f"{behind}/mock/{fault}", False)
    assert caught.value.status_code == FAULTS[fault]


@pytest.mark.parametrize("behind", FORMATS)
@pytest.mark.parametrize("api", APIS)
def test_a_stream_that_is_cut_is_an_error_and_no_short_answer(rest, api, behind):
    model = f"{behind}/mock/" + scenario("plain", chunks=9, cut=4)
    with pytest.raises((openai.APIError, anthropic.APIError, StreamFailed)):
        APIS[api](rest, model, True)


def test_the_next_target_answers_where_one_fails(provider, tmp_path):
    routes = {"fast": {"targets": ["down/x", "chat/mock/500", "messages/plain"]}}
    tables = {
        "providers": {
            **providers(provider.url, retry_initial_ms=1),
            "down": {"base_url": "http://127.0.0.1:9/v1", "protocols": ["openai-chat"], "attempts": 1},
        },
        "routes": routes,
    }
    with Gateway(tmp_path, {}, tables=tables) as running:
        rest = Rest(running)
        status, headers, text = post(rest.url, "/v1/chat/completions", {"model": "fast", "messages": USER})
        assert (status, headers["x-tollgate-target"]) == (200, "messages/plain"), text
        told = explained(rest, headers)
        assert [it["outcome"] for it in told["attempts"]][1:] == ["500", "500", "200"]


def explained(rest, headers, shown=None):
    url = f"{rest.url}/v1/requests/{headers['x-tollgate-request-id']}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=shown or {}), timeout=30) as answer:
        return json.load(answer)


def test_retries_wait_as_long_as_they_are_told(provider, tmp_path):
    with started(tmp_path, provider.url) as running:
        rest = Rest(running)
        chosen = scenario("429", retry_after=1, times=1, id=str(time.time_ns()))
        begun = time.monotonic()
        status, headers, _ = post(rest.url, "/v1/chat/completions", {"model": f"chat/mock/{chosen}", "messages": USER})
        assert status == 200
        assert time.monotonic() - begun >= 1
        assert [it["outcome"] for it in explained(rest, headers)["attempts"]] == ["429", "200"]


BAD = {
    "broken JSON": (b'{"model":', 400),
    "no object": (b"[]", 400),
    "no model": (b'{"messages":[]}', 400),
    "wrong types": (b'{"model":"chat/plain","messages":"x"}', 400),
    "unknown model": (b'{"model":"zebra","messages":[]}', 404),
    "deep": (b'{"model":"chat/plain","messages":' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
    "large": (b'{"model":"chat/plain","messages":[{"role":"user","content":"' + b"x" * (9 << 20) + b'"}]}', 413),
    "no UTF-8": (b'{"model":"chat/\xff"}', 400),
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages"])
@pytest.mark.parametrize("name", BAD)
def test_bad_requests_are_told_so_and_not_sent(provider, rest, name, path):
    since = provider.next_number()
    body, status = BAD[name]

    got, _, text = post(rest.url, path, body)

    error = json.loads(text)["error"]
    assert (got, bool(error["message"])) == (status, True)
    assert ("type" in json.loads(text)) == (path == "/v1/messages")
    assert provider.next_number() == since


def tools(names):
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": f"Works on the {name.replace('_', ' ')} of a project. " + "It has many sides. " * 20,
                "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
            },
        }
        for name in names
    ]


NAMES = [
    f"{verb}_{thing}" for verb in ("read", "write", "list", "drop") for thing in ("file", "branch", "ticket", "page")
]


@pytest.fixture(scope="module")
def budgeted(provider, tmp_path_factory):
    tables = {"route_defaults": {"tools_budget_tokens": 700, "max_rounds": 3}}
    with started(tmp_path_factory.mktemp("budget"), provider.url, **tables) as running:
        yield Rest(running)


def scripted(behind, *replies):
    return f"{behind}/mock/" + scenario("rounds", script=list(replies))


def call(tool, /, **arguments):
    return {"calls": [{"name": tool, "arguments": arguments}]}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("behind", FORMATS)
def test_a_tool_that_was_left_out_is_found_and_called_under_its_own_name(provider, budgeted, behind, streamed):
    since = provider.next_number()
    model = scripted(
        behind, call("search_tools", query="page"), call("call_tool", name="drop_page", arguments={"path": "x"})
    )
    client = openai_client(budgeted)
    asked = {"model": model, "messages": USER, "tools": tools(NAMES)}
    if streamed:
        with client.chat.completions.stream(**asked) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(**asked).choices[0].message

    called = [(it.function.name, json.loads(it.function.arguments)) for it in message.tool_calls]
    assert called == [("drop_page", {"path": "x"})]
    first, second = provider.requests(since)
    assert "drop_page(" in second["body"] and len(first["body"]) < len(json.dumps(asked)) / 2


def test_tools_stay_for_the_rest_of_the_conversation(provider, tmp_path):
    """Two processes that share nothing send the same tools, and a later turn begins with those of the first."""
    tables = {"route_defaults": {"tools_budget_tokens": 700}}
    turns = [
        [{"role": "user", "content": "read the file"}],
        [
            {"role": "user", "content": "read the file"},
            {"role": "assistant", "content": "done"},
            {"role": "user", "content": "list every ticket"},
        ],
    ]
    sent = []
    for n in range(2):
        folder = tmp_path / str(n)
        folder.mkdir()
        with started(folder, provider.url, **tables) as running:
            for messages in turns:
                since = provider.next_number()
                body = {"model": "chat/plain", "messages": messages, "tools": tools(NAMES)}
                assert post(Rest(running).url, "/v1/chat/completions", body)[0] == 200
                sent.append([json.dumps(it) for it in json.loads(provider.requests(since)[0]["body"])["tools"]])
    assert sent[:2] == sent[2:]
    assert sent[1][: len(sent[0])] == sent[0]


def test_a_model_that_only_searches_is_stopped(budgeted):
    body = {"model": scripted("chat", call("search_tools", query="x")), "messages": USER, "tools": tools(NAMES)}
    status, _, text = post(budgeted.url, "/v1/chat/completions", body)
    assert status == 502 and "after 3 rounds" in json.loads(text)["error"]["message"]


def test_wrong_arguments_are_answered_with_the_schema(provider, budgeted):
    since = provider.next_number()
    wrong = call("call_tool", name="drop_page", arguments={"path": 7})
    body = {"model": scripted("chat", wrong, "sorry"), "messages": USER, "tools": tools(NAMES)}
    status, _, text = post(budgeted.url, "/v1/chat/completions", body)
    assert (status, json.loads(text)["choices"][0]["message"]["content"]) == (200, "sorry")
    assert "not valid; nothing was run" in provider.requests(since)[1]["body"]


def test_a_request_beyond_the_window_is_refused_before_it_is_sent(provider, rest):
    since = provider.next_number()
    body = {"model": "chat/gpt-4", "messages": [{"role": "user", "content": "word " * 9000}]}
    status, _, text = post(rest.url, "/v1/chat/completions", body)
    error = json.loads(text)["error"]
    assert (status, error["code"]) == (400, "context_length_exceeded")
    assert "window of `gpt-4` is 8192" in error["message"] and "message 0" in error["message"]
    assert provider.next_number() == since


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_the_same_request_is_answered_from_the_cache(provider, tmp_path, streamed):
    with started(tmp_path, provider.url, route_defaults={"cache_ttl_s": 60}) as running:
        rest, since = Rest(running), provider.next_number()
        body = {"model": "messages/plain", "messages": USER, "stream": streamed, "temperature": 0}
        answers = [post(rest.url, "/v1/chat/completions", body) for _ in range(2)]
        warm = post(rest.url, "/v1/chat/completions", {**body, "temperature": 1})
        (row,) = totals(running)
    assert answers[0][2] == answers[1][2]
    assert streamed or HELLO in answers[0][2]
    assert [it[1]["x-tollgate-cache"] for it in (*answers, warm)] == [None, "hit", None]
    assert provider.next_number() == since + 2
    assert (row["model"], row["requests"], row["cache_hits"]) == ("messages/plain", 2, 1)
    assert row["cache_unspent_tokens"] == (row["prompt_tokens"] + row["completion_tokens"]) / 2 > 0


def test_metrics_count_requests(rest):
    post(rest.url, "/v1/chat/completions", {"model": "chat/plain", "messages": USER})
    with urllib.request.urlopen(rest.url + "/metrics", timeout=30) as answer:
        page = answer.read().decode()
    assert 'tollgate_requests_total{protocol="openai-chat",provider="chat",status="200"}' in page
    assert 'tollgate_tokens_total{provider="chat",kind="input"}' in page


def test_embeddings_and_models_pass(rest):
    client = openai_client(rest)
    assert len(client.embeddings.create(model="chat/e", input=["a", "b"]).data) == 2
    assert "gpt-5" in [it.id for it in client.models.list()]
    assert anthropic_client(rest).models.retrieve("claude-sonnet-4-5").id == "claude-sonnet-4-5"


def test_counts_are_the_providers_or_our_own(rest):
    client = anthropic_client(rest)
    asked = {"messages": USER}
    assert client.messages.count_tokens(model="messages/plain", **asked).input_tokens > 0
    assert client.messages.count_tokens(model="claude-sonnet-4-5", **asked).input_tokens > 0


def test_busy_providers_refuse_at_once(provider, tmp_path):
    settings = {"providers": providers(provider.url, max_in_flight=1)}
    with Gateway(tmp_path, {}, tables=settings) as running:
        rest, since = Rest(running), provider.next_number()
        slow = {"model": "chat/mock/" + scenario("plain", first_byte_ms=3000), "messages": USER}
        first = threading.Thread(target=post, args=(rest.url, "/v1/chat/completions", slow))
        first.start()
        poll("first request", lambda: provider.next_number() > since)
        begun = time.monotonic()
        status, _, text = post(rest.url, "/v1/chat/completions", {"model": "chat/plain", "messages": USER})
        assert (status, "max_in_flight" in text) == (503, True)
        assert time.monotonic() - begun < 2
        first.join()


def test_the_explanation_has_no_contents(rest):
    body = {"model": "chat/plain", "messages": [{"role": "user", "content": "a secret word"}]}
    _, headers, _ = post(rest.url, "/v1/chat/completions", body)
    told = explained(rest, headers)
    assert told["tokens"]["returned"]["input"] > 0 and "secret" not in json.dumps(told)


SAID_BY_BOTH = ["my word is xyzzy", "so is plugh"]


def conversation(rest, shown):
    """Every API, whole and streamed, with tools and from the cache."""
    chosen = scenario("plain", text=SAID_BY_BOTH[1])
    for behind in FORMATS:
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages"):
            for streamed in (False, True):
                body = {"model": f"{behind}/mock/{chosen}", "stream": streamed, "temperature": 0, "max_tokens": 99}
                body |= {"messages": [{"role": "user", "content": SAID_BY_BOTH[0]}]}
                if path == "/v1/responses":
                    body = {**body, "input": body.pop("messages")}
                    body["max_output_tokens"] = body.pop("max_tokens")
                if path == "/v1/chat/completions":
                    body["tools"] = tools(NAMES)
                status, _, text = post(rest.url, path, body, shown)
                assert status == 200, text
    failed = {"model": "chat/mock/500", "messages": [{"role": "user", "content": SAID_BY_BOTH[0]}]}
    assert post(rest.url, "/v1/chat/completions", failed, shown)[0] == 500


@pytest.mark.parametrize("contents", [False, True], ids=["default", "on"])
def test_what_is_said_is_logged_only_where_that_is_switched_on(provider, tmp_path, contents):
    log = {"level": "info,tollgate=trace", "format": "json", **({"contents": True} if contents else {})}
    rules = {"cache_ttl_s": 60, "tools_budget_tokens": 700}
    with started(tmp_path, provider.url, log=log, route_defaults=rules) as running:
        shown = {"authorization": "Bearer secret-of-the-client"}
        conversation(Rest(running), shown)
        lines = [json.loads(it) for it in running.log.read_text().splitlines() if it.startswith("{")]
    text = running.log.read_text()
    accessed = [it for it in lines if it["target"] == "tollgate::access"]
    told = [it["fields"] for it in lines if it["target"] == "tollgate::contents"]
    assert len(accessed) == 19
    assert "secret-of-the-client" not in text and "key-of-" not in text and "many sides" not in text
    if not contents:
        assert told == [] and all(word not in text for word in SAID_BY_BOTH)
        return
    assert len(told) == len(accessed)
    for one in told:
        (asked,) = json.loads(one["gen_ai.input.messages"])
        assert asked == {"role": "user", "parts": [{"type": "text", "content": SAID_BY_BOTH[0]}]}
    answers = [json.loads(it["gen_ai.output.messages"]) for it in told]
    said = {"role": "assistant", "parts": [{"type": "text", "content": SAID_BY_BOTH[1]}]}
    assert answers.count([said]) == 18 and answers[-1] == [{"role": "assistant", "parts": []}]


def tollgate(gateway, *arguments):
    """Runs a command with the gateway's configuration and data folder, and returns what it prints."""
    done = subprocess.run(
        [TOLLGATE, *arguments, "--config", str(gateway.config)],
        capture_output=True,
        text=True,
        check=True,
        cwd=gateway.config.parent,
        env=environment(gateway.config.parent),
    )
    return done.stdout


def new_key(gateway, *arguments):
    """Makes a key and waits until the running gateway knows it."""
    printed = tollgate(gateway, "keys", "create", *arguments)
    key = next(word for word in printed.split() if word.startswith("tg-"))
    time.sleep(0.5)
    return key


ASK = {"model": "chat/plain", "messages": USER}


def test_with_the_first_key_every_request_needs_one(provider, tmp_path):
    with started(tmp_path, provider.url) as running:
        rest = Rest(running)
        assert post(rest.url, "/v1/chat/completions", ASK, {"authorization": "Bearer whatever"})[0] == 200
        key = new_key(running, "--name", "ci")

        for shown in ({}, {"authorization": "Bearer tg-wrong"}, {"x-api-key": "tg-wrong"}):
            for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/mcp"):
                status, _, text = post(rest.url, path, ASK, shown)
                assert status == 401 and "key" in text, (path, shown, text)
        for shown in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}):
            assert post(rest.url, "/v1/chat/completions", ASK, shown)[0] == 200
        assert running.status("/metrics") == 401
        assert running.status("/healthz") == 200
        assert key not in running.log.read_text()


def test_a_key_does_what_it_may_and_no_more(provider, tmp_path):
    with started(tmp_path, provider.url) as running:
        rest = Rest(running)
        limited = new_key(running, "--name", "few", "--limit", "requests=2/day")
        narrow = new_key(running, "--name", "narrow", "--model", "gpt-*")
        poor = new_key(running, "--name", "poor", "--limit", "tokens=10/day")

        answers = [post(rest.url, "/v1/chat/completions", ASK, {"x-api-key": limited}) for _ in range(3)]
        assert [it[0] for it in answers] == [200, 200, 429]
        error = json.loads(answers[2][2])["error"]
        assert error["code"] == "limit_exceeded" and "requests" in error["message"]
        assert post(rest.url, "/v1/chat/completions", ASK, {"x-api-key": narrow})[0] == 403
        since = provider.next_number()
        long = {**ASK, "messages": [{"role": "user", "content": "word " * 100}]}
        assert post(rest.url, "/v1/chat/completions", long, {"x-api-key": poor})[0] == 429
        assert provider.next_number() == since


def test_the_smaller_tools_budget_of_key_and_route_holds(provider, tmp_path):
    routes = {
        "free": {"targets": ["chat/plain"], "tools_budget_tokens": "off"},
        "tight": {"targets": ["chat/plain"], "tools_budget_tokens": 500},
    }
    with started(tmp_path, provider.url, routes=routes) as running:
        rest = Rest(running)
        shown = {name: {"x-api-key": new_key(running, "--name", name, *budget)} for name, budget in BUDGETS.items()}

        def spent(model, key):
            body = {"model": model, "messages": USER, "tools": tools(NAMES)}
            status, headers, text = post(rest.url, "/v1/chat/completions", body, shown[key])
            assert status == 200, text
            return explained(rest, headers, shown[key]).get("tools", {}).get("tokens_sent")

        assert spent("free", "none") is None
        wide, tight, narrow = spent("free", "wide"), spent("tight", "wide"), spent("free", "narrow")
        assert narrow <= 400 and narrow < tight <= 500 < wide <= 900
        assert (spent("tight", "none"), spent("tight", "narrow")) == (tight, narrow)
        body = {"model": "free", "messages": USER, "tools": tools(NAMES)}
        status, _, text = post(rest.url, "/v1/chat/completions", body, shown["tiny"])
        assert status == 400 and "`tools_budget_tokens` of this api key" in json.loads(text)["error"]["message"]
        assert "tools-budget=900" in tollgate(running, "keys", "list")


BUDGETS = {
    "none": [],
    "wide": ["--tools-budget", "900"],
    "narrow": ["--tools-budget", "400"],
    "tiny": ["--tools-budget", "5"],
}


def totals(gateway):
    """All rows of the ledger."""
    return json.loads(tollgate(gateway, "usage", "--by", "key,model", "--json"))


def test_the_ledger_has_what_was_returned(provider, tmp_path):
    with started(tmp_path, provider.url) as running:
        rest = Rest(running)
        model = "chat/mock/" + scenario("plain", prompt=100, cached=40, completion=7)
        for streamed in (False, True):
            post(rest.url, "/v1/chat/completions", {**ASK, "model": model, "stream": streamed})
        post(rest.url, "/v1/chat/completions", {**ASK, "model": "chat/mock/400"})
        printed = json.dumps(totals(running))
        rows = totals(running)
        good = next(it for it in rows if "plain" in it["model"])
        bad = next(it for it in rows if "400" in it["model"])
        assert (good["requests"], good["prompt_tokens"], good["cached_tokens"]) == (2, 200, 80), printed
        assert good["completion_tokens"] == 14
        assert bad["requests"] == 1 and bad["errors"] == 1, printed


def test_a_killed_gateway_loses_no_request_that_had_ended(provider, tmp_path):
    """Every answer that a client got is in the ledger, whenever the gateway is killed."""
    running = started(tmp_path, provider.url)
    answered = 0
    for lap in range(3):
        running.start()
        rest = Rest(running)
        deadline = time.monotonic() + 0.3 + 0.2 * lap
        killer = threading.Timer(deadline - time.monotonic(), running.process.kill)
        killer.start()
        try:
            while True:
                answered += post(rest.url, "/v1/chat/completions", ASK)[0] == 200
        except OSError:
            running.process.wait()
    counted = sum(it["requests"] for it in totals(running))
    assert answered > 10 and answered <= counted <= answered + 3


def test_what_providers_charge_corrects_later_counts_and_outlives_the_gateway(provider, tmp_path):
    """A provider that adds 80 tokens to each request."""
    with started(tmp_path, provider.url) as running:
        rest = Rest(running)

        def off(n_words):
            model = "chat/" + scenario("plain", prompt=80 + n_words)
            asked = {"model": model, "messages": [{"role": "user", "content": "word " * n_words}]}
            _, headers, _ = post(rest.url, "/v1/chat/completions", asked)
            return abs(int(headers["x-tollgate-tokens-sent"]) - 80 - n_words)

        first, *_, last = [off(10 * n) for n in range(1, 10)]
        assert first > 60 and last < 10
        running.stop()
        running.start()
        assert off(33) < 10
