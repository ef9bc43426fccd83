"""Adding, changing and removing organisations, with what is wrong said at its field."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input, Select, Static

from filled_sheets import filled
from interlock.documents.xlsx import read_workbook
from interlock.model.errors import WorkspaceError
from interlock.model.sheet import HEAD_ROW, QUESTIONS, UNKNOWN, Column
from interlock.tui.screens.organization_form import OrganizationForm
from interlock.tui.widgets.fields import Segments
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.usefixtures("unplanned")


def field(t, name: str) -> Input:
    return t.app.screen.query_one(f"#{name}", Input)


def filled_in(sheet: Path, into: Path, item: str) -> Path:
    """The sheet as it comes back: one question's answer is not known there."""
    cells = read_workbook(sheet, {QUESTIONS}).sheets[QUESTIONS]
    (row,) = (r for (r, c), cell in cells.items() if c == Column.KEY.position and r > HEAD_ROW and cell.value == item)
    answer = f"{'ABCDEFGHIJ'[Column.ANSWER.position - 1]}{row}"
    into.write_bytes(filled(sheet.read_bytes(), {"D2": "Dr. Ada Lake", "D3": 46_357, answer: UNKNOWN}))
    return into


def error_at(t, name: str) -> str:
    shown = t.app.screen.query_one(f"#{name}-error", Static)
    return str(shown.visual) if shown.display else ""


async def test_an_organisation_is_added_with_an_id_made_from_its_name(terminal, workspace):
    async with terminal((80, 24), section="organizations") as t:
        await t.press("a")
        await t.until(lambda: isinstance(t.app.screen, OrganizationForm))
        await t.type("St. Mary [bold]Hospital[/bold]")
        field(t, "fhir_base_url").value = "https://ehr.example.org/fhir/r4/"
        t.app.screen.query_one("#vendor", Select).value = "epic"
        t.app.screen.query_one("#environment", Segments).value = "production"
        field(t, "client_id_env").value = "MARY_CLIENT"
        await t.press("ctrl+s")
        await t.until(
            lambda: any(org.vendor == "epic" and "Mary" in org.name for org in workspace.read().organizations)
        )
        known = lambda: [org for org in t.app.state.inputs.organizations if "Mary" in org.name]  # noqa: E731
        await t.until(lambda: known() and t.app.state.judged == t.app.state.revision)
        (org,) = known()
        assert org.fhir_base_url == "https://ehr.example.org/fhir/r4"
        assert (org.environment, org.auth.client_id_env) == ("production", "MARY_CLIENT")
        assert "St. Mary [bold]" in t.text, "a name is never read as markup"
        assert org.id in {readiness.org for readiness in t.app.state.judgement.readiness}
        assert not t.app.state.changed_files


async def test_organisations_are_added_from_a_directory_by_their_words_and_undone(terminal, workspace, tmp_path):
    file = tmp_path / "directory.csv"
    file.write_text(
        "name,base_url,vendor\nSt. Mary [red]Hospital,https://a.example.org/fhir/R4,Epic\n"
        "North Clinic,https://b.example.org/fhir/R4,Oracle\nEast Clinic,https://b.example.org/fhir/R4,Oracle\n"
    )
    added = lambda: {org.name for org in workspace.read().organizations}  # noqa: E731
    async with terminal((80, 24), section="organizations") as t:
        await t.press("i")
        await t.until_shown("Which directory?")
        await t.type("/no/such/file")
        await t.press("enter")
        await t.until_shown("there is no file")
        t.app.screen.query_one("#ask", Input).value = str(file)
        await t.press("enter")
        await t.until_shown("3 matches")
        assert "shared by 2" in t.text
        await t.type("mary epic")
        await t.until_shown("1 match")
        await t.press("enter")
        await t.until(lambda: "St. Mary [red]Hospital" in added())
        await t.until_shown("2 matches")  # the next one
        await t.type("north")
        await t.until_shown("1 match")
        await t.press("enter")
        await t.until_shown("Add the 1 other organisation on this base?")
        assert "East Clinic" in t.text
        await t.press("left", "enter")
        await t.until(lambda: {"North Clinic", "East Clinic"} <= added())
        await t.until(lambda: t.app.current_mode == "organizations" and not t.app.screen.query("#ask"))
        await t.press("i")
        await t.until_shown("Which directory?")
        t.app.screen.query_one("#ask", Input).value = str(file)
        await t.press("enter")
        await t.until_shown("3 matches")
        await t.type("mary")
        await t.press("enter")
        await t.until_shown("Here already: St. Mary")
        await t.press("escape")
        await t.until(lambda: t.app.state.inputs is not None and len(t.app.state.inputs.organizations) == 7)
        for left in (6, 5, 4):
            await t.press("ctrl+z")
            await t.until(lambda left=left: len(added()) == left)


async def test_an_organisation_is_opened_with_its_settings_and_its_sheet_goes_out_and_comes_back(
    terminal, workspace, tmp_path
):
    async with terminal((120, 34), section="organizations") as t:
        await t.press("end", "enter")
        await t.until(lambda: t.app.screen.query("#evidence") and "Settings" in t.of("#evidence > Flow"))
        assert "risk_threshold 0.62" in t.of("#evidence > Flow"), "each setting is there with its value"
        await t.press("d")
        await t.until(lambda: "two are compared" in t.of("#evidence > Flow"))
        await t.press("escape")
        await t.until(lambda: "Settings" in t.of("#evidence > Flow"))
        await t.press("x")
        await t.until_shown("into which folder?")
        field(t, "ask").value = str(tmp_path / "out")
        await t.press("enter")
        await t.until_shown("When the workbook comes back")
        (sheet,) = (tmp_path / "out").glob("riverside-questions-*.xlsx")
        await t.press("escape", "m")
        await t.until_shown("Which sheet came back?")
        before = workspace.responses("riverside")
        filled = filled_in(sheet, tmp_path / "back.xlsx", "org.client_registered")
        field(t, "ask").value = str(filled)
        await t.press("enter")
        await t.until_shown("What came in")
        assert "theirs" in t.text and "ours" in t.text and workspace.responses("riverside") == before
        await t.pilot.click("#answer-take")
        await t.until(lambda: workspace.responses("riverside") != before)
        await t.until(lambda: t.app.state.inputs.answers("riverside") == workspace.responses("riverside"))
        await t.press("ctrl+z")
        await t.until(lambda: workspace.responses("riverside") == before)
        await t.press("m")
        await t.until_shown("Which sheet came back?")
        field(t, "ask").value = str(workspace.root / "interlock.yaml")
        await t.press("enter")
        await t.until_shown("Nothing was taken")


async def test_what_is_wrong_is_said_at_the_field_and_nothing_is_saved(terminal, workspace):
    async with terminal(section="organizations") as t:
        await t.press("a")
        await t.until(lambda: isinstance(t.app.screen, OrganizationForm))
        await t.press("ctrl+s")
        await t.until(lambda: "needs a name" in error_at(t, "name"))
        field(t, "name").value = "New"
        field(t, "fhir_base_url").value = "ehr.example.org/fhir"
        await t.press("ctrl+s")
        await t.until(lambda: "https://" in error_at(t, "fhir_base_url"))
        assert not error_at(t, "name")
        field(t, "fhir_base_url").value = ""
        field(t, "id").value = "Not An Id"
        await t.press("ctrl+s")
        await t.until(lambda: "lower-case" in error_at(t, "id"))
        field(t, "id").value = "riverside"
        await t.press("ctrl+s")
        await t.until(lambda: "exists already" in error_at(t, "id"))
        field(t, "id").value = ""
        field(t, "client_id_env").value = "not a name"
        await t.press("ctrl+s")
        await t.until(lambda: error_at(t, "client_id_env"))
        await t.press("escape")
        await t.until(lambda: not isinstance(t.app.screen, OrganizationForm))
        assert len(workspace.read().organizations) == 4


async def test_an_organisation_is_changed_and_a_field_can_be_emptied(terminal, workspace):
    async with terminal(section="organizations") as t:
        await t.press("end", "e")
        await t.until(lambda: isinstance(t.app.screen, OrganizationForm))
        assert field(t, "id").disabled and field(t, "name").value == "Riverside Regional Medical Center"
        field(t, "name").value = "Riverside"
        field(t, "fhir_base_url").value = ""
        await t.press("ctrl+s")
        await t.until(lambda: workspace.read().organizations[-1].name == "Riverside")
        assert workspace.read().organizations[-1].fhir_base_url is None
        await t.until_shown("none yet")


async def test_where_the_key_id_is_found_is_shown_changed_and_not_lost(terminal, workspace):
    path = workspace.root / "orgs" / "riverside.yaml"
    path.write_text(path.read_text().replace("auth:\n", "auth:\n  key_id_env: RIVERSIDE_KID\n"))
    async with terminal((80, 24), section="organizations") as t:
        await t.press("end", "e")
        await t.until(lambda: isinstance(t.app.screen, OrganizationForm))
        assert field(t, "key_id_env").value == "RIVERSIDE_KID"
        await t.type(" East")
        await t.press("ctrl+s")
        await t.until(lambda: workspace.read().organizations[-1].name.endswith(" East"))
        assert workspace.read().organizations[-1].auth.key_id_env == "RIVERSIDE_KID"
        await t.until(lambda: t.app.state.inputs.organizations[-1].name.endswith(" East"))
        await t.press("e")
        await t.until(lambda: isinstance(t.app.screen, OrganizationForm))
        field(t, "key_id_env").value = "not a name"
        await t.press("ctrl+s")
        await t.until(lambda: error_at(t, "key_id_env"))
        field(t, "key_id_env").value = "OTHER_KID"
        await t.press("ctrl+s")
        await t.until(lambda: workspace.read().organizations[-1].auth.key_id_env == "OTHER_KID")


async def test_removing_asks_and_keeps_the_evidence(terminal, workspace):
    async with terminal(section="organizations") as t:
        await t.press("end", "d")
        await t.until_shown("Remove Riverside Regional Medical Center?")
        await t.press("enter")
        assert (workspace.root / "orgs" / "riverside.yaml").exists(), "the safe answer has the focus"
        await t.press("d")
        await t.until_shown("Remove Riverside")
        await t.pilot.click("#answer-remove")
        await t.until(lambda: not (workspace.root / "orgs" / "riverside.yaml").exists())
        assert (workspace.root / "responses" / "riverside.yaml").exists()
        await t.until(lambda: len(t.app.state.judgement.readiness) == 3)


async def test_an_organisation_that_cannot_be_saved_keeps_the_form_open(terminal, monkeypatch):
    def save(self, org, *, new):
        raise WorkspaceError("not saved: the disk is full", remedy="free some space")

    monkeypatch.setattr(Workspace, "save_organization", save)
    async with terminal(section="organizations") as t:
        await t.press("a")
        await t.until(lambda: isinstance(t.app.screen, OrganizationForm))
        await t.type("New clinic")
        await t.press("ctrl+s")
        await t.until_shown("the disk is full")
        assert field(t, "name").value == "New clinic"
