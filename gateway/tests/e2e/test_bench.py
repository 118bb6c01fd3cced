"""`tollgate bench` as a user runs it: records that survive any end, endpoints, recorded answers, reports."""

import json
import random
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest

from provider import Provider, scenario
from tollgate import TOLLGATE, environment

SUITE = ["bench", "run", "synthetic-tools", "--tasks-per-cell", "4", "--budgets", "500"]
ATTEMPTS = 16 * 3


def bench(folder, *arguments, status=0):
    """Runs to the end, and returns what was printed on both."""
    done = subprocess.run(
        [TOLLGATE, *arguments], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


def lines_of(record):
    """The attempts of a record; a line that is cut is none."""
    whole = record.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()[1:]]


def without_time(line):
    line = {**line, "ms": 0}
    line["trace"] = {**line["trace"], "rounds": [{**it, "ms": 0} for it in line["trace"]["rounds"]]}
    return line


def sorted_lines(record):
    return sorted((without_time(line) for line in lines_of(record)), key=lambda it: (it["n"], it["arm"]))


def test_a_run_that_is_killed_anywhere_goes_on_without_loss_or_repetition(tmp_path):
    whole, record = tmp_path / "whole.jsonl", tmp_path / "run.jsonl"
    slow = ["--latency", "30", "--concurrency", "4"]
    bench(tmp_path, *SUITE, *slow, "--out", str(whole))
    draw, n_kills = random.Random(6), 0
    while len(lines_of(record) if record.exists() else []) < ATTEMPTS:
        before = len(lines_of(record)) if record.exists() else 0
        run = subprocess.Popen(
            [TOLLGATE, *SUITE, *slow, "--out", str(record)],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # After a few more lines, and up to the next ones: at any point of its work, however fast that is.
        wanted = before + draw.randrange(4)
        while run.poll() is None and len(lines_of(record) if record.exists() else []) < wanted:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.03))
        run.send_signal(signal.SIGKILL)
        run.wait()
        n_kills += 1
        assert len(lines_of(record) if record.exists() else []) >= before
        if record.exists() and draw.random() < 0.5:
            # The last write may be cut anywhere.
            with record.open("ab") as file:
                file.write(b'{"n":3,"task":"sin')
        assert n_kills < 200
    bench(tmp_path, *SUITE, *slow, "--out", str(record))
    assert n_kills > 3
    assert sorted_lines(record) == sorted_lines(whole)


def test_records_of_other_tasks_are_not_gone_on_with(tmp_path):
    bench(tmp_path, *SUITE, "--out", "run.jsonl")
    for other in (["--seed", "1"], ["--limit", "3"], ["--budgets", "900"], ["--model", "script:random"]):
        done = bench(tmp_path, *SUITE, *other, "--out", "run.jsonl", status=1)
        assert "is of another run" in done.stderr
    bench(tmp_path, *SUITE, "--seed", "1", "--out", "other.jsonl")
    assert "cannot be compared" in bench(tmp_path, "bench", "report", "run.jsonl", "other.jsonl", status=1).stderr


def test_thresholds_end_with_a_status_and_attempts_become_junit(tmp_path):
    run = [*SUITE, "--out", "run.jsonl", "--junit", "run.xml", "--require"]
    bench(tmp_path, *run, "accuracy[oracle]>=1")
    told = bench(tmp_path, *run, "tokens_saved>=0.9999", status=1).stderr
    assert "`tokens_saved[gate@500] >= 0.9999` does not hold" in told
    cases = ElementTree.parse(tmp_path / "run.xml").getroot().findall(".//testcase")
    failed = [it for it in cases if it.find("failure") is not None]
    assert len(cases) == ATTEMPTS
    assert len(failed) == sum(not it["solved"] for it in lines_of(tmp_path / "run.jsonl")) > 0


def test_attempts_are_judged_again_as_they_were(tmp_path):
    bench(tmp_path, *SUITE, "--out", "run.jsonl")
    before = lines_of(tmp_path / "run.jsonl")
    spoilt = [{**line, "solved": not line["solved"]} for line in before]
    header = (tmp_path / "run.jsonl").read_text().splitlines()[0]
    (tmp_path / "spoilt.jsonl").write_text("\n".join([header, *map(json.dumps, spoilt)]) + "\n")
    told = bench(tmp_path, "bench", "rescore", "spoilt.jsonl", "--out", "again.jsonl").stderr
    assert f"{ATTEMPTS} attempts are judged otherwise now" in told
    assert lines_of(tmp_path / "again.jsonl") == before


@pytest.mark.parametrize("spoken", ["openai-chat", "openai-responses", "anthropic"])
def test_an_endpoint_is_asked_once_and_replayed_for_ever(tmp_path, spoken):
    calls = [{"name": "create_invoice", "arguments": {"name": "x"}}]
    model = scenario("rounds", script=[{"calls": calls}, "Done."])
    common = [*SUITE, "--limit", "2", "--arms", "all", "--model", model]
    with Provider("--keep", "1000") as provider:
        endpoint = ["--endpoint", provider.url + "/v1", "--endpoint-format", spoken]
        bench(tmp_path, *common, *endpoint, "--record", "answers.jsonl", "--out", "first.jsonl")
        asked = provider.next_number()
    first = lines_of(tmp_path / "first.jsonl")
    assert [len(it["trace"]["rounds"]) for it in first] == [2, 2]
    assert asked == 4
    assert all(it["trace"]["rounds"][0]["calls"][0]["tool"] == "create_invoice" for it in first)
    assert all(it["usage"]["input"] > 0 and it["trace"]["rounds"][0]["usage"] for it in first)
    # Nobody is there any more.
    bench(tmp_path, *common, *endpoint, "--replay", "answers.jsonl", "--out", "second.jsonl")
    assert sorted_lines(tmp_path / "second.jsonl") == sorted_lines(tmp_path / "first.jsonl")
    missing = [*common, *endpoint, "--replay", "answers.jsonl", "--seed", "5", "--out", "third.jsonl"]
    bench(tmp_path, *missing)
    ends = [it["trace"]["end"] for it in lines_of(tmp_path / "third.jsonl")]
    assert all("no answer is recorded" in it["broken"] for it in ends)


def test_a_gateway_holds_the_budget_itself(tmp_path):
    model = scenario("plain", text="I need no tool.")
    run = [*SUITE, "--limit", "2", "--arms", "all,served", "--budgets", "600", "--model", model]
    with Provider("--keep", "1000") as provider:
        bench(tmp_path, *run, "--endpoint", provider.url + "/v1", "--out", "run.jsonl")
        bodies = [json.loads(it["body"]) for it in provider.requests()]
    sizes = sorted(len(it["tools"]) for it in bodies)
    assert sizes[-2:] == [192, 192]
    assert all(3 <= it < 40 for it in sizes[:2])
    names = {it["function"]["name"] for it in min(bodies, key=lambda it: len(it["tools"]))["tools"]}
    assert {"search_tools", "describe_tool", "call_tool"} <= names


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))


def test_a_report_is_a_page_that_stands_alone(tmp_path):
    bench(tmp_path, *SUITE, "--out", "run.jsonl")
    bench(tmp_path, "bench", "report", "run.jsonl", "--html", "run.html")
    page = Page()
    page.feed((tmp_path / "run.html").read_text())
    kinds = [tag for tag, _ in page.tags]
    assert kinds.count("svg") == 3 and kinds.count("table") == 5
    assert not [it for it in page.tags if {"src", "href"} & set(it[1])]
    data = [text for _, text in page.texts if text.startswith('[{"lines"')]
    assert len(json.loads(data[0])[0]["lines"]) == ATTEMPTS
    markdown = bench(tmp_path, "bench", "report", "run.jsonl", "--markdown").stdout
    assert "| gate@500 | 16 |" in markdown
