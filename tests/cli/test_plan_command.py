"""``interlock plan`` and ``interlock gaps`` on the shipped sample, as a person would call them."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from interlock.model.plan import Plan, WhatIf
from interlock.tui.plan_page import still_possible
from interlock.usecases.initialize import initialize


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    initialize(tmp_path / "ws", "sepsis")
    return tmp_path / "ws"


def test_the_plan_fits_eighty_columns_and_says_what_it_rests_on(command, workspace: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = command("plan", "--runs", "300", "--by", "2028-01-01", "--workspace", workspace)
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= 80
    for words in (
        "To the pilot gate, from ",
        "It is a range and not a date to promise",
        "eight of ten end in that time",
        "By 1 Jan 2028",
        "If everything took its most likely time, all would be through by",
        "Do first, from the top",
        "What drives the P80",
        "Shared sandboxes",
        "1 Jan 2028 is not worked",
        "Where to start, in the order in which to decide",
        "Change freezes. Riverside Regional Medical Center: 18 Dec 2026 to 4 Jan 2027",
        "Decisions to be taken",
        "Priya Raman, integration lead, asks Ruth Calloway, IT director, at Pinecrest Community Hospital.",
        "; requirements met up to the ",
        "Next: see through: ",
    ):
        assert words in " ".join(shown.out.split())


def test_the_plan_is_the_same_bytes_whatever_is_shown_of_it(command, workspace: Path) -> None:
    arguments = ("plan", "--format", "json", "--runs", "300", "--seed", "3", "--workspace", workspace)
    first, second = command(*arguments), command(*arguments)
    assert first.out == second.out
    plan = Plan.model_validate_json(first.out)
    assert (plan.seed, plan.runs) == (3, 300)
    assert {driver.what for driver in plan.drivers} <= {"task", "party"}


def test_a_chance_for_every_organisation_and_for_all(command, workspace: Path) -> None:
    plan = command("plan", "--by", "2027-12-31", "--format", "json", "--runs", "300", "--workspace", workspace).json()
    chances = {chance["org"]: chance["probability"] for chance in plan["chances"]}
    assert set(chances) == {None, *(forecast["org"] for forecast in plan["orgs"])}
    assert chances[None] <= min(chance for org, chance in chances.items() if org)


@pytest.mark.parametrize(
    "change",
    [
        ("--what-if", "ORG-001@lakeshore,org.priority"),
        ("--what-if", "org-001", "--what-if", "org.silent"),
        ("--add-capacity", "us=2"),
        ("--drop", "pinecrest"),
        ("--simulate", "all"),
        ("--simulate", "score and note in the chart", "--add-capacity", "us=0.5", "--drop", "riverside"),
    ],
)
def test_a_what_if_is_never_later(command, workspace: Path, change: tuple[str, ...]) -> None:
    shown = command("plan", *change, "--runs", "200", "--format", "json", "--workspace", workspace)
    result = WhatIf.model_validate_json(shown.out)
    assert result.changes
    for finish in result.finishes:
        if finish.after is None:
            assert finish.org in change
        else:
            assert finish.after.p50_days <= finish.before.p50_days
            assert finish.after.p80_days <= finish.before.p80_days
            assert finish.after.p80_date <= finish.before.p80_date


def test_before_is_the_plan(command, workspace: Path) -> None:
    plan = command("plan", "--runs", "200", "--format", "json", "--workspace", workspace).json()
    shown = command(
        "plan", "--launch", "standalone", "--runs", "200", "--format", "json", "--workspace", workspace
    ).json()
    before = {finish["org"]: finish["before"] for finish in shown["finishes"]}
    assert before == {None: plan["finish"], **{finish["org"]: finish["finish"] for finish in plan["orgs"]}}
    assert "standalone launch" in shown["changes"][0]
    assert shown["closed"]
    table = command("plan", "--launch", "standalone", "--runs", "200", "--workspace", workspace)
    said = " ".join(table.out.split())
    assert "Eight of ten runs As supposed" in said and "These are ranges and no dates to promise, because" in said
    assert "P80 was" not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--what-if", "AUTH-999@elm"), "nothing in the plan is called"),
        (("--drop", "elm"), "there is no organisation 'elm'"),
        (("--add-capacity", "us"), "is not OWNER=N"),
        (("--add-capacity", "them=1"), "is not OWNER=N"),
        (("--add-capacity", "us=nan"), "is not OWNER=N"),
        (("--add-capacity", "us=-9"), "the capacity of us would be"),
        (("--add-capacity", "vendor=1"), "the capacity of vendor is not stated"),
        (("--simulate", "Teleportation"), "no behaviour that is tested in a sandbox"),
        (("--by", "someday"), "someday"),
        (("--seed", "1.5"), "valid integer"),
        (("--seed", "-1"), "greater than or equal to 0"),
        (("--seed", "99999999999999999999"), "the seed is"),
    ],
)
def test_bad_input_is_named(command, workspace: Path, arguments: tuple[str, ...], message: str) -> None:
    failed = command("plan", *arguments, "--runs", "100", "--workspace", workspace)
    assert failed.code == 2
    assert message in failed.err
    assert "Traceback" not in failed.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("capacity: {us: 0}", "capacity.us"),
        ("seed: seven", "seed"),
        ("holidays: ['25 December']", "holidays"),
        ("freezes: [{from: '2027-01-04', to: '2026-12-18'}]", "freeze"),
        ("freezes: [{from: '2027-01-04'}]", "freezes.0.to"),
        ("start: '2026-02-30'", "start"),
    ],
)
def test_bad_settings_name_their_place(command, workspace: Path, line: str, message: str) -> None:
    file = workspace / "interlock.yaml"
    key = line.partition(":")[0]
    kept: list[str] = []
    for old in file.read_text().splitlines():
        if old.startswith(f"{key}:") or (old.startswith(" ") and kept and kept[-1].startswith("#gone")):
            kept.append("#gone")
        else:
            kept.append(old)
    file.write_text("\n".join([*kept, line, ""]))
    failed = command("plan", "--workspace", workspace)
    assert failed.code == 2
    assert message in failed.err
    number = next(at for at, text in enumerate(file.read_text().splitlines(), 1) if text == line)
    assert f"interlock.yaml:{number}:" in failed.err


def test_holidays_and_freezes_reach_the_plan(command, workspace: Path) -> None:
    def plan():
        return command("plan", "--runs", "200", "--format", "json", "--workspace", workspace).json()

    stated = plan()
    file = workspace / "interlock.yaml"
    bare = file.read_text().partition("\n# Days that nobody works")[0] + "\n"
    file.write_text(bare)
    before = plan()
    freeze = "freezes: [{from: '2027-06-01', to: '2027-12-31', org: lakeshore, reason: upgrade}]\n"
    file.write_text(f"{bare}holidays: ['2026-12-25', '2027-01-01']\n{freeze}")
    after = plan()
    assert "holidays" not in bare
    assert any("Holidays: none are stated" in note for note in before["notes"])
    assert not any("Holidays: none are stated" in note for note in [*stated["notes"], *after["notes"]])
    finishes = {finish["org"]: finish["finish"]["p80_date"] for finish in after["orgs"]}
    assert finishes["lakeshore"] >= "2028-01-03"
    assert "org.freeze@lakeshore" not in {task["id"] for task in after["tasks"]}
    assert "org.freeze@pinecrest" in {task["id"] for task in after["tasks"]}


def test_the_graph_in_every_format(command, workspace: Path) -> None:
    def shown(name: str) -> str:
        result = command("gaps", "--format", name, "--workspace", workspace)
        assert result.code == 0
        return str(result.out)

    data = json.loads(shown("json"))
    root = ElementTree.fromstring(shown("graphml"))
    space = "{http://graphml.graphdrawing.org/xmlns}"
    assert {node.get("id") for node in root.iter(f"{space}node")} == {node["id"] for node in data["nodes"]}
    assert len(list(root.iter(f"{space}edge"))) == len(data["edges"])
    assert shown("mermaid").startswith("flowchart LR")
    assert shown("dot").startswith("digraph gaps {")
    assert ElementTree.fromstring(shown("svg")).tag.endswith("svg")


def test_every_first_thing_can_be_supposed_at_all_its_organisations(command, workspace: Path) -> None:
    plan = Plan.model_validate_json(command("plan", "--runs", "100", "--format", "json", "--workspace", workspace).out)
    assert any(len(thing.keys) > 1 for thing in plan.first)
    offered = tuple(f"done:{thing.key}" for thing in plan.first)
    assert still_possible(offered, plan, None) == offered
    for thing in plan.first:
        shown = command("plan", "--runs", "100", "--what-if", thing.key, "--workspace", workspace)
        assert shown.code == 0
        assert all(key in " ".join(shown.out.split()) for key in thing.keys)


def test_what_to_do_first_is_the_same_list_wherever_it_is_told(command, workspace: Path) -> None:
    assert command("next", "--format", "json", "--workspace", workspace).json()["first"] is None
    told = command("next", "--to-do", "--workspace", workspace).err
    first = command("next", "--to-do", "--format", "json", "--workspace", workspace).json()["first"]
    plan = command("plan", "--format", "json", "--workspace", workspace).json()
    assert first == plan["first"][0]
    begun = [thing["action"] for thing in plan["first"] if thing["key"] == "org.priority@pinecrest"]
    assert [action.partition(":")[0] for action in begun] == ["Ask Pinecrest Community Hospital to begin it"]
    said = told[told.index("First to do: ") :].splitlines()
    assert " ".join(" ".join(said).split()).startswith(f"First to do: {first['task']}")
    assert said[-2] == f"  {first['key']}" and first["key"] not in " ".join(said[:-2]), "words first, the id apart"
    assert (
        command("next", "--to-do", "--org", "lakeshore", "--format", "json", "--workspace", workspace).json()["first"]
        is None
    )


def test_the_next_question_names_the_hospital_that_it_is_for(command, workspace: Path) -> None:
    shown = command("next", "--org", "harborview", "--workspace", workspace).err
    assert "Asked of: Harborview Clinics." in shown
