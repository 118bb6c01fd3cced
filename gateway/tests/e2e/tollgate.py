"""Starts and stops the gateway with a configuration made for one test."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MODULES = Path(os.environ.get("TOLLGATE_E2E_NODE", ROOT / ".check/node")) / "node_modules"
TOLLGATE = os.environ.get("TOLLGATE_BIN", str(ROOT / "target/release/tollgate"))
FIXTURE = os.environ.get("TOLLGATE_FIXTURE_BIN", str(ROOT / "target/release/tollgate-fixture"))

START_S = 60
STOP_S = 20
SERVER = {"lists_wait_s": START_S}
"""A list is complete, however busy the machine is; tests of the wait itself set their own."""

MAX_BYTES_A_TOKEN = 6
"""JSON of tool lists has about four bytes a token; this bound only catches a budget that is ignored."""

META_TOOLS = {"search_tools", "describe_tool", "call_tool"}
LEGAL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What both OpenAI and Anthropic accept for the name of a tool."""


def node():
    """Node 22 of the npm packages, or whatever `node` the machine has."""
    shipped = sorted(MODULES.glob("node-linux-*/bin/node"))
    return str(shipped[0]) if shipped else "node"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def poll(what, condition, timeout_s=START_S, every_s=0.05):
    """Waits until `condition()` is true and returns its value; an exception of it counts as not yet."""
    deadline = time.monotonic() + timeout_s
    while True:
        error = None
        try:
            if value := condition():
                return value
        except Exception as caught:
            error = caught
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s} s still no {what}") from error
        time.sleep(every_s)


def bytes_for_the_model(tools):
    """The length of what clients pass on to a model of a list of tools, which is what the budget counts."""
    seen = [{key: tool.get(key) for key in ("name", "description", "inputSchema")} for tool in tools]
    return len(json.dumps(seen, ensure_ascii=False, separators=(",", ":")).encode())


def to_toml(value):
    """Inline TOML; JSON's strings, numbers, booleans and lists are TOML's too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {to_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def config_text(upstreams, profiles, server=None, tables=None):
    """One table for each upstream and profile; `default` is filled in if a test does not care. `tables` has others by
    name: tables of tables, such as `providers`, or of values."""
    profiles = {"default": {}, **profiles}
    server = {**SERVER, **(server or {})}
    lines = ["[server]", *(f"{key} = {to_toml(value)}" for key, value in server.items()), ""]
    for name, profile in profiles.items():
        profile = {"upstreams": list(upstreams) or ["*"], "model": "gpt-5", **profile}
        lines += [f"[profiles.{name}]", *(f"{key} = {to_toml(value)}" for key, value in profile.items()), ""]
    for name, upstream in upstreams.items():
        lines += [f"[upstreams.{name}]", *(f"{key} = {to_toml(value)}" for key, value in upstream.items()), ""]
    if tables and not upstreams:
        lines += ["[upstreams.context]", "enabled = false", ""]
    for name, table in (tables or {}).items():
        nested = {key: value for key, value in table.items() if isinstance(value, dict)}
        for path, values in [(name, table)] if not nested else [(f"{name}.{key}", it) for key, it in nested.items()]:
            lines += [f"[{path}]", *(f"{key} = {to_toml(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def command(program, *arguments, **settings):
    """An upstream that is a child process."""
    return {"command": str(program), "args": [str(argument) for argument in arguments], **settings}


def faults(mode, *arguments, **settings):
    """An upstream that misbehaves in one way."""
    return command(FIXTURE, "faults", "--mode", mode, *arguments, **settings)


def behaving():
    """An upstream that does what the specification asks of it."""
    return command(FIXTURE, "stdio")


def environment(home):
    """What the machine's user has configured must not reach a test."""
    others = ("TOLLGATE_", "XDG_", "RUST_LOG", "OTEL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, "HOME": str(home)}


class Gateway:
    """`tollgate serve` with a configuration of its own, from `with` to the end of the block."""

    def __init__(self, folder, upstreams, profiles=None, port=None, server=None, tables=None, variables=None):
        self.config = Path(folder) / "tollgate.toml"
        self.config.write_text(config_text(upstreams, profiles or {}, server, tables), encoding="utf-8")
        self.log = Path(folder) / "gateway.log"
        self.port = port or free_port()
        self.variables = variables or {}
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, profile=None):
        return f"http://127.0.0.1:{self.port}/mcp" + (f"/{profile}" if profile else "")

    def start(self, until="/readyz"):
        """Returns when `until` answers 200; `/readyz` does once every upstream is up or has failed."""
        listen = f"127.0.0.1:{self.port}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [TOLLGATE, "serve", "--config", str(self.config), "--listen", listen],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.config.parent,
                env={**environment(self.config.parent), **self.variables},
            )
        try:
            poll(f"answer of {until}", lambda: self.is_up(until))
        except TimeoutError as error:
            self.stop()
            raise TimeoutError(f"{error}\n{self.log_tail()}") from None

    def is_up(self, path):
        if self.process.poll() is not None:
            raise SystemExit(f"the gateway ended with status {self.process.returncode}\n{self.log_tail()}")
        return self.status(path) == 200

    def status(self, path):
        """The HTTP status of a GET."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self):
        """Asks the gateway to end, and returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def log_tail(self, length=4000):
        return self.log.read_text(encoding="utf-8", errors="replace")[-length:]
