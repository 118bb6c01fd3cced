"""Public counters of whole requests on the recordings that ours counted, row by row beside ours.

    pip install litellm tiktoken
    cargo run -p tollgate-tokenizers --release --example request_counts -- DIR --json > ours.json
    python tokenizers/examples/request_counts/peers.py DIR ours.json

Peers are LiteLLM's `token_counter` and the counter of OpenAI's cookbook ("How to count tokens with tiktoken", sections 6
and 7) on tiktoken. Both read chat messages; requests in another format are turned into that, as LiteLLM's proxy does.
Every cell is: exact % (mean absolute error %).
"""

import importlib.metadata
import importlib.util
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

# LiteLLM ships the two vocabularies that are needed; with them nothing is downloaded.
SHIPPED = Path(importlib.util.find_spec("litellm").submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(SHIPPED))
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm  # noqa: E402
import tiktoken  # noqa: E402


def text(content):
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part.get("text") or "" for part in content if isinstance(part, dict))


def call(name, arguments):
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}


def of_anthropic(body):
    messages = [{"role": "system", "content": text(body["system"])}] if body.get("system") else []
    for message in body["messages"]:
        blocks = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
        turn = {"role": message["role"], "content": text(blocks)}
        calls = [call(it["name"], json.dumps(it.get("input"))) for it in blocks if it.get("type") == "tool_use"]
        messages.append(turn | ({"tool_calls": calls} if calls else {}))
        results = [it for it in blocks if it.get("type") == "tool_result"]
        messages += [{"role": "tool", "tool_call_id": "c", "content": text(it.get("content"))} for it in results]
    tools = [function(it, it["input_schema"]) for it in body.get("tools") or [] if "input_schema" in it]
    return messages, tools


def of_responses(body):
    messages = [{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []
    items = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
    for item in items:
        match item.get("type", "message"):
            case "message":
                messages.append({"role": item["role"], "content": text(item["content"])})
            case "function_call":
                turn = {"role": "assistant", "content": "", "tool_calls": [call(item["name"], item["arguments"])]}
                messages.append(turn)
            case "function_call_output":
                messages.append({"role": "tool", "tool_call_id": "c", "content": text(item["output"])})
    tools = [function(it, it.get("parameters")) for it in body.get("tools") or [] if it.get("type") == "function"]
    return messages, tools


def function(tool, schema):
    described = {"name": tool["name"], "description": tool.get("description") or "", "parameters": schema or {}}
    return {"type": "function", "function": described}


def request(line):
    body = line["request"]
    if line["kind"].startswith("openai.chat"):
        messages = [it | {"content": text(it.get("content"))} for it in body["messages"]]
        return messages, body.get("tools") or []
    if line["kind"].startswith("openai.responses"):
        return of_responses(body)
    if line["kind"].startswith("anthropic"):
        return of_anthropic(body)
    return None


def by_litellm(model, messages, tools):
    return litellm.token_counter(model=model, messages=messages, tools=tools or None)


def by_cookbook(model, messages, tools):
    try:
        encoding = tiktoken.encoding_for_model(model)
    except KeyError:
        encoding = tiktoken.get_encoding("o200k_base")
    size = lambda it: len(encoding.encode(it, disallowed_special=()))  # noqa: E731
    total = 3
    for message in messages:
        total += 3 + sum(size(it) for it in message.values() if isinstance(it, str)) + ("name" in message)
    return total + (of_functions(size, encoding.name, tools) if tools else 0)


def of_functions(size, encoding, tools):
    start, per_property, key = (7, 3, 3) if encoding == "o200k_base" else (10, 3, 3)
    total = 12
    for tool in tools:
        it = tool.get("function") or {}
        total += start + size(f"{it.get('name')}:{(it.get('description') or '').rstrip('.')}")
        properties = (it.get("parameters") or {}).get("properties") or {}
        total += per_property if properties else 0
        for name, schema in properties.items():
            schema = schema if isinstance(schema, dict) else {}
            total += key + size(f"{name}:{schema.get('type')}:{(schema.get('description') or '').rstrip('.')}")
            total += sum(3 + size(str(word)) for word in schema.get("enum") or []) - (3 if schema.get("enum") else 0)
    return total


PEERS = {"LiteLLM": by_litellm, "cookbook": by_cookbook}


def cell(pairs):
    if not pairs:
        return "-"
    exact = 100 * sum(counted == charged for counted, charged in pairs) / len(pairs)
    error = 100 * sum(abs(counted - charged) / charged for counted, charged in pairs) / len(pairs)
    return f"{exact:.0f} ({error:.1f})"


def main(folder, ours):
    lines = {}
    rows = defaultdict(lambda: defaultdict(list))
    failed = defaultdict(int)
    for it in json.loads(Path(ours).read_text())["recordings"]:
        name, number = it["place"].rsplit(":", 1)
        if name not in lines:
            lines[name] = (Path(folder) / name).read_text().splitlines()
        read = request(json.loads(lines[name][int(number) - 1]))
        row = rows[it["family"], it["shape"]]
        for state in ("cold", "calibrated"):
            row[state].append((it[state][0], it["charged"]))
        for peer, count in PEERS.items() if read else ():
            try:
                row[peer].append((count(it["model"], *read), it["charged"]))
            except Exception as error:
                failed[f"{peer}: {type(error).__name__}"] += 1
    print("LiteLLM", importlib.metadata.version("litellm"), "tiktoken", importlib.metadata.version("tiktoken"))
    columns = ["cold", "calibrated", *PEERS]
    print("| family | shape | n | ours cold | ours calibrated | " + " | ".join(PEERS) + " |")
    print("|---|---|---|---|---|" + "---|" * len(PEERS))
    for (family, shape), row in sorted(rows.items()):
        print("|", " | ".join([family, shape, str(len(row["cold"])), *(cell(row[it]) for it in columns)]), "|")
    for reason, n in failed.items():
        print(f"not counted by {reason}: {n}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("name the folder of recordings and the JSON of the example `request_counts`")
    main(*sys.argv[1:])
