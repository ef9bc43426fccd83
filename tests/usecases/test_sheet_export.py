"""The sheet that is mailed to an organisation: what it asks, how it asks it, and what it never holds."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as QuestionnaireResource
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as QuestionnaireResponseResource

from filled_sheets import parts
from interlock.cli.main import run
from interlock.documents.xlsx import read_workbook
from interlock.model.base import Evidence, Scope, Status
from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.model.sheet import HEAD_ROW, QUESTIONS, READ_ME, RECORD, Column
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import asked
from interlock.usecases.load import Inputs, load_content, load_inputs
from interlock.usecases.sheet import Export, asked_of_organizations, export_sheet, write_sheet

DAY = date(2026, 11, 30)
ORG = "lakeshore"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("sheet") / "w", "sepsis"))


def exported(inputs: Inputs, **more: Any) -> Export:
    return export_sheet(inputs, ORG, more.pop("form", "both"), day=DAY, **more)


def workbook(export: Export) -> bytes:
    return next(content for name, content in export.files.items() if name.endswith(".xlsx"))


def cells(content: bytes, folder: Path, sheet: str = QUESTIONS) -> dict[tuple[int, int], Any]:
    path = folder / "sheet.xlsx"
    path.write_bytes(content)
    return {place: cell.value for place, cell in read_workbook(path, {sheet}).sheets[sheet].items()}


def lines(content: bytes, folder: Path) -> dict[str, dict[Column, Any]]:
    """By the key of each line what its columns hold."""
    found = cells(content, folder)
    rows = [row for (row, column), key in found.items() if column == Column.KEY.position and row > HEAD_ROW and key]
    told = ({column: found.get((row, column.position), "") for column in Column} for row in rows)
    return {line[Column.KEY]: line for line in told}


def test_it_asks_what_the_organisation_is_asked_and_nothing_else(inputs: Inputs, tmp_path: Path) -> None:
    own = [item.id for item in asked(inputs, ORG)]
    told = lines(workbook(exported(inputs)), tmp_path)
    assert list(told) == own
    every = {item.id for item in inputs.content.items.values() if item.scope is Scope.ORG}
    assert every - set(own), "the sample hides some, or this test shows nothing"
    assert [line[Column.NUMBER] for line in told.values()] == [str(number) for number in range(1, len(own) + 1)]


def test_every_question_of_an_organisation_is_worded_for_it() -> None:
    """Read as the hospital reads it: "you" is the hospital, so our own stems, which speak to our team, do not do."""
    own = [item for item in load_content(None).items.values() if item.scope is Scope.ORG]
    assert [item.id for item in own if item.ask is None] == []
    told = asked_of_organizations(load_content(None))
    ours = re.compile(r"\b(this organisation|contract\.yaml|probe)\b", re.IGNORECASE)
    for entry in told.values():
        assert not ours.search(f"{entry.item.text} {entry.item.why}"), entry.item.id
        ask = load_content(None).items[entry.item.id].ask
        for option in entry.item.options:
            own = ask is not None and option.value in ask.labels
            assert own or not re.search(r"\b(you|yours?)\b", option.label), (
                f"{entry.item.id}: {option.label!r} speaks to our team; word it for the hospital under ask: labels"
            )


def test_read_me_says_who_asks_how_to_answer_and_whom_to_send_it_to(inputs: Inputs, tmp_path: Path) -> None:
    content = workbook(exported(inputs, reply_to="Ada Long <ada@product.example>"))
    said = "\n".join(cells(content, tmp_path, READ_ME).values())
    organization = inputs.organization(ORG).name
    for part in (
        inputs.settings.product,
        organization,
        "“Not known here” is a good answer",
        "“Does not apply here”",
        "send this file back to Ada Long <ada@product.example>",
        "nothing about patients",
        "Version\n2026-11-30-",
    ):
        assert part in said


def test_an_answer_is_chosen_from_a_list_that_the_workbook_holds(inputs: Inputs, tmp_path: Path) -> None:
    content = workbook(exported(inputs))
    sheet = ElementTree.fromstring(parts(content)["xl/worksheets/sheet2.xml"])
    rules = [rule for rule in sheet.iter(f"{MAIN}dataValidation") if rule.get("type") == "list"]
    assert len(rules) == len(asked(inputs, ORG))
    for rule in rules:
        assert re.fullmatch(r"interlock!\$[A-Z]+\$1:\$[A-Z]+\$\d+", rule.findtext(f"{MAIN}formula1", ""))
    held = set(cells(content, tmp_path, RECORD).values())
    for entry in asked_of_organizations(inputs.content).values():
        if entry.item.id in {item.id for item in asked(inputs, ORG)}:
            assert {option.label for option in entry.item.options} <= held
    assert {"Not known here", "Does not apply here", "Yes", "No"} <= held


def test_only_the_cells_to_fill_in_are_open(inputs: Inputs, tmp_path: Path) -> None:
    content = workbook(exported(inputs))
    files = parts(content)
    unlocked = {
        index
        for index, style in enumerate(ElementTree.fromstring(files["xl/styles.xml"]).find(f"{MAIN}cellXfs") or ())
        if (lock := style.find(f"{MAIN}protection")) is not None and lock.get("locked") == "0"
    }
    sheet = ElementTree.fromstring(files["xl/worksheets/sheet2.xml"])
    protection = sheet.find(f"{MAIN}sheetProtection")
    assert protection is not None and protection.get("sheet") == "1"
    is_open = {cell.get("r") for cell in sheet.iter(f"{MAIN}c") if int(cell.get("s", "0")) in unlocked}
    rows = [
        row
        for (row, column), key in cells(content, tmp_path).items()
        if column == Column.KEY.position and row > HEAD_ROW and key
    ]
    assert is_open == {"D2", "D3", *(f"{letter}{row}" for row in rows for letter in "DEFG")}
    book = ElementTree.fromstring(files["xl/workbook.xml"])
    states = {entry.get("name"): entry.get("state") for entry in book.iter(f"{MAIN}sheet")}
    assert states == {READ_ME: None, QUESTIONS: None, RECORD: "veryHidden"}


def test_it_can_be_read_and_printed(inputs: Inputs) -> None:
    sheet = ElementTree.fromstring(parts(workbook(exported(inputs)))["xl/worksheets/sheet2.xml"])
    columns = list(sheet.iter(f"{MAIN}col"))
    widths = [float(column.get("width", "0")) for column in columns if column.get("hidden") != "1"]
    assert sum(widths) < 190, "on a page across, letters stay large enough to read"
    assert [column.get("hidden") for column in columns].count("1") == 1
    setup = sheet.find(f"{MAIN}pageSetup")
    assert setup is not None and setup.get("orientation") == "landscape" and setup.get("fitToHeight") == "0"
    pane = sheet.find(f".//{MAIN}pane")
    assert pane is not None and pane.get("topLeftCell") == f"A{HEAD_ROW + 1}"
    heights = {row.get("r"): float(row.get("ht", "0")) for row in sheet.iter(f"{MAIN}row")}
    assert all(height >= 15 for row, height in heights.items() if row and int(row) > HEAD_ROW)


SECRET = "an internal remark that stays ours"


def test_nothing_of_ours_is_in_it(inputs: Inputs) -> None:
    """No notes, reasons, evidence, weights, rationales, sources, nor anything of another organisation."""
    item = "org.agreement"
    secret = Response(
        status=Status.ANSWERED,
        value="signed",
        evidence=Evidence.OBSERVED,
        note=SECRET,
        by="Somebody Within",
        documents=({"title": SECRET, "link": "https://internal.example/x"},),  # type: ignore[arg-type]
    )
    full = inputs.with_response(ORG, item, secret)
    full = full.with_response(ORG, "org.data_use", Response(status=Status.NOT_APPLICABLE, reason=SECRET))
    export = exported(full)
    shown = "\n".join(
        part.decode("utf-8", "replace") for part in [*parts(workbook(export)).values(), *export.files.values()]
    )
    others = [organization for organization in inputs.organizations if organization.id != ORG]
    rationales = {
        option.rationale for entry in inputs.content.items.values() for option in entry.options if option.rationale
    }
    sources = {"designNote", "ordinalValue", "itemWeight", "observed", "internal.example", "Somebody Within", SECRET}
    for ours in (*sources, *rationales, *(part for other in others for part in (other.id, other.name))):
        assert ours not in shown, ours
    assert "Signed, with the sub-processors listed. Please confirm" in shown


def test_what_the_product_proposes_is_a_question(inputs: Inputs, tmp_path: Path) -> None:
    item = "contract.clinical_owner"
    proposal = Response(status=Status.ANSWERED, value="ours", by="us")
    proposed = inputs.with_response(ORG, item, None).with_response("product", item, proposal)
    noted = lines(workbook(exported(proposed)), tmp_path)[item][Column.NOTED]
    assert noted == "We think: The clinical lead of the product's team. Please confirm or correct."
    unknown = inputs.with_response(ORG, item, Response(status=Status.UNKNOWN)).with_response("product", item, None)
    assert lines(workbook(exported(unknown)), tmp_path)[item][Column.NOTED] == ""


def test_different_answers_are_told_without_who_gave_them(inputs: Inputs, tmp_path: Path) -> None:
    item = "contract.clinical_owner"
    other = Response(status=Status.ANSWERED, value="nobody", by="Bea Within")
    both = Response(status=Status.ANSWERED, value="ours", by="Abe Within", note=SECRET).beside(other)
    export = exported(inputs.with_response(ORG, item, both))
    noted = lines(workbook(export), tmp_path)[item][Column.NOTED]
    assert noted == (
        "We were given different answers: The clinical lead of the product's team; Nobody by name. "
        "Please say which of them holds."
    )
    assert not [content for content in export.files.values() if b"Within" in content]
    form = next(content.decode() for name, content in export.files.items() if "Response" in name)
    assert item not in form, "neither is sent as the answer"


def test_the_fhir_form_is_valid_and_asks_in_the_same_words(inputs: Inputs, tmp_path: Path) -> None:
    export = exported(inputs)
    form, response = (
        json.loads(next(content for name, content in export.files.items() if f"-{kind}-" in name))
        for kind in ("Questionnaire", "QuestionnaireResponse")
    )
    QuestionnaireResource.model_validate(form)
    QuestionnaireResponseResource.model_validate(response)
    asked_there = {item["linkId"]: item for group in form["item"] for item in group["item"]}
    told = lines(workbook(export), tmp_path)
    assert list(asked_there) == list(told)
    for key, item in asked_there.items():
        assert str(told[key][Column.QUESTION]).startswith(item["text"])
        comment = {"linkId": f"{key}/comment", "text": "Reason or comment", "type": "text", "required": False}
        assert item["item"][-1] == comment | {"maxLength": 10_000}
    choice = asked_there["org.agreement"]["answerOption"]
    assert [option["valueCoding"]["code"] for option in choice][-2:] == ["unknown", "not-applicable"]
    assert response["questionnaire"] == f"{form['url']}|{form['version']}"
    assert response["status"] == "in-progress"
    assert "author" not in response


def test_the_same_workspace_gives_the_same_bytes_and_an_edited_file_is_not_overwritten(
    inputs: Inputs, tmp_path: Path
) -> None:
    export = exported(inputs)
    assert export.files == exported(inputs).files
    assert sorted(export.files) == [
        "lakeshore-Questionnaire-2026-11-30.json",
        "lakeshore-QuestionnaireResponse-2026-11-30.json",
        "lakeshore-questions-2026-11-30.xlsx",
    ]
    written = write_sheet(export, tmp_path / "out")
    assert write_sheet(export, tmp_path / "out") == written
    edited = next(path for path in written if path.suffix == ".xlsx")
    edited.write_bytes(b"filled in")
    written[0].unlink() if written[0] != edited else written[1].unlink()
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    with pytest.raises(InterlockError, match="there already") as error:
        write_sheet(export, tmp_path / "out")
    assert str(edited) in str(error.value)
    assert edited.read_bytes() == b"filled in"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == left, "none of the others is written"


@pytest.mark.parametrize("form", ["xlsx", "fhir"])
def test_one_form_alone(inputs: Inputs, form: str) -> None:
    suffixes = {Path(name).suffix for name in exported(inputs, form=form).files}
    assert suffixes == {".xlsx" if form == "xlsx" else ".json"}


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    initialize(tmp_path / "w", "sepsis")
    monkeypatch.chdir(tmp_path / "w")
    assert run(["export", "sheet", "--org", ORG]) == 0
    told = capsys.readouterr()
    assert len(told.out.split()) == 3
    assert all(Path(name).is_file() for name in told.out.split())
    assert "with an answer of ours to confirm" in told.err
    assert run(["export", "sheet", "--org", "nowhere"]) == 2
    assert "there is no organisation 'nowhere'" in capsys.readouterr().err
    assert run(["export", "sheet", "--org", ORG, "--output", "other", "--reply-to", "a\x1b]0;x"]) == 2
    assert "--reply-to holds the character U+001B" in capsys.readouterr().err


def test_a_form_that_would_not_be_valid_is_our_mistake_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    initialize(tmp_path / "w", "sepsis")
    monkeypatch.chdir(tmp_path / "w")
    monkeypatch.setattr(
        "interlock.usecases.sheet.questionnaire_resource", lambda *_, **__: {"resourceType": "Questionnaire"}
    )
    assert run(["export", "sheet", "--org", ORG, "--output", "out"]) == 70
    report = next(line for line in capsys.readouterr().err.splitlines() if line.strip().startswith("at: "))
    assert "/status is required, and missing" in Path(report.partition("at: ")[2]).read_text("utf-8")
    assert not list(tmp_path.rglob("*Questionnaire*.json"))
