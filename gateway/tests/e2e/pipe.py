"""`tollgate mcp` as a child: one message a line, in either era."""

import itertools
import json
import queue
import subprocess
import threading

from tollgate import TOLLGATE, config_text, environment
from wire import CLIENT, LEGACY, MODERN, with_meta

ANSWER_S = 30


class Pipe:
    """One client on the pipe; what it was not asked for is kept in `heard`."""

    def __init__(self, folder, upstreams, revision=LEGACY, server=None):
        config = folder / "pipe.toml"
        config.write_text(config_text(upstreams, {"default": {"tools_budget_tokens": "off"}}, server), encoding="utf-8")
        self.revision = revision
        self.ids = itertools.count(1)
        self.answers = queue.Queue()
        self.heard = []
        self.process = subprocess.Popen(
            [TOLLGATE, "mcp", "--config", str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment(folder),
        )
        threading.Thread(target=self._read, daemon=True).start()
        if revision == LEGACY:
            self.result("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "method" in message:
                self.heard.append(message["method"])
            else:
                self.answers.put(message)

    def send(self, method, params=None):
        params = dict(params or {})
        message = {"jsonrpc": "2.0", "id": next(self.ids), "method": method}
        message["params"] = with_meta(params) if self.revision == MODERN else params
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        return message["id"]

    def result(self, method, params=None):
        """Requests go one at a time, so that the next answer is the answer."""
        request_id = self.send(method, params)
        answer = self.answers.get(timeout=ANSWER_S)
        assert answer["id"] == request_id, answer
        return answer["result"]

    def names(self):
        return [tool["name"] for tool in self.result("tools/list")["tools"]]

    def hear(self):
        """What is announced without asking."""
        if self.revision == MODERN:
            self.send("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        return self.heard
