"""Who said it: author, several authors, who owes what, the evidence, and proposals that are confirmed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from interlock.model.base import Status
from interlock.model.evidence import EvidenceRecord
from interlock.model.response import Response
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.usefixtures("unplanned")

STABLE, OWNER = "boundary.output_stable", "contract.clinical_owner"
MARCH = datetime(2026, 3, 3, 10, tzinfo=UTC)


def put(workspace: Workspace, given: Response | None, item: str = STABLE, scope: str = "product") -> None:
    workspace.save_response(scope, item, given, before=workspace.responses(scope).get(item))


def stored(workspace: Workspace, item: str = STABLE, scope: str = "product") -> Response | None:
    return workspace.responses(scope).get(item)


async def at(t, scope: str = "product", item: str = STABLE) -> None:
    t.app.ask_questions(scope, item)
    await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._on_form == (scope, item))


async def test_a_changed_answer_says_whose_it_was_and_is_the_authors_own(terminal, workspace):
    put(workspace, Response(status=Status.ANSWERED, value="changing", by="Bob", at=MARCH, assignee="Bob"))
    async with terminal() as t:
        await at(t)
        assert "Bob, 3 Mar 2026" in t.of("#question")
        await t.press("down", "enter")
        await t.until(lambda: stored(workspace).by == "Ada")
        label = t.app.state.inputs.content.items[STABLE].option("changing").label
        assert f"It was “{label}” by Bob on 3 Mar 2026." in [note.message for note in t.app._notifications]
        assert stored(workspace).at > MARCH and stored(workspace).assignee == "Bob", "evidence is still owed"


async def test_a_note_keeps_the_author_and_the_time_of_the_answer(terminal, workspace):
    put(workspace, Response(status=Status.ANSWERED, value="changing", by="Bob", at=MARCH))
    async with terminal() as t:
        await at(t)
        await t.press("m")
        await t.type("seen")
        await t.press("enter")
        await t.until(lambda: stored(workspace).note == "seen")
    assert (stored(workspace).by, stored(workspace).at) == ("Bob", MARCH)


async def test_answers_that_differ_are_shown_side_by_side_until_one_answers_again(terminal, workspace):
    item = "boundary.output_stable"
    other = Response(status=Status.UNKNOWN, by="Bob", at=MARCH)
    put(workspace, Response(status=Status.ANSWERED, value="changing", by="Eve", at=MARCH, others=(other,)))
    async with terminal() as t:
        await at(t)
        shown = t.of("#question")
        label = t.app.state.inputs.content.items[item].option("changing").label
        assert "The answers differ" in shown
        assert f"Eve, 3 Mar 2026: {label}" in shown and "Bob, 3 Mar 2026: unknown" in shown
        await t.press("m")
        await t.type("who knows")
        await t.press("enter")
        await t.until(lambda: stored(workspace).note == "who knows")
        assert stored(workspace).others == (other,), "a note settles nothing"
        await t.press("escape", "home", "enter")
        await t.until(lambda: not stored(workspace).others)
    assert (stored(workspace).value, stored(workspace).by) == ("changing", "Ada")


async def test_somebody_is_asked_and_the_answer_ends_it(terminal, workspace):
    put(workspace, None)
    async with terminal() as t:
        await at(t)
        await t.press("a")
        await t.type("Bob Lake, 2026-13-14")
        await t.press("enter")
        await t.until(lambda: "is no day" in t.flat_text)
        await t.press("ctrl+u")
        await t.type("Bob Lake, 2026-10-14")
        await t.press("enter")
        await t.until(lambda: stored(workspace) is not None)
        assert (stored(workspace).status, stored(workspace).by) == (Status.UNANSWERED, "Ada")
        await t.until(lambda: "Bob Lake owes the answer by 14 Oct 2026, overdue" in t.of("#question"))
        await t.press("home", "enter")
        await t.until(lambda: stored(workspace).value == "changing")
    assert (stored(workspace).assignee, stored(workspace).due) == (None, None)


async def test_the_evidence_is_listed_and_what_has_expired_says_so(terminal, workspace):
    records = (
        EvidenceRecord(link="https://example.org/a", reviewer="Eve"),
        EvidenceRecord(title="Silent run", file="runs/march.pdf", valid_until="2026-05-01"),
    )
    put(workspace, Response(status=Status.ANSWERED, value="changing", documents=records))
    async with terminal() as t:
        await at(t)
        shown = t.of("#sources")
        assert "Document: https://example.org/a; reviewed by Eve" in shown
        assert "Document: Silent run; runs/march.pdf; expired on 1 May 2026" in shown
        await t.press("m")
        await t.type("x")
        await t.press("enter")
        await t.until(lambda: stored(workspace).note == "x")
    assert stored(workspace).documents == records


async def test_a_proposal_is_confirmed_at_an_organisation(terminal, workspace):
    put(workspace, Response(status=Status.ANSWERED, value="named", by="Bob", at=MARCH), OWNER)
    put(workspace, None, OWNER, "riverside")
    put(workspace, Response(status=Status.ANSWERED, value="ours", by="Eve"), OWNER, "lakeshore")
    async with terminal() as t:
        await at(t, "lakeshore", OWNER)
        assert "Proposed for every organisation" not in t.of("#question")
        assert t.app.screen.check_action("confirm", ()) is False
        await at(t, "riverside", OWNER)
        label = t.app.state.inputs.content.items[OWNER].option("named").label
        assert f"Proposed for every organisation: {label} (Bob, 3 Mar 2026)" in t.of("#question")
        await t.press("y")
        await t.until(lambda: stored(workspace, OWNER, "riverside") is not None)
        assert "Proposed for every organisation" not in t.of("#question")
    confirmed = stored(workspace, OWNER, "riverside")
    assert (confirmed.value, confirmed.by) == ("named", "Ada") and confirmed.at > MARCH
    assert stored(workspace, OWNER, "lakeshore").value == "ours"
