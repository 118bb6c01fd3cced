"""Published MCP servers, as upstreams of the gateway."""

import subprocess
import sys
from pathlib import Path

from tollgate import MODULES, command, node

PACKAGES = MODULES / "@modelcontextprotocol"
SCRIPTS = Path(sys.executable).parent

BUDGET_TOKENS = 2000
PROFILES = {"default": {"tools_budget_tokens": BUDGET_TOKENS}, "all": {"tools_budget_tokens": "off"}}

AUTHOR = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]


def npm(package, *arguments, **settings):
    return command(node(), PACKAGES / package / "dist/index.js", *arguments, **settings)


def real_servers(folder):
    """Upstream id -> command; what they keep lies in `folder`."""
    files, repository = folder / "files", folder / "repository"
    files.mkdir()
    (files / "greeting.txt").write_text("hello from a file\n", encoding="utf-8")
    make_repository(repository)
    return {
        "everything": npm("server-everything"),
        "files": npm("server-filesystem", files),
        "memory": npm("server-memory", env={"MEMORY_FILE_PATH": str(folder / "memory.jsonl")}),
        "git": command(SCRIPTS / "mcp-server-git", "--repository", repository),
        "time": command(SCRIPTS / "mcp-server-time", "--local-timezone", "UTC"),
    }


def make_repository(path):
    """One commit, and one file that it does not hold."""
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch", "trunk")
    (path / "first.txt").write_text("first\n", encoding="utf-8")
    git(path, "add", "first.txt")
    git(path, *AUTHOR, "commit", "--quiet", "--message", "Add the first file")
    (path / "second.txt").write_text("second\n", encoding="utf-8")


def git(path, *arguments):
    subprocess.run(["git", "-C", str(path), *arguments], check=True)


def document(name):
    """What `everything` serves as demo://resource/static/document/NAME."""
    return (PACKAGES / "server-everything/dist/docs" / name).read_text(encoding="utf-8")
