"""Observations made elsewhere: whose they are, from whom they came, and that nothing stored is lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock.cli.main import run
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.model.organization import Organization
from interlock.probe.fleet_lines import LineMaker, LineWriter
from interlock.workspace.history import load_observation, observation_files, save_observation
from interlock.workspace.store import Workspace

BASE = "https://ehr.example/fhir/r4"
MADE = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    assert run(["init", "here"]) == 0
    monkeypatch.chdir(tmp_path / "here")
    made = Workspace.find(Path.cwd())
    for name, url in (("riverside", BASE), ("hilltop", "https://hill.example/fhir")):
        made.save_organization(Organization(id=name, name=name.title(), vendor="epic", fhir_base_url=url), new=True)
    return made


def seen(started: datetime = MADE, base: str = BASE, elapsed: float = 5.0) -> Observation:
    asked = RequestRecord(method="GET", url=f"{base}/metadata", elapsed_ms=elapsed, failure="connect")
    return Observation(
        target=Target(base_url=base),
        vantage="clinic",
        started=started,
        elapsed_ms=elapsed,
        outcome="not_observed",
        requests=(asked,),
    )


def file_of(*observations: Observation, name: str = "seen.json") -> str:
    documents = [json.loads(observation.model_dump_json()) for observation in observations]
    Path(name).write_text(json.dumps(documents[0] if len(documents) == 1 else documents))
    return name


def stored(workspace: Workspace, org: str = "riverside") -> list[Observation]:
    return [load_observation(path, workspace) for path in observation_files(workspace, org)]


def test_it_is_filed_with_who_brought_it_and_the_card_says_so(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "observation", file_of(seen()), "--as", "A. Name"]) == 0
    (kept,) = stored(workspace)
    assert (kept.vantage, kept.target.org, kept.started) == ("clinic", "riverside", MADE)
    assert kept.brought is not None
    assert kept.brought.by == "A. Name"
    assert len(kept.brought.sha256) == 64
    assert "nothing proves who made them" in capsys.readouterr().err
    assert run(["observe", "riverside"]) == 0
    shown = " ".join("".join(capsys.readouterr()).split())
    assert "clinic, handed over by A. Name" in shown
    assert "nothing proves who made it" in shown


def test_nobody_named_is_said(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "observation", file_of(seen())]) == 0
    assert "somebody who is not named" in " ".join(capsys.readouterr().err.split())


def test_two_of_one_time_are_both_kept_and_one_twice_is_not(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "observation", file_of(seen(), seen(elapsed=7.0))]) == 0
    assert "two observations of 2026-11-20 09:30:00 UTC; both are kept" in " ".join(capsys.readouterr().err.split())
    assert sorted(kept.elapsed_ms for kept in stored(workspace)) == [5.0, 7.0]
    assert run(["import", "observation", file_of(seen())]) == 0
    assert "1 observation is here already" in capsys.readouterr().err
    assert len(stored(workspace)) == 2


def test_an_older_one_does_not_take_the_place_of_a_newer(workspace: Workspace) -> None:
    newer = seen(MADE + timedelta(days=1), elapsed=9.0)
    save_observation(workspace, newer.but(target=newer.target.but(org="riverside")))
    assert run(["import", "observation", file_of(seen())]) == 0
    assert [kept.elapsed_ms for kept in stored(workspace)] == [5.0, 9.0]


def test_lines_of_a_fleet_are_taken_for_the_organisations_that_are_here(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    maker, writer = LineMaker(), LineWriter()
    several = [seen(), seen(base="https://hill.example/fhir"), seen(base="https://elsewhere.example/fhir")]
    Path("fleet.ndjson").write_bytes(b"".join(writer.finish(maker.make(one)) for one in several))
    assert run(["import", "observation", "fleet.ndjson"]) == 0
    assert len(stored(workspace)) == len(stored(workspace, "hilltop")) == 1
    assert "1 observation of no organisation here" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (seen(datetime.now(UTC) + timedelta(days=2)), (), "yet to come"),
        (seen(base="https://elsewhere.example/fhir"), (), "none of them is of an organisation here"),
        (seen(), ("--org", "hilltop"), "hilltop has another base URL"),
        (seen(), ("--org", "nobody"), "there is no organisation 'nobody'"),
        ({"resourceType": "Bundle"}, (), "this is no observation: field required at: seen.json at /target"),
        (json.loads(seen().model_dump_json()) | {"signature": "x"}, (), "permitted at: seen.json at /signature"),
        ("base_url,name", (), "this is no observation: it is no JSON"),
        ({"schema_version": "2", "target": {"base_url": BASE}, "checks": ["abc"]}, (), "no earlier line of the file"),
        ("", (), "the file is empty"),
    ],
)
def test_what_cannot_be_taken_is_told_and_nothing_is_written(
    content: Any, options: tuple[str, ...], said: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(content, Observation):
        file_of(content)
    else:
        Path("seen.json").write_text(content if isinstance(content, str) else json.dumps(content))
    assert run(["import", "observation", "seen.json", *options]) == 2
    assert said in " ".join("".join(capsys.readouterr()).split())
    assert not stored(workspace)
