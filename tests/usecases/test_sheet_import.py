"""Sheets that come back from organisations: each answer with its author and day, one message for each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hostile_text import HOSTILE

from filled_sheets import Value, filled, parts, zipped
from interlock.cli.main import run
from interlock.documents.xlsx import read_workbook
from interlock.model.base import Evidence, Status
from interlock.model.errors import InterlockError
from interlock.model.forms import FormImport
from interlock.model.questionnaire import Item, ItemType
from interlock.model.response import Response
from interlock.model.sheet import HEAD_ROW, QUESTIONS, Column
from interlock.model.text import forbidden
from interlock.usecases.fhir_import import plan_import
from interlock.usecases.form_import import FormsRefusedError, apply_import
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.sheet import asked_of_organizations, export_sheet
from interlock.usecases.sheet_import import plan_sheet_import
from interlock.workspace.store import Workspace

ORG, AUTHOR = "lakeshore", "Dr. Ada Lake <ada@lakeshore.example>"
DAY, NOW = date(2026, 11, 30), datetime(2026, 12, 9, 10, tzinfo=UTC)
#: The day of the answers as a spreadsheet's number, and that day.
SERIAL, ANSWERED = 46_357, datetime(2026, 12, 1, tzinfo=UTC)
BASE = "https://interlock.example/fhir"
HEAD: dict[str, Value] = {"D2": AUTHOR, "D3": SERIAL}
OWN = """\
id: zoo
version: "2.1"
title: Every type
items:
  - {id: zoo.yes, type: boolean, scope: org, text: Is it?, na: with_reason}
  - {id: zoo.number, type: integer, scope: org, text: How many?, min: 0, max: 12}
  - {id: zoo.day, type: date, scope: org, text: Since when?}
  - {id: zoo.page, type: url, scope: org, text: Where?}
  - {id: zoo.name, type: string, scope: org, text: What is it called?}
  - {id: zoo.tale, type: text, scope: org, text: Tell us more.}
  - id: zoo.several
    type: multi_choice
    scope: org
    text: Which ones?
    options:
      - {value: nothing, label: "=Nothing", exclusive: true}
      - {value: red, label: Red}
      - {value: blue, label: "-Blue"}
      - {value: nobody_knows, label: Nobody knows, unknown: true}
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    workspace = initialize(tmp_path_factory.mktemp("sheet") / "w", "sepsis")
    (workspace.root / "questionnaires").mkdir()
    (workspace.root / "questionnaires" / "zoo.yaml").write_text(OWN)
    settings = workspace.root / "interlock.yaml"
    settings.write_text(settings.read_text().replace("profile: core", "profile: full"))
    return load_inputs(Workspace(workspace.root))


@pytest.fixture(scope="module")
def empty(inputs: Inputs) -> Inputs:
    """The same before anybody answered."""
    return replace(inputs, by_org={})


@pytest.fixture(scope="module")
def sheet(inputs: Inputs) -> bytes:
    return content_of(inputs)


def content_of(inputs: Inputs, org: str = ORG) -> bytes:
    (content,) = export_sheet(inputs, org, "xlsx", day=DAY).files.values()
    return content


def rows_of(content: bytes, folder: Path) -> dict[str, int]:
    """By the key of each line its row."""
    path = folder / "rows.xlsx"
    path.write_bytes(content)
    cells = read_workbook(path, {QUESTIONS}).sheets[QUESTIONS]
    return {
        str(cell.value): row
        for (row, column), cell in cells.items()
        if column == Column.KEY.position and row > HEAD_ROW and cell.value
    }


@pytest.fixture
def back(sheet: bytes, tmp_path: Path) -> Callable[..., Path]:
    """A sheet as it comes back: cells by their address, or by question and column (``org.calendar/D``)."""
    rows = rows_of(sheet, tmp_path)

    def fill(cells: Mapping[str, Value], name: str = "back.xlsx", content: bytes = sheet) -> Path:
        named = {
            f"{key.rpartition('|')[2]}{rows[key.rpartition('|')[0]]}" if "|" in key else key: value
            for key, value in cells.items()
        }
        path = tmp_path / name
        path.write_bytes(filled(content, named))
        return path

    return fill


Back = Callable[..., Path]


def brought(inputs: Inputs, *paths: Path, **more: Any) -> FormImport:
    return plan_sheet_import(inputs, paths, now=NOW, **more)


def problems(inputs: Inputs, *paths: Path, **more: Any) -> list[str]:
    with pytest.raises(FormsRefusedError) as error:
        brought(inputs, *paths, **more)
    return [str(problem) for problem in error.value.problems]


def only_problem(inputs: Inputs, path: Path, **more: Any) -> str:
    (problem,) = problems(inputs, path, **more)
    return problem


# -- there and back ---------------------------------------------------------------------------------------------------


def answers_to(item: Item) -> list[tuple[dict[str, Value], Status, Any]]:
    """Every way to answer a question: the cells to fill in, by column, and the status and value that they mean."""
    every: list[tuple[dict[str, Value], Status, Any]] = [({"D": "Not known here"}, Status.UNKNOWN, None)]
    if item.na == "with_reason":
        every.append(({"D": "Does not apply here", "E": "no such thing"}, Status.NOT_APPLICABLE, None))
    values: dict[ItemType, list[tuple[Value, Any]]] = {
        ItemType.BOOLEAN: [("Yes", True), ("No", False), (('t="b"><v>1</v></c>',), True)],
        ItemType.INTEGER: [(7, 7), ("7", 7)],
        ItemType.DATE: [(SERIAL, "2026-12-01"), ("2026-12-01", "2026-12-01"), ("1 Dec 2026", "2026-12-01")],
        ItemType.URL: [("https://lakeshore.example/x", "https://lakeshore.example/x")],
        ItemType.STRING: [("Harbour", "Harbour"), (12, "12")],
        ItemType.TEXT: [("One.\nTwo.", "One.\nTwo."), (12_345_678, "12345678")],
        ItemType.CHOICE: [(option.label, option.value) for option in item.options],
    }
    return every + [({"D": cell}, Status.ANSWERED, value) for cell, value in values.get(item.type, [])]


def test_every_answer_to_every_question_comes_back(inputs: Inputs, empty: Inputs, back: Back) -> None:
    asked = {item_id: entry.item for item_id, entry in asked_of_organizations(inputs.content).items()}
    on_the_sheet = [item_id for item_id in rows_of(content_of(inputs), back({}).parent) if item_id in asked]
    assert len(on_the_sheet) > 35
    most = max(len(answers_to(asked[item_id])) for item_id in on_the_sheet)
    for turn in range(most):
        cells: dict[str, Value] = dict(HEAD)
        expected = {}
        for item_id in on_the_sheet:
            if item_id == "zoo.several":
                continue
            ways = answers_to(asked[item_id])
            columns, status, value = ways[turn % len(ways)]
            cells |= {f"{item_id}|{column}": cell for column, cell in columns.items()}
            expected[item_id] = (status, value, columns.get("E"))
        planned = brought(empty, back(cells))
        assert {change.kind for change in planned.changes} == {"new"}
        found = {change.item: change.after for change in planned.changes}
        assert {name: (a.status, a.value, a.reason) for name, a in found.items()} == expected
        for answer in found.values():
            assert (answer.by, answer.at, answer.evidence) == (AUTHOR, ANSWERED, Evidence.ASSERTED)


def test_a_question_that_takes_several_has_a_line_for_each_option(empty: Inputs, back: Back) -> None:
    some = back(HEAD | {"zoo.several/red|D": "Yes", "zoo.several/blue|D": "yes", "zoo.several/nothing|D": "No"})
    (change,) = brought(empty, some).changes
    assert change.after.value == ("red", "blue")
    (unknown,) = brought(empty, back(HEAD | {"zoo.several|D": "Not known here"})).changes
    assert unknown.after.status is Status.UNKNOWN
    none = only_problem(empty, back(HEAD | {"zoo.several/red|D": "No"}))
    assert "none of the lines below says Yes" in none
    both = only_problem(empty, back(HEAD | {"zoo.several|D": "Not known here", "zoo.several/red|D": "Yes"}))
    assert "answered here and in the lines below" in both
    alone = only_problem(empty, back(HEAD | {"zoo.several/nothing|D": "Yes", "zoo.several/red|D": "Yes"}))
    assert "'nothing' excludes every other answer" in alone
    assert "'Maybe' is not in the list" in only_problem(empty, back(HEAD | {"zoo.several/red|D": "Maybe"}))


def test_a_line_may_have_its_own_author_and_day(empty: Inputs, back: Back) -> None:
    cells = HEAD | {"org.calendar|D": "Not known here", "org.contacts|D": "Nobody is named"}
    planned = brought(empty, back(cells | {"org.contacts|F": "Bob Night", "org.contacts|G": "2026-12-04"}))
    found = {change.item: (change.after.by, change.after.at) for change in planned.changes}
    assert found == {
        "org.calendar": (AUTHOR, ANSWERED),
        "org.contacts": ("Bob Night", datetime(2026, 12, 4, tzinfo=UTC)),
    }


def test_days_that_count_from_1904(empty: Inputs, back: Back) -> None:
    files = parts(back(HEAD | {"D3": SERIAL - 1462, "org.calendar|D": "Not known here"}).read_bytes())
    book = files["xl/workbook.xml"].replace(b"<workbookPr", b'<workbookPr date1904="1"')
    (change,) = brought(empty, saved(back, files | {"xl/workbook.xml": book})).changes
    assert change.after.at == ANSWERED


def test_rows_in_another_order_and_white_space_do_not_matter(empty: Inputs, back: Back) -> None:
    path = back(HEAD | {"org.calendar|D": "  not  KNOWN here ", "zoo.name|D": " Harbour "})
    assert {change.item: change.after.status.value for change in brought(empty, path).changes} == {
        "org.calendar": "unknown",
        "zoo.name": "answered",
    }


def saved(back: Back, files: Mapping[str, bytes]) -> Path:
    path = back({}).with_name("changed.xlsx")
    path.write_bytes(zipped(files))
    return path


def test_a_sheet_that_nobody_filled_in_says_so(empty: Inputs, back: Back) -> None:
    planned = brought(empty, back({}))
    assert (planned.changes, planned.others, planned.remarks) == ((), (), ("back.xlsx brings no answer",))


# -- beside ours ------------------------------------------------------------------------------------------------------


def ours(**more: Any) -> Response:
    return Response(status=Status.ANSWERED, value="named", **more)


NAMED = "Named people for the EHR and for the clinical side, with their hours"
BY_US = {"by": "Bea", "at": datetime(2026, 10, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("stored", "label", "kind", "values"),
    [
        (None, NAMED, "new", ["named"]),
        (Response(status=Status.UNANSWERED, note="ask again"), NAMED, "new", ["named"]),
        (Response(status=Status.UNKNOWN, **BY_US), NAMED, "changed", ["named"]),
        (ours(), NAMED, "confirmed", ["named"]),
        (ours(**BY_US), NAMED, "same", ["named"]),
        (ours(evidence="documented", **BY_US), NAMED, "confirmed", ["named", "named"]),
        (ours(**BY_US), "Nobody is named", "differs", ["named", "nobody"]),
        (ours(), "Nobody is named", "differs", ["named", "nobody"]),
        (ours(by=AUTHOR, at=datetime(2026, 10, 1, tzinfo=UTC)), "Nobody is named", "changed", ["nobody"]),
        (ours(by=AUTHOR, at=datetime(2026, 12, 5, tzinfo=UTC)), "Nobody is named", "older", ["named"]),
    ],
)
def test_how_an_answer_compares_with_ours(
    empty: Inputs, back: Back, stored: Response | None, label: str, kind: str, values: list[str]
) -> None:
    before = empty.with_response(ORG, "org.contacts", stored)
    planned = brought(before, back(HEAD | {"org.contacts|D": label}))
    (change,) = (*planned.changes, *planned.others)
    assert (change.kind, [answer.value for answer in change.after.answers]) == (kind, values)
    assert (change in planned.others) is (kind in {"same", "older"})
    assert change.before == stored and change.theirs.by == AUTHOR
    if stored is not None and stored.note:
        assert stored.note in (change.after.note or ""), "what is noted stays"
    if kind == "differs":
        assert change.after.agreed_status is Status.UNKNOWN
        assert change.after.answers[0].said == stored.said if stored else False, "ours stays as it is"


def test_whose_answer_stays_can_be_said(empty: Inputs, back: Back) -> None:
    before = empty.with_response(ORG, "org.contacts", ours(**BY_US))
    path = back(HEAD | {"org.contacts|D": "Nobody is named"})
    (theirs,) = brought(before, path, take="theirs").changes
    assert (theirs.kind, theirs.after.value, theirs.after.by, theirs.after.others) == ("changed", "nobody", AUTHOR, ())
    kept = brought(before, path, take="ours")
    assert kept.changes == () and [(change.kind, change.after) for change in kept.others] == [
        ("differs", ours(**BY_US))
    ]


def test_several_sheets_are_saved_whole_or_not_at_all(inputs: Inputs, back: Back, tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "w", "sepsis")
    mine = load_inputs(workspace)
    for org in (ORG, "harborview"):
        content = content_of(mine, org)
        row = rows_of(content, tmp_path)["org.contacts"]
        (tmp_path / f"{org}.xlsx").write_bytes(filled(content, HEAD | {f"D{row}": "Nobody is named"}))
    paths = [tmp_path / f"{org}.xlsx" for org in (ORG, "harborview")]
    before = {path: path.read_bytes() for path in (tmp_path / "w").rglob("*.yaml")}
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(paths[1].read_bytes()[:-30])
    problems(mine, paths[0], broken)
    assert {path: path.read_bytes() for path in before} == before
    apply_import(workspace, brought(mine, *paths))
    stored = load_inputs(workspace)
    for org in (ORG, "harborview"):
        answers = stored.answers(org)["org.contacts"].answers
        assert (answers[-1].by, answers[-1].value) == (AUTHOR, "nobody")
    again = brought(stored, *paths)
    assert again.changes == (), "the same sheet brings nothing new"


def test_two_sheets_that_contradict_each_other(empty: Inputs, back: Back) -> None:
    first = back(HEAD | {"org.contacts|D": "Nobody is named"}, "one.xlsx")
    second = back(HEAD | {"org.contacts|D": "Not known here"}, "two.xlsx")
    (problem,) = problems(empty, first, second)
    assert "two.xlsx" in problem and "org.contacts is answered otherwise in" in problem and "one.xlsx" in problem


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "at", "said"),
    [
        ({"org.contacts|D": "Named peopel"}, "org.contacts|D", "org.contacts: 'Named peopel' is not in the list"),
        ({"org.agreement|D": "Does not apply here"}, "org.agreement|E", "needs a reason"),
        (
            {"org.fhir_release|D": "Does not apply here", "org.fhir_release|E": "x"},
            "org.fhir_release|D",
            "always applies",
        ),
        ({"org.contacts|E": "but why"}, "org.contacts|D", "org.contacts has a comment and no answer"),
        ({"D2": "", "org.contacts|D": "Nobody is named"}, "D2", "nobody is named here, and an answer has no name"),
        ({"D3": "", "org.contacts|D": "Nobody is named"}, "D3", "no day is written here, and an answer has no day"),
        ({"D3": "31.12.2025", "org.contacts|D": "Nobody is named"}, "D3", "'31.12.2025' cannot be read as a day"),
        ({"D3": 3_000_000, "org.contacts|D": "Nobody is named"}, "D3", "cannot be read as a day"),
        (
            {"org.contacts|G": 46_367, "org.contacts|D": "Nobody is named"},
            "org.contacts|G",
            "11 Dec 2026 is in the future",
        ),
        ({"org.contacts|G": 12, "org.contacts|D": "Nobody is named"}, "org.contacts|G", "1990"),
        ({"org.contacts|F": "A\x1b]0;x\x07", "org.contacts|D": "Nobody is named"}, "org.contacts|F", "U+001B"),
        ({"org.contacts|F": "A\nB", "org.contacts|D": "Nobody is named"}, "org.contacts|F", "holds a line break"),
        ({"org.contacts|F": "A" * 201, "org.contacts|D": "Nobody is named"}, "org.contacts|F", "201 characters"),
        ({"zoo.number|D": "seven"}, "zoo.number|D", "'seven' is not a whole number"),
        ({"zoo.number|D": 13}, "zoo.number|D", "13 is out of range"),
        ({"zoo.page|D": "javascript:alert(1)"}, "zoo.page|D", "is not an absolute http or https address"),
        ({"zoo.yes|D": "Perhaps"}, "zoo.yes|D", "'Perhaps' is not in the list"),
        ({"org.contacts|D": ("><f>CMD()</f><v>1</v></c>",)}, "org.contacts|D", "this cell holds a formula"),
        ({"A1": ('t="str"><f>1+1</f><v>x</v></c>',)}, "A1", "this cell holds a formula"),
        ({"E5": "Comment"}, "E5", "this column should be 'Reason or comment' and is 'Comment'"),
        ({"D5": "Answered by", "F5": "Your answer"}, "D5", "columns were moved or renamed"),
        ({"org.contacts|H": ""}, "org.contacts|D", "the line has no question"),
        ({"org.contacts|H": "org.contcats"}, "org.contacts|H", "no organisation is asked 'org.contcats'"),
        ({"org.contacts|H": "org.calendar"}, "org.contacts|H", "this line is about org.calendar, and so is line"),
    ],
)
def test_what_is_wrong_is_told_with_its_cell(
    empty: Inputs, back: Back, tmp_path: Path, cells: dict[str, Value], at: str, said: str
) -> None:
    if any(key.endswith("|H") for key in cells):
        cells |= {"org.contacts|D": "Nobody is named"}
    path = back(HEAD | {"org.calendar|D": "Not known here"} | cells)
    key, _, column = at.rpartition("|")
    address = f"{column}{rows_of(content_of(empty), tmp_path)[key]}" if key else at
    problem = only_problem(empty, path)
    assert said in problem
    assert problem.startswith(f"{path} at {QUESTIONS}!{address}: "), problem


def record(back: Back, **changed: str) -> Path:
    """A sheet whose hidden record says something else."""
    path = back(HEAD | {"org.contacts|D": "Nobody is named"})
    rows = {"schema": 1, "layout": 2, "organization": 3, "product": 4, "version": 5}
    path.write_bytes(filled(path.read_bytes(), {f"B{rows[key]}": value for key, value in changed.items()}, "sheet3"))
    return path


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schema": "x"}, "no sheet of questions: its record is missing"),
        ({"layout": "9"}, "written by another version of Interlock"),
        ({"product": "Another"}, "about the product 'Another'"),
        ({"organization": "elsewhere"}, "there is no organisation 'elsewhere'"),
        ({"version": "2026-11-30-000000000000"}, "questions are other ones by now"),
    ],
)
def test_a_sheet_of_somebody_else_or_of_other_questions(
    empty: Inputs, back: Back, changed: dict[str, str], said: str
) -> None:
    problem = only_problem(empty, record(back, **changed))
    assert said in problem and "interlock: " in problem


def test_a_sheet_of_another_organisation_than_was_said(empty: Inputs, back: Back) -> None:
    path = back(HEAD | {"org.contacts|D": "Nobody is named"})
    assert "this sheet is of 'lakeshore', not of 'harborview'" in only_problem(empty, path, org="harborview")


def test_of_another_version_is_taken_what_still_fits(empty: Inputs, back: Back) -> None:
    path = record(back, version="2026-01-01-000000000000")
    rows = rows_of(path.read_bytes(), path.parent)
    gone = {
        f"H{rows['org.calendar']}": "org.gone",
        f"D{rows['org.calendar']}": "Not known here",
        f"D{rows['zoo.yes']}": "Half",
    }
    path.write_bytes(filled(path.read_bytes(), gone))
    planned = brought(empty, path, any_version=True)
    assert [change.item for change in planned.changes] == ["org.contacts"]
    assert [remark.partition(": ")[0] for remark in planned.remarks] == ["back.xlsx", "left out", "left out"]
    assert any("'Half' is not in the list" in remark for remark in planned.remarks)


def test_a_question_that_was_worded_anew_is_another_version(empty: Inputs, back: Back, tmp_path: Path) -> None:
    path = back(HEAD | {"org.contacts|D": "Nobody is named"})
    folder = tmp_path / "anew"
    workspace = initialize(folder, "sepsis")
    (folder / "questionnaires").mkdir()
    (folder / "questionnaires" / "zoo.yaml").write_text(OWN.replace("Is it?", "Is it still?").replace('"2.1"', '"2.2"'))
    problem = only_problem(load_inputs(workspace), path)
    assert "asks version 2.1 of zoo, and this workspace asks version 2.2" in problem


def test_every_problem_is_told_at_once(empty: Inputs, back: Back) -> None:
    wrong = {"org.contacts|D": "x", "org.calendar|D": "y", "zoo.number|D": "z"}
    assert len(problems(empty, back(HEAD | wrong))) == 3


@pytest.mark.parametrize("harm", HOSTILE)
def test_hostile_text_is_refused_or_stays_text(empty: Inputs, back: Back, harm: str) -> None:
    text = HOSTILE[harm].encode("utf-8", "ignore").decode()
    text = text.replace("\ufffe", "").replace("\uffff", "")  # XML has no way to write them
    cells = HEAD | {"zoo.tale|D": text, "zoo.tale|E": text}
    try:
        planned = brought(empty, back(cells))
    except FormsRefusedError as error:
        assert all("this cell holds" in str(problem) for problem in error.problems)
        return
    (change,) = planned.changes
    assert forbidden(str(change.after.value)) is None
    assert change.after.value == text.replace("\r\n", "\n").strip()


# -- the FHIR form ----------------------------------------------------------------------------------------------------


def answered_form(inputs: Inputs, tmp_path: Path, *, author: Any = AUTHOR, **changed: Any) -> Path:
    files = export_sheet(inputs, ORG, "fhir", day=DAY).files
    form = json.loads(next(content for name, content in files.items() if "-Questionnaire-" in name))
    absent = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason"}

    def item(link_id: str, value: dict[str, Any], comment: str | None = None) -> dict[str, Any]:
        below = [{"linkId": f"{link_id}/comment", "answer": [{"valueString": comment}]}] if comment else []
        return {"linkId": link_id, "answer": [{**value, "item": below}]}

    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "authored": "2026-12-01",
        "item": [
            item("org.contacts", {"valueCoding": {"code": "nobody"}}, "ask the front desk"),
            item("org.calendar", {"valueCoding": absent | {"code": "unknown"}}),
            item("org.agreement", {"valueCoding": absent | {"code": "not-applicable"}}, "one house"),
            item("zoo.yes", {"valueBoolean": True}),
        ],
    } | changed
    if author is not None:
        response["author"] = {"display": author}
    path = tmp_path / "form.json"
    path.write_text(json.dumps(response))
    return path


def test_the_form_comes_back_with_author_day_and_comments(empty: Inputs, tmp_path: Path) -> None:
    planned = plan_import(empty, [answered_form(empty, tmp_path)], now=NOW)
    found = {change.item: change.after for change in planned.changes}
    assert {change.scope for change in planned.changes} == {ORG}
    assert {name: (a.status.value, a.value, a.reason, a.note) for name, a in found.items()} == {
        "org.contacts": ("answered", "nobody", None, "ask the front desk"),
        "org.calendar": ("unknown", None, None, None),
        "org.agreement": ("not_applicable", None, "one house", None),
        "zoo.yes": ("answered", True, None, None),
    }
    assert {(a.by, a.at) for a in found.values()} == {(AUTHOR, ANSWERED)}


def test_a_form_that_differs_stands_beside_ours(empty: Inputs, tmp_path: Path) -> None:
    before = empty.with_response(ORG, "org.contacts", ours(**BY_US))
    planned = plan_import(before, [answered_form(empty, tmp_path)], now=NOW)
    (change,) = [change for change in planned.changes if change.item == "org.contacts"]
    assert (change.kind, [answer.value for answer in change.after.answers]) == ("differs", ["named", "nobody"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"author": None}, "at /author: the document does not say who answered"),
        ({"author": "A\x07"}, "at /author/display: display holds the character U+0007"),
        ({"author": "A\nB"}, "at /author/display: the name holds a line break"),
        ({"authored": "2027-01-01"}, "at /authored: 1 Jan 2027 is in the future"),
        ({"questionnaire": f"{BASE}/Questionnaire/sheet-nowhere|x"}, "made for 'nowhere'"),
        ({"questionnaire": f"{BASE}/Questionnaire/sheet-lakeshore|1-0"}, "answers version 0 of"),
        (
            {"subject": {"identifier": {"system": f"{BASE}/organization", "value": "harborview"}}},
            "made for 'lakeshore', and the document is about 'harborview'",
        ),
    ],
)
def test_what_is_wrong_with_a_form(empty: Inputs, tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(FormsRefusedError) as error:
        plan_import(empty, [answered_form(empty, tmp_path, **changed)], now=NOW)
    assert said in str(error.value.problems[0])


@pytest.mark.parametrize("link_id", [["x"], {"a": 1}, 7, None])
def test_an_item_whose_link_id_is_no_text(empty: Inputs, tmp_path: Path, link_id: Any) -> None:
    with pytest.raises(FormsRefusedError) as error:
        plan_import(empty, [answered_form(empty, tmp_path, item=[{"linkId": link_id, "answer": []}])], now=NOW)
    assert "/item/0/linkId" in str(error.value.problems[0])


def test_a_comment_without_an_answer_is_not_lost(empty: Inputs, tmp_path: Path) -> None:
    below = [{"linkId": "org.contacts/comment", "answer": [{"valueString": "ask the front desk"}]}]
    form = answered_form(empty, tmp_path, item=[{"linkId": "org.contacts", "answer": [{"item": below}]}])
    with pytest.raises(FormsRefusedError) as error:
        plan_import(empty, [form], now=NOW)
    assert "at /item/0: org.contacts has a comment and no answer" in str(error.value.problems[0])


def test_who_answered_can_be_said_for_a_form_that_does_not(empty: Inputs, tmp_path: Path) -> None:
    planned = plan_import(empty, [answered_form(empty, tmp_path, author=None)], by="Ada", now=NOW)
    assert {change.after.by for change in planned.changes} == {"Ada"}
    with pytest.raises(InterlockError, match="the author holds a line break"):
        plan_import(empty, [answered_form(empty, tmp_path, author=None)], by="A\nB", now=NOW)


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = initialize(tmp_path / "w", "sepsis")
    monkeypatch.chdir(tmp_path / "w")
    content = content_of(load_inputs(workspace))
    row = rows_of(content, tmp_path)["org.contacts"]
    back = tmp_path / "back.xlsx"
    back.write_bytes(filled(content, {"D2": AUTHOR, "D3": "2025-12-01", f"D{row}": "Nobody is named"}))
    stored = (tmp_path / "w" / "responses" / "lakeshore.yaml").read_bytes()

    assert run(["import", "sheet", str(back), "--dry-run"]) == 0
    told = capsys.readouterr()
    assert (tmp_path / "w" / "responses" / "lakeshore.yaml").read_bytes() == stored
    for part in ("differs", "org.contacts", "Our project", "Nobody whom", "<ada@", "2025)"):
        assert part in told.out, "in 100 columns nothing is cut"
    assert "1 answer differs from ours; both would stand" in told.err and "--keep NAME" in told.err

    assert run(["import", "sheet", str(back), "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert FormImport.model_validate(data).changes[0].kind == "differs"
    assert load_inputs(workspace).answers(ORG)["org.contacts"].agreed_status is Status.UNKNOWN

    back.write_bytes(filled(content, {"D3": "2025-12-02", f"D{row}": "Not known here"}))
    assert run(["import", "sheet", str(back)]) == 2
    assert "say --as NAME" in capsys.readouterr().err
    assert run(["import", "sheet", str(back), "--as", "Bob Night", "--take", "theirs"]) == 0
    answer = load_inputs(workspace).answers(ORG)["org.contacts"]
    assert (answer.status, answer.by, answer.others) == (Status.UNKNOWN, "Bob Night", ())
    capsys.readouterr()

    assert run(["import", "sheet", str(back), "--org", "harborview"]) == 2
    assert "not of 'harborview'" in capsys.readouterr().err
    assert run(["import", "sheet", str(tmp_path / "none.xlsx")]) == 2
    assert "no such file" in capsys.readouterr().err
