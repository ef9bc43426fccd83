"""Which version and commit of the product was rehearsed, and when an observation of it counts less."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml
from staging import looked_at, on_stage

from interlock.judge.rehearsed import _aged
from interlock.model.product import StartCommand
from interlock.model.rehearsal import ProductObservation, RehearsedApp
from interlock.usecases.load import load_inputs
from interlock.usecases.trust import command_grants
from interlock.workspace.checkout import commit_of
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust

FIRST, SECOND = "a" * 40, "b" * 40


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_is_read_from_loose_and_packed_references_and_from_worktrees(tmp_path: Path) -> None:
    checkout, below = tmp_path / "app", tmp_path / "app" / "deep" / "er"
    below.mkdir(parents=True)
    assert commit_of(below) is None
    git(checkout, "init", "-q")
    assert commit_of(below) is None
    git(checkout, "commit", "-q", "--allow-empty", "-m", "one")
    head = git(checkout, "rev-parse", "HEAD")
    assert commit_of(below) == commit_of(checkout) == head
    git(checkout, "pack-refs", "--all")
    assert commit_of(below) == head
    git(checkout, "worktree", "add", "-q", "-b", "other/branch", str(tmp_path / "second"))
    git(tmp_path / "second", "commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(tmp_path / "second") == git(tmp_path / "second", "rev-parse", "HEAD") != head
    git(checkout, "checkout", "-q", "--detach")
    assert commit_of(below) == head


@pytest.mark.parametrize(
    "head", ["", "ref: refs/../../../etc/passwd", "ref: /etc/passwd", "x" * 5_000, "ref: refs/heads/none", "0" * 39]
)
def test_what_is_no_commit_is_none(tmp_path: Path, head: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert commit_of(tmp_path) is None


def test_a_repository_runs_nothing_and_leads_to_no_other_file(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "secret").write_text(FIRST)
    (tmp_path / ".git" / "HEAD").symlink_to(tmp_path / "secret")
    assert commit_of(tmp_path) is None


@pytest.mark.parametrize(
    ("then", "now", "aged"),
    [
        ((None, None), ("2", SECOND), False),
        (("1", FIRST), ("1", FIRST), False),
        (("1", FIRST), (None, None), False),
        (("1", FIRST), ("2", FIRST), True),
        (("1", FIRST), ("1", SECOND), True),
        ((None, FIRST), ("1", SECOND), True),
    ],
)
def test_another_version_or_commit_counts_less(
    then: tuple[str | None, str | None], now: tuple[str | None, str | None], aged: bool
) -> None:
    observation = ProductObservation(
        app=RehearsedApp(launch_url="http://127.0.0.1/", version=then[0], commit=then[1]),
        started=datetime(2026, 11, 1, tzinfo=UTC), elapsed_ms=1, driver="http", layout="ports", organizations=(),
        polite=True,
    )  # fmt: skip
    assert _aged(observation, date(2026, 11, 2), now) is aged
    assert _aged(observation, date(2026, 12, 2), then) is True


def test_the_version_that_pages_tell_is_kept() -> None:
    with on_stage(
        [('    "Cache-Control": "no-store",\n', '    "Cache-Control": "no-store",\n    "X-App": "2.4",\n')]
    ) as hospitals:
        hospitals.product = hospitals.product.but(version_header="x-app", version="1")
        app = looked_at(hospitals, {"RH-L01"}).app
        assert (app.version, app.version_header) == ("2.4", "x-app")
        hospitals.product = hospitals.product.but(version_header="x-other")
        assert looked_at(hospitals, {"RH-L01"}).app.version is None


def test_the_commit_of_now_is_known_of_a_checkout_of_its_own_whose_command_is_allowed(tmp_path: Path) -> None:
    for name in ("app", "w"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "-q")
        git(tmp_path / name, "commit", "-q", "--allow-empty", "-m", "one")
    start = {"command": "no-such-program", "folder": "../app"}
    client = {"id": "alder", "client_id": "x", "redirect_uri": "http://127.0.0.1:9/cb"}
    product = {"launch_url": "http://127.0.0.1:9/launch", "organizations": [client], "start": start}
    files = {"interlock.yaml": b"name: A\nproduct: P\n", "product.yaml": yaml.safe_dump(product).encode()}
    workspace = Workspace.create(tmp_path / "w" / "assessment", files)
    (workspace.root / "product.yaml").write_text(yaml.safe_dump(product | {"start": start | {"folder": "../../app"}}))
    assert load_inputs(workspace).product_commit is None
    (grant,) = command_grants(workspace)
    assert (
        grant.command
        == "no-such-program (in ../../app)"
        == StartCommand(command="no-such-program", folder="../../app").told
    )
    Trust(workspace.root).allow([grant])
    assert load_inputs(workspace).product_commit == git(tmp_path / "app", "rev-parse", "HEAD")
    (workspace.root / "product.yaml").write_text(yaml.safe_dump(product | {"start": start | {"folder": "."}}))
    Trust(workspace.root).allow(command_grants(workspace))
    assert load_inputs(workspace).product_commit is None
