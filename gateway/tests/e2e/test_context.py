"""The built-in upstream, as a client sees it, and `tollgate pack`, which uses the same parts."""

import json
import os
import re
import subprocess

import pytest
from mcp import Client

from tollgate import META_TOOLS, TOLLGATE
from wire import Wire

PROFILE = {"default": {"upstreams": ["context"], "tools_budget_tokens": "off"}}
REQUIRED = {
    "count_tokens": {"text": "one two three"},
    "read_text": {"path": "tollgate.toml"},
    "list_files": {},
    "pack_context": {},
    "outline": {"path": "tollgate.toml"},
    "read_code": {"path": "tollgate.toml"},
}

DOOR = """/// Turns the key.
pub fn lock_door(key: Key) -> bool {
    bolt(key.bits())
}

fn bolt(bits: u32) -> bool {
    bits > 3
}
"""


@pytest.fixture
def tree(tmp_path):
    """Forty walls and a door, what git ignores, a link out, a file that is no text and one of a single huge line."""
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    for n in range(40):
        (root / f"src/wall{n}.py").write_text(f"def paint_{n}(color):\n    return color + {n}\n", encoding="utf-8")
    (root / "src/door.rs").write_text(DOOR, encoding="utf-8")
    (root / ".gitignore").write_text("ignored/\n", encoding="utf-8")
    (root / "ignored").mkdir()
    (root / "ignored/door.rs").write_text(DOOR.replace("lock_door", "ignored_lock_door"), encoding="utf-8")
    outside = tmp_path / "outside.rs"
    outside.write_text(DOOR.replace("lock_door", "outside_lock_door"), encoding="utf-8")
    os.symlink(outside, root / "src/link.rs")
    (root / "src/latin1.rs").write_bytes(b"fn lock_door_\xe9() {}\n")
    (root / "src/minified.js").write_text("function lockDoor(){}" + "a();" * (5 << 20), encoding="utf-8")
    return root


def text_of(result):
    assert not result.is_error, result
    return result.content[0].text


def test_a_client_that_fills_in_defaults_is_answered(gateway):
    wire = Wire(gateway({}, PROFILE).url())
    tools = {tool["name"]: tool["inputSchema"] for tool in wire.tools() if tool["name"] not in META_TOOLS}
    assert set(tools) == set(REQUIRED)
    for name, schema in tools.items():
        assert set(schema.get("required", [])) <= set(REQUIRED[name])
        defaults = {key: it["default"] for key, it in schema["properties"].items() if "default" in it}
        assert None not in defaults.values()
        assert wire.text(name, {**defaults, **REQUIRED[name]})


def pack(tree, *arguments):
    """Runs the command with a data folder of its own beside the tree."""
    environment = {**os.environ, "XDG_DATA_HOME": str(tree.parent / "data"), "HOME": str(tree.parent)}
    command = [TOLLGATE, "pack", str(tree), *arguments]
    return subprocess.run(command, env=environment, cwd=tree.parent, capture_output=True, text=True, check=False)


def test_pack_shows_the_answer_and_nothing_that_is_not_the_folders(tree):
    for _ in range(2):  # Made, and then from the store.
        done = pack(tree, "--query", "how is the door locked with a key", "--budget", "400", "--json")
        assert done.returncode == 0, done.stderr
        out = json.loads(done.stdout)
        assert out["tokens"] <= 400
        assert "bolt(key.bits())" in out["context"]
        views = {it["name"]: it["view"] for it in out["plan"]}
        assert views["lock_door"] in ("body", "whole")
        assert "ignored" not in done.stdout and "outside" not in done.stdout
        assert {it["path"] for it in out["not_read"]} == {"src/latin1.rs", "src/minified.js"}
    plan = pack(tree, "--query", "door", "--budget", "400", "--plan")
    assert "src/door.rs:1-4" in plan.stdout and "2 files not read" in plan.stdout


def test_pack_says_what_is_wrong(tree):
    for arguments, told in [
        (["--budget", "3"], "too small"),
        (["--model", "no-such-model"], "no-such-model"),
    ]:
        done = pack(tree, *arguments)
        assert done.returncode == 1 and told in done.stderr, done
    empty = tree / "empty"
    empty.mkdir()
    assert "no text" in pack(empty).stderr
    assert "cannot be opened" in pack(tree / "missing").stderr


@pytest.mark.anyio
async def test_what_a_context_leaves_out_is_reached_and_edits_are_seen(gateway, tree):
    running = gateway({"files": {"builtin": "context", "root": str(tree)}}, {"default": {"upstreams": ["files"]}})
    async with Client(running.url()) as client:
        ask = {"query": "how is the door locked with a key", "max_tokens": 300}
        packed = text_of(await client.call_tool("pack_context", ask))
        assert "## src/door.rs" in packed and "bolt(key.bits())" in packed
        assert re.search(r"\[\d+ symbols more, \d+ files not shown; `outline`", packed)
        outline = text_of(await client.call_tool("outline", {"path": "src/wall7.py"}))
        assert outline == "1-2 function paint_7\n"
        read = text_of(await client.call_tool("read_code", {"path": "src/door.rs", "symbol": "bolt"}))
        assert read == "fn bolt(bits: u32) -> bool {\n    bits > 3\n}\n"
        lines = text_of(await client.call_tool("read_code", {"path": "src/door.rs", "first_line": 2, "last_line": 3}))
        assert lines == "pub fn lock_door(key: Key) -> bool {\n    bolt(key.bits())\n"

        (tree / "src/door.rs").write_text("pub fn lock_door_twice() {}\n", encoding="utf-8")
        (tree / "src/gate.rs").write_text("pub fn lock_gate() {}\n", encoding="utf-8")
        (tree / "src/wall0.py").unlink()
        packed = text_of(await client.call_tool("pack_context", {"query": "lock door", "max_tokens": 300}))
        assert "lock_door_twice" in packed and "lock_gate" in packed and "bolt" not in packed
        packed = text_of(await client.call_tool("pack_context", {"query": "paint_0", "max_tokens": 300}))
        assert "wall0.py" not in packed

        for path in ("../outside.rs", "src/link.rs"):
            refused = await client.call_tool("read_code", {"path": path})
            assert refused.is_error and "outside" in refused.content[0].text
