"""The start: the verdict, organisations and gates, what blocks, what to do and to answer first, and what moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import GapClass, Gate, Owner, Recommendation, VerdictValue
from interlock.model.content import told_changes
from interlock.model.errors import InterlockError
from interlock.model.organization import Organization
from interlock.model.plan import FirstThing, finding_of
from interlock.model.readiness import GateState, OrgReadiness
from interlock.tui import work as job
from interlock.tui.keys import bindings, key_of
from interlock.tui.overview_page import (
    blockers_counted,
    draw_answers,
    draw_blockers,
    draw_changes,
    draw_dates,
    draw_next,
    draw_verdict,
    titled,
)
from interlock.tui.page import ACCENT, BAD, DIM, OBSERVED, OK, WARN, Page, interval_bar, line, mark, text
from interlock.tui.plan_page import at_organizations, shorter
from interlock.tui.progress import by_area
from interlock.tui.screens.section import Section
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow
from interlock.tui.widgets.rows import TALL, Column, Row, Rows

_ORG_COLUMNS = (
    Column("Organisation", 16, grow=3),
    Column("Last seen", 14, leaves=1),
    *(
        Column(words.capital(words.GATE[gate].phrase), 8, leaves=leaves)
        for gate, leaves in zip(Gate, (4, 0, 0), strict=False)
    ),
    Column(words.capital(words.GATE[Gate.PRODUCTION].phrase), 10, leaves=3),
    Column("If the unknowns hold", 20, leaves=7),
    Column("Score", 8, grow=1, leaves=6),
    Column("", 8, leaves=5, right=True),
    Column("Recommended", 15, leaves=2),
)
_FIRST_COLUMNS = (
    Column("", 2),
    Column("What", 50, grow=5),
    Column("Who", 14, grow=2, leaves=1),
    Column("Saves", 7, leaves=2, right=True),
    Column("Unlocks", 7, leaves=3, right=True),
    Column("Critical", 8, leaves=4, right=True),
)

_NO_ORGANIZATION = "No organisation yet. Section 7 (Organisations) adds the first one."
#: More organisations than this stand in groups that Enter opens, by what is recommended there.
GROUPED = 10
#: Blockers of one class that are listed, on a screen as usual and on a tall one.
_BLOCKERS, _BLOCKERS_TALL = 5, 7
#: With fewer lines than this the verdict is told in few words, so that what to do first is seen.
_TIGHT = 28
_GROUP = "group:"
_PANELS_OF_CLASS = {
    "product-blockers": GapClass.PRODUCT_BLOCKER,
    "integration-blockers": GapClass.INTEGRATION_BLOCKER,
}


class Stop(Flow, can_focus=True):
    """A piece of text that tab stops at, so that the keyboard reaches what is further down on the page."""


class OverviewSection(Section):
    """The section that opens first: verdict, organisations, blockers, and what to do and answer first."""

    MODE = "overview"
    ABOUT = (
        "Where the product and its organisations stand. The verdict says whether the product or the integration is "
        "what holds you back, and what comes next; it is settled when nothing undecided could change it. Each gate of "
        "each organisation holds (✓), or says how much is open (✗) and undecided (?) there, or how much is met with "
        "less evidence than it accepts (~). Enter on an organisation opens its page, on a group its organisations, on "
        "a thing to do the gap behind it; tab goes to the panels further down, and Enter there to what they are about."
    )
    INITIAL_FOCUS = "#orgs Options"
    PANELS = {
        "#verdict": "Verdict",
        "#overview-orgs": "Organisations and gates",
        "#first": "Do first",
        "#next": "Answer next",
        "#product-blockers": "Blocks the product",
        "#integration-blockers": "Blocks the integration",
        "#areas": "Answers",
        "#forecast": "Dates, and since the last milestone",
    }
    BINDINGS = bindings("overview")

    def __init__(self) -> None:
        super().__init__()
        self._unfolded: set[str] = set()
        self._moved: tuple[str, ...] = ()
        self._tall = self._tight = False

    def body(self) -> ComposeResult:
        """Verdict on top, then the organisations, then panels side by side."""
        with VerticalScroll(id="overview", can_focus=False):
            yield Flow(id="verdict", classes="panel")
            with Vertical(classes="panel", id="overview-orgs"):
                yield Rows(_ORG_COLUMNS, id="orgs", empty=_NO_ORGANIZATION)
            with Horizontal(classes="pair"):
                with Vertical(classes="panel", id="first"):
                    yield Rows(_FIRST_COLUMNS, id="first-things", empty="Working out what comes first…")
                yield Stop(id="next", classes="panel")
            with Horizontal(classes="pair -always"):
                yield Stop(id="product-blockers", classes="panel")
                yield Stop(id="integration-blockers", classes="panel")
            with Horizontal(classes="pair"):
                yield Stop(id="areas", classes="panel")
                yield Stop(id="forecast", classes="panel")

    def on_resize(self) -> None:
        """A taller screen has room for more."""
        before = self._tall, self._tight
        self._measure()
        if before != (self._tall, self._tight) and self._shown is not None and self._shown.inputs is not None:
            self.show(None, self._shown)

    def _measure(self) -> None:
        self._tall, self._tight = self.app.size.height >= TALL, self.app.size.height < _TIGHT

    def show(self, old: State | None, new: State) -> None:
        """Draw the panels whose part of the state changed."""
        self._measure()
        judged = old is None or old.judgement is not new.judgement
        assessed = old is None or old.assessment is not new.assessment
        read = old is None or old.inputs is not new.inputs
        if judged or assessed:
            self._show_verdict(new)
        if new.assessment is not None and assessed:
            self._show_assessment(new.assessment)
        if judged or read:
            self._show_organizations(new)
            self._show_blockers(new)
        if judged or read or assessed or (old is not None and old.worth is not new.worth):
            self._show_answers(new)

    def _show_answers(self, state: State) -> None:
        inputs = state.inputs
        if inputs is None:
            return
        from interlock.usecases.owed import owed_answers

        counts, assessment, texts = by_area(inputs), state.assessment, _texts(state)
        owed = owed_answers(inputs).owed
        self.query_one("#next", Flow).draw(lambda page: draw_next(page, state, owed))

        def drawing(page: Page) -> None:
            draw_answers(page, counts, state)
            if not self._is_roomy and assessment is not None and assessment.verdict.changes:
                page.heading("What would change the verdict")
                draw_changes(page, assessment.verdict, texts, state.names)

        self.query_one("#areas", Flow).draw(drawing)

    @property
    def _is_roomy(self) -> bool:
        return self._tall and not self.has_class("-narrow")

    def _show_verdict(self, state: State) -> None:
        """The verdict of the newest answers: it needs no plan. What would change it comes with the assessment."""
        judgement, assessment = state.judgement, state.assessment
        if judgement is None:
            self.query_one("#verdict", Flow).draw(lambda page: page.para("Working out the verdict…", DIM))
            return
        whole = assessment is not None and state.up_to_date
        verdict = assessment.verdict if assessment is not None and whole else judgement.verdict
        verdict = verdict.model_copy(update={"counterfactual": titled(verdict.counterfactual, judgement.rules)})
        score, texts, names = judgement.product_score, _texts(state), state.names
        things = assessment.plan.first if assessment is not None and whole else ()
        first = things[0] if things and verdict.value is not VerdictValue.INTEGRATE else None
        unsaid = state.inputs is not None and state.inputs.settings.kind is None

        def drawing(page: Page) -> None:
            if unsaid:
                said = "says what kind of product it is; until then everything is asked"
                page.line((f"{key_of('overview.product')} ", f"bold {ACCENT}"), (said, DIM))
            draw_verdict(page, verdict, score, texts, names, first=first, roomy=self._is_roomy, tight=self._tight)

        self.query_one("#verdict", Flow).draw(drawing)

    def _show_blockers(self, state: State) -> None:
        if state.judgement is None:
            return
        from interlock.usecases.blockers import blockers

        names, most = state.names, _BLOCKERS_TALL if self._tall else _BLOCKERS
        for name, gap_class in _PANELS_OF_CLASS.items():
            open_rows = blockers(state.judgement, gap_class)
            panel = self.query_one(f"#{name}", Flow)
            panel.border_subtitle = text(blockers_counted(open_rows))
            panel.draw(partial(draw_blockers, rows=open_rows, names=names, most=most))

    def _show_assessment(self, assessment: Assessment) -> None:
        self.query_one("#verdict", Flow).border_subtitle = text(told_changes(assessment.content_changes), WARN)
        things, names = assessment.plan.first, self.state.names
        self.query_one("#first-things", Rows).set_rows(
            [_first_row(number, thing, names) for number, thing in enumerate(things, 1)],
            empty=assessment.plan.first_note,
        )
        moved = self._moved
        self.query_one("#forecast", Flow).draw(lambda page: draw_dates(page, assessment, moved))
        self._since(assessment)
        self.query_one("#overview-orgs").border_subtitle = f"target gate: {words.GATE[assessment.target_gate].phrase}"

    @work(group="since", exclusive=True, description="since the last milestone")
    async def _since(self, assessment: Assessment) -> None:
        """Tell what moved since the last milestone, and why."""
        try:
            moved = await job.in_thread(job.since_last, self.interlock.workspace, assessment)
        except InterlockError as error:
            moved = (f"The last milestone cannot be read: {error.message}.",)
        self._moved = moved or ("No milestone yet: section 6 saves one, to tell later what has moved.",)
        if self.is_attached and self.state.assessment is assessment:
            told = self._moved
            self.query_one("#forecast", Flow).draw(lambda page: draw_dates(page, assessment, told))

    def _show_organizations(self, state: State) -> None:
        rows = self.query_one("#orgs", Rows)
        if state.judgement is None or state.inputs is None:
            rows.set_rows([], empty="Working out where they stand…")
            return
        by_id = {own.org: own for own in state.judgement.readiness}
        known = [(org, by_id[org.id]) for org in state.inputs.organizations if org.id in by_id]
        drawn = [_organization_row(org, own) for org, own in known]
        if len(known) > GROUPED:
            drawn = list(_grouped(known, self._unfolded))
        rows.set_rows(drawn, empty=_NO_ORGANIZATION)

    @on(Rows.Chosen, "#orgs")
    def _open(self, event: Rows.Chosen) -> None:
        if event.key.startswith(_GROUP):
            self._unfolded ^= {event.key}
            self._show_organizations(self.state)
        else:
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

    def action_open(self) -> None:
        """From a panel to the section that has more of it: the next question, the worst blocker, answers, the plan."""
        panel = self.focused.id if self.focused is not None else None
        if panel in _PANELS_OF_CLASS and self.state.judgement is not None:
            from interlock.usecases.blockers import blockers

            open_rows = blockers(self.state.judgement, _PANELS_OF_CLASS[panel])
            if open_rows:
                self.interlock.show_gap(open_rows[0].keys[0])
        elif panel == "next":
            self.interlock.ask_next()
        elif panel in {"areas", "forecast"}:
            self.interlock.action_go("questions" if panel == "areas" else "plan")

    def action_next_question(self) -> None:
        """Go to the question without an answer that settles most."""
        self.interlock.ask_next()

    def action_product(self) -> None:
        """Say what the product is."""
        self.interlock.action_product()

    def action_probe_all(self) -> None:
        """Go to the probe and run it for every organisation."""
        self.interlock.probe_all()


def _texts(state: State) -> dict[str, str]:
    """The questions' texts by id."""
    return {name: item.text for name, item in state.inputs.content.items.items()} if state.inputs else {}


def _organization_row(org: Organization, own: OrgReadiness, indent: str = "") -> Row:
    best, interval = own.stage_if_unknowns_hold, own.score.interval
    return Row(
        org.id,
        (
            line(indent, (org.name, "bold")),
            _seen(own),
            *(_gate(state) for state in own.gates),
            text("the same", DIM) if best == own.stage else text(words.stage(best), WARN),
            partial(interval_bar, interval),
            text(words.interval(interval.low, interval.high)),
            text(words.RECOMMENDATION[own.recommendation].title),
        ),
        below=_in_the_way(own),
    )


def _seen(own: OrgReadiness) -> Content:
    """The day of the latest observation where it showed something, else its state in words."""
    sign = OBSERVED[own.observed]
    if own.observed_at is None or own.observed == "not_observed":
        return mark(sign)
    return line((sign.glyph, sign.style), f" {words.iso_day(own.observed_at[:10])}")


def _gate(state: GateState) -> Content:
    """``✓``, or how much is open and undecided at a gate, or met with less evidence than it accepts."""
    if state.holds:
        return text("✓", OK)
    counts = [("✗", len(state.open), BAD), ("?", len(state.undecided), WARN)]
    counts = [entry for entry in counts if entry[1]] or [("~", len(state.weak), WARN)]
    return Content(" ").join(line((glyph, style), f"{number}") for glyph, number, style in counts)


def _in_the_way(own: OrgReadiness) -> Content:
    """What keeps the organisation from its next gate."""
    gate = next((gate for gate in own.gates if not gate.holds), None)
    if gate is None:
        return text("every gate holds", DIM)
    reason = f"; {own.not_observed_because}" if own.not_observed_because else ""
    return text(f"next gate {words.GATE[gate.gate].phrase}: {gate.in_the_way}{reason}", DIM)


def _grouped(known: Sequence[tuple[Organization, OrgReadiness]], unfolded: set[str]) -> list[Row]:
    """A row for what is recommended, with how many organisations pass each gate; its organisations when unfolded."""
    groups: dict[Recommendation, list[tuple[Organization, OrgReadiness]]] = defaultdict(list)
    for org, own in known:
        groups[own.recommendation].append((org, own))
    rows = []
    for recommendation in (each for each in Recommendation if each in groups):
        members, key = groups[recommendation], f"{_GROUP}{recommendation.value}"
        number, opened = len(members), key in unfolded
        observed = sum(own.observed in {"observed", "partial"} for _, own in members)
        held = [sum(own.gates[at].holds for _, own in members) for at in range(len(Gate))]
        low, high = min(o.score.interval.low for _, o in members), max(o.score.interval.high for _, o in members)
        gates = [line(("✓ ", OK) if all_ == number else "", f"{all_}/{number}") for all_ in held]
        title = words.RECOMMENDATION[recommendation].title
        rows.append(
            Row(
                key,
                (
                    line("▾ " if opened else "▸ ", (title, "bold"), (f"  {number:,}", DIM)),
                    text(f"{observed} of {number} seen", DIM),
                    *gates,
                    text(""),
                    text(""),
                    text(words.interval(low, high)),
                    text(title, DIM),
                ),
                below=text(words.listed([org.name for org, _ in members], 4), DIM),
            )
        )
        if opened:
            rows += [_organization_row(org, own, "  ") for org, own in members]
    return rows


def _first_row(number: int, thing: FirstThing, names: dict[str, str]) -> Row:
    theirs, owner = thing.owner is Owner.ORG and bool(thing.orgs), words.OWNER[thing.owner].title
    return Row(
        thing.key,
        (
            text(f"{number}", ACCENT),
            line((shorter(thing.title), "bold"), ("" if theirs else at_organizations(thing, names), DIM)),
            text(words.listed([names.get(org, org) for org in thing.orgs], 1) if theirs else owner),
            text(f"{thing.p80_days_saved:.1f} d"),
            text(f"{thing.unlocks}"),
            text(words.share(thing.criticality)),
        ),
        below=text(thing.what_to_do, DIM),
        below_at=1,
    )
