"""Rehearsing the product, a page of its own: run, watch, see what broke, go to the answer."""

from __future__ import annotations

import asyncio

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical

from interlock.model.errors import InterlockError
from interlock.model.rehearsal import ProductObservation, RehearsalResult
from interlock.model.text import plain
from interlock.tui import work as job
from interlock.tui.keys import bindings, key_of
from interlock.tui.page import DIM, Page
from interlock.tui.rehearsal_page import (
    COLUMNS,
    Run,
    draw_about,
    draw_latest,
    draw_result,
    draw_run,
    question_of,
    rows_of,
)
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow, ScrollingFlow, draw_problem
from interlock.tui.widgets.rows import Rows

#: Seconds between two looks at what a rehearsal has seen.
_TICK_S = 0.2


class RehearsalPage(Section):
    """The page of the product's rehearsal, on top of the section of the probe."""

    TITLE = "Rehearsal"
    ABOUT = (
        "Simulated hospitals launch your own running product, politely first, then not, and what it did is evidence: "
        "where an answer says otherwise, what was seen is judged. {rehearsal.run} begins one, each row stands here as "
        "soon as it is known, and escape ends it (nothing of it is kept then). The highlighted row is told below in "
        "words; Enter goes to the question that it contradicts. product.yaml says how the product is reached; a start "
        "command in it runs only after interlock trust has allowed it, and never from a browser. It asks nobody "
        "beyond this machine."
    )
    INITIAL_FOCUS = "#rehearsal-rows Options"
    PANELS = {"#rehearsal-panel": "Checks", "#rehearsal-card": "In words"}
    BINDINGS = bindings("rehearsal")

    def __init__(self) -> None:
        super().__init__()
        self._known: job.Rehearsable | InterlockError | None = None
        self._run: Run | None = None
        self._drawn = 0  # rows of the rehearsal that runs

    def body(self) -> ComposeResult:
        """The product, every row, and the highlighted row in words."""
        with Vertical():
            yield Flow(id="rehearsal-about")
            with Vertical(classes="panel", id="rehearsal-panel"):
                yield Rows(COLUMNS, id="rehearsal-rows", empty="Nothing was looked at yet. r rehearses your product.")
            yield ScrollingFlow(id="rehearsal-card", classes="panel")

    def on_mount(self) -> None:
        """Look at what a rehearsal has seen, while there is one."""
        super().on_mount()
        self.set_interval(_TICK_S, self._tick)

    def _tick(self) -> None:
        if self._run is not None and self._run.under_way and self.is_current:
            self._show_about()
            if len(self._run.results) != self._drawn:
                self._show_rows()

    def show(self, old: State | None, new: State) -> None:
        """Draw the latest rehearsal, and what contradicts an answer since it was judged."""
        if new.inputs is None:
            return
        if old is None or old.inputs is None or old.inputs.rehearsal is not new.inputs.rehearsal:
            if self._run is not None and not self._run.under_way:
                self._run = None  # what was kept of it was read, or something newer
            self._look(new.inputs.rehearsal)
            self._show_rows()
        elif old.assessment is not new.assessment:
            self._show_about()
            self._show_card(keep_position=True)

    @work(group="look", exclusive=True, description="look")
    async def _look(self, latest: ProductObservation | None) -> None:
        """Read what is said of the product, and the catalogue."""
        try:
            self._known = await job.in_thread(job.rehearsable, self.interlock.workspace, latest)
        except InterlockError as error:
            self._known = error
        self._show_about()
        self._show_card(keep_position=True)
        self.refresh_bindings()

    # -- drawing --------------------------------------------------------------------------------------------------

    @property
    def _results(self) -> tuple[RehearsalResult, ...]:
        """The rows of the rehearsal of this session, or of the one that is kept."""
        if self._run is not None and (self._run.under_way or self._run.results):
            return tuple(self._run.results)
        latest = self.state.inputs.rehearsal if self.state.inputs is not None else None
        return latest.results if latest is not None else ()

    def _show_about(self) -> None:
        self.query_one("#rehearsal-about", Flow).draw(self._draw_about)

    def _draw_about(self, page: Page) -> None:
        known, run, inputs = self._known, self._run, self.state.inputs
        if known is None or inputs is None:
            page.para("Reading product.yaml…", DIM)
            return
        if isinstance(known, InterlockError):
            draw_problem(page, known, f"{key_of('rehearsal.run')} tries again")
            return
        draw_about(page, known, in_browser=self.app.is_web)
        if inputs.rehearsal is not None and known.came_to and (run is None or not run.under_way):
            told = self.state.assessment.rehearsal if self.state.assessment is not None else None
            draw_latest(page, inputs.rehearsal, told, known)
        if run is not None:
            draw_run(page, run, len(known.checks))

    def _show_rows(self, *, first: bool = False) -> None:
        """Draw the rows; who looks at the first one goes on looking at the first one."""
        results, table = self._results, self.query_one("#rehearsal-rows", Rows)
        running = self._run is not None and self._run.under_way
        self._drawn = len(results)
        first = first or table.key in table.keys[:1]
        table.set_rows(rows_of(results, newest_first=running))
        if first and table.keys:
            table.select(table.keys[0])
        self._show_card(keep_position=True)
        self.refresh_bindings()

    @property
    def _highlighted(self) -> RehearsalResult | None:
        key, results = self.query_one("#rehearsal-rows", Rows).key, self._results
        return results[int(key)] if key and int(key) < len(results) else None

    def _question(self) -> str | None:
        result, known = self._highlighted, self._known
        if result is None or not isinstance(known, job.Rehearsable):
            return None
        return question_of(result, known.checks.get(result.id), self.state)

    @on(Rows.Moved, "#rehearsal-rows")
    def _moved(self) -> None:
        self._show_card()
        self.refresh_bindings()

    def _show_card(self, *, keep_position: bool = False) -> None:
        result, known, state = self._highlighted, self._known, self.state
        checks = known.checks if isinstance(known, job.Rehearsable) else {}

        card = self.query_one("#rehearsal-card", ScrollingFlow)
        card.display = result is not None
        if result is not None:
            card.draw(lambda page: draw_result(page, result, checks.get(result.id), state), keep_position=keep_position)

    # -- doing ----------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One rehearsal at a time; a question where a row says something of one."""
        match action:
            case "run":
                return self._run is None or not self._run.under_way
            case "question":
                return self.is_mounted and self._question() is not None
            case _:
                return True

    def action_run(self) -> None:
        """Rehearse the product; where the workspace cannot be read, read it again."""
        if self.state.inputs is None or self.state.problem is not None:
            self.interlock.action_reload()
        elif self.check_action("run", ()):
            self._run = Run()
            self._look(self.state.inputs.rehearsal)  # product.yaml may say something else by now
            self._show_about()
            self._show_rows()
            self._rehearse(self._run)

    @work(group="rehearse", description="rehearse")
    async def _rehearse(self, run: Run) -> None:
        """Rehearse in a thread; a page that is closed, and an app that ends, stop it."""
        workspace = self.interlock.workspace
        try:
            await job.in_thread(
                job.rehearse,
                workspace,
                on_result=run.add,
                stop=run.stop.is_set,
                in_browser=self.app.is_web,
            )
        except InterlockError as error:
            run.problem = error
        except asyncio.CancelledError:
            run.stop.set()
            raise
        finally:
            run.under_way = False
        if run.problem is None and not run.stop.is_set():
            self.interlock.action_reload()  # and judge anew what the answers come to
        self._show_about()
        self._show_rows(first=True)
        if not self.is_current and isinstance(self._known, job.Rehearsable):
            told = run.problem.message if run.problem is not None else run.told(len(self._known.checks))
            self.notify(plain(told, 400), title="Rehearsal", markup=False)

    @on(Rows.Chosen, "#rehearsal-rows")
    def action_question(self) -> None:
        """Go to the question that the highlighted row contradicts."""
        item = self._question()
        if item is None:
            self.notify("No question of the product is about this.", markup=False)
        else:
            self.interlock.ask_questions("product", item)

    def action_back(self) -> None:
        """End the rehearsal that runs; else back to the probe, where pressing it twice does nothing more."""
        if self._run is not None and self._run.under_way:
            self._run.stop.set()
            self._show_about()
        elif self.is_current:
            self.app.pop_screen()
