"""What a list waits for: a slow start for a while, a hung upstream never twice; what comes up later is announced."""

import os
import signal
import time

import pytest

from pipe import Pipe
from tollgate import Gateway, behaving, faults, poll
from wire import LEGACY, MODERN, RpcError, Wire

WAIT_S = 3
SERVER = {"lists_wait_s": WAIT_S}
EVERYTHING = {"default": {"tools_budget_tokens": "off"}}
AT_ONCE_S = 1
LATE_MS = 6000

LISTS = {
    "tools/list": lambda wire: wire.names(),
    "prompts/list": lambda wire: wire.result("prompts/list"),
    "resources/list": lambda wire: wire.result("resources/list"),
    "search_tools": lambda wire: wire.text("search_tools", {"query": "greet somebody"}),
    "an unknown tool": lambda wire: wire.failure("no_such_tool"),
    "an unknown prompt": lambda wire: ask_for_unknown_prompt(wire),
}


@pytest.fixture
def early(tmp_path):
    """Starts gateways that are asked before their upstreams are up."""
    running = []

    def start(upstreams, lists_wait_s=WAIT_S):
        running.append(Gateway(tmp_path, upstreams, EVERYTHING, server={"lists_wait_s": lists_wait_s}))
        running[-1].start(until="/healthz")
        return running[-1]

    yield start
    for instance in running:
        instance.stop()


def ask_for_unknown_prompt(wire):
    with pytest.raises(RpcError):
        wire.result("prompts/get", {"name": "no_such_prompt"})


def timed(work):
    started = time.monotonic()
    return work(), time.monotonic() - started


def test_a_silent_upstream_holds_up_the_first_list_for_a_while_and_no_other(early):
    running = early({"bad": faults("silent"), "good": behaving()})
    wire = Wire(running.url())
    called, seconds = timed(lambda: poll("the good upstream", lambda: wire.text("greet", {"name": "Ada"})))
    assert called == "Hello, Ada!"
    names, seconds = timed(wire.names)
    assert "greet" in names
    assert seconds < WAIT_S + AT_ONCE_S
    for name, ask in LISTS.items():
        _, seconds = timed(lambda ask=ask: ask(wire))
        assert seconds < AT_ONCE_S, name
    assert timed(lambda: wire.text("greet", {"name": "Ada"}))[1] < AT_ONCE_S


def test_an_upstream_that_failed_once_holds_up_no_list_while_it_is_tried_again(early):
    bad = faults("silent", startup_timeout_s=1, restart_initial_ms=100)
    running = early({"bad": bad, "good": behaving()}, lists_wait_s=60)
    wire = Wire(running.url())
    names, seconds = timed(wire.names)
    assert "greet" in names and seconds < 5
    for _ in range(10):
        assert timed(wire.names)[1] < AT_ONCE_S
        time.sleep(0.2)


def test_a_lazy_upstream_is_waited_for_since_it_was_first_wanted(early):
    running = early({"bad": faults("slow-start", "--delay-ms", 1000, start="lazy"), "good": behaving()})
    time.sleep(WAIT_S)
    assert {"greet", "echo"} <= set(Wire(running.url()).names())


def test_an_upstream_that_hangs_at_its_restart_holds_up_no_list_and_stays_listed(early, tmp_path):
    bad = faults("silent-again", "--count-file", tmp_path / "seen", restart_initial_ms=100)
    running = early({"bad": bad, "good": behaving()})
    wire = Wire(running.url())
    process_id = int(poll("the upstream", lambda: wire.text("pid")))
    before = wire.names()
    os.kill(process_id, signal.SIGKILL)
    poll("the restart", lambda: (tmp_path / "seen").read_text().count("started") == 2)
    for name, ask in LISTS.items():
        _, seconds = timed(lambda ask=ask: ask(wire))
        assert seconds < AT_ONCE_S, name
    assert wire.names() == before
    assert timed(lambda: wire.text("greet", {"name": "Ada"}))[1] < AT_ONCE_S


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_an_upstream_that_comes_up_late_is_announced(early, tmp_path, transport, revision):
    upstreams = {"late": faults("slow-start", "--delay-ms", LATE_MS), "good": behaving()}
    if transport == "http":
        assert_announced(Wire(early(upstreams, lists_wait_s=1).url(), revision))
    else:
        with Pipe(tmp_path, upstreams, revision, server={"lists_wait_s": 1}) as pipe:
            assert_announced(pipe)


def assert_announced(client):
    heard = client.hear()
    assert "echo" not in client.names()
    # The other upstream was announced too, when it came up.
    heard.clear()
    poll("the announcement", lambda: "notifications/tools/list_changed" in heard)
    poll("the late tools", lambda: "echo" in client.names())
