"""Answering: saved at once, the score moves, nothing typed is lost."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList, TextArea

from interlock.model.base import Evidence, Gate, Status
from interlock.model.errors import Place, WorkspaceError
from interlock.tui.widgets.choices import Choices
from interlock.tui.widgets.rows import Rows
from interlock.tui.words import worth_words
from interlock.usecases.next import GateAtStake, NextQuestion
from interlock.workspace.store import Workspace


async def at(t, scope: str, item: str) -> None:
    """Open one question."""
    t.app.ask_questions(scope, item)
    await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._on_form == (scope, item))


def response(workspace: Workspace, item: str, scope: str = "product"):
    return workspace.responses(scope).get(item)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_choice_is_saved_at_once_and_the_score_moves(terminal, workspace, size):
    async with terminal(size) as t:
        before = t.app.state.judgement.product_score.interval
        await at(t, "product", "boundary.output_stable")
        await t.press("home", "enter")
        await t.until(lambda: response(workspace, "boundary.output_stable").value == "changing")
        await t.until(lambda: t.app.state.judged == t.app.state.revision)
        after = t.app.state.judgement.product_score.interval
        assert after.high < before.high
        await t.until_shown("▼ −")
        await t.settled()
        assert t.app.state.assessment.verdict.value.value == "product_first"
        await t.press("1")
        await t.until_shown("Product first")


async def test_enter_on_what_is_taken_goes_on(terminal):
    async with terminal() as t:
        await at(t, "product", "boundary.output_stable")
        await t.press("enter")
        assert t.app.screen._item == "boundary.workflow_settled"
        await t.press("p")
        assert t.app.screen._item == "boundary.output_stable"
        await t.press("n")
        assert t.app.screen._item == "boundary.workflow_settled"
        assert not t.app.state.waiting


async def test_next_open_walks_through_the_scopes(terminal, workspace):
    async with terminal() as t:
        await t.press("2")
        await at(t, "product", "boundary.output_stable")
        seen = set()
        for _ in range(4):
            await t.press("o")
            seen.add((t.app.screen._scope, t.app.screen._item))
        assert ("product", "extra.count") in seen
        assert all(item not in workspace.responses(scope) for scope, item in seen)


async def test_an_invalid_integer_is_said_and_kept(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.count")
        await t.press("enter")
        await t.type("many")
        await t.press("enter")
        await t.until_shown("is not a whole number")
        assert response(workspace, "extra.count") is None
        await t.press("escape", "n", "p")
        assert t.app.screen.query_one("#typed", Input).value == "many", "what was typed is still there"
        assert "is not a whole number" in t.text
        await t.press("enter", "ctrl+u")
        await t.type("12")
        await t.press("enter")
        await t.until(lambda: response(workspace, "extra.count") is not None)
        assert response(workspace, "extra.count").value == 12
        assert "is not a whole number" not in t.text


async def test_a_date_a_url_and_a_text(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.since")
        await t.press("enter")
        await t.type("2026-02-31")
        await t.press("enter")
        await t.until_shown("is not a date")
        await t.press("ctrl+u")
        await t.type("2026-02-28")
        await t.press("enter")
        await t.until(lambda: response(workspace, "extra.since") is not None)
        await at(t, "product", "extra.page")
        await t.press("enter")
        await t.type("https://example.org/page")
        await t.press("enter")
        await t.until(lambda: response(workspace, "extra.page") is not None)
        await at(t, "product", "extra.words")
        assert "What [b]else[/b]?" in t.text, "nothing is read as markup"
        await t.press("enter")
        area = t.app.screen.query_one("#long", TextArea)
        assert area.has_focus
        area.text = "Two lines\nof [red]text"
        await t.press("escape")
        await t.until(lambda: response(workspace, "extra.words") is not None)
        assert response(workspace, "extra.words").value == "Two lines\nof [red]text"


async def test_several_choices_and_one_that_excludes_the_others(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.several")
        await t.press("home", "space", "down", "space")
        await t.until(lambda: (found := response(workspace, "extra.several")) and found.value == ("one", "two"))
        await t.press("down", "space")
        await t.until(lambda: response(workspace, "extra.several").value == ("none",))
        assert t.app.screen.query_one(Choices).marked_values == ("none",)
        await t.press("space")
        await t.until(lambda: response(workspace, "extra.several") is None)


async def test_yes_or_no_and_not_known(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("home", "enter")
        await t.until(lambda: (found := response(workspace, "extra.sure")) and found.value is True)
        await t.press("u")
        await t.until(lambda: response(workspace, "extra.sure").status is Status.UNKNOWN)
        assert "? not known" in t.text
        await t.press("delete")
        await t.until(lambda: response(workspace, "extra.sure") is None)


async def test_not_applicable_needs_a_reason(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.since")
        await t.press("x")
        await t.until_shown("Why does this not apply?")
        await t.press("enter")
        await t.until_shown("needs a reason")
        assert response(workspace, "extra.since") is None
        await t.type("no start")
        await t.press("enter")
        await t.until(lambda: response(workspace, "extra.since") is not None)
        found = response(workspace, "extra.since")
        assert (found.status, found.reason) == (Status.NOT_APPLICABLE, "no start")
        assert "no start" in t.text


async def test_a_question_that_always_applies_is_not_taken_out(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("x")
        await t.pilot.pause()
        assert response(workspace, "extra.sure") is None
        assert "Why does this not apply?" not in t.text


async def test_evidence_link_and_note_are_saved_with_the_answer(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("home", "enter", "e")
        await t.until(lambda: (f := response(workspace, "extra.sure")) and f.evidence is Evidence.DOCUMENTED)
        await t.press("m")
        await t.type("see minutes")
        await t.press("enter")
        await t.until(lambda: response(workspace, "extra.sure").note == "see minutes")
        assert response(workspace, "extra.sure").value is True


async def test_an_organisations_questions_go_to_its_own_file(terminal, workspace):
    async with terminal() as t:
        await t.press("2", "s")
        await t.until_shown("Whose questions?")
        await t.press("down", "down", "enter")
        await t.until_shown("Lakeshore Health System")
        item = t.app.screen._item
        await t.press("u")
        await t.until(lambda: (f := response(workspace, item, "lakeshore")) and f.status is Status.UNKNOWN)
        assert item not in workspace.responses("product")
        await t.press("right_square_bracket")
        assert t.app.screen._scope == "pinecrest"


async def test_the_list_takes_the_forms_place_where_it_is_narrow(terminal):
    async with terminal((80, 24)) as t:
        await at(t, "product", "boundary.output_stable")
        assert not t.app.screen.query_one("#question-list").is_on_screen
        await t.press("l")
        await t.until(lambda: t.app.screen.query_one("#question-list").is_on_screen)
        await t.press("down", "enter")
        await t.until(lambda: not t.app.screen.query_one("#question-list").is_on_screen)
        assert t.app.screen._item != "boundary.output_stable"


async def test_what_cannot_be_saved_stays_and_is_retried(terminal, workspace, monkeypatch):
    real = Workspace.save_response
    broken = True

    def save(self, scope, item, given):
        if broken:
            raise WorkspaceError(
                "not saved: the folder cannot be written", place=Place(file="responses"), remedy="make it writable"
            )
        return real(self, scope, item, given)

    monkeypatch.setattr(Workspace, "save_response", save)
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("home", "enter")
        await t.until(lambda: t.app.state.unsaved)
        await t.until_shown("1 answer not saved")
        assert "Not saved yet; it is kept here" in t.words
        assert "the folder cannot be written" in t.words
        assert t.app.state.inputs.product["extra.sure"].value is True, "it counts, and is still there"
        await t.press("q")
        await t.until_shown("Not everything is saved")
        await t.press("escape")
        broken = False
        await t.press("ctrl+s")
        await t.settled()
        assert response(workspace, "extra.sure").value is True
        assert "✓ saved" in t.text


async def test_the_next_answer_takes_the_unsaved_one_along(terminal, workspace, monkeypatch):
    real = Workspace.save_response
    failures = 1

    def save(self, scope, item, given):
        nonlocal failures
        if failures:
            failures -= 1
            raise WorkspaceError("not saved: the disk is full", remedy="free some space")
        return real(self, scope, item, given)

    monkeypatch.setattr(Workspace, "save_response", save)
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("home", "enter")
        await t.until(lambda: t.app.state.unsaved)
        await at(t, "product", "extra.several")
        await t.press("home", "space")
        await t.settled()
        assert response(workspace, "extra.sure").value is True
        assert response(workspace, "extra.several").value == ("one",)


async def test_quitting_leaves_only_when_told_to(terminal, workspace, monkeypatch):
    def save(self, scope, item, given):
        raise WorkspaceError("not saved: the disk is full")

    monkeypatch.setattr(Workspace, "save_response", save)
    async with terminal() as t:
        await at(t, "product", "extra.sure")
        await t.press("home", "enter")
        await t.until(lambda: t.app.state.unsaved)
        await t.press("q")
        await t.until_shown("Not everything is saved")
        await t.pilot.click("#answer-stay")
        assert t.app.is_running
        await t.press("q")
        await t.until_shown("Not everything is saved")
        await t.pilot.click("#answer-leave")
        await t.until(lambda: not t.app.is_running)


async def test_quitting_gives_what_is_typed(terminal, workspace):
    async with terminal() as t:
        await at(t, "product", "extra.count")
        await t.press("enter")
        await t.type("7")
        await t.press("ctrl+q")
        await t.until(lambda: not t.app.is_running)
    assert response(workspace, "extra.count").value == 7


async def test_a_contradiction_is_shown_at_the_question(terminal, workspace):
    async with terminal() as t:
        t.app.probe(["lakeshore"])
        await t.until(lambda: "lakeshore" in t.app.state.inputs.observations)
        await t.settled()
        assert t.app.state.assessment.contradictions
        found = t.app.state.assessment.contradictions[0]
        await at(t, found.org or "product", found.item)
        await t.until_shown("An observation says otherwise")
        assert found.observed in t.words


async def test_unknown_keeps_link_note_and_evidence_and_one_can_leave(terminal, workspace):
    before = response(workspace, "boundary.output_stable")
    assert before.evidence_url
    async with terminal() as t:
        await at(t, "product", "boundary.output_stable")
        await t.press("u")
        await t.until(lambda: response(workspace, "boundary.output_stable").status is Status.UNKNOWN)
        after = response(workspace, "boundary.output_stable")
        assert (after.evidence_url, after.note, after.evidence) == (before.evidence_url, before.note, before.evidence)
        await t.settled()
        saved = after.at
        await t.press("q")
        await t.until(lambda: not t.app.is_running)
    assert response(workspace, "boundary.output_stable").at == saved


async def test_a_note_of_several_lines_is_neither_changed_nor_saved_again_on_leaving(terminal, workspace):
    path = workspace.root / "responses" / "product.yaml"
    text = path.read_text()
    start = text.index("  boundary.output_stable:")
    end = text.index("  boundary.workflow_settled:")
    entry = "  boundary.output_stable:\n    status: unknown\n    note: |\n      first\n\n      second\n"
    path.write_text(text[:start] + entry + text[end:])
    written = path.read_bytes()
    async with terminal() as t:
        await at(t, "product", "boundary.output_stable")
        await t.press("q")
        await t.until(lambda: not t.app.is_running)
    assert path.read_bytes() == written


# -- which questions are listed, and which comes next ---------------------------------------------------------------


def listed(t) -> tuple[str, ...]:
    return t.app.screen.query_one("#questions", Rows).keys


async def choose(t, words: str) -> None:
    """Take the line with these words of the list that popped up."""
    options = t.app.screen.query_one(OptionList)
    options.highlighted = next(i for i, option in enumerate(options.options) if words in str(option.prompt))
    await t.press("enter")


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_only_open_questions_are_listed_and_the_answered_one_stays_until_left(terminal, size):
    async with terminal(size) as t:
        await at(t, "product", "boundary.output_stable")
        everything = listed(t)
        await t.press("f")
        await t.until_shown("Which questions?")
        await choose(t, "without an answer")
        await t.until(lambda: 0 < len(listed(t)) < len(everything))
        assert all(item not in t.app.state.inputs.product for item in listed(t))
        assert t.app.screen._item == listed(t)[0]
        await at(t, "product", "extra.sure")
        here = t.app.screen._item
        await t.press("home", "enter")
        await t.until(lambda: "extra.sure" in t.app.state.inputs.product)
        await t.until(lambda: here in listed(t))
        await t.press("n")
        await t.until(lambda: here not in listed(t))
        t.app.screen.action_clear()
        await t.until(lambda: listed(t) == everything)


async def test_questions_are_found_by_their_words_and_none_is_said(terminal):
    async with terminal((160, 48)) as t:
        await at(t, "product", "boundary.output_stable")
        everything = listed(t)
        await t.press("slash")
        await t.until_shown("Find questions")
        await t.type("nurses?")
        await t.press("enter")
        await t.until(lambda: listed(t) == ("extra.count",))
        assert "with “nurses?”" in t.text
        await t.press("c")
        await t.until(lambda: listed(t) == everything)
        await t.press("slash")
        await t.type("[red]no[/red] such words")
        await t.press("enter")
        await t.until_shown("No question here with “[red]no[/red] such words”")
        assert listed(t) == everything


async def test_an_area_is_one_jump_away(terminal):
    async with terminal() as t:
        await at(t, "product", "boundary.output_stable")
        await t.press("j")
        await t.until_shown("Which area?")
        await choose(t, "Extra questions")
        await t.until(lambda: t.app.screen._item == "extra.count")


async def test_the_next_question_is_the_one_that_settles_most_and_says_why(terminal):
    async with terminal((160, 48)) as t:
        best = t.app.state.worth.questions[0]
        assert "Next question" in t.of("#areas") and best.text in t.of("#areas")
        await t.press("n")
        await t.until(lambda: t.app.current_mode == "questions")
        await t.until(lambda: (t.app.screen._scope, t.app.screen._item) == (best.scope, best.item))
        why = worth_words(best, {})
        assert why in t.of("#question")
        await t.press("u")
        await t.until(lambda: why not in t.of("#question"))
        await t.settled()
        assert (best.scope, best.item) not in {(one.scope, one.item) for one in t.app.state.worth.questions}
        await t.press("w")
        then = t.app.state.worth.questions[0]
        await t.until(lambda: (t.app.screen._scope, t.app.screen._item) == (then.scope, then.item))


def test_why_a_question_is_worth_answering_counts_gates_points_and_rules():
    question = NextQuestion(
        item="a.b",
        scope="product",
        text="Which?",
        priority="core",
        points=12.34,
        rules=("A-001", "A-002"),
        alone=(),
        gates=(
            GateAtStake(org="one", gate=Gate.SANDBOX),
            GateAtStake(org="two", gate=Gate.SANDBOX),
            GateAtStake(org="three", gate=Gate.PILOT),
        ),
        because="",
    )
    assert worth_words(question, {"three": "Third [b]Hospital"}) == (
        "decides the sandbox gate of 2 organisations; decides the pilot gate of Third [b]Hospital; "
        "settles 12.3 points; 2 rules wait for it"
    )
    nothing = question.model_copy(update={"points": 0.0, "rules": (), "gates": ()})
    assert worth_words(nothing, {}) == "no rule waits for it"
