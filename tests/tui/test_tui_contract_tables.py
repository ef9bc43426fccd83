"""The contract against the organisations, and its export: needs uncut, settings set, the diff before it is written."""

from __future__ import annotations

import pytest
from textual.widgets import OptionList

from interlock.tui.against import fit_table
from interlock.tui.screens.section import Review
from interlock.tui.widgets.rows import Column, layout

pytestmark = pytest.mark.usefixtures("unplanned")


@pytest.mark.fast
def test_the_first_column_keeps_its_width_and_the_others_shrink_to_what_they_can():
    columns = [Column("Need", 30, grow=1), *(Column("a long name", 14, least=4) for _ in range(4))]
    assert [cells for _, cells in layout(columns, 54)] == [30, 4, 4, 4, 4]
    assert dict(layout(columns, 70)) == {0: 30, 1: 8, 2: 8, 3: 8, 4: 8}
    assert dict(layout(columns, 120))[1] == 14


async def test_needs_settings_and_the_export_of_a_contract(terminal, workspace):
    async with terminal((120, 34), section="contract") as t:
        await t.press("f")
        assert "interactions" not in t.text and "by patient" in t.text and "us-core-vital-signs" in t.text
        many = fit_table(tuple(t.app.state.inputs.fits.values()) * 3, t.app.state.names)
        assert len(many.columns) == 2, "twelve organisations are counted, not listed"

        await t.press("s", "end", "up")
        name = t.app.screen.query_one("#fit").key
        assert name in t.text and t.app.screen.query_one("#fit-panel").border_title == "Settings"
        await t.press("enter")
        await t.until_shown("at which organisation?")
        t.app.screen.query_one(OptionList).highlighted = 0
        await t.press("enter")
        await t.until_shown(f"{name} at Harborview")
        first = t.app.state.inputs.organizations[0]
        before = (workspace.root / "orgs" / f"{first.id}.yaml").read_bytes()
        t.app.screen.query_one("#ask").value = "a new value"
        await t.press("enter")
        overrides = lambda: workspace.read().organizations[0].overrides  # noqa: E731
        await t.until(lambda: overrides().get(name) == "a new value")
        await t.until_shown("a new value")
        await t.press("ctrl+z")
        await t.until(lambda: (workspace.root / "orgs" / f"{first.id}.yaml").read_bytes() == before)

        await t.press("x")
        await t.until(lambda: isinstance(t.app.screen, Review) and "not there yet" in t.text)
        assert not (workspace.root / "reports" / "contract").exists(), "nothing is written before somebody says so"
        await t.pilot.click("#answer-write")
        written = workspace.root / "reports" / "contract" / "scopes.json"
        await t.until(written.exists)
        contract = workspace.root / "contract.yaml"
        contract.write_text(contract.read_text().replace("title: Sepsis early", "title: Another early", 1))
        await t.press("r")
        await t.until(lambda: t.app.state.inputs.contract.title.startswith("Another"))
        await t.press("x")
        await t.until(lambda: isinstance(t.app.screen, Review) and "older than the contract" in t.text)
        assert '+    "title": "Another early warning' in t.text and "-Sepsis early warning" in t.text
        await t.press("escape")
