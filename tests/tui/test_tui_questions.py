"""Answering: saved at once, the score moves, nothing typed is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from textual.widgets import Input, OptionList, TextArea

from interlock.model.base import Evidence, Status
from interlock.model.choices import choices_of
from interlock.model.errors import Location, WorkspaceError
from interlock.tui.widgets.fields import Choices
from interlock.tui.widgets.rows import Rows
from interlock.workspace.store import Workspace

pytestmark = pytest.mark.usefixtures("unplanned")

#: A question that has an answer from the start, and the one after it.
STABLE, SETTLED = "boundary.output_stable", "boundary.workflow_settled"
BOTH_SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)])


async def at(t, scope: str, item: str) -> None:
    """Open one question."""
    t.app.ask_questions(scope, item)
    await t.until(lambda: t.app.current_mode == "questions" and t.app.screen._on_form == (scope, item))


def where(t) -> tuple[str, str]:
    """Scope and question that are shown."""
    return t.app.screen._scope, t.app.screen._item


@pytest.fixture
def asking(terminal) -> Callable[..., object]:
    """Opens the app at a question of the product: ``async with asking(item, size) as t``."""

    @asynccontextmanager
    async def opened(item: str, *size: tuple[int, int]) -> AsyncIterator[object]:
        async with terminal(*size) as t:
            await at(t, "product", item)
            yield t

    return opened


def response(workspace: Workspace, item: str, scope: str = "product"):
    return workspace.responses(scope).get(item)


async def saved(t, workspace: Workspace, item: str, scope: str = "product", **wanted: object):
    """Wait until the file holds a response with these attributes; returns it."""

    def there() -> bool:
        given = response(workspace, item, scope)
        return given is not None and all(getattr(given, name) == value for name, value in wanted.items())

    await t.until(there)
    return response(workspace, item, scope)


async def taken_back(t, workspace: Workspace, item: str) -> None:
    """Wait until the file holds no response."""
    await t.until(lambda: response(workspace, item) is None)


async def typed(t, answer: str, *, over: bool = False) -> None:
    """Type an answer, or another one over it, and give it."""
    await t.press("ctrl+u" if over else "enter")
    await t.type(answer)
    await t.press("enter")


async def left(t, *keys: str) -> None:
    """Close the app and wait until it has."""
    await t.press(*keys)
    await t.until(lambda: not t.app.is_running)


@pytest.fixture
def full_disk(monkeypatch) -> SimpleNamespace:
    """Saving a response fails with ``error`` until ``failures`` are used up."""
    error = WorkspaceError("not saved: the disk is full", remedy="free some space")
    disk, real = SimpleNamespace(failures=float("inf"), error=error), Workspace.save_response

    def save(self, scope, item, given, *, before):
        if disk.failures > 0:
            disk.failures -= 1
            raise disk.error
        return real(self, scope, item, given, before=before)

    monkeypatch.setattr(Workspace, "save_response", save)
    return disk


async def unsaved_answer(t) -> None:
    """Say yes, which cannot be saved."""
    await t.press("home", "enter")
    await t.until(lambda: t.app.state.unsaved)


@BOTH_SIZES
@pytest.mark.usefixtures("planned")
async def test_a_choice_is_saved_at_once_and_the_score_moves(asking, workspace, size):
    async with asking(STABLE, size) as t:
        before = t.app.state.judgement.product_score.interval
        await t.press("home", "enter")
        await saved(t, workspace, STABLE, value="changing")
        await t.until(lambda: t.app.state.judged == t.app.state.revision)
        after = t.app.state.judgement.product_score.interval
        assert after.high < before.high
        await t.until_shown("▼ −")
        await t.settled()
        assert t.app.state.assessment.verdict.value.value == "product_first"
        await t.press("1")
        await t.until_shown("Product first")


async def test_enter_on_what_is_taken_goes_on(asking):
    async with asking(STABLE) as t:
        for key, item in (("enter", SETTLED), ("p", STABLE), ("n", SETTLED)):
            await t.press(key)
            assert t.app.screen._item == item
        assert not t.app.state.waiting


async def test_a_question_opens_at_its_text_even_if_its_answer_is_further_down(asking):
    async with asking(SETTLED, (80, 14)) as t:
        form = t.app.screen.query_one("#form")
        await t.press("end")
        await t.until(lambda: form.scroll_offset.y > 0)
        for key in ("p", "n", "p"):
            await t.press(key)
            await t.pilot.pause(0.1)
            assert form.scroll_offset.y == 0, "the question comes first"
        await t.press("down", "end")
        await t.until(lambda: form.scroll_offset.y > 0)


async def test_every_choice_is_in_sight_at_80_by_24_and_its_number_takes_it(asking, workspace):
    async with asking(STABLE, (80, 24)) as t:
        choices = choices_of(t.app.state.inputs.content.item(STABLE))
        for number, choice in enumerate(choices, 1):
            first_words = " ".join(choice.label.split()[:4])
            assert any(f"{number} (" in line and first_words in line for line in t.lines), choice.label
        await t.press("2")
        assert t.app.current_mode == "questions"
        await saved(t, workspace, STABLE, value=choices[1].value)
        await t.press("9")  # there is no such choice
        await t.until(lambda: not t.app.state.waiting)
        assert response(workspace, STABLE).value == choices[1].value


async def test_next_open_walks_through_the_scopes(asking, workspace):
    async with asking(STABLE) as t:
        visited = set()
        for _ in range(4):
            await t.press("o")
            visited.add(where(t))
        assert ("product", "extra.count") in visited
        assert all(item not in workspace.responses(scope) for scope, item in visited)


@pytest.mark.parametrize(
    ("item", "wrong", "complaint", "right", "value"),
    [
        ("extra.count", "many", "is not a whole number", "12", 12),
        ("extra.since", "2026-02-31", "is not a date", "2026-02-28", "2026-02-28"),
        (
            "extra.page",
            "ftp://example.org",
            "is not an absolute http",
            "https://example.org/page",
            "https://example.org/page",
        ),
    ],
)
async def test_what_is_typed_wrongly_is_said_and_kept(asking, workspace, item, wrong, complaint, right, value):
    async with asking(item) as t:
        await typed(t, wrong[:-1])
        await typed(t, wrong, over=True)
        await t.until_shown(complaint)
        assert response(workspace, item) is None
        await t.press("escape", "n", "p")
        assert t.app.screen.query_one("#typed", Input).value == wrong, "what was typed is still there"
        assert complaint in t.text
        await t.press("enter")
        await typed(t, right, over=True)
        await saved(t, workspace, item, value=value)
        assert complaint not in t.text


async def test_a_text_of_several_lines_is_taken_as_it_is(asking, workspace):
    async with asking("extra.words") as t:
        assert "What [b]else[/b]?" in t.text, "nothing is read as markup"
        await t.press("enter")
        area = t.app.screen.query_one("#long", TextArea)
        assert area.has_focus
        area.text = "Two lines\nof [red]text"
        await t.press("escape")
        await saved(t, workspace, "extra.words", value="Two lines\nof [red]text")


async def test_several_choices_and_one_that_excludes_the_others(asking, workspace):
    async with asking("extra.several") as t:
        await t.press("home", "space", "down", "space")
        await saved(t, workspace, "extra.several", value=("one", "two"))
        await t.press("down", "space")
        await saved(t, workspace, "extra.several", value=("none",))
        assert t.app.screen.query_one(Choices)._marked == {("value", "none")}
        await t.press("space")
        await taken_back(t, workspace, "extra.several")


async def test_yes_or_no_and_not_known(asking, workspace):
    async with asking("extra.sure") as t:
        await t.press("home", "enter")
        await saved(t, workspace, "extra.sure", value=True)
        await t.press("u")
        await saved(t, workspace, "extra.sure", status=Status.UNKNOWN)
        assert "? unknown" in t.text
        await t.press("delete")
        await taken_back(t, workspace, "extra.sure")


async def test_not_applicable_needs_a_reason(asking, workspace):
    async with asking("extra.since") as t:
        await t.press("x")
        await t.until_shown("Why does this not apply?")
        await t.press("enter")
        await t.until_shown("needs a reason")
        assert response(workspace, "extra.since") is None
        await t.type("no start")
        await t.press("enter")
        await saved(t, workspace, "extra.since", status=Status.NOT_APPLICABLE, reason="no start")
        assert "no start" in t.text


async def test_a_question_that_always_applies_is_not_taken_out_and_says_so(asking, workspace):
    async with asking("extra.sure") as t:
        await t.press("x")
        await t.until_shown("This question always applies")
        assert response(workspace, "extra.sure") is None
        assert "Why does this not apply?" not in t.text


async def test_evidence_link_and_note_are_saved_with_the_answer(asking, workspace):
    async with asking("extra.sure") as t:
        await t.press("home", "enter", "e")
        await saved(t, workspace, "extra.sure", evidence=Evidence.DOCUMENTED)
        await t.press("m")
        await t.type("see minutes")
        await t.press("enter")
        await saved(t, workspace, "extra.sure", note="see minutes", value=True)


async def test_an_organisations_questions_go_to_its_own_file(terminal, workspace):
    of_the_product = workspace.responses("product")
    async with terminal() as t:
        await t.press("2", "s")
        await t.until_shown("Whose questions?")
        await t.press("down", "down", "enter")
        await t.until_shown("Lakeshore Health System")
        item = t.app.screen._item
        await t.press("u")
        await saved(t, workspace, item, "lakeshore", status=Status.UNKNOWN)
        assert workspace.responses("product") == of_the_product
        await t.press("right_square_bracket")
        assert t.app.screen._scope == "pinecrest"


async def test_the_list_takes_the_forms_place_where_it_is_narrow(asking):
    async with asking(STABLE, (80, 24)) as t:
        shown = lambda: t.app.screen.query_one("#question-list").is_on_screen  # noqa: E731
        assert not shown()
        await t.press("l")
        await t.until(shown)
        await t.press("down", "enter")
        await t.until(lambda: not shown())
        assert t.app.screen._item != STABLE


@pytest.mark.usefixtures("planned")
async def test_what_cannot_be_saved_stays_and_is_retried(asking, workspace, full_disk):
    full_disk.error = WorkspaceError(
        "not saved: the folder cannot be written", location=Location(file="responses"), remedy="make it writable"
    )
    async with asking("extra.sure") as t:
        await unsaved_answer(t)
        await t.until_shown("1 answer not saved")
        assert "Not saved yet; it is kept here" in t.flat_text
        assert "the folder cannot be written" in t.flat_text
        assert t.app.state.inputs.product["extra.sure"].value is True, "it counts, and is still there"
        await t.press("q")
        await t.until_shown("Not everything is saved")
        await t.press("escape")
        full_disk.failures = 0
        await t.press("ctrl+s")
        await t.settled()
        assert response(workspace, "extra.sure").value is True
        assert "✓ saved" in t.text


async def test_the_next_answer_takes_the_unsaved_one_along(asking, workspace, full_disk):
    full_disk.failures = 1
    async with asking("extra.sure") as t:
        await unsaved_answer(t)
        await at(t, "product", "extra.several")
        await t.press("home", "space")
        await t.settled()
        assert response(workspace, "extra.sure").value is True
        assert response(workspace, "extra.several").value == ("one",)


async def test_quitting_leaves_only_when_told_to(asking, full_disk):
    async with asking("extra.sure") as t:
        await unsaved_answer(t)
        await t.press("q")
        await t.until_shown("Not everything is saved")
        await t.pilot.click("#answer-stay")
        assert t.app.is_running
        await t.press("q")
        await t.until_shown("Not everything is saved")
        await t.pilot.click("#answer-leave")
        await t.until(lambda: not t.app.is_running)


async def test_quitting_gives_what_is_typed(asking, workspace):
    async with asking("extra.count") as t:
        await t.press("enter")
        await t.type("7")
        await left(t, "ctrl+q")
    assert response(workspace, "extra.count").value == 7


@pytest.mark.usefixtures("planned")
async def test_a_contradiction_is_shown_at_the_question(terminal):
    async with terminal() as t:
        t.app.probe(["lakeshore"])
        await t.until(lambda: "lakeshore" in t.app.state.inputs.observations)
        await t.settled()
        assert t.app.state.assessment.contradictions
        contradiction = t.app.state.assessment.contradictions[0]
        await at(t, contradiction.org or "product", contradiction.item)
        await t.until_shown("An observation says otherwise")
        assert contradiction.observed in t.flat_text


async def test_unknown_keeps_link_note_and_evidence_and_one_can_leave(asking, workspace):
    before = response(workspace, STABLE)
    assert before.link
    async with asking(STABLE) as t:
        await t.press("u")
        kept = {name: getattr(before, name) for name in ("link", "note", "evidence")}
        after = await saved(t, workspace, STABLE, status=Status.UNKNOWN, **kept)
        await t.settled()
        await left(t, "q")
    assert response(workspace, STABLE).at == after.at


async def test_a_note_of_several_lines_is_neither_changed_nor_saved_again_on_leaving(asking, workspace):
    path = workspace.root / "responses" / "product.yaml"
    text = path.read_text()
    start, end = text.index(f"  {STABLE}:"), text.index(f"  {SETTLED}:")
    entry = f"  {STABLE}:\n    status: unknown\n    note: |\n      first\n\n      second\n"
    path.write_text(text[:start] + entry + text[end:])
    written = path.read_bytes()
    async with asking(STABLE) as t:
        await left(t, "q")
    assert path.read_bytes() == written


# -- which questions are listed, and which comes next ---------------------------------------------------------------


def listed(t) -> tuple[str, ...]:
    return t.app.screen.query_one("#questions", Rows).keys


async def choose(t, key: str, title: str, label: str) -> None:
    """Press a key that opens a list, and take the line with this label."""
    await t.press(key)
    await t.until_shown(title)
    options = t.app.screen.query_one(OptionList)
    options.highlighted = next(i for i, option in enumerate(options.options) if label in str(option.prompt))
    await t.press("enter")


@BOTH_SIZES
async def test_only_open_questions_are_listed_and_the_answered_one_stays_until_left(asking, size):
    async with asking(STABLE, size) as t:
        everything = listed(t)
        await choose(t, "f", "Which questions?", "not answered")
        await t.until(lambda: 0 < len(listed(t)) < len(everything))
        assert all(item not in t.app.state.inputs.product for item in listed(t))
        assert t.app.screen._item == listed(t)[0]
        await t.until_shown("only those not answered; c lists all")
        await at(t, "product", "extra.sure")
        here = t.app.screen._item
        await t.press("home", "enter")
        await t.until(lambda: "extra.sure" in t.app.state.inputs.product)
        await t.until(lambda: here in listed(t))
        await t.press("n")
        await t.until(lambda: here not in listed(t))
        t.app.screen.action_clear()
        await t.until(lambda: listed(t) == everything)


@BOTH_SIZES
async def test_a_question_of_any_scope_is_found_by_its_words(asking, size):
    async with asking(STABLE, size) as t:
        await t.press("slash")
        await t.until_shown("Find a question")
        await t.type("nurses?")
        await t.until_shown("1 match")
        await t.press("enter")
        await t.until(lambda: where(t) == ("product", "extra.count"))
        await t.press("slash")
        await t.until_shown("Find a question")
        await t.type("org.client_registered")
        await t.until_shown("4 matches")
        for name in ("Harborview", "Lakeshore", "Pinecrest", "Riverside"):
            assert name in t.text
        await t.press("down", "enter")
        await t.until(lambda: where(t)[1] == "org.client_registered" and where(t)[0] != "product")
        await t.press("slash")
        await t.until_shown("Find a question")
        await t.type("[red]no[/red] such words")
        await t.until_shown("0 matches")
        await t.press("enter", "escape")
        await t.until(lambda: where(t)[1] == "org.client_registered")


async def test_questions_that_i_owe_or_a_blocker_hangs_on_are_listed(asking, workspace):
    owed = workspace.responses("product")[SETTLED].but(assignee="ada", due="2026-12-24")
    workspace.save_response("product", SETTLED, owed, before=workspace.responses("product")[SETTLED])
    async with asking(STABLE, (160, 48)) as t:
        everything = listed(t)
        await choose(t, "f", "Which questions?", "that I owe")
        await t.until(lambda: listed(t) == (SETTLED,))
        await t.press("c")
        await t.until(lambda: listed(t) == everything)
        await choose(t, "f", "Which questions?", "a blocker hangs on")
        await t.until(lambda: 0 < len(listed(t)) < len(everything))
        blocks = {
            name
            for finding in t.app.state.judgement.findings
            if t.app.state.judgement.rules[finding.rule].gap_class.value.endswith("_blocker")
            and finding.outcome in {"gap", "unknown"}
            for name in finding.reads
        }
        assert all(f"responses.{item}" in blocks for item in listed(t))


async def test_an_area_is_one_jump_away(asking):
    async with asking(STABLE) as t:
        await choose(t, "v", "Which area?", "Extra questions")
        await t.until(lambda: t.app.screen._item == "extra.count")


@pytest.mark.usefixtures("planned")
async def test_the_next_question_is_the_one_that_settles_most_and_says_why(terminal):
    async with terminal((160, 48)) as t:
        best = t.app.state.worth.questions[0]
        assert best.text in t.of("#next") and best.because in t.of("#next")
        assert "The product is an app in the chart: all " in t.of("#areas")
        await t.press("n")
        await t.until(lambda: t.app.current_mode == "questions")
        await t.until(lambda: where(t) == (best.scope, best.item))
        why = best.because
        assert why in t.of("#about")
        await t.press("u")
        await t.until(lambda: why not in t.of("#about"))
        await t.settled()
        (again,) = [q for q in t.app.state.worth.questions if (q.scope, q.item) == (best.scope, best.item)]
        assert again.unknown and again.because.startswith("it was answered with unknown")
        assert t.app.state.next_question is not again
        await t.press("w")
        then = t.app.state.worth.questions[0]
        await t.until(lambda: where(t) == (then.scope, then.item))


async def test_a_piece_of_evidence_is_added_with_all_that_is_known_of_it_and_removed(terminal, workspace):
    item = "org.client_registered"
    pieces = lambda: workspace.responses("riverside")[item].documents  # noqa: E731
    before = pieces()
    async with terminal((80, 24)) as t:
        t.app.ask_questions("riverside", item)
        await t.until(lambda: t.app.screen._on_form == ("riverside", item))
        await t.press("d")
        await t.until_shown("Add a piece of evidence")
        await t.press("home", "enter")
        await t.until(lambda: t.app.screen.query("#valid_until"))
        t.app.screen.query_one("#title").value = "Registration form"
        t.app.screen.query_one("#reviewer").value = "Bob"
        t.app.screen.query_one("#date").value = "last week"
        await t.press("ctrl+s")
        await t.until_shown("is no day")
        t.app.screen.query_one("#date").value = "2026-01-05"
        t.app.screen.query_one("#valid_until").value = "2099-01-05"
        await t.press("ctrl+s")
        await t.until(lambda: len(pieces()) == len(before) + 1)
        added = pieces()[-1]
        assert (added.title, added.reviewer, added.valid_until) == ("Registration form", "Bob", "2099-01-05")
        assert "Registration form; of 5 Jan 2026; reviewed by Bob" in t.of("#sources")
        assert workspace.responses("riverside")[item].by != "Ada", "who adds evidence does not become the author"
        await t.press("d")
        await t.until_shown("Add a piece of evidence")
        await t.press("end", "enter")
        await t.until_shown("Remove this piece of evidence?")
        await t.press("left", "enter")
        await t.until(lambda: pieces() == before)
        await t.until(lambda: not t.app._saving)
        await t.press("ctrl+z")
        await t.until(lambda: pieces() == (*before, added))
