"""Texts that do harm in a terminal, at every position of the screens: nothing of them is written to the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any, Literal, get_origin

import pytest
from hostile_text import HOSTILE
from pydantic import BaseModel
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.events import Paste
from textual.widgets import Static

from interlock.documents.visible import visible
from interlock.model.base import Status
from interlock.model.evidence import EvidenceRecord
from interlock.model.response import Response
from interlock.tui.edge import Visible
from interlock.tui.screens.section import AskText, Confirm, Pick
from interlock.tui.sections import SECTIONS
from interlock.tui.widgets.fields import Field, Words
from interlock.usecases.load import Inputs
from tiers import LONG

#: What Textual writes itself: colours, and where the cursor goes.
_OWN = re.compile(r"\x1b\[[0-9;:]*m|\x1b\[[0-9;]+H|\n")
ALL = " ".join(text[:40] for text in HOSTILE.values())
#: What is said at one position: everything in `make test-all`; otherwise a tenth of it, and the next position has more.
SUPPLY = cycle([ALL] if LONG else [" ".join(text[:40] for text in [*HOSTILE.values()][part::10]) for part in range(10)])
#: Fields of our models that hold what a person, a file or a server says.
_WORDS = (
    "name title product text help why label rationale note reason evidence_url message action detail subject issuer "
    "software cause_note evidence answered observed summary fhir_base_url token_endpoint url date fhir_version "
    "behaviour trigger not_observed_because statement"
)
_SAID = frozenset(_WORDS.split())


def poisoned(value: Any, said: bool = False) -> Any:
    """The same with hostile text behind everything that somebody says; models are not asked whether they allow it."""
    if isinstance(value, BaseModel):
        changes = {
            name: poisoned(getattr(value, name), name in _SAID and get_origin(field.annotation) is not Literal)
            for name, field in type(value).model_fields.items()
        }
        return value.model_copy(update=changes)
    if isinstance(value, Mapping):
        return {key: poisoned(entry, said) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(poisoned(entry, said) for entry in value)
    return f"{value} {next(SUPPLY)}" if said and type(value) is str else value


def poisoned_inputs(inputs: Inputs) -> Inputs:
    return replace(
        inputs,
        settings=poisoned(inputs.settings),
        content=replace(inputs.content, questionnaires=poisoned(inputs.content.questionnaires)),
        organizations=poisoned(inputs.organizations),
        product=poisoned(inputs.product),
        by_org=poisoned(inputs.by_org),
        contract=poisoned(inputs.contract),
        observations=poisoned(inputs.observations),
    )


def assert_harmless(app: Any) -> None:
    """What is written for the whole screen holds nothing but Textual's own sequences and what can be seen."""
    text = _OWN.sub("", "\n".join(strip.render(app.console) for strip in app.screen._compositor.render_strips()))
    assert visible(text) == text, sorted({character for character in text if visible(character) != character})
    assert not set(text) & set("\t\r\x1b")
    text.encode()


@pytest.mark.parametrize(
    ("size", "net"), [((80, 24), False), *([((80, 24), True), ((200, 60), False), ((200, 60), True)] if LONG else [])]
)
async def test_no_screen_writes_what_a_terminal_obeys(terminal, workspace, monkeypatch, size, net):
    if not net:  # the widgets hold by themselves; the net is for those that will forget it
        monkeypatch.setattr(Visible, "apply", lambda self, segments, background: segments)
    async with terminal(size) as t:
        await t.press("3", "a")
        await t.until(lambda: len(t.app.state.inputs.observations) == 4 and not t.app.state.probing)
        await t.settled()
        state = t.app.state
        inputs, assessment = poisoned_inputs(state.inputs), poisoned(state.assessment)
        judgement = replace(state.judgement, readiness=poisoned(state.judgement.readiness))
        t.app.become(replace(state, inputs=inputs, assessment=assessment, judgement=judgement))
        for number, section in enumerate(SECTIONS, 1):
            await t.press(str(number))
            await t.until(lambda: t.app.screen.focused is not None)
            assert_harmless(t.app)
            for key in {"questions": "] down l", "probe": "down d", "gaps": "down enter p", "plan": "t w"}.get(
                section.mode, "down"
            ).split():
                await t.press({"]": "right_square_bracket"}.get(key, key))
                assert_harmless(t.app)
            await t.press("escape")
        for org in inputs.organizations:
            t.app.show_organization(org.id)
            await t.pilot.pause()
            assert_harmless(t.app)
            await t.press("e")
            await t.pilot.pause()
            assert_harmless(t.app)
            await t.press("escape", "escape")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_net_lets_nothing_through_and_keeps_the_width(text):
    line = [Segment("| "), Segment(text[:80], Style(link="https://x.test/\x1b]0;victim\x07")), Segment(" |")]
    shown = Visible().apply(line, Color(0, 0, 0))
    for piece in shown:
        assert visible(piece.text) == piece.text and "\n" not in piece.text and "\t" not in piece.text
        assert piece.style is None or piece.style.link is None
    assert sum(piece.cell_length for piece in shown) == sum(piece.cell_length for piece in line)


async def test_dialogs_notices_titles_and_plain_widgets_are_harmless(terminal):
    async with terminal() as t:
        for dialog in (
            Confirm(ALL, ALL, (("a", ALL[:60]), ("b", "No"))),
            AskText(ALL, ALL, value=ALL, placeholder=ALL),
            Pick(ALL, [("a", t.app.screen.query_one("#tabs").render() + ALL)]),
        ):
            t.app.push_screen(dialog)
            await t.pilot.pause()
            assert_harmless(t.app)
            await t.press("escape")
        t.app.notify(ALL, title=ALL)
        t.app.screen.query_one("#verdict").border_title = ALL.replace("[", "(")
        await t.app.screen.mount(Static(ALL, markup=False), Static("\x1b]52;c;dmljdGlt\x07", markup=False))
        await t.pilot.pause()
        assert_harmless(t.app)


async def test_what_is_pasted_cannot_be_more_than_text(terminal, workspace):
    async with terminal() as t:
        await t.press("2", "m")
        t.app.post_message(Paste("see \x1b]52;c;dmljdGlt\x07\nand \u202eback"))
        await t.until(lambda: "back" in t.app.screen.query_one("#note", Field).value)
        assert_harmless(t.app)
        await t.press("escape")
        await t.settled()
        item = t.app.screen._current.item.id
        kept = workspace.responses("product")[item].note
        assert kept == "see ␛]52;c;dmljdGlt␇\nand �back", "both lines, and symbols for what is no text"


async def test_a_stored_text_is_shown_as_symbols_and_kept_to_the_letter_until_it_is_changed(terminal):
    async with terminal() as t:
        await t.press("2")
        asked = t.app.screen._current
        evidence = EvidenceRecord.trusted(link="https://x/\x9b")
        stored = Response(status=Status.UNKNOWN).but(
            note="a\x1b[31mb\nc ", documents=(evidence,), by="B\x1b[31mob", assignee="C\x9b"
        )
        t.app.become(replace(t.app.state, inputs=t.app.state.inputs.with_response("product", asked.item.id, stored)))
        t.app.screen._on_form = None
        await t.press("n", "p")
        note, link = t.app.screen.query_one("#note", Field), t.app.screen.query_one("#link", Field)
        assert (note.value, link.value) == ("a␛[31mb↵c ", "https://x/�")
        assert (note.given, link.given) == (stored.note, stored.link)
        note.focus()
        await t.press("end", "d")
        assert note.given == "a␛[31mb\nc d" and link.given == stored.link


async def test_a_long_text_is_shown_as_symbols_too(terminal):
    async with terminal() as t:
        area = Words(id="test-words")
        await t.app.screen.mount(area)
        area.text = "one\x1b[2J\r\ntwo"
        assert area.text == "one␛[2J\ntwo" and area.given == "one\x1b[2J\r\ntwo"
        area.insert("\x07!")
        assert area.given == area.text and "\x07" not in area.given
