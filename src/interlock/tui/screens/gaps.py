"""Gaps: a tree by what blocks what (or by gate, organisation, owner), explained, drawn, and closed as a what-if."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Owner, Severity
from interlock.model.errors import InterlockError
from interlock.model.gap_graph import GapNode
from interlock.model.plan import WhatIf, finding_of
from interlock.tui import work as job
from interlock.tui.chain_page import THIS_ONE, draw_chain, draw_closing
from interlock.tui.findings_page import draw_alike, draw_gap, draw_patterns
from interlock.tui.gap_tree import COLUMNS, GROUPINGS, KINDS, Filter, Grouping, Listing
from interlock.tui.keys import bindings, key_of, keyed
from interlock.tui.page import ACCENT, DIM, SEVERITY, line, mark, text
from interlock.tui.plan_page import named, turned
from interlock.tui.screens.section import AskText, Pick, Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.widgets.rows import Rows

if TYPE_CHECKING:
    from interlock.usecases.closing import Closing


@dataclass(frozen=True)
class _Closed:
    """What closing a gap does; ``dates`` none until they are worked out, and where no task of the plan closes it."""

    row: str
    does: Closing
    tasks: tuple[str, ...]
    dates: WhatIf | InterlockError | None = None


class GapsSection(Section):
    """The section of gaps and things to find out, by wave, with the highlighted entry explained."""

    MODE = "gaps"
    ABOUT = (
        "What is open, as a tree by what blocks what: nothing behind a gap can be begun before it is closed, and "
        "{gaps.fold} folds what is behind it. {gaps.group} groups by gate, by organisation or by owner instead. A "
        "question mark is something to find out: nobody knows yet, so it is no gap. On the right: why it matters, "
        "what to do, what it waits for and what it blocks. {gaps.close} tells what closing it does to scores, stages, "
        "what waits for it and the dates, and {gaps.keep} keeps that as a what-if of the plan. {gaps.chain} draws the "
        "chain around it. The filters say what is listed, {gaps.find} finds words, {gaps.clear} clears. "
        "{gaps.patterns} shows the patterns of trouble that several facts together point to."
    )
    INITIAL_FOCUS = "#gaps Options"
    PANELS = {"#gap-list": f"Gaps by {GROUPINGS['blocks']}"}
    BINDINGS = bindings("gaps")

    def __init__(self) -> None:
        super().__init__()
        self._filter = Filter()
        self._grouping: Grouping = "blocks"
        self._turned: set[str] = set()  # rows that are folded where they are open at first, or the other way round
        self._listing: Listing | None = None
        self._parents: tuple[Assessment, dict[str, str | None]] | None = None
        self._pane: Literal["gap", "closing", "chain", "patterns"] = "gap"
        self._about: str | None = None  # the row that it is about
        self._worked_out: _Closed | None = None  # what the closing that is shown does, as far as it is worked out

    def body(self) -> ComposeResult:
        """The list beside the explanation; where it is narrow, Enter shows the explanation in the list's place."""
        with Horizontal(classes="sides"):
            with Vertical(classes="panel side", id="gap-list"):
                yield Static("", id="filters", markup=False)
                yield Rows(COLUMNS, id="gaps", empty="Nothing is open.")
            yield ScrollingFlow(id="explanation", classes="panel side")

    def show(self, old: State | None, new: State) -> None:
        """Draw the list with a new assessment, or with what is supposed to be closed."""
        if new.assessment is None:
            self.query_one("#gaps", Rows).set_rows([], empty="Working out what is open…")
        elif old is None or old.assessment is not new.assessment:
            self._show_list(new.assessment)
            if self._pane == "chain":
                self.action_chain()
            elif self._pane == "closing":
                self.action_close()
        elif old.supposed != new.supposed:
            self._show_list(new.assessment)

    def _listed(self, assessment: Assessment) -> Listing:
        return Listing(
            [node for node in assessment.graph.nodes if self._filter.takes(node)],
            self.state.names,
            self._dominators(assessment) if self._grouping == "blocks" else {},
            self._turned,
            supposed={finding_of(task) for task in named(self.state.supposed, "done")},
        )

    def _show_list(self, assessment: Assessment) -> None:
        listing = self._listing = self._listed(assessment)
        nodes = listing.nodes
        total = len(assessment.graph.nodes)
        self.refresh_bindings()
        empty = "Nothing is open." if not total else keyed("No gap fits the filters. {gaps.clear} clears them.")
        self.query_one("#gaps", Rows).set_rows(listing.rows(self._grouping), empty=empty)
        self.query_one("#filters", Static).update(self._filters())
        panel = self.query_one("#gap-list")
        panel.border_title = f"Gaps by {GROUPINGS[self._grouping]}"
        number = f"{len(nodes)} of {total}" if self._filter.is_set else words.count(total, "entry", "entries")
        panel.border_subtitle = line(number, *(piece for sign in SEVERITY.values() for piece in ("   ", mark(sign))))
        if not nodes:
            self._explain(None)

    def _dominators(self, assessment: Assessment) -> dict[str, str | None]:
        """Worked out once for an assessment: folding and filtering draw the tree again and again."""
        from interlock.usecases.gaps import dominators

        if self._parents is None or self._parents[0] is not assessment:
            self._parents = assessment, dominators(assessment.graph)
        return self._parents[1]

    def _filters(self) -> Content:
        chosen = self._filter
        parts: list[tuple[str, str]] = []
        for action, value, name in (
            ("organization", self.state.name_of(chosen.org) if chosen.org else None, "organisation"),
            ("severity", words.SEVERITY[chosen.severity].phrase if chosen.severity else None, "severity"),
            ("owner", words.OWNER[chosen.owner].title if chosen.owner else None, "owner"),
            ("kind", KINDS[chosen.kind] if chosen.kind else None, "kind"),
            ("find", f"with “{chosen.find[:30]}”" if chosen.find else None, "find"),
        ):
            parts += [
                (f"{key_of(f'gaps.{action}')} ", ACCENT),
                (f"only {value}", "bold") if value else (name, DIM),
                ("  ", ""),
            ]
        return line(*parts[:-1])

    def _turn_to(self, pane: Literal["gap", "closing", "chain", "patterns"]) -> ScrollingFlow:
        """What stands beside the list, or where it is drawn wide in its place."""
        self._pane, self._about = pane, self.query_one("#gaps", Rows).key
        self.set_class(pane == "chain", "-drawing")
        self.refresh_bindings()
        return self.query_one("#explanation", ScrollingFlow)

    def _explain(self, key: str | None) -> None:
        pane, assessment = self._turn_to("gap"), self.state.assessment
        node = assessment.graph.node(key) if assessment is not None and key is not None else None
        bundle = self._listing.bundles.get(key, ()) if self._listing is not None and key is not None else ()
        if bundle:
            pane.draw(lambda page: draw_alike(page, bundle, self.state.names), "At several places")
        elif assessment is None or node is None:
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
        rows = self.query_one("#gaps", Rows)
        if key not in rows.keys:
            self._turned = self._listed(assessment).unfolded_to(key, self._grouping)
            self._show_list(assessment)
        rows.select(key)
        self._read(key)

    @on(Rows.Moved, "#gaps")
    def _moved(self, event: Rows.Moved) -> None:
        if self._pane == "gap" or event.key != self._about:  # else it is late, and what was asked for since stays
            self._explain(event.key)

    @on(Rows.Chosen, "#gaps")
    def _chosen(self, event: Rows.Chosen) -> None:
        if self._listing is not None and event.key in self._listing.bundles:
            self.action_fold()
        else:
            self._read(event.key)

    def _read(self, key: str) -> None:
        self._explain(key)
        self.add_class("-reading")
        self.query_one("#explanation").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Going back is offered beside the list, clearing while something is filtered, keeping what was closed."""
        if action == "back":
            return self.query_one("#explanation").has_focus
        if action == "keep":
            return self._pane == "closing" and self._worked_out is not None and bool(self._worked_out.tasks)
        return self._filter.is_set if action == "clear" else True

    def action_back(self) -> None:
        """From what is drawn back to the explanation; from that, or the patterns in its place, to the list."""
        drawn = self._pane in {"closing", "chain"}
        self._explain(self.query_one("#gaps", Rows).key)
        if not drawn or not self.has_class("-narrow"):
            self.remove_class("-reading")
            self.query_one("#gaps", Rows).options.focus()

    def action_group(self) -> None:
        """The next grouping: by what blocks what, by gate, by organisation, by owner."""
        groupings = list(GROUPINGS)
        self._grouping = groupings[(groupings.index(self._grouping) + 1) % len(groupings)]
        if self.state.assessment is not None:
            self._show_list(self.state.assessment)

    def action_fold(self) -> None:
        """Fold what is behind the highlighted gap, or show it again."""
        key = self.query_one("#gaps", Rows).key
        if key is not None and self.state.assessment is not None:
            self._turned ^= {key}
            self._show_list(self.state.assessment)

    # -- closing and drawing --------------------------------------------------------------------------------------

    @property
    def _chosen_nodes(self) -> tuple[GapNode, ...]:
        """The gap of the highlighted row, or all that the row stands for."""
        key, assessment = self.query_one("#gaps", Rows).key, self.state.assessment
        if key is None or assessment is None:
            return ()
        node = assessment.graph.node(key)
        return (node,) if node is not None else self._listing.bundles.get(key, ()) if self._listing else ()

    def action_chain(self) -> None:
        """Draw the chain around the highlighted gap, in the place of list and explanation."""
        from interlock.usecases.gaps import chain_of

        nodes, assessment = self._chosen_nodes, self.state.assessment
        if assessment is None or not nodes:
            self._explain(None)
            return
        chain, names = chain_of(assessment.graph, nodes[0].key), self.state.names
        self.add_class("-reading")
        pane = self._turn_to("chain")
        pane.draw(lambda page: draw_chain(page, chain, names), f"The chain around {nodes[0].key}")
        pane.focus()

        def reveal() -> None:
            at = (number for number, drawn in enumerate(pane.shown.plain.splitlines()) if drawn.endswith(THIS_ONE))
            pane.scroll_to(y=max(0, next(at, 0) - 6), animate=False)

        self.call_after_refresh(reveal)

    def action_close(self) -> None:
        """Tell what closing the highlighted gap does."""
        nodes = self._chosen_nodes
        if not nodes:
            self._explain(None)
        else:
            self.add_class("-reading")
            self._worked_out = None
            self._turn_to("closing").draw(lambda page: page.line(("… working it out", ACCENT)), "If closed")
            self._close(self.query_one("#gaps", Rows).key or "", tuple(node.key for node in nodes))

    @work(group="closing", exclusive=True, description="closing")
    async def _close(self, row: str, keys: tuple[str, ...]) -> None:
        """Scores and stages at once; the dates when they are worked out."""
        from interlock.usecases.closing import closing, tasks_of
        from interlock.usecases.plan import Changes

        inputs, assessment = self.state.inputs, self.state.assessment
        if inputs is None or assessment is None:
            return
        tasks = tasks_of(assessment, keys)
        try:
            does = await job.in_thread(closing, inputs, assessment, keys)
        except InterlockError as error:
            self.notify(error.message, severity="error", markup=False)
            return
        self._show_closed(_Closed(row, does, tasks))
        if tasks:
            dates: WhatIf | InterlockError
            try:
                dates = await job.in_thread(job.supposed, inputs, assessment, Changes(close=tasks))
            except InterlockError as error:
                dates = error
            self._show_closed(_Closed(row, does, tasks, dates))

    def _show_closed(self, closed: _Closed) -> None:
        """Show what a closing does, if it is still what is asked for."""
        if self._pane != "closing" or self.query_one("#gaps", Rows).key != closed.row:
            return
        same, self._worked_out = self._worked_out is not None and self._worked_out.row == closed.row, closed
        names, planned = self.state.names, bool(closed.tasks)
        kept = planned and set(closed.tasks) <= set(named(self.state.supposed, "done"))
        self.query_one("#explanation", ScrollingFlow).draw(
            lambda page: draw_closing(page, closed.does, closed.dates, names, planned=planned, kept=kept),
            keep_position=same,
        )
        self.refresh_bindings()

    def action_keep(self) -> None:
        """Keep the closing as a what-if of the plan, or take it back."""
        closed, supposed = self._worked_out, self.state.supposed
        if closed is None or not closed.tasks:
            self.notify("No date waits for it, so the plan has nothing to suppose.")
            return
        kept = set(closed.tasks) <= set(named(supposed, "done"))
        for task in closed.tasks:
            if (f"done:{task}" in supposed) is kept:
                supposed = turned(supposed, f"done:{task}")
        self.interlock.suppose(supposed)
        self._show_closed(closed)
        self.notify("Taken back." if kept else "Kept: section 5 shows the dates with all that is supposed.")

    def action_patterns(self) -> None:
        """Patterns of trouble in the explanation's place."""
        assessment = self.state.assessment
        if assessment is None:
            return
        pane = self._turn_to("patterns")
        pane.draw(lambda page: draw_patterns(page, assessment.patterns, self.state.names), "Patterns of trouble")
        self.add_class("-reading")
        pane.focus()

    def action_answer(self) -> None:
        """Go to a question that decides this gap, one without an answer first."""
        nodes, assessment, inputs = self._chosen_nodes, self.state.assessment, self.state.inputs
        if not nodes or assessment is None or inputs is None:
            return
        key = nodes[0].key
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
            "kind": ("Which kind?", KINDS.items()),
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
        self.call_after_refresh(self._focus_first)  # an empty list has lost the focus


_PARSE = {"org": str, "severity": Severity, "owner": Owner, "kind": str}
