"""The start: the verdict, the organisations, how far the answers are, and what to do first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Status
from interlock.model.content import told_changes
from interlock.model.errors import InterlockError
from interlock.model.plan import FirstThing, finding_of
from interlock.model.readiness import OrgReadiness, Score, Verdict
from interlock.tui import work as job
from interlock.tui.keys import bindings
from interlock.tui.page import (
    ACCENT,
    BAD,
    DIM,
    OBSERVED,
    OK,
    PRIMARY,
    WARN,
    Page,
    count_bar,
    hang,
    interval_bar,
    line,
    mark,
    stage_bar,
    text,
)
from interlock.tui.plan_page import shorter
from interlock.tui.progress import Counts, by_area, kind_of_product, settled
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow
from interlock.tui.widgets.rows import Column, Row, Rows

_ORG_COLUMNS = (
    Column("Organisation", 16, grow=3),
    Column("Vendor", 14, leaves=4),
    Column("Seen", 14, grow=1),
    Column("Stage", 15, grow=1),
    Column("If the unknowns hold", 20, leaves=5),
    Column("Score", 8, grow=2, leaves=1),
    Column("", 8, right=True),
    Column("Recommended", 17, leaves=2),
)
_FIRST_COLUMNS = (
    Column("", 2),
    Column("What", 34, grow=5),
    Column("Gap", 20, leaves=6),
    Column("Who", 12, leaves=3),
    Column("Saves", 7, leaves=1, right=True),
    Column("Unlocks", 7, leaves=4, right=True),
    Column("Critical", 8, leaves=5, right=True),
)

_NO_ORGANIZATION = "No organisation yet. Section 7 (Organisations) adds the first one."
#: Cells of the shortest bar.
_BAR = 4


class OverviewSection(Section):
    """The section that opens first: verdict, organisations, answers, and what to do first."""

    MODE = "overview"
    LETTER = "o"
    TITLE = "Overview"
    PURPOSE = "Verdict, organisations, what to do first"
    ABOUT = (
        "Where the product and its organisations stand. The verdict says whether the product or the integration is "
        "what holds you back, and what comes next. Enter on an organisation opens its page; Enter on a thing to do "
        "opens the gap behind it."
    )
    INITIAL_FOCUS = "#orgs Options"
    PANELS = {
        "#overview-orgs": "Organisations",
        "#areas": "Answers",
        "#first": "Do first",
        "#verdict": "Verdict",
    }
    BINDINGS = bindings("overview")

    def body(self) -> ComposeResult:
        """Verdict on top, then the organisations, then two panels."""
        with VerticalScroll(id="overview", can_focus=False):
            yield Flow(id="verdict", classes="panel")
            with Vertical(classes="panel", id="overview-orgs"):
                yield Rows(
                    _ORG_COLUMNS,
                    id="orgs",
                    empty=_NO_ORGANIZATION,
                )
            with Horizontal(id="overview-below"):
                yield Flow(id="areas", classes="panel")
                with Vertical(classes="panel", id="first"):
                    yield Rows(_FIRST_COLUMNS, id="first-things", empty="Working out what comes first…")
                    yield Flow(id="forecast")

    def show(self, old: State | None, new: State) -> None:
        """Draw the panels whose part of the state changed."""
        if old is None or old.judgement is not new.judgement or old.assessment is not new.assessment:
            self._show_verdict(new)
        if new.assessment is not None and (old is None or old.assessment is not new.assessment):
            self._show_assessment(new.assessment)
        if old is None or old.judgement is not new.judgement or old.inputs is not new.inputs:
            self._show_organizations(new)
        parts = (new.inputs, new.worth, new.assessment)
        if old is None or any(a is not b for a, b in zip(parts, (old.inputs, old.worth, old.assessment), strict=True)):
            self._show_answers(new)

    def _show_answers(self, state: State) -> None:
        if state.inputs is None:
            return
        counts, assessment, texts = by_area(state.inputs), state.assessment, _texts(state)

        def drawing(page: Page) -> None:
            _draw_answers(page, counts, state)
            if self.has_class("-narrow") and assessment is not None and assessment.verdict.changes:
                page.heading("What would change the verdict")
                draw_changes(page, assessment.verdict, texts, state.names)

        self.query_one("#areas", Flow).draw(drawing)

    def _show_verdict(self, state: State) -> None:
        """The verdict of the newest answers: it needs no plan. What would change it comes with the assessment."""
        judgement, assessment = state.judgement, state.assessment
        if judgement is None:
            self.query_one("#verdict", Flow).draw(lambda page: page.para("Working out the verdict…", DIM))
            return
        whole = assessment is not None and state.up_to_date
        verdict = assessment.verdict if assessment is not None and whole else judgement.verdict
        score, texts, names = judgement.product_score, _texts(state), state.names
        self.query_one("#verdict", Flow).draw(lambda page: draw_verdict(page, verdict, score, texts, names))

    def _show_assessment(self, assessment: Assessment) -> None:
        self.query_one("#verdict", Flow).border_subtitle = text(told_changes(assessment.content_changes), WARN)
        things = assessment.plan.first
        self.query_one("#first-things", Rows).set_rows(
            [_first_row(number, thing) for number, thing in enumerate(things, 1)],
            empty=assessment.plan.first_note,
        )
        self.query_one("#forecast", Flow).draw(lambda page: _draw_forecast(page, assessment))
        self._since(assessment)
        self.query_one("#overview-orgs").border_subtitle = f"target gate: {words.GATE[assessment.target_gate].phrase}"

    @work(group="since", exclusive=True, description="since the last milestone")
    async def _since(self, assessment: Assessment) -> None:
        """Add to the dates how they moved since the last milestone, and why."""
        try:
            moved = await job.in_thread(job.since_last, self.interlock.workspace, assessment)
        except InterlockError as error:
            moved = f"The last milestone cannot be read: {error.message}."
        if moved and self.is_attached and self.state.assessment is assessment:
            self.query_one("#forecast", Flow).draw(lambda page: _draw_forecast(page, assessment, moved))

    def _show_organizations(self, state: State) -> None:
        if state.judgement is None or state.inputs is None:
            self.query_one("#orgs", Rows).set_rows([], empty="Working out where they stand…")
            return
        readiness = {own.org: own for own in state.judgement.readiness}
        self.query_one("#orgs", Rows).set_rows(
            [
                _organization_row(org.name, org.vendor, readiness[org.id])
                for org in state.inputs.organizations
                if org.id in readiness
            ],
            empty=_NO_ORGANIZATION,
        )

    @on(Rows.Chosen, "#orgs")
    def _open(self, event: Rows.Chosen) -> None:
        self.interlock.show_organization(event.key)

    @on(Rows.Chosen, "#first-things")
    def _open_first(self, event: Rows.Chosen) -> None:
        """To the gap, the probe, or the plan where no gap stands behind it."""
        assessment = self.state.assessment
        thing = next((thing for thing in assessment.plan.first if thing.key == event.key), None) if assessment else None
        if assessment is None or thing is None:
            return
        node = next((key for key in map(finding_of, thing.keys or (thing.key,)) if assessment.graph.node(key)), None)
        if node is not None:
            self.interlock.show_gap(node)
        else:
            self.interlock.action_go("probe" if thing.kind == "discovery" else "plan")

    def action_next_question(self) -> None:
        """Go to the question without an answer that settles most."""
        self.interlock.ask_next()

    def action_probe_all(self) -> None:
        """Go to the probe and run it for every organisation."""
        self.interlock.probe_all()


def _texts(state: State) -> dict[str, str]:
    """The questions' texts by id."""
    return {name: item.text for name, item in state.inputs.content.items.items()} if state.inputs else {}


def _organization_row(name: str, vendor: str, readiness: OrgReadiness) -> Row:
    best = readiness.stage_if_unknowns_hold
    interval, same = readiness.score.interval, best == readiness.stage
    return Row(
        readiness.org,
        (
            text(name, "bold"),
            text(words.capital(words.vendor(vendor))),
            mark(OBSERVED[readiness.observed]),
            partial(_stage, readiness),
            text("the same", DIM) if same else line((stage_bar(best), WARN), f" {words.stage(best)}"),
            partial(interval_bar, interval),
            text(words.interval(interval.low, interval.high)),
            text(words.RECOMMENDATION[readiness.recommendation].title),
        ),
        below=_in_the_way(readiness),
    )


def _stage(readiness: OrgReadiness, width: int) -> Content:
    """Gates passed and the stage's word; the word alone where both do not fit."""
    word = words.stage(readiness.stage)
    both = line((stage_bar(readiness.stage), PRIMARY), f" {word}")
    return both if both.cell_length <= width else text(word)


def _in_the_way(readiness: OrgReadiness) -> Content:
    """What keeps the organisation from its next gate."""
    gate = next((gate for gate in readiness.gates if not gate.holds), None)
    if gate is None:
        return text("every gate holds", DIM)
    reason = f"; {readiness.not_observed_because}" if readiness.not_observed_because else ""
    return text(f"next gate {words.GATE[gate.gate].phrase}: {gate.in_the_way}{reason}", DIM)


def _first_row(number: int, thing: FirstThing) -> Row:
    return Row(
        thing.key,
        (
            text(f"{number}", ACCENT),
            text(shorter(thing.title), "bold"),
            text(thing.key, DIM),
            text(words.OWNER[thing.owner].title),
            text(f"{thing.p80_days_saved:.1f} d"),
            text(f"{thing.unlocks}"),
            text(words.share(thing.criticality)),
        ),
        below=line((f"{thing.key}  ", ACCENT), (f"{thing.where}  " if thing.where else ""), (thing.what_to_do, DIM)),
        below_at=1,
    )


def _draw_answers(page: Page, areas: dict[str, Counts], state: State) -> None:
    """How far the answers are, and which question to answer next and why."""
    _draw_areas(page, areas)
    if state.inputs is not None:
        page.para(kind_of_product(state.inputs), DIM)
        if state.inputs.unwritten:
            page.para(state.inputs.unwritten, WARN)
    question = state.next_question
    if question is None:
        return
    page.heading("Next question", "n goes there")
    page.line((f"{state.name_of(question.scope)}: ", ACCENT), question.text)
    page.para(question.because, DIM)


def _draw_areas(page: Page, areas: dict[str, Counts]) -> None:
    if not areas:
        page.para("No questions.", DIM)
        return
    longest = max(len(title) for title in areas)
    tallies = {title: _tally(counts, wordy=True) for title, counts in areas.items()}
    widest = max(map(len, tallies.values()))
    if page.width - longest - widest - 4 < _BAR:
        tallies = {title: _tally(counts, wordy=False) for title, counts in areas.items()}
        widest = max(map(len, tallies.values()))
    width = max(_BAR, min(24, page.width - longest - widest - 4))
    page.columns(
        [
            (
                text(title),
                count_bar(settled(counts), counts[Status.UNKNOWN], counts.total(), width),
                text(tallies[title], DIM),
            )
            for title, counts in areas.items()
        ]
    )


def _tally(counts: Counts, *, wordy: bool) -> str:
    """``14/16  1 unknown  1 not answered``; with glyphs instead of words where it is narrow."""
    parts = [f"{settled(counts):>3}/{counts.total():<3}".rstrip()]
    for status in (Status.UNKNOWN, Status.UNANSWERED):
        word = f" {words.STATUS[status].phrase}" if wordy else words.STATUS[status].glyph
        parts += [f"{counts[status]}{word}"] if counts[status] else []
    return ("  " if wordy else " ").join(parts)


def _draw_forecast(page: Page, assessment: Assessment, moved: str = "") -> None:
    plan = assessment.plan
    if plan.first and plan.first_note:
        page.para(plan.first_note, DIM)
    for sentence in plan.ground.said[:1]:
        page.para(sentence)
    if moved:
        page.para(moved, DIM)


#: Cells of a panel in which lines may stand apart.
ROOMY = 90
_LABEL = 9


def draw_verdict(
    page: Page, verdict: Verdict, score: Score, questions: Mapping[str, str], names: Mapping[str, str]
) -> None:
    """The verdict; ``questions`` are the texts of the questions by id, ``names`` those of the organisations."""
    if verdict.settled:
        page.line((words.verdict(verdict.value, verdict.latest), f"bold {PRIMARY}"))
    page.para(verdict.headline, "bold")
    if verdict.organizations:
        page.para(verdict.organizations)
    if page.width >= ROOMY:
        page.blank()
    page.field(
        "Next", line((f"{words.OWNER[verdict.next_step_owner].title}: ", ACCENT), verdict.next_step), label_width=_LABEL
    )
    if verdict.counterfactual:
        page.field("What if", verdict.counterfactual, style=DIM, label_width=_LABEL)
    if page.width >= ROOMY:
        draw_changes(page, verdict, questions, names, _LABEL)
    figures = line(
        (f"  {words.interval(score.interval.low, score.interval.high)}", "bold"),
        (f"   complete {words.share(score.completeness)}   confidence {words.share(score.confidence)}", DIM),
    )
    width = max(12, min(40, page.width // 3, page.width - _LABEL - 1 - figures.cell_length))
    bar = line(interval_bar(score.interval, width), figures)
    if page.width >= ROOMY:
        page.blank()
    page.field("Product", bar, label_width=_LABEL)
    for cap in score.caps:
        page.field("", f"capped: {cap}", style=DIM, label_width=_LABEL)


def draw_changes(
    page: Page, verdict: Verdict, questions: Mapping[str, str], names: Mapping[str, str], indent: int = 0
) -> None:
    """The verdicts that a few other answers would give, and which answers."""
    for change in verdict.changes:
        glyph, style = ("▲", OK) if change.direction == "later" else ("▼", BAD)
        lead = Content(" " * (indent + 1 if indent else 0))
        head = line((f"{glyph} ", style), (words.verdict(change.verdict, change.latest), "bold"), " if ")
        for number, answer in enumerate(change.answers):
            where = f" ({names.get(answer.org, answer.org)})" if answer.org else ""
            question = line(head if number == 0 else line("and "), questions.get(answer.item, answer.item) + where)
            page.add(*hang(question, page.width, lead, lead.cell_length + 2))
            page.add(*hang(line((f"{answer.before} → ", DIM), answer.after), page.width, lead.pad_left(2)))
