"""The fixture's provider of models, and how to read what it was sent."""

import json
import subprocess
import urllib.request
from urllib.parse import quote

from tollgate import FIXTURE, poll


def scenario(kind, /, **parameters):
    """The text that chooses an answer; whatever is not a string goes as JSON."""
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
    query = "&".join(f"{key}={quote(text, safe='')}" for key, text in texts.items())
    return f"{kind}?{query}" if query else kind


class Provider:
    """`tollgate-fixture provider`, from `with` to the end of the block."""

    def __init__(self, *arguments):
        self.arguments = arguments
        self.process = None
        self.url = None

    def __enter__(self):
        command = [FIXTURE, "provider", *self.arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def next_number(self):
        """The number that its next request will get."""
        return self.answer("/mock/requests?since=1000000000")["next"]

    def requests(self, since=0):
        """What it was sent; `headers` is a list of pairs, `state` one of open, answered, hung-up and closed."""
        return self.answer(f"/mock/requests?since={since}")["requests"]

    def wait_for(self, state, since=0):
        """The first request that came to that state."""
        return poll(state, lambda: [it for it in self.requests(since) if it["state"] == state])[0]

    def answer(self, path, method="GET"):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, method=method), timeout=30) as answer:
            return json.load(answer)


def header(request, name):
    """The values of one header of a recorded request."""
    return [value for key, value in request["headers"] if key.lower() == name]
