"""Fixtures that more than one test file needs."""

from pathlib import Path

import pytest

from servers import PROFILES, real_servers
from tollgate import FIXTURE, MODULES, TOLLGATE, Gateway


def pytest_sessionstart(session):
    """Says what is missing once, and not in every test."""
    wanted = {"the gateway": TOLLGATE, "its fixture": FIXTURE, "npm packages": MODULES}
    missing = [f"{what} ({path})" for what, path in wanted.items() if not Path(path).exists()]
    if missing:
        raise pytest.UsageError("missing: " + ", ".join(missing) + "; run `./check node python build`")


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """One gateway before the published servers, for all tests that only use it."""
    folder = tmp_path_factory.mktemp("published")
    with Gateway(folder, real_servers(folder), PROFILES) as running:
        yield running


@pytest.fixture
def gateway(tmp_path):
    """A function that starts gateways; they end with the test."""
    running = []

    def start(upstreams, profiles=None, name="gateway"):
        folder = tmp_path / name
        folder.mkdir()
        running.append(Gateway(folder, upstreams, profiles))
        running[-1].start()
        return running[-1]

    yield start
    for instance in running:
        instance.stop()


def pytest_terminal_summary(terminalreporter):
    """Prints the totals of the conformance suite, passed or not."""
    for report in [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]:
        for name, value in report.user_properties:
            if report.when == "call" and name == "conformance":
                terminalreporter.write_line(f"conformance {value}")
