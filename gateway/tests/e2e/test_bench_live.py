"""Tasks over published servers, judged by what these hold at the end: every task can be solved, whatever is listed."""

import json

import live
from servers import SCRIPTS, npm
from test_bench import bench, lines_of
from tollgate import command, config_text

REPEATS = 5


def configured(folder):
    """A sandbox, its template, its tasks, and the upstreams that work in it."""
    sandbox, template, data = folder / "sandbox", folder / "template", folder / "data"
    for it in (sandbox, template, data):
        it.mkdir()
    live.make_template(template)
    upstreams = {
        "files": npm("server-filesystem", sandbox / "files"),
        "memory": npm("server-memory", env={"MEMORY_FILE_PATH": str(sandbox / "memory.jsonl")}),
        "git": command(SCRIPTS / "mcp-server-git", "--repository", sandbox / "repository"),
        "time": command(SCRIPTS / "mcp-server-time", "--local-timezone", "UTC"),
        "everything": npm("server-everything"),
    }
    (folder / "tollgate.toml").write_text(config_text(upstreams, {}), encoding="utf-8")
    tasks = live.tasks(sandbox)
    (data / "tasks.jsonl").write_text("\n".join(map(json.dumps, tasks)), encoding="utf-8")
    run = ["bench", "run", "tasks", "--config", "tollgate.toml", "--data", "data", "--host", "upstreams", "--reset"]
    return [*run, live.reset_command(template, sandbox)], tasks


def test_the_oracle_solves_every_task_again_and_again(tmp_path):
    run, tasks = configured(tmp_path)
    assert len(tasks) >= 60
    arms = ["--arms", "gate", "--budgets", "2000", "--trials", str(REPEATS), "--model", "script:oracle"]
    bench(tmp_path, *run, *arms, "--out", "run.jsonl")
    lines = lines_of(tmp_path / "run.jsonl")
    assert len(lines) == len(tasks) * REPEATS
    wrong = [(it["task"], it["stopped"], it["trace"]) for it in lines if not it["solved"]]
    assert not wrong, json.dumps(wrong[:3], indent=1)


def test_calling_nothing_changes_nothing(tmp_path):
    run, _ = configured(tmp_path)
    bench(tmp_path, *run, "--arms", "all", "--model", "script:abstainer", "--out", "run.jsonl")
    for line in lines_of(tmp_path / "run.jsonl"):
        assert line["solved"] == (line["category"] == "abstention"), line
