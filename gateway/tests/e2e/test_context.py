"""The built-in upstream, as a client sees it, and `tollgate pack`, which uses the same parts."""

import json
import os
import re
import subprocess
from pathlib import Path

import anyio
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
    "inspect_binary": {"path": "tollgate.toml"},
    "read_binary": {"path": "tollgate.toml"},
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
        ask = {"query": "lock door", "max_tokens": 300}
        for _ in range(100):  # The operating system tells of a change a moment later.
            packed = text_of(await client.call_tool("pack_context", ask))
            if "lock_gate" in packed:
                break
            await anyio.sleep(0.05)
        assert "lock_door_twice" in packed and "lock_gate" in packed and "bolt" not in packed
        packed = text_of(await client.call_tool("pack_context", {"query": "paint_0", "max_tokens": 300}))
        assert "wall0.py" not in packed

        for path in ("../outside.rs", "src/link.rs"):
            refused = await client.call_tool("read_code", {"path": path})
            assert refused.is_error and "outside" in refused.content[0].text


def test_pack_takes_a_binary(tree):
    program = tree.parent / "program"
    program.write_bytes(Path("/bin/true").resolve().read_bytes())
    command = [TOLLGATE, "pack", str(program), "--query", "which version and licence", "--budget", "800"]
    environment = {**os.environ, "HOME": str(tree.parent)}
    done = subprocess.run(command, env=environment, cwd=tree.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ELF 64-bit") and "## sections" in done.stdout
    out = subprocess.run([*command, "--json"], env=environment, cwd=tree.parent, capture_output=True, check=True).stdout
    assert json.loads(out)["tokens"] <= 800


@pytest.mark.anyio
async def test_binaries_are_inspected_and_read_at_any_offset(gateway, tree):
    (tree / "program").write_bytes(Path("/bin/true").resolve().read_bytes())
    with open(tree / "sparse", "wb") as sparse:
        sparse.seek((4 << 30) - 4)
        sparse.write(b"end.")
    running = gateway({"files": {"builtin": "context", "root": str(tree)}}, {"default": {"upstreams": ["files"]}})
    async with Client(running.url()) as client:
        inspected = text_of(await client.call_tool("inspect_binary", {"path": "program", "max_tokens": 600}))
        assert inspected.startswith("ELF 64-bit") and "`read_binary` shows any offset" in inspected
        head = text_of(await client.call_tool("read_binary", {"path": "program", "length": 16}))
        assert head.startswith("0: 7f45 4c46 ") and "go on with offset 16]" in head
        code = text_of(await client.call_tool("read_binary", {"path": "program", "symbol": ".text", "max_tokens": 200}))
        assert "instructions more" in code

        refused = await client.call_tool("inspect_binary", {"path": "sparse"})
        assert refused.is_error and "read parts of it with `read_binary`" in refused.content[0].text
        window = {"path": "sparse", "offset": (4 << 30) - 16, "length": 64}
        assert text_of(await client.call_tool("read_binary", window)).endswith("656e 642e ............end.\n")
        for path in ("../outside.rs", "src/link.rs"):
            refused = await client.call_tool("read_binary", {"path": path})
            assert refused.is_error and "outside" in refused.content[0].text
