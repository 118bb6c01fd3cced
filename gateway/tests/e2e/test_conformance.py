"""The conformance suite, straight at the fixture and through the gateway: what passes straight must pass through."""

import json
import re
import subprocess
from collections import Counter

import pytest
import yaml

from tollgate import FIXTURE, HERE, MODULES, behaving, node

REVISIONS = ["2025-11-25", "2026-07-28"]
BASELINE = yaml.safe_load((HERE / "conformance-baseline.yaml").read_text(encoding="utf-8"))
SUITE = MODULES / "@modelcontextprotocol/conformance/dist/index.js"
SUITE_S = 300
WITHOUT_PLANNING = {"default": {"tools_budget_tokens": "off", "names": "on_collision"}}


@pytest.fixture(scope="module")
def fixture_url():
    process = subprocess.Popen([FIXTURE, "http"], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def straight(fixture_url, tmp_path_factory):
    """What the fixture alone reaches, for each revision."""
    return {revision: run_suite(fixture_url, revision, tmp_path_factory.mktemp("straight")) for revision in REVISIONS}


def run_suite(url, revision, folder):
    """Scenario -> its checks, as the suite wrote them, without those that it skipped or that only inform."""
    arguments = ["server", "--url", url, "--requirements", revision, "-o", str(folder), "--timeout", "15000"]
    run = subprocess.run([node(), str(SUITE), *arguments], cwd=folder, capture_output=True, text=True, timeout=SUITE_S)
    scenarios = {}
    for file in sorted(folder.glob("*/checks.json")):
        scenario = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z", file.parent.name).group(1)
        checks = json.loads(file.read_text(encoding="utf-8"))
        scenarios[scenario] = [check for check in checks if check["status"] in ("SUCCESS", "FAILURE", "WARNING")]
    assert scenarios, f"the suite wrote no results:\n{run.stdout[-2000:]}\n{run.stderr[-2000:]}"
    return scenarios


def successes(checks):
    """Check id -> how often it succeeded."""
    return Counter(check["id"] for check in checks if check["status"] == "SUCCESS")


def complaints(checks):
    """What the failing checks say, in a line each."""
    return [f"    {check['id']}: {check.get('errorMessage')}"[:400] for check in checks if check["status"] != "SUCCESS"]


def total(scenarios):
    """`passed/run`, over the checks of all scenarios."""
    passed = sum(successes(checks).total() for checks in scenarios.values())
    return f"{passed}/{sum(map(len, scenarios.values()))}"


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_fixture_itself_conforms(straight, revision):
    assert [line for checks in straight[revision].values() for line in complaints(checks)] == []


@pytest.mark.parametrize("transport", ["http", "stdio"])
@pytest.mark.parametrize("revision", REVISIONS)
def test_what_passes_straight_passes_through(
    transport, revision, straight, fixture_url, gateway, tmp_path, record_property
):
    upstream = {"url": fixture_url} if transport == "http" else behaving()
    running = gateway({"fixture": upstream}, WITHOUT_PLANNING)
    folder = tmp_path / "through"
    folder.mkdir()
    through = run_suite(running.url(), revision, folder)
    lost, not_asked = compare(straight[revision], through)
    totals = f"straight {total(straight[revision])} through {total(through)}"
    record_property("conformance", f"{revision} ({transport}) {totals}; not asked: {', '.join(not_asked) or 'none'}")

    expected = BASELINE[transport][revision]
    report = [line for scenario, lines in lost.items() if scenario not in expected for line in lines]
    if report:
        pytest.fail("\n".join([totals, *report, running.log_tail(1500)]), pytrace=False)
    assert sorted(set(expected) - set(lost)) == [], "conformance-baseline.yaml lists scenarios that pass"


def compare(straight, through):
    """Scenarios that fail only through the gateway, each with its complaints, and the checks that were not asked.

    A check is not asked if the server has a choice: those of event streams need one, and a quick answer of the gateway
    is plain JSON. Where a check is missing because something broke, another one of its scenario fails.
    """
    lost, not_asked = {}, []
    for scenario, checks in straight.items():
        missing = sorted(successes(checks) - successes(through.get(scenario, [])))
        if scenario not in through or complaints(through[scenario]):
            said = complaints(through.get(scenario, [])) or ["    it did not run"]
            lost[scenario] = [f"  {scenario} lost {', '.join(missing)}", *said]
        else:
            not_asked += missing
    return lost, not_asked
