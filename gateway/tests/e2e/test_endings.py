"""No process of an upstream outlives its connection, however that ends, and a failed start says why."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from pipe import Pipe
from tollgate import FIXTURE, STOP_S, TOLLGATE, Gateway, behaving, command, config_text, environment, faults, poll
from wire import LEGACY, MODERN, Wire

EVERYTHING = {"default": {"tools_budget_tokens": "off"}}
GONE_S = 10


def is_gone(process_id):
    """A process that is gone, or dead and only not yet collected."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


class Family:
    """A launcher, the server that it starts, and a helper that outlives them both unless it is killed."""

    def __init__(self, folder, server="sleep 997", before="", **settings):
        self.pids = folder / "pids"
        script = f'{before} sleep 997 & echo "$$ $!" >> {self.pids}; {server}; true'
        self.upstream = command("/bin/sh", "-c", script, **settings)

    def generations(self):
        """The launcher and the helper of every start."""
        lines = self.pids.read_text(encoding="utf-8").splitlines() if self.pids.exists() else []
        return [[int(process_id) for process_id in line.split()] for line in lines]

    def started(self, count=1):
        poll("start of the launcher", lambda: len(self.generations()) >= count)
        return self.generations()[count - 1]

    def assert_gone(self, generation=0):
        for process_id in self.generations()[generation]:
            poll("end of the family", lambda it=process_id: is_gone(it), timeout_s=GONE_S)


SERVES = f"{FIXTURE} faults --mode hang"
DEAF = 'trap "" TERM;'
"""Children inherit that a signal is ignored."""


@pytest.mark.parametrize("before", ["", DEAF], ids=["polite", "deaf"])
@pytest.mark.parametrize("end", ["stdin", "SIGTERM", "SIGINT"])
def test_nothing_is_left_of_a_start_that_the_client_did_not_wait_for(tmp_path, end, before):
    family = Family(tmp_path, before=before)
    with Pipe(tmp_path, {"bad": family.upstream}) as pipe:
        family.started()
        if end == "stdin":
            pipe.process.stdin.close()
        else:
            pipe.process.send_signal(signal.Signals[end])
        assert pipe.process.wait(STOP_S) == 0
    family.assert_gone()


def test_a_call_that_hangs_does_not_hold_up_a_signal(tmp_path):
    family = Family(tmp_path, SERVES)
    with Pipe(tmp_path, {"bad": family.upstream}) as pipe:
        assert "hang" in pipe.names()
        pipe.send("tools/call", {"name": "hang", "arguments": {}})
        time.sleep(0.5)
        pipe.process.terminate()
        assert pipe.process.wait(STOP_S) == 0
    family.assert_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_plan_leaves_nothing_behind(tmp_path, number):
    family = Family(tmp_path)
    config = tmp_path / "plan.toml"
    config.write_text(config_text({"bad": family.upstream}, {}), encoding="utf-8")
    arguments = [TOLLGATE, "plan", "--config", str(config)]
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment(tmp_path), stderr=subprocess.PIPE) as planning:
        family.started()
        planning.send_signal(number)
        assert planning.wait(STOP_S) == 1
        assert b"interrupted" in planning.stderr.read()
    family.assert_gone()


def test_a_second_interrupt_takes_every_process_along(tmp_path):
    family = Family(tmp_path, SERVES, before=DEAF)
    with Gateway(tmp_path, {"bad": family.upstream}, EVERYTHING) as running:
        # A running call holds up the first interrupt.
        hanging = Wire(running.url()).send("tools/call", {"name": "hang", "arguments": {}})
        time.sleep(0.5)
        for _ in range(2):
            running.process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert running.process.wait(STOP_S) == 130
        hanging.close()
    family.assert_gone()


@pytest.mark.parametrize("before", ["", DEAF], ids=["polite", "deaf"])
def test_a_killed_launcher_takes_its_server_along(gateway, tmp_path, before):
    family = Family(tmp_path, SERVES, before=before)
    running = gateway({"bad": family.upstream, "good": behaving()}, EVERYTHING)
    wire = Wire(running.url())
    server = int(wire.text("pid"))
    launcher, _ = family.started()
    os.kill(launcher, signal.SIGKILL)
    poll("restart of the upstream", lambda: int(wire.text("pid")) != server)
    assert is_gone(server)
    family.assert_gone()


def test_a_start_that_took_too_long_is_gone_before_the_next_one(gateway, tmp_path):
    family = Family(tmp_path, before=DEAF, startup_timeout_s=1, restart_initial_ms=1)
    gateway({"bad": family.upstream, "good": behaving()}, EVERYTHING)
    family.started(count=2)
    assert all(is_gone(process_id) for process_id in family.generations()[0])


# What a shutdown waits for.


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_a_client_is_answered_until_its_running_call_is(gateway, revision):
    running = gateway({"bad": faults("hang", call_timeout_s=3), "good": behaving()}, EVERYTHING)
    wire = Wire(running.url(), revision)
    said = []
    calling = threading.Thread(target=lambda: said.append(wire.failure("hang")), daemon=True)
    calling.start()
    time.sleep(0.5)
    running.process.terminate()
    time.sleep(0.5)
    assert "greet" in wire.names()
    calling.join(timeout=10)
    assert "did not answer" in said[0]
    assert "greet" in wire.names()
    assert running.process.wait(5) == 0


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_a_shutdown_ends_after_its_grace_whatever_runs(tmp_path, revision):
    upstreams = {"bad": faults("hang")}
    with Gateway(tmp_path, upstreams, EVERYTHING, server={"shutdown_grace_s": 2}) as running:
        hanging = Wire(running.url(), revision).send("tools/call", {"name": "hang", "arguments": {}})
        time.sleep(0.5)
        started = time.monotonic()
        assert running.stop() == 0
        assert 1.5 < time.monotonic() - started < 4
        hanging.close()


# Why a start failed.


def downs(running):
    """What the log says of it, without colours."""
    log = re.sub(r"\x1b\[[0-9;]*m", "", running.log_tail(100_000))
    return [line for line in log.splitlines() if "the upstream is down" in line and "WARN" in line]


def test_a_server_that_exits_at_once_is_quoted_and_reported_once(gateway):
    bad = faults("exit-at-start", restart_initial_ms=10, restart_max_ms=50)
    running = gateway({"bad": bad, "good": behaving()}, EVERYTHING)
    time.sleep(2)
    [line] = downs(running)
    assert "exited (exit status: 3); its last words: `boom: no config file`" in line
    assert "initialize" not in line and "may not have" not in line


def test_a_missing_program_is_reported_once(gateway):
    bad = command("/nonexistent/server", restart_initial_ms=10, restart_max_ms=50)
    running = gateway({"bad": bad, "good": behaving()}, EVERYTHING)
    time.sleep(1)
    [line] = downs(running)
    assert "could not be started" in line


def test_a_server_that_is_not_ready_in_time_is_quoted(gateway):
    running = gateway({"bad": faults("chatter-at-start", startup_timeout_s=1), "good": behaving()}, EVERYTHING)
    line = poll("report", lambda: downs(running))[0]
    assert "was not ready within 1 s" in line
    assert "its last output that is no message was `Listening on port 3000`" in line
