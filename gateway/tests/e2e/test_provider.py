"""The fixture's provider before the official SDKs: what it says means the same in every API, whole and streamed."""

import http.client
import json

import anthropic
import openai
import pytest
from pydantic import BaseModel

from provider import Provider, header, scenario
from sdks import (
    APIS,
    HELLO,
    KEY,
    SAID,
    SCENARIOS,
    SCRIPT,
    TYPESCRIPT,
    TYPESCRIPT_SAID,
    USER,
    anthropic_client,
    chat,
    messages,
    openai_client,
    typescript,
)

SDK_S = 60


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_api_says_the_same(provider, name, api, streamed):
    chosen, expected = SCENARIOS[name]

    said = APIS[api](provider, f"mock/{chosen}", streamed)

    assert said == {**SAID, "usage": said["usage"], **expected}


def test_the_header_the_model_and_the_process_choose(provider):
    with Provider("--scenario", "plain?text=default") as other:
        client = openai_client(other)
        for model, headers, text in [
            ("gpt-5", {}, "default"),
            ("mock/plain?text=model", {}, "model"),
            ("plain?text=cut", {}, "cut"),
            ("mock/plain?text=model", {"x-mock": "plain?text=header"}, "header"),
        ]:
            answer = client.chat.completions.create(model=model, messages=USER, extra_headers=headers)
            assert answer.choices[0].message.content == text


def test_a_script_answers_round_by_round(provider):
    model = "mock/" + scenario("rounds", script=SCRIPT[1:])
    client = openai_client(provider)
    first = client.chat.completions.create(model=model, messages=USER).choices[0].message
    result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "none"}
    second = client.chat.completions.create(model=model, messages=[*USER, first, result]).choices[0].message
    assert (first.content, first.tool_calls[0].function.name, second.content) == ("Let me see.", "search_tools", "last")

    first = client.responses.create(model=model, input="Hello").output
    result = {"type": "function_call_output", "call_id": first[-1].call_id, "output": "none"}
    second = client.responses.create(model=model, input=[*USER, *first, result])
    assert ([it.type for it in first], second.output_text) == (["message", "function_call"], "last")

    client = anthropic_client(provider)
    first = client.messages.create(model=model, max_tokens=99, messages=USER).content
    result = {"type": "tool_result", "tool_use_id": first[-1].id, "content": "none"}
    turns = [*USER, {"role": "assistant", "content": first}, {"role": "user", "content": [result]}]
    second = client.messages.create(model=model, max_tokens=99, messages=turns).content
    assert ([it.type for it in first], second[0].text) == (["text", "tool_use"], "last")


class Weather(BaseModel):
    city: str
    temperature_c: int


def test_structured_output_is_parsed(provider):
    client = openai_client(provider)
    expected = Weather(city="Paris", temperature_c=21)
    completion = client.chat.completions.parse(model="mock/json", messages=USER, response_format=Weather)
    assert completion.choices[0].message.parsed == expected
    assert client.responses.parse(model="mock/json", input="Hello", text_format=Weather).output_parsed == expected


def test_counts_are_of_the_body_unless_the_scenario_says_them(provider):
    def responses_count(model, text):
        return openai_client(provider).responses.input_tokens.count(model=model, input=text).input_tokens

    def messages_count(model, text):
        turns = [{"role": "user", "content": text}]
        return anthropic_client(provider).messages.count_tokens(model=model, messages=turns).input_tokens

    for count in (responses_count, messages_count):
        assert count("mock/plain?prompt=77", "one") == 77
        assert 1 < count("mock/plain", "one") < count("mock/plain", "one " * 99)


def test_embeddings_are_the_same_in_either_encoding(provider):
    create = openai_client(provider).embeddings.create
    packed = create(model="any", input=["one", "two"], dimensions=16)
    plain = create(model="any", input=["one", "two"], dimensions=16, encoding_format="float")
    assert [it.embedding for it in packed.data] == [it.embedding for it in plain.data]
    assert [len(it.embedding) for it in plain.data] == [16, 16]
    assert plain.data[0].embedding != plain.data[1].embedding


def test_models_are_listed_in_either_form(provider):
    ids = [it.id for it in openai_client(provider).models.list()]
    assert "mock/plain" in ids
    assert [it.id for it in anthropic_client(provider).models.list()] == ids


STATUSES = {
    401: ("AuthenticationError", "authentication_error"),
    429: ("RateLimitError", "rate_limit_error"),
    500: ("InternalServerError", "api_error"),
    502: ("InternalServerError", "api_error"),
    503: ("InternalServerError", "api_error"),
    529: ("InternalServerError", "overloaded_error"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_an_error_in_the_form_of_the_api(provider, status):
    name, kind = STATUSES[status]
    with pytest.raises(openai.APIStatusError) as error:
        openai_client(provider, max_retries=0).chat.completions.create(model=f"mock/{status}", messages=USER)
    assert error.value.status_code == status and isinstance(error.value, getattr(openai, name))
    with pytest.raises(anthropic.APIStatusError) as error:
        anthropic_client(provider, max_retries=0).messages.create(model=f"mock/{status}", max_tokens=9, messages=USER)
    assert error.value.status_code == status and error.value.body["error"]["type"] == kind


def test_a_fault_passes_after_as_many_times_as_it_says(provider):
    before = provider.next_number()
    model = "mock/429?retry_after_ms=1&times=2&then=tool&id=passes"
    completion = openai_client(provider, max_retries=2).chat.completions.create(model=model, messages=USER)
    assert completion.choices[0].finish_reason == "tool_calls"
    assert len(provider.requests(before)) == 3


SPOILT = {
    "close": openai.APIConnectionError,
    "cut": openai.APIConnectionError,
    "malformed-json": json.JSONDecodeError,
    "hang": openai.APITimeoutError,
    "plain?first_byte_ms=5000": openai.APITimeoutError,
}


@pytest.mark.parametrize("fault", SPOILT)
def test_a_spoilt_answer_is_an_error(provider, fault):
    client = openai_client(provider, max_retries=0, timeout=0.5)
    with pytest.raises(SPOILT[fault]):
        client.chat.completions.create(model=f"mock/{fault}", messages=USER)


SPOILT_STREAMS = {
    "cut": Exception,
    "plain?cut=2": Exception,
    "malformed-json": json.JSONDecodeError,
    "error-event": openai.APIError,
}


@pytest.mark.parametrize("fault", SPOILT_STREAMS)
def test_a_spoilt_stream_is_an_error_after_its_beginning(provider, fault):
    client = openai_client(provider, max_retries=0)
    stream = client.chat.completions.create(model=f"mock/{fault}", messages=USER, stream=True)
    assert next(stream).choices[0].delta.role == "assistant"
    with pytest.raises(SPOILT_STREAMS[fault]):
        list(stream)


def test_bodies_may_be_odd(provider):
    create = openai_client(provider, max_retries=0).chat.completions.with_raw_response.create
    for fault, check in {
        "gzip": lambda it: it.headers["content-encoding"] == "gzip" and it.parse().choices[0].message.content == HELLO,
        "html": lambda it: it.headers["content-type"] == "text/html" and "<title>" in it.text,
        "empty": lambda it: it.text == "",
        "error-body": lambda it: "error" in json.loads(it.text),
        "wrong-type": lambda it: it.headers["content-type"].startswith("text/plain") and HELLO in it.text,
        "huge?bytes=3000000": lambda it: len(it.parse().choices[0].message.content) == 3_000_000,
        "malformed-sse": lambda it: it.parse().choices[0].message.content == HELLO,
    }.items():
        assert check(create(model=f"mock/{fault}", messages=USER)), fault
    stream = create(model="mock/malformed-sse", messages=USER, stream=True)
    assert b"<<< this is no event >>>" in stream.http_response.read()


def test_requests_are_kept_with_the_credentials_that_arrived(provider):
    before = provider.next_number()
    chat(provider, "mock/plain", streamed=False)
    messages(provider, "mock/plain", streamed=True)
    first, second = provider.requests(before)
    assert header(first, "authorization") == [f"Bearer {KEY}"] and first["path"] == "/v1/chat/completions"
    assert header(second, "x-api-key") + header(second, "authorization") in ([KEY], [f"Bearer {KEY}"])
    assert second["path"] == "/v1/messages"
    assert json.loads(first["body"])["messages"] == USER
    assert {first["state"], second["state"]} == {"answered"}


def test_a_body_in_chunks_is_read(provider):
    before = provider.next_number()
    connection = http.client.HTTPConnection(provider.url.removeprefix("http://"), timeout=SDK_S)
    for _ in range(2):
        pieces = iter([b'{"model":"mock/plain?te', b'xt=chunks","stream":false}'])
        connection.request("POST", "/v1/messages", pieces, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
        assert json.load(connection.getresponse())["content"][0]["text"] == "chunks"
    connection.close()
    assert [it["body_bytes"] for it in provider.requests(before)] == [49, 49]
    assert len({it["connection"] for it in provider.requests(before)}) == 1


def test_a_client_that_hangs_up_is_noticed(provider):
    before = provider.next_number()
    client = anthropic_client(provider)
    with client.messages.stream(model="mock/plain?delay_ms=60000", max_tokens=99, messages=USER) as stream:
        next(iter(stream))
        assert [it["state"] for it in provider.requests(before)] == ["open"]
    assert provider.wait_for("hung-up", before)["path"] == "/v1/messages"


def test_what_is_asked_for_wrongly_is_refused(provider):
    for model, said in [
        ("mock/plaim", "there is no scenario `plaim`"),
        ("mock/plain?chunk=3", "no parameter `chunk`"),
        ("mock/plain?chunks=many", "`chunks=many`"),
        ("mock/rounds?script={}", "`script`"),
    ]:
        with pytest.raises(openai.BadRequestError, match=said.replace("?", r"\?")):
            openai_client(provider).chat.completions.create(model=model, messages=USER)


@pytest.mark.parametrize("sdk", TYPESCRIPT)
def test_the_sdks_for_typescript_read_it_too(provider, sdk):
    seen = typescript(sdk, provider.url)
    assert seen["answers"] == {"": {api: TYPESCRIPT_SAID for api in TYPESCRIPT[sdk]}}
    assert "mock/plain" in seen["models"]
    assert seen["counts"] == {"": 77}
