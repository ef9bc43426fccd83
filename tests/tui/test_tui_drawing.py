"""The pieces that draw: bars, pages, tables and key hints, as plain functions of their width."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content

from interlock.model.readiness import Interval
from interlock.tui.page import FULL, PART, REST, Page, cells, count_bar, fit, hang, interval_bar, line, span_bar
from interlock.tui.widgets.bars import KeyHint, fitting
from interlock.tui.widgets.rows import Column, Options, Row, first_rows, layout

pytestmark = pytest.mark.fast


@given(low=st.floats(0, 100, allow_subnormal=False), span=st.floats(0, 100), width=st.integers(3, 60))
def test_an_interval_bar_has_its_width_and_its_order(low, span, width):
    high = min(100.0, low + span)
    bar = interval_bar(Interval(low=low, high=high), width).plain
    assert len(bar) == width
    assert bar == FULL * bar.count(FULL) + PART * bar.count(PART) + REST * bar.count(REST)
    assert (bar.count(FULL) == width) == (low == 100)
    assert (bar.count(FULL) > 0) == (low > 0)


def test_only_everything_fills_a_bar():
    assert cells(0.999, 10) == 9
    assert cells(0.001, 10) == 1
    assert count_bar(0, 0, 0, 5).plain == REST * 5
    assert count_bar(3, 1, 4, 8).plain == FULL * 6 + PART * 2 or count_bar(3, 1, 4, 8).plain.count(FULL) == 6


@given(start=st.floats(0, 50), length=st.floats(0, 50), width=st.integers(1, 40))
def test_a_task_stays_within_its_bar(start, length, width):
    bar = span_bar(start, start + length, 100, width, critical=True).plain
    assert len(bar) == width and FULL in bar


@given(pieces=st.lists(st.text("abc ", min_size=1, max_size=12), min_size=1, max_size=12), width=st.integers(12, 40))
def test_wrapped_lines_keep_within_the_width(pieces, width):
    for entry in hang(Content(" ".join(pieces)), width, "• "):
        assert entry.cell_length <= width


def test_nothing_in_a_text_is_markup_or_an_escape():
    page = Page(60)
    page.para("[red]x[/red] \x1b[31m\u202e")
    page.field("label", "[b]value")
    page.bullet("•", "[@click=quit]go")
    shown = page.content().plain
    assert "[red]x[/red]" in shown and "[b]value" in shown and "[@click=quit]go" in shown
    assert "\x1b" not in shown and "\u202e" not in shown


def test_room_between_pieces_is_kept():
    assert line("a", "   ", ("b  c", "bold")).plain == "a   b  c"
    assert fit(Content("abcdef"), 4).plain == "abc…"
    assert fit(Content("ab"), 4, right=True).plain == "  ab"


COLUMNS = [Column("name", 10, grow=1), Column("a", 8, leaves=2), Column("b", 8, leaves=1)]


@pytest.mark.parametrize(
    ("width", "kept"), [(40, [0, 1, 2]), (30, [0, 1, 2]), (29, [0, 2]), (20, [0, 2]), (19, [0]), (6, [0])]
)
def test_the_least_important_columns_leave_first(width, kept):
    laid = layout(COLUMNS, width)
    assert [index for index, _ in laid] == kept
    assert sum(cells for _, cells in laid) + 2 * (len(laid) - 1) <= max(width, 4)


def test_general_keys_are_the_last_to_leave():
    hints = [KeyHint("n", "Next", "step(1)"), KeyHint("p", "Prev", "step(-1)"), KeyHint("q", "Quit", "quit")]
    assert [hint.key for hint in fitting(hints, 80)] == ["n", "p", "q"]
    assert [hint.key for hint in fitting(hints, 17)] == ["n", "q"]
    assert [hint.key for hint in fitting(hints, 8)] == ["q"]


@pytest.mark.parametrize("key", ["pageup", "pagedown"])
def test_a_list_that_has_no_room_moves_no_page(key: str) -> None:
    class Narrow(App[None]):
        CSS = "Options { width: 0; height: 0; border: none; padding: 0; }"

        def compose(self) -> ComposeResult:
            yield Options("first", "second")

    async def pressed() -> int | None:
        app = Narrow()
        async with app.run_test(size=(3, 4)) as pilot:
            options = app.query_one(Options)
            options.focus()
            options.highlighted = 1
            await pilot.press(key)
            return options.highlighted

    assert asyncio.run(pressed()) == 1


def test_of_thousands_of_rows_the_first_are_listed_and_how_to_list_fewer():
    rows = [Row(str(number), (Content("x"),)) for number in range(1_001)]
    assert first_rows(rows[:1_000], "o lists fewer") == rows[:1_000]
    *listed, more = first_rows(iter(rows), "o lists fewer")
    assert listed == rows[:1_000]
    assert (more.heading, more.aside, more.cells) == ("The first 1,000 lines", "o lists fewer", ())
