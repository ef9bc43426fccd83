"""A rehearsal of the product, drawn: what is launched and how, every row as it becomes known, and one row in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.product import Product
from interlock.model.rehearsal import (
    WORST_FIRST,
    ProductObservation,
    RehearsalCheck,
    RehearsalOutcome,
    RehearsalResult,
    RehearsalTold,
)
from interlock.tui.page import ACCENT, BAD, DIM, OK, REHEARSAL, SEVERITY, WARN, Page, line, mark, text
from interlock.tui.state import State
from interlock.tui.widgets.flow import draw_problem
from interlock.tui.widgets.rows import Column, Row
from interlock.tui.work import NO_START, Rehearsable

COLUMNS = (
    Column("Seen", 16, least=14),
    Column("Check", 6),
    Column("Title", 34, grow=3, least=22),
    Column("Where", 16, grow=1, least=10),
)


@dataclass
class Run:
    """A rehearsal of this session; a thread adds to it what it sees, and looks whether it should stop.

    :ivar results: every row that is known, in the order in which it became known.
    :ivar problem: why it ended without a result.
    """

    results: list[RehearsalResult] = field(default_factory=list)
    stop: Event = field(default_factory=Event)
    under_way: bool = True
    problem: InterlockError | None = None

    def add(self, result: RehearsalResult) -> None:
        """Take a row; what is told once it should stop was not looked at."""
        if not self.stop.is_set():
            self.results.append(result)

    def told(self, total: int) -> str:
        """``80 of 96 looked at; 3 broke``: checks, each counted once over its rows."""
        known = tuple(self.results)
        broke = {row.id for row in known if row.outcome is RehearsalOutcome.BROKE}
        looked_at = f"{len({row.id for row in known})} of {words.count(total, 'check')} looked at"
        return f"{looked_at}; {len(broke)} broke" if broke else looked_at


def rows_of(results: Sequence[RehearsalResult], *, newest_first: bool) -> list[Row]:
    """A row for each result, what broke first and the worst of it before; the key is its place in ``results``."""
    numbered = list(enumerate(results))
    if newest_first:
        numbered.reverse()
    rows = []
    for outcome in WORST_FIRST:
        group = [(number, result) for number, result in numbered if result.outcome is outcome]
        if outcome is RehearsalOutcome.BROKE:
            group.sort(key=lambda entry: (entry[1].severity.rank, entry[1].id))
        if group:
            checks = words.count(len({result.id for _, result in group}), "check")
            aside = f"{checks}, {words.count(len(group), 'row')}"
            rows.append(Row("", heading=words.capital(REHEARSAL[outcome].word), aside=aside))
            rows += [_row(number, result) for number, result in group]
    return rows


def _row(number: int, result: RehearsalResult) -> Row:
    title = text(result.title, "bold" if result.outcome is RehearsalOutcome.BROKE else "")
    return Row(str(number), (mark(REHEARSAL[result.outcome]), text(result.id), title, text(_where(result), DIM)))


def _where(result: RehearsalResult) -> str:
    return ", ".join(part for part in (result.organization, result.subject) if part)


def question_of(result: RehearsalResult, check: RehearsalCheck | None, state: State) -> str | None:
    """The product's question of which a row says something: one that is contradicted before any other."""
    if check is None or state.inputs is None:
        return None
    named = dict.fromkeys(reference.partition("=")[0] for reference in (*check.breaks, *check.turns))
    known = [item for item in named if item in state.inputs.content.items]
    fell = [item for item in known if check.fallen(item, result.about)]
    contradicted = [item for item in (*fell, *known) if state.contradiction("product", item) is not None]
    return next(iter((*contradicted, *fell, *known)), None)


def draw_about(page: Page, rehearsable: Rehearsable, *, in_browser: bool) -> None:
    """What is launched, how it is started and whether that is allowed; or what to do where nothing is said of it."""
    product = rehearsable.product
    if product is None:
        page.para("There is no product.yaml, which says how your running product is reached.", WARN)
        page.para(
            "Write one beside interlock.yaml, as docs/rehearsal.md shows: its launch_url, and two hospitals that do "
            "not exist. Then interlock rehearse --write-env FILE gives your product what it has to know of them."
        )
        return
    hospitals = words.listed([client.id for client in product.organizations])
    version = f"version {product.version}, " if product.version else ""
    page.field("Launched at", line(product.launch_url, (f"  {version}by {hospitals}", DIM)), label_width=11)
    _draw_start(page, product, refused=rehearsable.refused, in_browser=in_browser)


def _draw_start(page: Page, product: Product, *, refused: bool, in_browser: bool) -> None:
    if product.start is None:
        page.field("Started by", "you, before you rehearse", style=DIM, label_width=11)
        return
    page.field("Started by", product.start.told, label_width=11)
    if in_browser:
        page.field("", f"not from a browser: {NO_START}", style=WARN, label_width=11)
    elif refused:
        page.field("", "not allowed yet: look at it, then in a terminal: interlock trust", style=WARN, label_width=11)


def draw_latest(page: Page, latest: ProductObservation, told: RehearsalTold | None, rehearsable: Rehearsable) -> None:
    """The rehearsal that is kept: of which day, what it came to, and whether it is old."""
    came_to = line((words.moment(latest.started), "bold"), f"  {words.sentence(rehearsable.came_to)}")
    page.field("Rehearsed", came_to, label_width=11)
    if told is not None and told.started == latest.started and told.aged:
        aged = "old, or of another version: it counts as a document until it is repeated"
        page.field("", aged, style=WARN, label_width=11)
    if latest.left_out:
        page.field("Left out", latest.left_out, style=DIM, label_width=11)
    if latest.hooks:
        page.field("", words.sentence(words.hooks(latest.hooks)), style=DIM, label_width=11)
    if latest.stopped:
        page.field("", latest.stopped, style=WARN, label_width=11)
    if rehearsable.impolite is not None:
        draw_problem(page, rehearsable.impolite)


def draw_run(page: Page, run: Run, total: int) -> None:
    """How far the rehearsal is, or how it ended."""
    if run.under_way:
        stopping = run.stop.is_set()
        told = run.told(total) if run.results else "bringing up the hospitals and the product"
        then = "  ending…" if stopping else "  escape cancels it"
        page.field("Now", line((f"… {told}", ACCENT), (then, DIM)), label_width=11)
    elif run.stop.is_set():
        page.field("Cancelled", f"{run.told(total)}. Nothing of it is kept.", style=WARN, label_width=11)
    elif run.problem is not None:
        draw_problem(page, run.problem)
    else:
        page.field("Ended", run.told(total), label_width=11)


def draw_result(page: Page, result: RehearsalResult, check: RehearsalCheck | None, state: State) -> None:
    """One row: what we did, what the product did, what is right, and the answer that it contradicts."""
    sign, severity = REHEARSAL[result.outcome], SEVERITY[result.severity]
    page.line((f"{result.id} ", DIM), (result.title, "bold"))
    where = f"  {_where(result)}" if _where(result) else ""
    page.line((f"{sign.glyph} {sign.word}", sign.style), (f"  {severity.word}", severity.style), (where, DIM))
    page.blank()
    if check is not None:
        page.field("We did", words.sentence(check.does))
    requests = words.listed([f"{number:,}" for number in result.requests], 6)
    shown = line(words.sentence(result.seen or "as it should"), (f"  requests {requests}" if requests else "", DIM))
    page.field("Your app did", shown, style=BAD if result.outcome is RehearsalOutcome.BROKE else "")
    if check is None:
        return
    page.field("Right is", words.sentence(check.good), style=OK if result.outcome is RehearsalOutcome.BROKE else "")
    _draw_question(page, question_of(result, check, state), state)
    for reference in check.references[:1]:
        page.field("Source", line(reference.title, (f"  {reference.url}", DIM)))


def _draw_question(page: Page, item: str | None, state: State) -> None:
    if item is None or state.inputs is None:
        return
    page.blank()
    page.field("Question", line(state.inputs.content.items[item].text, ("  enter goes there", ACCENT)))
    contradiction = state.contradiction("product", item)
    if contradiction is not None:
        page.field("Answered", contradiction.answered)
        page.field("Judged", line((contradiction.observed, f"bold {WARN}"), ("  as it was observed", DIM)))
