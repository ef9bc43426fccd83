"""Gaps: a list by wave that can be filtered, and the explanation of the highlighted entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Owner, Severity
from interlock.model.gap_graph import GapNode
from interlock.tui.findings_page import draw_gap, draw_patterns
from interlock.tui.keys import bindings
from interlock.tui.page import ACCENT, DIM, SEVERITY, TASK, line, text
from interlock.tui.screens.section import AskText, Pick, Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.widgets.rows import Column, Row, Rows

#: The glyph says the severity: its word is the first to leave.
_COLUMNS = (
    Column("", 1),
    Column("Severity", 11, leaves=7),
    Column("What is open", 36, grow=4),
    Column("Gap", 20, leaves=2),
    Column("Gate", 10, leaves=5),
    Column("Owner", 12, leaves=4),
    Column("Waits", 5, leaves=6, right=True),
    Column("Blocks", 6, leaves=3, right=True),
)

Kind = Literal["gap", "discovery"]
_KINDS: dict[Kind, str] = {"gap": "gaps", "discovery": "things to find out"}


@dataclass(frozen=True)
class Filter:
    """Which nodes are listed; none means all. Product-wide nodes concern every organisation."""

    org: str | None = None
    severity: Severity | None = None
    owner: Owner | None = None
    kind: Kind | None = None
    find: str = ""

    def takes(self, node: GapNode) -> bool:
        """Is this node listed?"""
        return (
            self.org in {None, *node.orgs}
            and self.severity in {None, node.severity}
            and self.owner in {None, node.owner}
            and self.kind in {None, node.kind}
            and self.find.casefold() in f"{node.key}\n{node.title}\n{node.message}".casefold()
        )

    @property
    def is_set(self) -> bool:
        """Is anything filtered?"""
        return self != Filter()


class GapsSection(Section):
    """The section of gaps and things to find out, by wave, with the highlighted entry explained."""

    MODE = "gaps"
    LETTER = "a"
    TITLE = "Gaps"
    PURPOSE = "What is open, why, and what waits for it"
    ABOUT = (
        "What is open, by wave: everything in a wave can start together, and a later wave waits for an earlier one. "
        "A question mark is something to find out: nobody knows yet, so it is no gap. On the right: why it matters, "
        "what to do, what it waits for and what it blocks. The filters say what is listed, / finds words, c clears. "
        "p shows the patterns of trouble that several facts together point to."
    )
    INITIAL_FOCUS = "#gaps Options"
    PANELS = {"#gap-list": "Gaps by wave"}
    BINDINGS = bindings("gaps")

    def __init__(self) -> None:
        super().__init__()
        self._filter = Filter()

    def body(self) -> ComposeResult:
        """The list beside the explanation; where it is narrow, Enter shows the explanation in the list's place."""
        with Horizontal(classes="sides"):
            with Vertical(classes="panel side", id="gap-list"):
                yield Static("", id="filters", markup=False)
                yield Rows(_COLUMNS, id="gaps", empty="Nothing is open.")
            yield ScrollingFlow(id="explanation", classes="panel side")

    def show(self, old: State | None, new: State) -> None:
        """Draw the list with a new assessment."""
        if new.assessment is not None and (old is None or old.assessment is not new.assessment):
            self._show_list(new.assessment)
        elif new.assessment is None:
            self.query_one("#gaps", Rows).set_rows([], empty="Working out what is open…")

    def _show_list(self, assessment: Assessment) -> None:
        rows = list(_rows(assessment, self._filter))
        listed = sum(bool(row.cells) for row in rows)
        total = len(assessment.graph.nodes)
        self.refresh_bindings()
        empty = "Nothing is open." if not total else "No gap fits the filters. c clears them."
        self.query_one("#gaps", Rows).set_rows(rows, empty=empty)
        self.query_one("#filters", Static).update(self._filters())
        number = f"{listed} of {total}" if self._filter.is_set else words.count(total, "entry", "entries")
        self.query_one("#gap-list").border_subtitle = number
        if not listed:
            self._show_explanation(None)

    def _filters(self) -> Content:
        chosen = self._filter
        parts: list[tuple[str, str]] = []
        for key, value, name in (
            ("f", self.state.name_of(chosen.org) if chosen.org else None, "organisation"),
            ("s", words.SEVERITY[chosen.severity].phrase if chosen.severity else None, "severity"),
            ("w", words.OWNER[chosen.owner].title if chosen.owner else None, "owner"),
            ("t", _KINDS[chosen.kind] if chosen.kind else None, "kind"),
            ("/", f"with “{chosen.find[:30]}”" if chosen.find else None, "find"),
        ):
            parts += [(f"{key} ", ACCENT), (f"only {value}", "bold") if value else (name, DIM), ("  ", "")]
        return line(*parts[:-1])

    def _show_explanation(self, key: str | None) -> None:
        pane = self.query_one("#explanation", ScrollingFlow)
        assessment = self.state.assessment
        node = assessment.graph.node(key) if assessment is not None and key is not None else None
        if assessment is None or node is None:
            pane.draw(lambda page: page.para("Nothing is chosen.", DIM), "Explanation")
        else:
            pane.draw(lambda page: draw_gap(page, assessment, node, self.state.names), node.key)

    def go_to(self, key: str) -> None:
        """Show one gap; a filter that hides it is cleared."""
        assessment = self.state.assessment
        node = assessment.graph.node(key) if assessment is not None else None
        if assessment is None or node is None:
            self.notify("This is not open (any more).", markup=False)
            return
        if not self._filter.takes(node):
            self._list_only(Filter())
        self.query_one("#gaps", Rows).select(key)
        self._read(key)

    @on(Rows.Moved, "#gaps")
    def _moved(self, event: Rows.Moved) -> None:
        self._show_explanation(event.key)

    @on(Rows.Chosen, "#gaps")
    def _chosen(self, event: Rows.Chosen) -> None:
        self._read(event.key)

    def _read(self, key: str) -> None:
        self._show_explanation(key)
        self.add_class("-reading")
        self.query_one("#explanation").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Going back is offered beside the list, clearing while something is filtered."""
        if action == "back":
            return self.query_one("#explanation").has_focus
        return self._filter.is_set if action == "clear" else True

    def action_back(self) -> None:
        """From the explanation, or the patterns in its place, to the list."""
        self.remove_class("-reading")
        self._show_explanation(self.query_one("#gaps", Rows).key)
        self.query_one("#gaps", Rows).options.focus()

    def action_patterns(self) -> None:
        """Patterns of trouble in the explanation's place."""
        assessment = self.state.assessment
        if assessment is None:
            return
        pane = self.query_one("#explanation", ScrollingFlow)
        pane.draw(lambda page: draw_patterns(page, assessment.patterns, self.state.names), "Patterns of trouble")
        self.add_class("-reading")
        pane.focus()

    def action_answer(self) -> None:
        """Go to a question that decides this gap, one without an answer first."""
        key, assessment, inputs = self.query_one("#gaps", Rows).key, self.state.assessment, self.state.inputs
        if key is None or assessment is None or inputs is None:
            return
        finding = next((finding for finding in assessment.findings if finding.key == key), None)
        if finding is None:
            return
        names = [name.split(".", 1)[1] for name in finding.reads if name.startswith(("responses.", "value."))]
        items = [item for item in (*finding.missing_answers, *names) if item in inputs.content.items]
        if not items:
            self.notify("No question decides this: it rests on what was observed or on the contract.", markup=False)
            return
        scope, node = "product", assessment.graph.node(key)
        if inputs.content.items[items[0]].scope.value == "org":
            of_one = finding.subject.id in self.state.names
            scope = finding.subject.id if of_one else next(iter(node.orgs if node else ()), "product")
        self.interlock.ask_questions(scope, items[0])

    # -- filters --------------------------------------------------------------------------------------------------

    def action_filter(self, field: str) -> None:
        """List one organisation's gaps, one severity, one owner's work or one kind, or all."""
        titles_and_choices: dict[str, tuple[str, Iterable[tuple[str, str]]]] = {
            "org": ("Which organisation?", self.state.names.items()),
            "severity": ("Which severity?", ((s.value, words.SEVERITY[s].phrase) for s in Severity)),
            "owner": ("Whose work?", ((o.value, words.OWNER[o].title) for o in Owner)),
            "kind": ("Which kind?", _KINDS.items()),
        }
        title, choices = titles_and_choices[field]

        def chosen(key: str) -> None:
            changed: dict[str, Any] = {field: _PARSE[field](key) if key else None}
            self._list_only(replace(self._filter, **changed))

        options = [("", text("All", "bold")), *((key, text(word)) for key, word in choices)]
        self.ask(Pick(title, options, getattr(self._filter, field) or ""), chosen)

    def action_find(self) -> None:
        """List only entries with these words."""
        dialog = AskText("Find gaps", "Words of the title or the message, or a rule's id.", value=self._filter.find)
        self.ask(dialog, lambda wanted: self._list_only(replace(self._filter, find=wanted.strip())))

    def action_clear(self) -> None:
        """List everything."""
        self._list_only(Filter())

    def _list_only(self, chosen: Filter) -> None:
        self._filter = chosen
        if self.state.assessment is not None:
            self._show_list(self.state.assessment)


_PARSE = {"org": str, "severity": Severity, "owner": Owner, "kind": str}


def _rows(assessment: Assessment, chosen: Filter) -> Iterator[Row]:
    """Rows by wave; within a wave in the graph's order: severity, then key."""
    waits = Counter(edge.after for edge in assessment.graph.reduced)
    last = None
    for node in assessment.graph.nodes:
        if not chosen.takes(node):
            continue
        if node.wave != last:
            last = node.wave
            aside = "can start now" if node.wave == 0 else f"waits for wave {node.wave}"
            yield Row(f"wave:{node.wave}", heading=f"Wave {node.wave + 1}", aside=aside)
        yield _row(node, waits[node.key])


def _row(node: GapNode, waits: int) -> Row:
    undecided = node.kind == "discovery"
    sign = TASK["discovery"] if undecided else SEVERITY[node.severity]
    return Row(
        node.key,
        (
            text(sign.glyph, sign.style),
            text(sign.word, sign.style),
            text(node.label),
            text(node.key, DIM),
            text(words.GATE[node.gate].phrase, DIM),
            text(words.OWNER[node.owner].title, DIM),
            text(waits or "", DIM),
            text(node.blocks or "", DIM),
        ),
    )
