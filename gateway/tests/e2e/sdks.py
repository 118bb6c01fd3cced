"""The official SDKs, each whole and streamed, and what an answer says in words that belong to no API."""

import json
import subprocess

import anthropic
import openai

from provider import scenario
from tollgate import HERE, MODULES, node

KEY = "key-of-a-test"
USER = [{"role": "user", "content": "Hello"}]
WEATHER = {"city": "Paris", "unit": "celsius"}
HELLO = "Hello from the mock provider."
MARK = 'naïve "quote" 工具 👩‍👩‍👧'

SAID = {"text": "", "thinking": "", "refusal": "", "calls": [], "stop": "end", "usage": None}
"""What an answer consists of, in words that belong to no API."""

SCRIPT = [
    "first",
    {"text": "Let me see.", "calls": [{"name": "search_tools", "arguments": {"query": "weather"}}]},
    "last",
]

SCENARIOS = {
    "plain": (scenario("plain"), {"text": HELLO}),
    "text": (scenario("plain", text=MARK, chunks=7), {"text": MARK}),
    "33 chunks": (scenario("plain", chunks=33), {"text": "word " * 33}),
    "one byte at a time": (scenario("plain", text=MARK, split=1), {"text": MARK}),
    "one write": (scenario("plain", burst=1), {"text": HELLO}),
    "tool": (scenario("tool"), {"calls": [("get_weather", WEATHER)], "stop": "calls"}),
    "tool split": (
        scenario("tool", name="call_tool", args={"name": MARK}, split=1, chunks=99),
        {"calls": [("call_tool", {"name": MARK})], "stop": "calls"},
    ),
    "tools": (
        scenario("tools", n=3, split=7),
        {"calls": [("get_weather", {"city": city}) for city in ("Paris", "Oslo", "Lima")], "stop": "calls"},
    ),
    "script": (scenario("rounds", script=SCRIPT), {"text": "first"}),
    "thoughts": (scenario("reasoning", thinking="Hm.", text="Yes."), {"thinking": "Hm.", "text": "Yes."}),
    "refusal": (scenario("refusal"), {"refusal": "I cannot help with that.", "stop": "refusal"}),
    "length": (scenario("length"), {"text": "Hello from the mock", "stop": "length"}),
    "usage": (scenario("plain", prompt=100, cached=64, completion=9), {"text": HELLO, "usage": (100, 64, 9)}),
}


class StreamFailed(Exception):
    """A stream of responses ended with an error event."""


def openai_client(provider, **options):
    return openai.OpenAI(base_url=provider.url + "/v1", api_key=KEY, **options)


def anthropic_client(provider, **options):
    return anthropic.Anthropic(base_url=provider.url, api_key=KEY, **options)


def chat(provider, model, streamed):
    completions = openai_client(provider).chat.completions
    if streamed:
        options = {"include_usage": True}
        with completions.stream(model=model, messages=USER, stream_options=options) as stream:
            try:
                completion = stream.get_final_completion()
            except openai.LengthFinishReasonError as error:
                completion = error.completion
            except openai.ContentFilterFinishReasonError:
                completion = stream.current_completion_snapshot
    else:
        completion = completions.create(model=model, messages=USER)
    message, usage = completion.choices[0].message, completion.usage
    calls = [(it.function.name, json.loads(it.function.arguments)) for it in message.tool_calls or []]
    stops = {
        "stop": "refusal" if message.refusal else "end",
        "length": "length",
        "tool_calls": "calls",
        "content_filter": "filter",
    }
    return {
        "text": message.content or "",
        "thinking": getattr(message, "reasoning_content", None) or "",
        "refusal": message.refusal or "",
        "calls": calls,
        "stop": stops[completion.choices[0].finish_reason],
        "usage": (usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens, usage.completion_tokens),
    }


def responses(provider, model, streamed):
    client = openai_client(provider).responses
    if streamed:
        last = None
        with client.stream(model=model, input="Hello") as stream:
            for event in stream:
                last = event
        if last.type == "error":
            # The SDK hands this event on; it raises those of the other APIs.
            raise StreamFailed(last.message)
        assert last.type in ("response.completed", "response.incomplete")
        response = last.response
    else:
        response = client.create(model=model, input="Hello")
    contents = [content for item in response.output if item.type == "message" for content in item.content]
    calls = [(it.name, json.loads(it.arguments)) for it in response.output if it.type == "function_call"]
    refusal = "".join(it.refusal for it in contents if it.type == "refusal")
    why = response.incomplete_details.reason if response.incomplete_details else None
    stop = "calls" if calls else "refusal" if refusal else STOPS[why]
    usage = response.usage
    return {
        "text": response.output_text,
        "thinking": "".join(it.summary[0].text for it in response.output if it.type == "reasoning"),
        "refusal": refusal,
        "calls": calls,
        "stop": stop,
        "usage": (usage.input_tokens, usage.input_tokens_details.cached_tokens, usage.output_tokens),
    }


def messages(provider, model, streamed):
    client = anthropic_client(provider).messages
    if streamed:
        with client.stream(model=model, max_tokens=99, messages=USER) as stream:
            message = stream.get_final_message()
    else:
        message = client.create(model=model, max_tokens=99, messages=USER)
    text = "".join(it.text for it in message.content if it.type == "text")
    stops = {"end_turn": "end", "max_tokens": "length", "tool_use": "calls", "refusal": "refusal"}
    refused = message.stop_reason == "refusal"
    cached = message.usage.cache_read_input_tokens
    return {
        "text": "" if refused else text,
        "thinking": "".join(it.thinking for it in message.content if it.type == "thinking"),
        "refusal": text if refused else "",
        "calls": [(it.name, it.input) for it in message.content if it.type == "tool_use"],
        "stop": stops[message.stop_reason],
        "usage": (message.usage.input_tokens + cached, cached, message.usage.output_tokens),
    }


STOPS = {None: "end", "max_output_tokens": "length", "content_filter": "filter"}
"""Why a response is incomplete."""

TYPESCRIPT = {"openai": ["chat", "responses"], "anthropic": ["messages"]}
"""The SDKs for TypeScript, and the APIs that each speaks."""

TYPESCRIPT_SAID = {
    "text": [HELLO] * 2,
    "call": [[["get_weather", WEATHER]]] * 2,
    "parallel": [[["get_weather", {"city": city}] for city in ("Paris", "Oslo", "Lima")]] * 2,
    "status": [429, 500],
}
"""What every API of theirs says, whole and streamed."""

TYPESCRIPT_S = 60


def typescript(sdk, url, *prefixes):
    """What `provider-sdks.mjs` prints."""
    command = [node(), str(HERE / "provider-sdks.mjs"), sdk, url, *prefixes]
    finished = subprocess.run(command, cwd=MODULES.parent, capture_output=True, text=True, timeout=TYPESCRIPT_S)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return json.loads(finished.stdout)


APIS = {"chat": chat, "responses": responses, "messages": messages}
