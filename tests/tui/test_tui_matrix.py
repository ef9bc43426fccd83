"""All organisations' questions in one table: several answered at once, one step to undo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widgets import DataTable, OptionList

from interlock.model.base import Evidence, Status
from interlock.model.finding import Contradiction
from interlock.model.response import Response
from interlock.tui.screens.matrix import MatrixPage

pytestmark = pytest.mark.usefixtures("unplanned")

ITEM = "org.client_registered"


def answers(workspace, item: str = ITEM) -> dict[str, Response | None]:
    return {org.id: workspace.responses(org.id).get(item) for org in workspace.read().organizations}


async def opened(t, item: str = ITEM, org: str = "harborview") -> MatrixPage:
    t.app.push_screen(MatrixPage(item, org))
    await t.until(lambda: isinstance(t.app.screen, MatrixPage) and t.app.screen._rows)
    assert t.app.screen._here == (item, org)
    return t.app.screen


async def choose(t, label: str) -> None:
    await t.until(lambda: t.app.screen.query(OptionList))
    options = t.app.screen.query_one(OptionList)
    options.highlighted = next(i for i, option in enumerate(options.options) if label in str(option.prompt))
    await t.press("enter")


@pytest.mark.parametrize("size", [(80, 24), pytest.param((160, 48), marks=pytest.mark.long)])
async def test_a_question_is_answered_for_two_organisations_at_once_and_undone_at_once(terminal, workspace, size):
    before = answers(workspace)
    async with terminal(size) as t:
        page = await opened(t)
        await t.press("space", "right", "space")
        assert "2 cells marked" in t.flat_text
        marked = {org for _, org in page._marked}
        await t.press("enter")
        await choose(t, page._asked[ITEM, "harborview"].item.options[0].label)
        value = page._asked[ITEM, "harborview"].item.options[0].value
        await t.until(lambda: all(answers(workspace)[org].value == value for org in marked))
        assert {org: answers(workspace)[org] for org in before.keys() - marked} == {
            org: before[org] for org in before.keys() - marked
        }
        await t.until(lambda: not t.app._saving)
        await t.press("ctrl+z")
        await t.until(lambda: answers(workspace) == before)


async def test_an_answer_that_was_seen_otherwise_is_marked_and_told(terminal):
    async with terminal((80, 24)) as t:
        await opened(t)
        assert "≠" not in t.text
        seen = Contradiction(item=ITEM, org="harborview", answered="yes", observed="no client is known", evidence="")
        assessment = t.app.state.assessment.but(contradictions=(seen,))
        t.app.become(replace(t.app.state, assessment=assessment))
        await t.until(lambda: t.text.count("≠") == 2)
        assert "observed no client is known" in t.flat_text


async def test_a_column_is_filled_as_another_organisation_answered_without_its_evidence(terminal, workspace):
    other = workspace.responses("riverside")
    async with terminal((120, 36)) as t:
        page = await opened(t)
        await t.press("c", "equals_sign")
        await choose(t, "Riverside")
        await t.until(lambda: not t.app.state.waiting and not t.app._saving)
        ours = workspace.responses("harborview")
        for item, response in other.items():
            if (item, "harborview") in page._asked and response.status is Status.ANSWERED:
                assert ours[item].value == response.value
        assert all(r.evidence is Evidence.ASSERTED and not r.documents for i, r in ours.items() if i in other)
        assert workspace.responses("riverside") == other


async def test_an_area_is_listed_and_a_range_of_it_answered_question_by_question(terminal, workspace):
    async with terminal((120, 36)) as t:
        page = await opened(t)
        area = page._asked[ITEM, "harborview"].area
        assert page._widths[2] == 2 and "…" not in t.of("#cell"), "two lines a row, and below the whole text"
        everything = len(page._rows)
        await t.press("v")
        await choose(t, area)
        assert 1 < len(page._rows) < everything and {
            page._asked[c].area for c in page._asked if c[0] in page._rows
        } == {area}
        await t.press("shift+right", "shift+down", "shift+down", "shift+up")
        at = page._rows.index(ITEM)
        marked = {(item, org) for item in page._rows[at : at + 2] for org in ("harborview", "lakeshore")}
        assert page._marked == marked & page._asked.keys()
        await t.press("enter")
        await t.until_shown("1 of 2")
        await t.press("end", "up", "enter")
        await t.until_shown("2 of 2")
        await t.press("escape", "x")
        assert not page._marked
        await t.pilot.resize_terminal(200, 60)
        await t.until(lambda: page._widths[1] > 30 and page._widths[2] == 3)


async def test_what_is_proposed_is_confirmed_wherever_nobody_answered(terminal, workspace):
    async with terminal((120, 36)) as t:
        page = await opened(t)
        item = next(i for i, o in page._asked if page._asked[i, o].item.proposable and page._asked[i, o].item.options)
        for org in ("harborview", "lakeshore"):
            workspace.save_response(org, item, None, before=workspace.responses(org).get(item))
        option = page._asked[item, "harborview"].item.options[0].value
        proposal = Response(status=Status.ANSWERED, value=option, by="Bob")
        workspace.save_response("product", item, proposal, before=workspace.responses("product").get(item))
        t.app.action_reload()
        await t.until(lambda: t.app.state.answer_at("product", item) == proposal)
        await t.press("y")
        await t.until(lambda: all(answers(workspace, item)[o] is not None for o in ("harborview", "lakeshore")))
        given = answers(workspace, item)
        assert {(given[o].value, given[o].by) for o in ("harborview", "lakeshore")} == {(option, "Ada")}


async def test_the_table_follows_an_organisation_that_goes(terminal, workspace):
    async with terminal((120, 36)) as t:
        await opened(t)
        workspace.remove_organization("lakeshore")
        t.app.action_reload()
        await t.until(lambda: len(t.app.screen.query_one(DataTable).columns) == 4)
        await t.press("o")
        await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._on_form == ("harborview", ITEM))
