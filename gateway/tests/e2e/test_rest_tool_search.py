"""Tools that are left to the provider's own search: what it is sent, and that its steps pass to the client and back."""

import json

import pytest

from provider import Provider, scenario
from sdks import anthropic_client, openai_client
from test_rest import NAMES, Rest, explained, post, providers, scripted, started, tools

LONG = "Works on the page of a project. " + "It has many sides. " * 20
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
RULES = {"tools_budget_tokens": 400, "tool_search": "provider"}
SEARCHES = {"messages": "tool_search_tool_bm25_20251119", "responses": "tool_search"}
PATHS = {"messages": "/v1/messages", "responses": "/v1/responses", "chat": "/v1/chat/completions"}

ANTHROPIC_STEPS = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "tool_search_tool_bm25", "input": {"query": "page"}},
    {
        "type": "tool_search_tool_result",
        "tool_use_id": "srvtoolu_1",
        "content": {
            "type": "tool_search_tool_search_result",
            "tool_references": [{"type": "tool_reference", "tool_name": "drop_page"}],
        },
    },
]
OPENAI_STEPS = [
    {
        "type": "tool_search_call",
        "id": "tsc_1",
        "execution": "server",
        "call_id": None,
        "status": "completed",
        "arguments": {"query": "page"},
    },
    {
        "type": "tool_search_output",
        "id": "tso_1",
        "execution": "server",
        "call_id": None,
        "status": "completed",
        "tools": [{"type": "function", "name": "drop_page", "parameters": SCHEMA, "strict": False}],
    },
]


def anthropic_tools(names):
    return [{"name": it, "description": f"The {it.replace('_', ' ')}. " + LONG, "input_schema": SCHEMA} for it in names]


def responses_tools(names):
    return [{"type": "function", **it["function"], "strict": False} for it in tools(names)]


TOOLS = {"messages": anthropic_tools, "responses": responses_tools, "chat": tools}


@pytest.fixture(scope="module")
def provider():
    with Provider() as running:
        yield running


@pytest.fixture(scope="module")
def searching(provider, tmp_path_factory):
    """All routes leave tools to the provider's search, which two of the three providers have."""
    known = providers(provider.url)
    for api in SEARCHES:
        known[api]["tool_search"] = ["mock/*"]
    folder = tmp_path_factory.mktemp("searching")
    with started(folder, provider.url, providers=known, route_defaults=RULES) as running:
        yield Rest(running)


def body(api, model, text="drop the page"):
    asked = {"model": model, "tools": TOOLS[api](NAMES)}
    if api == "responses":
        return {**asked, "input": text}
    return {**asked, "max_tokens": 99, "messages": [{"role": "user", "content": text}]}


def sent_tools(provider, since):
    return [json.loads(it["body"])["tools"] for it in provider.requests(since)]


@pytest.mark.parametrize("api", SEARCHES)
def test_what_is_left_out_is_deferred(provider, searching, api):
    since = provider.next_number()
    asked = body(api, f"{api}/mock/plain")
    status, headers, text = post(searching.url, PATHS[api], asked)
    assert status == 200, text
    (sent,) = sent_tools(provider, since)

    assert sent[0]["type"] == SEARCHES[api] and "defer_loading" not in sent[0]
    deferred = {it["name"]: it for it in sent[1:] if it.pop("defer_loading", False)}
    listed = [it["name"] for it in sent[1:] if it["name"] not in deferred]
    assert "drop_page" in listed and len(listed) < len(deferred)
    assert sorted([*listed, *deferred]) == sorted(NAMES)
    # What is deferred is as the client wrote it.
    assert all(deferred[it["name"]] == it for it in asked["tools"] if it["name"] in deferred)
    shown = explained(searching, headers)["tools"]
    assert (shown["search"], shown["full"], shown["left_out"]) == ("provider", len(listed), len(deferred))
    assert int(headers["x-tollgate-tokens-sent"]) < int(headers["x-tollgate-tokens-before"])


def test_the_list_stays_for_the_rest_of_the_conversation(provider, searching):
    since = provider.next_number()
    asked = body("messages", "messages/mock/plain")
    later = [{"role": "assistant", "content": "done"}, {"role": "user", "content": "list every ticket"}]
    for messages in (asked["messages"], asked["messages"] + later):
        assert post(searching.url, "/v1/messages", {**asked, "messages": messages})[0] == 200
    first, second = sent_tools(provider, since)
    assert first == second


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_steps_of_anthropics_search_pass_to_the_client_and_back(provider, searching, streamed):
    since = provider.next_number()
    found = {"native": ANTHROPIC_STEPS, "calls": [{"name": "drop_page", "arguments": {"path": "x"}}]}
    client = anthropic_client(searching)
    asked = body("messages", scripted("messages", found, "dropped"))

    if streamed:
        with client.messages.stream(**asked) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**asked)
    assert [it.type for it in answer.content] == ["server_tool_use", "tool_search_tool_result", "tool_use"]
    call = answer.content[2]
    assert (call.name, call.input) == ("drop_page", {"path": "x"})

    history = [it.model_dump(exclude_none=True) for it in answer.content]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "gone"}
    asked["messages"] += [{"role": "assistant", "content": history}, {"role": "user", "content": [result]}]
    assert client.messages.create(**asked).content[0].text == "dropped"

    _, second = (json.loads(it["body"]) for it in provider.requests(since))
    assert second["messages"][1]["content"][:2] == ANTHROPIC_STEPS
    first, again = sent_tools(provider, since)
    assert first == again


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_steps_of_openais_search_pass_to_the_client_and_back(provider, searching, streamed):
    since = provider.next_number()
    found = {"native": OPENAI_STEPS, "calls": [{"name": "drop_page", "arguments": {"path": "x"}}]}
    client = openai_client(searching)
    asked = body("responses", scripted("responses", found, "dropped"))

    if streamed:
        with client.responses.stream(**asked) as stream:
            answer = stream.get_final_response()
    else:
        answer = client.responses.create(**asked)
    assert [it.type for it in answer.output] == ["tool_search_call", "tool_search_output", "function_call"]

    result = {"type": "function_call_output", "call_id": answer.output[2].call_id, "output": "gone"}
    history = [it.model_dump(exclude_unset=True, exclude={"parsed_arguments"}) for it in answer.output]
    again = [{"role": "user", "content": asked.pop("input")}, *history, result]
    assert client.responses.create(**asked, input=again).output_text == "dropped"

    _, second = (json.loads(it["body"]) for it in provider.requests(since))
    assert [it for it in second["input"] if it.get("type", "").startswith("tool_search")] == OPENAI_STEPS


@pytest.mark.parametrize(
    "api,model",
    [("chat", "chat/mock/plain"), ("chat", "messages/mock/plain"), ("messages", "responses/mock/plain")],
    ids=["no search in the format", "another format behind", "another search behind"],
)
def test_elsewhere_the_gateway_searches_itself(provider, searching, api, model):
    since = provider.next_number()
    status, headers, text = post(searching.url, PATHS[api], body(api, model))
    assert status == 200, text
    (sent,) = sent_tools(provider, since)
    assert "defer_loading" not in json.dumps(sent) and "search_tools" in json.dumps(sent)
    assert explained(searching, headers)["tools"]["search"] == "gateway"


def test_a_route_needs_targets_that_search(provider, tmp_path):
    """One target without a search, by default: whoever answers must be able to read the history."""
    known = {**providers(provider.url), "old": {"base_url": provider.url + "/v1", "protocols": ["anthropic"]}}
    known["messages"]["tool_search"] = ["mock/*"]
    routes = {"mixed": {"targets": ["messages/mock/plain", "old/mock/plain"]}}
    with started(tmp_path, provider.url, providers=known, route_defaults=RULES, routes=routes) as running:
        since = provider.next_number()
        assert post(Rest(running).url, "/v1/messages", body("messages", "mixed"))[0] == 200
        assert "defer_loading" not in provider.requests(since)[0]["body"]


def test_a_search_that_the_client_brings_is_not_added_again(provider, searching):
    since = provider.next_number()
    own = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
    asked = body("messages", "messages/mock/plain")
    asked["tools"].insert(0, own)
    assert post(searching.url, "/v1/messages", asked)[0] == 200
    (sent,) = sent_tools(provider, since)
    assert [it for it in sent if it.get("type", "").startswith("tool_search")] == [own]
    assert sum("defer_loading" in it for it in sent) > 8


def test_a_tool_that_is_chosen_is_listed(provider, searching):
    since = provider.next_number()
    chosen = {"tool_choice": {"type": "tool", "name": "list_ticket"}}
    asked = {**body("messages", "messages/mock/" + scenario("tool", name="list_ticket")), **chosen}
    assert post(searching.url, "/v1/messages", asked)[0] == 200
    (sent,) = sent_tools(provider, since)
    assert "list_ticket" in [it["name"] for it in sent if "defer_loading" not in it]
