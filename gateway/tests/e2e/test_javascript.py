"""Published servers behind the gateway, JavaScript clients before it: SDK 1.x, and client 2.x in both eras."""

import json
import subprocess

import pytest

from servers import document
from tollgate import HERE, MODULES, TOLLGATE, environment, node

CLIENT_S = 120
CLIENTS = {
    "sdk1": ["sdk1.mjs"],
    "client2 legacy": ["client2.mjs", "legacy"],
    "client2 modern": ["client2.mjs", "modern"],
}


@pytest.mark.parametrize("transport", ["http", "stdio"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_javascript_client_can_do_everything(published, client, transport):
    seen = run(published, CLIENTS[client], transport)

    assert seen["protocolVersion"] == ("2026-07-28" if client.endswith("modern") else "2025-11-25")
    assert {"search_tools", "describe_tool", "call_tool"} <= set(seen["tools"])
    assert "convert_time" in seen["search"]
    assert json.loads(seen["describe"])["inputSchema"]["properties"]["source_timezone"]["type"] == "string"
    assert seen["direct"] == "The sum of 2 and 40 is 42."
    assert seen["meta"] == "Echo: Ada"
    assert seen["resource"] == document("features.md")
    assert {"simple-prompt", "args-prompt", "completable-prompt"} <= set(seen["prompts"])
    assert seen["prompt"] == "What's weather in Paris, Texas?"
    assert seen["completion"] == ["Engineering"]
    assert seen["progress"]["arrived"] == [[step, 5] for step in range(1, 6)]
    assert seen["progress"]["passedOn"] in ([[step, 5] for step in range(1, last)] for last in (5, 6))
    assert "changed my mind" in seen["cancelled"]["reason"]
    assert seen["cancelled"]["next"] == "Echo: still here"
    assert seen["announced"] is True


def run(published, script, transport):
    """What the client printed."""
    home = published.config.parent
    target = [published.url()]
    if transport == "stdio":
        target = [TOLLGATE, "mcp", "--config", str(published.config)]
    finished = subprocess.run(
        [node(), str(HERE / script[0]), *script[1:], transport, *target],
        cwd=MODULES.parent,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=CLIENT_S,
    )
    assert finished.returncode == 0, finished.stderr[-3000:] + published.log_tail(1000)
    return json.loads(finished.stdout.splitlines()[-1])
