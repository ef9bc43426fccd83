"""Fixtures of every room: an isolated home, and where the recorded corpus is."""

from __future__ import annotations

import gc
import itertools
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import server_shapes
from interlock.documents import redaction
from interlock.model import plan
from tiers import LONG

ROOT = Path(__file__).resolve().parents[1]

# A shell that starts the tests in the background has SIGINT ignored, and every program that they start would inherit
# that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Models are made by the hundred thousand and hold no circles: looking for those as often as Python does by itself takes
# a tenth to a fifth of the tests' processor time.
gc.set_threshold(50_000, 10, 10)

# A plan of a tenth of the runs takes a third of the time, and what tests hold of one is no tail of its distribution.
# Processes that tests start reckon with the usual number. Set before any function takes the number as its default.
if not LONG:
    plan.DEFAULT_RUNS = 500

# No test cuts the power, and each of a new workspace's thirty waits for the disk keeps a worker from its next test.
if not LONG:
    os.fsync = lambda descriptor: None  # type: ignore[assignment]

# A machine that is busy with something else makes no test fail: examples take as long as they take. What CI runs draws
# the same examples each time, so that a change is judged by what it changed; `make test-all` draws new ones.
settings.register_profile("patient", deadline=None, derandomize=not LONG, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors: a quarter of the tests' time is spent in waiting."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The suites that take minutes run in `make test-all` alone."""
    if LONG:
        return
    long = [item for item in items if item.get_closest_marker("long") is not None]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What did not run for want of a tool: once, by name."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.write_line("")
        terminalreporter.write_line("Not run on this machine:")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"  {count:4} {'test' if count == 1 else 'tests'}: {reason}")


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder for each test; pytest looks through all the earlier ones to number the next."""
    root = tmp_path_factory.mktemp("t")
    return (root / str(number) for number in itertools.count())


@pytest.fixture
def tmp_path(_homes: Iterator[Path], request: pytest.FixtureRequest) -> Path:
    """A new folder, named after the test and numbered like its home: two thousand of pytest's own take 3.5 s."""
    home = next(_homes)
    folder = home.with_name(f"{re.sub(r'[^A-Za-z0-9]', '_', request.node.name)[:23]}_{home.name}")
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def _isolated_home(_homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own state, finds a workspace by the environment, or knows earlier secrets."""
    home = next(_homes)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(redaction, "_remembered", {})
    for name in (
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
        "INTERLOCK_WORKSPACE",
        "INTERLOCK_LOG_FILE",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The recorded documents of real servers; the test is skipped where they are not at hand."""
    path = Path(os.environ.get("INTERLOCK_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not path.is_dir():
        pytest.skip(f"no corpus at {path}; INTERLOCK_CORPUS names another place")
    return path


@pytest.fixture(scope="session", params=["shapes", "recorded"])
def servers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each server with its documents: of our own shapes, and recorded ones where they are at hand."""
    if request.param == "shapes":
        return server_shapes.write(tmp_path_factory.mktemp("shapes") / "servers")
    corpus: Path = request.getfixturevalue("corpus")
    return corpus / "servers"
