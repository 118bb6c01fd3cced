"""MCP over HTTP with nothing but the standard library, for tests that look at the bytes."""

import contextlib
import http.client
import itertools
import json
import threading
from urllib.parse import urlsplit

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
CLIENT = {"name": "tollgate-e2e", "version": "1"}
STREAM = {"Accept": "text/event-stream", "MCP-Protocol-Version": LEGACY}


def with_meta(params):
    """What every request of the modern era carries."""
    prefix = "io.modelcontextprotocol/"
    meta = {"protocolVersion": MODERN, "clientInfo": CLIENT, "clientCapabilities": {}}
    return {**params, "_meta": {prefix + key: value for key, value in meta.items()}}


class RpcError(Exception):
    """A JSON-RPC error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]


class Wire:
    """One client; `params` may be given as JSON text, which is then sent as it is."""

    def __init__(self, url, revision=LEGACY, timeout_s=60):
        self.place = urlsplit(url)
        self.revision = revision
        self.timeout_s = timeout_s
        self.ids = itertools.count(1)
        self.session = None
        if revision == LEGACY:
            opening = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT}
            self.request("initialize", opening)
            self.notify("notifications/initialized")

    def notify(self, method, params=None):
        self._post(method, {"jsonrpc": "2.0", "method": method, "params": params or {}}, params)

    def request(self, method, params=None, request_id=None):
        """The bytes of the answering JSON-RPC message."""
        request_id = next(self.ids) if request_id is None else request_id
        body = self._post(method, self._message(method, params, request_id), params)
        for message in body:
            document = json.loads(message)
            if document.get("id") == request_id and "method" not in document:
                return message
        raise AssertionError(f"no answer to {method} among {len(body)} messages")

    def result(self, method, params=None):
        message = json.loads(self.request(method, params))
        if "error" in message:
            raise RpcError(message["error"])
        return message["result"]

    def tools(self):
        return self.result("tools/list")["tools"]

    def names(self):
        return [tool["name"] for tool in self.tools()]

    def call(self, tool, arguments=None):
        """The result of one `tools/call`."""
        return self.result("tools/call", {"name": tool, "arguments": arguments or {}})

    def text(self, tool, arguments=None):
        """The text that a successful call returns."""
        result = self.call(tool, arguments)
        text = "".join(block.get("text", "") for block in result["content"])
        assert not result.get("isError"), f"{tool}: {text}"
        return text

    def failure(self, tool, arguments=None):
        """What a failing call says, whether the tool or the protocol says it."""
        try:
            result = self.call(tool, arguments)
        except RpcError as error:
            return str(error)
        assert result.get("isError"), f"{tool} succeeded: {str(result)[:500]}"
        return "".join(block.get("text", "") for block in result["content"])

    def _message(self, method, params, request_id):
        if isinstance(params, str):
            return f'{{"jsonrpc":"2.0","id":{json.dumps(request_id)},"method":"{method}","params":{params}}}'
        params = dict(params or {})
        if self.revision == MODERN:
            params = with_meta(params)
        return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}

    def hear(self):
        """A list of the notifications' methods that grows as they are announced without asking."""
        if self.revision == MODERN:
            stream = self.send("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        else:
            stream = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=self.timeout_s)
            stream.request("GET", self.place.path, headers={**STREAM, "Mcp-Session-Id": self.session})
        heard = []
        threading.Thread(target=note_methods, args=(stream, heard), daemon=True).start()
        return heard

    def send(self, method, params):
        """Sends a request and returns the open connection."""
        return self._send(method, self._message(method, params, next(self.ids)), params)

    def _send(self, method, message, params):
        text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        headers["MCP-Protocol-Version"] = self.revision
        if self.session:
            headers["Mcp-Session-Id"] = self.session
        if self.revision == MODERN:
            headers["Mcp-Method"] = method
            target = json.loads(params) if isinstance(params, str) else params or {}
            if name := target.get("name") or target.get("uri"):
                headers["Mcp-Name"] = name
        connection = http.client.HTTPConnection(self.place.hostname, self.place.port, timeout=self.timeout_s)
        connection.request("POST", self.place.path, text.encode(), headers)
        return connection

    def _post(self, method, message, params):
        with contextlib.closing(self._send(method, message, params)) as connection:
            answer = connection.getresponse()
            body = answer.read()
        self.session = answer.headers.get("Mcp-Session-Id", self.session)
        if "text/event-stream" in answer.headers.get("Content-Type", ""):
            return [data for event in split_events(body) if (data := event_data(event))]
        return [body] if body else []


def note_methods(connection, heard):
    """Reads a stream to its end."""
    with contextlib.closing(connection):
        for line in connection.getresponse():
            if line.startswith(b"data: {"):
                heard.append(json.loads(line[6:]).get("method"))


def split_events(body):
    """The events of a stream that has ended."""
    return body.replace(b"\r\n", b"\n").split(b"\n\n")


def event_data(event):
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)


def array(message, key):
    """The text of the array under `key`, exactly as it came."""
    text = message.decode()
    start = text.index(f'"{key}":[') + len(key) + 3
    return text[start : json.JSONDecoder().raw_decode(text, start)[1]]
