"""One organisation: its gates with what is open, what was observed, the contract's fit, and contradictions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import RuleOutcome
from interlock.model.organization import Organization
from interlock.model.readiness import GateState, OrgReadiness
from interlock.tui.findings_page import draw_pattern
from interlock.tui.keys import bindings
from interlock.tui.observation_page import draw_fit, draw_observation, draw_settings
from interlock.tui.page import ACCENT, BAD, DIM, OBSERVED, SEVERITY, TASK, WARN, Page, interval_bar, line, text
from interlock.tui.screens.probe import draw_drift
from interlock.tui.screens.section import Section
from interlock.tui.screens.sheets import send_sheet, take_sheet
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow, ScrollingFlow
from interlock.tui.widgets.rows import Column, Row, Rows

_UNDECIDED = words.RULE[RuleOutcome.UNKNOWN].phrase
_COLUMNS = (Column("", 1), Column("What is in the way", 30, grow=1), Column("Gap", 22, leaves=1))


class OrganizationPage(Section):
    """The page of one organisation, on top of the section from which it was opened."""

    TITLE = "Organisation"
    ABOUT = (
        "One organisation. On the left its gates: each holds when nothing is open and nothing is undecided. Enter on "
        "a line opens that gap. On the right what its endpoints show, how the workflow contract fits, its settings, "
        "and answers that an observation contradicts; {organization.drift} shows there what changed since it was last "
        "seen."
    )
    INITIAL_FOCUS = "#requirements Options"
    PANELS = {"#gates": "Gates", "#evidence": "Evidence"}
    BINDINGS = bindings("organization")

    def __init__(self, org: str) -> None:
        super().__init__()
        self._org = org
        self._compared = False  # what changed is shown in the place of the evidence

    def body(self) -> ComposeResult:
        """Readiness and gates beside facts and fit."""
        with Horizontal(classes="sides"):
            with Vertical(classes="side"):
                yield Flow(id="readiness", classes="panel")
                with Vertical(classes="panel", id="gates"):
                    yield Rows(_COLUMNS, id="requirements", empty="No requirement applies here.")
            yield ScrollingFlow(id="evidence", classes="panel side")

    def show(self, old: State | None, new: State) -> None:
        """Draw everything anew: one organisation is little."""
        org, readiness = new.organization(self._org), new.readiness_of(self._org)
        if org is None or readiness is None:
            if new.judgement is not None and org is None:
                self.query_one("#readiness", Flow).draw(lambda page: page.para("This organisation was removed.", DIM))
            return
        self.query_one("#readiness").border_title = text(org.name)
        self.query_one("#readiness", Flow).draw(lambda page: self._draw_readiness(page, new, org, readiness))
        if new.assessment is not None:
            self.query_one("#requirements", Rows).set_rows(list(_gate_rows(readiness, new.assessment)))
        if not self._compared:
            self._show_evidence(keep_position=old is not None)

    def _show_evidence(self, *, keep_position: bool = False) -> None:
        state, org = self.state, self.state.organization(self._org)
        if org is not None:
            self.query_one("#evidence", ScrollingFlow).draw(
                lambda page: self._draw_evidence(page, state, org), "Evidence", keep_position=keep_position
            )

    def _draw_readiness(self, page: Page, state: State, org: Organization, readiness: OrgReadiness) -> None:
        sign = OBSERVED[readiness.observed]
        because = f": {readiness.not_observed_because}" if readiness.not_observed_because else ""
        page.field("Vendor", f"{words.vendor(org.vendor)}, {org.environment}", label_width=8)
        page.field("Seen", line((sign.glyph, sign.style), f" {sign.word}{because}"), label_width=8)
        best = readiness.stage_if_unknowns_hold
        if_unknowns = "" if best == readiness.stage else f"; {words.stage(best)} if the unknowns hold"
        page.field("Stage", f"{words.stage(readiness.stage)}{if_unknowns}", style="bold", label_width=8)
        score, interval = readiness.score, readiness.score.interval
        bar = line(
            interval_bar(interval, max(10, min(30, page.width // 3))),
            (f"  {words.interval(interval.low, interval.high)}", "bold"),
            (f"  complete {words.share(score.completeness)}, confidence {words.share(score.confidence)}", DIM),
        )
        page.field("Score", bar, label_width=8)
        for cap in score.caps:
            page.field("", f"capped: {cap}", style=DIM, label_width=8)
        page.field("Verdict", words.verdict(readiness.verdict, readiness.latest_verdict), label_width=8)
        recommended = words.RECOMMENDATION[readiness.recommendation].title
        page.field("Do", line((recommended, "bold"), f": {readiness.because}"), label_width=8)
        probing = state.probes.get(self._org)
        if probing is not None and probing.under_way:
            page.field("Probe", f"… {probing.detail}", style=ACCENT, label_width=8)
        if org.note:
            page.field("Note", org.note, style=DIM, label_width=8)

    def _draw_evidence(self, page: Page, state: State, org: Organization) -> None:
        for contradiction in state.assessment.contradictions if state.assessment else ():
            if contradiction.org == self._org:
                page.bullet(
                    text("≠", BAD),
                    (f"{contradiction.item}: ", "bold"),
                    f"answered {contradiction.answered}, observed {contradiction.observed} ",
                    (contradiction.evidence, DIM),
                )
        page.blank()
        if state.inputs is not None:
            draw_observation(page, state.inputs.observations.get(self._org), org.fhir_base_url)
            draw_fit(page, state.inputs.fits.get(self._org))
            draw_settings(page, state.inputs.fits.get(self._org))
        for match in state.assessment.patterns if state.assessment else ():
            if match.outcome == "matched" and self._org in match.orgs:
                draw_pattern(page, match, {})

    @on(Rows.Chosen)
    def _open(self, event: Rows.Chosen) -> None:
        self.interlock.show_gap(event.key)

    def action_back(self) -> None:
        """From what changed back to the evidence, else to the section below; a key too late does nothing."""
        if self._compared:
            self._compared = False
            self._show_evidence()
        elif self.is_current:
            self.app.pop_screen()

    @work(group="drift", exclusive=True, description="drift")
    async def action_drift(self) -> None:
        """Show what changed between the last two observations, in the place of the evidence."""
        from interlock.usecases.observations import drift_of_org

        self._compared, evidence = True, self.query_one("#evidence", ScrollingFlow)
        evidence.border_title = "What changed"
        await evidence.work_out(
            "Comparing…", partial(drift_of_org, self.interlock.workspace, self._org, None, None), draw_drift
        )
        evidence.focus()

    @work(group="sheet", exclusive=True, description="sheet")
    async def action_sheet_out(self) -> None:
        """Write its questions as a sheet to mail."""
        org = self.state.organization(self._org)
        if org is not None:
            await send_sheet(self, org)

    @work(group="sheet", exclusive=True, description="sheet")
    async def action_sheet_in(self) -> None:
        """Take the answers of a sheet that came back."""
        await take_sheet(self)

    def action_probe(self) -> None:
        """Probe the organisation."""
        self.interlock.probe([self._org])

    def action_answer(self) -> None:
        """Go to the organisation's questions."""
        self.interlock.ask_questions(self._org)

    def action_edit(self) -> None:
        """Open the organisation's form."""
        self.interlock.edit_organization(self._org)


def _gate_rows(readiness: OrgReadiness, assessment: Assessment) -> Iterator[Row]:
    for gate in readiness.gates:
        met = f"{gate.met} of {gate.required} {words.RULE[RuleOutcome.MET].phrase}"
        yield Row(f"gate:{gate.gate.value}", heading=_gate_heading(gate), aside=met)
        for undecided, keys in ((False, gate.open), (True, gate.undecided)):
            for key in keys:
                rule = assessment.rules.get(key.split("@")[0])
                title = rule.title if rule else key
                sign = TASK["discovery"] if undecided or rule is None else SEVERITY[rule.severity]
                requirement = line((f"{_UNDECIDED}: ", DIM), title) if undecided else text(title)
                yield Row(key, (text(sign.glyph, sign.style), requirement, text(key, DIM)))
        for entry in gate.weak:
            rule = assessment.rules.get(entry.key.split("@")[0])
            wanted = f"not so, {words.EVIDENCE[entry.evidence].phrase}; to be {words.EVIDENCE[entry.wanted].phrase}: "
            requirement = line((wanted, DIM), rule.title if rule else entry.key)
            yield Row(entry.key, (text("✓", WARN), requirement, text(entry.key, DIM)))


def _gate_heading(gate: GateState) -> str:
    name = words.GATE[gate.gate].phrase
    if gate.holds:
        return f"✓ {name} holds"
    return f"{'✗' if gate.open else '?'} {name}: {gate.in_the_way}"
