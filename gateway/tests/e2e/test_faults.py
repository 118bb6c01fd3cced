"""Upstreams that misbehave: the client gets a clear error or the right answer, and the other upstreams never notice."""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tollgate import (
    LEGAL_NAME,
    MAX_BYTES_A_TOKEN,
    META_TOOLS,
    ROOT,
    Gateway,
    behaving,
    bytes_for_the_model,
    command,
    faults,
    poll,
)
from wire import LEGACY, MODERN, RpcError, Wire, array

EVERYTHING = {"default": {"tools_budget_tokens": "off"}}
BUDGET_TOKENS = 4000

RAW = ROOT / "gateway/fixture/src/faults"
RAW_TOOLS = (RAW / "raw_tools.json").read_bytes().strip()
RAW_RESULT = (RAW / "raw_result.json").read_bytes().strip()
REVISIONS = [LEGACY, MODERN]


def assert_alive(gateway):
    """Up, and a call to another upstream works."""
    assert gateway.status("/healthz") == 200
    assert Wire(gateway.url()).text("greet", {"name": "Ada"}) == "Hello, Ada!"


def assert_clear(message):
    """A model that reads it knows that the call failed, and where."""
    assert "bad" in message, message
    assert len(message) < 1000, message


def lines(path):
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def ends(process_id):
    """A process that is gone, or dead and only not yet collected."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


# Processes that end, hang or are late.


def test_a_crash_in_mid_call_is_an_error_and_the_next_call_works(gateway):
    running = gateway({"bad": faults("crash"), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    assert_clear(wire.failure("crash"))
    assert_alive(running)
    assert poll("restart of the upstream", lambda: wire.text("echo", {"n": 1})) == '{"n":1}'


def test_a_killed_upstream_is_started_again(gateway):
    running = gateway({"bad": faults("hang"), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    for _ in range(3):
        process_id = int(wire.text("pid"))
        os.kill(process_id, signal.SIGKILL)
        successor = poll("restart of the upstream", lambda: int(wire.text("pid")))
        assert successor != process_id
        assert_alive(running)


def test_a_call_that_hangs_ends_after_its_timeout_and_is_cancelled_upstream(gateway, tmp_path):
    seen = tmp_path / "seen"
    running = gateway({"bad": faults("hang", "--count-file", seen, call_timeout_s=2), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    started = time.monotonic()
    message = wire.failure("hang")
    assert 1.5 < time.monotonic() - started < 10
    assert_clear(message)
    poll("cancellation at the upstream", lambda: "cancelled" in lines(seen), timeout_s=10)
    assert wire.text("echo", {"still": "here"}) == '{"still":"here"}'
    assert_alive(running)


def test_a_hanging_call_does_not_hold_up_others_of_the_same_upstream(gateway, tmp_path):
    seen = tmp_path / "seen"
    bad = faults("hang", "--count-file", seen, call_timeout_s=6)
    running = gateway({"bad": bad, "good": behaving()}, EVERYTHING)
    hanging = threading.Thread(target=lambda: Wire(running.url()).failure("hang"), daemon=True)
    hanging.start()
    poll("hanging call", lambda: lines(seen) == ["hang"])
    wire = Wire(running.url())
    for n in range(20):
        assert json.loads(wire.text("echo", {"n": n})) == {"n": n}
    assert hanging.is_alive()
    hanging.join(timeout=40)
    assert not hanging.is_alive()


def test_a_cancellation_by_the_client_reaches_the_upstream(gateway, tmp_path):
    seen = tmp_path / "seen"
    running = gateway({"bad": faults("hang", "--count-file", seen), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url(), timeout_s=5)
    params = {"name": "hang", "arguments": {}}

    def ask():
        # A cancelled request gets no answer.
        with contextlib.suppress(OSError, AssertionError):
            wire.request("tools/call", params, request_id="mine")

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    poll("call at the upstream", lambda: lines(seen) == ["hang"])
    wire.notify("notifications/cancelled", {"requestId": "mine", "reason": "changed my mind"})
    poll("cancellation at the upstream", lambda: lines(seen) == ["hang", "cancelled"], timeout_s=10)
    asking.join()
    assert_alive(running)


def test_a_client_of_2026_cancels_by_hanging_up(gateway, tmp_path):
    seen = tmp_path / "seen"
    running = gateway({"bad": faults("hang", "--count-file", seen), "good": behaving()}, EVERYTHING)
    connection = Wire(running.url(), MODERN).send("tools/call", {"name": "hang", "arguments": {}})
    poll("call at the upstream", lambda: lines(seen) == ["hang"])
    connection.close()
    poll("cancellation at the upstream", lambda: lines(seen) == ["hang", "cancelled"], timeout_s=10)
    assert_alive(running)


def test_an_upstream_that_starts_slowly_works_once_it_is_there(gateway):
    running = gateway({"bad": faults("slow-start", "--delay-ms", 3000), "good": behaving()}, EVERYTHING)
    assert_alive(running)
    wire = Wire(running.url())
    assert poll("answer of the slow upstream", lambda: wire.text("echo", {"late": True})) == '{"late":true}'


@pytest.mark.parametrize(
    "bad",
    [faults("slow-start", "--delay-ms", 600_000, startup_timeout_s=1), command("/nonexistent/server")],
    ids=["never answers", "no such program"],
)
def test_an_upstream_that_never_starts_costs_only_its_own_tools(gateway, bad):
    running = gateway({"bad": bad, "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    names = poll("list without the dead upstream", wire.names)
    assert "greet" in names and "echo" not in names
    assert_alive(running)


def test_the_gateway_ends_in_good_order_and_takes_its_children_with_it(gateway):
    running = gateway({"bad": faults("hang"), "good": behaving()}, EVERYTHING)
    process_id = int(Wire(running.url()).text("pid"))
    assert not ends(process_id)
    assert running.stop() == 0
    poll("end of the upstream", lambda: ends(process_id), timeout_s=10)


# No call is ever run twice.


@pytest.mark.parametrize("tool", ["die", "die_read_only"])
@pytest.mark.parametrize("revision", REVISIONS)
def test_a_call_whose_upstream_dies_is_never_run_again(gateway, tmp_path, tool, revision):
    seen = tmp_path / "seen"
    running = gateway({"bad": faults("flaky-count", "--count-file", seen), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url(), revision)
    assert_clear(wire.failure(tool))
    poll("restart of the upstream", lambda: wire.text("echo"))
    assert lines(seen).count(tool) == 1
    assert_clear(wire.failure("call_tool", {"name": tool, "arguments": {}}))
    poll("restart of the upstream", lambda: wire.text("echo"))
    assert lines(seen).count(tool) == 2


def test_a_call_whose_upstream_is_killed_is_never_run_again(gateway, tmp_path):
    seen = tmp_path / "seen"
    running = gateway({"bad": faults("hang", "--count-file", seen), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    process_id = int(wire.text("pid"))
    said = []
    calling = threading.Thread(target=lambda: said.append(Wire(running.url()).failure("hang")), daemon=True)
    calling.start()
    poll("call at the upstream", lambda: lines(seen) == ["pid", "hang"])
    os.kill(process_id, signal.SIGKILL)
    calling.join(timeout=30)
    assert_clear(said[0])
    poll("restart of the upstream", lambda: int(wire.text("pid")) != process_id)
    assert lines(seen).count("hang") == 1


# What an upstream writes.


def test_garbage_between_messages_is_skipped(gateway):
    running = gateway({"bad": faults("garbage"), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    for n in range(10):
        assert json.loads(wire.text("echo", {"n": n})) == {"n": n}
    assert_alive(running)


def test_bytes_that_are_not_utf8_never_reach_a_client(gateway):
    running = gateway({"bad": faults("invalid-utf8", call_timeout_s=5), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    answer = wire.request("tools/call", {"name": "invalid_utf8", "arguments": {}})
    message = json.loads(answer.decode("utf-8"))
    if "result" in message and not message["result"].get("isError"):
        assert message["result"]["content"][0]["text"].startswith("caf")
    assert poll("next answer", lambda: wire.text("echo", {"n": 1})) == '{"n":1}'
    assert_alive(running)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_result_of_50_megabytes_arrives_whole(gateway, revision):
    size = 50_000_000
    running = gateway({"bad": faults("huge", "--bytes", size), "good": behaving()}, EVERYTHING)
    text = Wire(running.url(), revision, timeout_s=120).text("huge")
    pattern = "0123456789abcdefghijklmnopqrstuvwxyz."
    assert text == (pattern * (size // len(pattern) + 1))[:size]
    assert_alive(running)


def test_a_result_beyond_the_limit_is_refused(gateway):
    bad = faults("huge", "--bytes", 3_000_000, max_message_bytes=1_000_000, call_timeout_s=5)
    running = gateway({"bad": bad, "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    assert_clear(wire.failure("huge"))
    assert poll("next answer", lambda: wire.text("echo", {"n": 1})) == '{"n":1}'
    assert_alive(running)


# Lists that are long, odd or equal.


def test_ten_thousand_tools_fit_the_budget_and_each_is_found_described_and_called(gateway):
    upstreams = {"bad": faults("many-tools"), "good": behaving()}
    profiles = {"default": {"tools_budget_tokens": BUDGET_TOKENS}, "all": {"tools_budget_tokens": "off"}}
    running = gateway(upstreams, profiles)
    wire = Wire(running.url())
    listed = wire.tools()
    assert {tool["name"] for tool in listed} >= META_TOOLS
    assert bytes_for_the_model(listed) < BUDGET_TOKENS * MAX_BYTES_A_TOKEN

    everything = [name for name in Wire(running.url("all")).names() if name.rpartition("_")[2].isdigit()]
    assert len(set(everything)) == 10_000
    for name in everything[::97]:
        assert name in wire.text("search_tools", {"query": name})
        number = name.rpartition("_")[2]
        assert name in wire.text("search_tools", {"query": f"the one with the number {number}"})
    for name in everything[::499]:
        assert json.loads(wire.text("describe_tool", {"name": name}))["inputSchema"]["required"] == ["id"]
        assert wire.text("call_tool", {"name": name, "arguments": {"id": "7"}}) == f"ran {name}"
        assert wire.text(name, {"id": "7"}) == f"ran {name}"
    assert_alive(running)


@pytest.mark.parametrize("names", ["on_collision", "always"])
def test_odd_names_become_legal_ones_that_can_all_be_called(gateway, names):
    running = gateway(
        {"bad": faults("odd-names"), "good": behaving()}, {"default": {**EVERYTHING["default"], "names": names}}
    )
    wire = Wire(running.url())
    tools = wire.tools()
    assert [tool["name"] for tool in tools if not LEGAL_NAME.fullmatch(tool["name"])] == []
    assert len({tool["name"] for tool in tools}) == len(tools)

    odd = [tool["name"] for tool in tools if tool["description"].startswith("Odd name number")]
    assert len(odd) == 22
    ran = {wire.text(name) for name in odd}
    assert len(ran) == 22
    assert {"ran with space", "ran dots.and.more", "ran 工具查询", "ran line\nbreak", "ran " + "x" * 300} <= ran
    assert {wire.text("call_tool", {"name": name, "arguments": {}}) for name in odd} == ran


def test_two_upstreams_with_the_same_tools_are_both_callable(gateway):
    upstreams = {label: faults("same-tools", "--label", label) for label in ("first", "second")}
    running = gateway(upstreams, EVERYTHING)
    wire = Wire(running.url())
    names = wire.names()
    assert len(names) == len(set(names))
    ran = {wire.text(name) for name in names if name not in META_TOOLS}
    tools = ["search", "read_document", "write_document"]
    assert ran == {f"{label}: ran {tool}" for label in upstreams for tool in tools}


@pytest.mark.parametrize("budget", ["off", 1500])
def test_cyclic_schemas_are_listed_described_and_called(gateway, budget):
    running = gateway(
        {"bad": faults("cyclic-schema"), "good": behaving()}, {"default": {"tools_budget_tokens": budget}}
    )
    wire = Wire(running.url())
    described = json.loads(wire.text("describe_tool", {"name": "tree"}))
    assert described["inputSchema"]["$defs"]["node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/node"}
    if budget == "off":
        assert {"tree", "itself", "nowhere"} <= set(wire.names())
    root = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}
    assert wire.text("tree", {"root": root}) == "ran tree"
    assert wire.text("itself", {"inner": {"inner": {}}}) == "ran itself"
    assert wire.text("nowhere") == "ran nowhere"
    assert_alive(running)


def test_arguments_that_break_the_schema_are_refused_with_the_reason(gateway, tmp_path):
    seen = tmp_path / "seen"
    running = gateway({"bad": faults("cyclic-schema", "--count-file", seen), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    assert "root" in wire.failure("call_tool", {"name": "tree", "arguments": {}})
    assert "name" in wire.failure("tree", {"root": {"children": [{}]}})
    assert lines(seen) == []


def test_an_unknown_tool_is_an_error_that_names_it(gateway):
    running = gateway({"good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    assert "no_such_tool" in wire.failure("no_such_tool")
    assert "no_such_tool" in wire.failure("call_tool", {"name": "no_such_tool", "arguments": {}})
    assert "no_such_tool" in wire.failure("describe_tool", {"name": "no_such_tool"})
    with pytest.raises(RpcError):
        wire.result("prompts/get", {"name": "no_such_prompt"})


@pytest.mark.parametrize("revision", REVISIONS)
def test_who_looks_for_a_tool_is_told_which_upstreams_are_down(gateway, revision):
    bad = faults("exit-at-start")
    running = gateway({"bad": bad, "worse": command("/nonexistent/server"), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url(), revision)
    told = [
        wire.failure("no_such_tool"),
        wire.failure("call_tool", {"name": "no_such_tool", "arguments": {}}),
        wire.failure("describe_tool", {"name": "no_such_tool"}),
        wire.text("search_tools", {"query": "greet somebody"}),
        wire.text("search_tools", {"query": ""}),
        wire.text("search_tools", {"query": "x", "server": "bad"}),
    ]
    for text in told:
        assert "Upstream `bad` is down: exited (exit status: 3); its last words: `boom: no config file`." in text
        assert "Upstream `worse` is down: `/nonexistent/server` could not be started" in text
    assert b"is down" not in wire.request("tools/list")


def test_nothing_is_said_of_upstreams_that_are_up(gateway):
    wire = Wire(gateway({"good": behaving()}, EVERYTHING).url())
    assert "pstream" not in wire.failure("no_such_tool")
    assert "is down" not in wire.text("search_tools", {"query": "greet somebody"})


# Bytes that must not change.


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_list_without_a_budget_keeps_every_byte_of_a_definition(gateway, revision):
    running = gateway({"raw": faults("raw")}, EVERYTHING)
    body = Wire(running.url(), revision).request("tools/list")
    assert RAW_TOOLS[1:-1] in body


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("way", ["directly", "through call_tool"])
def test_a_result_keeps_every_byte(gateway, revision, way):
    running = gateway({"raw": faults("raw")}, EVERYTHING)
    wire = Wire(running.url(), revision)
    if way == "directly":
        body = wire.request("tools/call", {"name": "odd_result", "arguments": {"a": 1, "b": 2}})
    else:
        arguments = {"name": "odd_result", "arguments": {"a": 1, "b": 2}}
        body = wire.request("tools/call", {"name": "call_tool", "arguments": arguments})
    # The gateway may add members, `resultType` for one, and takes none away.
    assert RAW_RESULT[1:-1] in body


@pytest.mark.parametrize("way", ["directly", "through call_tool"])
def test_arguments_keep_every_byte(gateway, way):
    running = gateway({"raw": faults("raw")}, EVERYTHING)
    arguments = '{"z":1.0e5,"a":12345678901234567890123,"m":{"b":-0.0,"a":[1.50,null]}}'
    call = f'{{"name":"echo_raw","arguments":{arguments}}}'
    if way == "through call_tool":
        call = f'{{"name":"call_tool","arguments":{call}}}'
    result = Wire(running.url()).result("tools/call", call)
    assert result["content"][0]["text"] == arguments


@pytest.mark.parametrize("budget", ["off", 1500])
def test_the_list_is_the_same_bytes_every_time_and_after_a_restart(tmp_path, budget):
    upstreams = {
        "a": faults("same-tools", "--label", "a"),
        "b": faults("same-tools", "--label", "b"),
        "c": behaving(),
        "d": faults("many-tools", "--tools", 300),
    }
    seen = set()
    with Gateway(tmp_path, upstreams, {"default": {"tools_budget_tokens": budget}}) as running:
        for _ in range(2):
            for revision in REVISIONS:
                for _ in range(3):
                    wire = Wire(running.url(), revision)
                    seen.add(array(wire.request("tools/list"), "tools"))
                    wire.text("search_tools", {"query": "archive an invoice"})
                    wire.text("call_tool", {"name": "greet", "arguments": {"name": "Ada"}})
            running.stop()
            running.start()
    assert len(seen) == 1
    assert len(seen.pop()) > 1000
