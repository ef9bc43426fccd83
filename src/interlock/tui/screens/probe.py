"""Probing: the organisations with their progress, and what the last probe of the highlighted one saw."""

from __future__ import annotations

import time
from functools import partial

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from interlock.model import words
from interlock.model.base import CheckOutcome
from interlock.model.drift import Drift, DriftChange
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation
from interlock.model.organization import Organization
from interlock.model.text import plain
from interlock.tui.keys import bindings
from interlock.tui.observation_page import draw_fit, draw_observation
from interlock.tui.page import ACCENT, BAD, DIM, DRIFT, OBSERVED, WARN, Mark, Page, line, mark, text
from interlock.tui.screens.rehearsal import RehearsalPage
from interlock.tui.screens.section import Confirm, Section
from interlock.tui.state import ProbeRow, State
from interlock.tui.widgets.flow import ScrollingFlow
from interlock.tui.widgets.rows import Column, Row, Rows
from interlock.tui.work import in_thread

_COLUMNS = (
    Column("Organisation", 20, grow=2),
    Column("Seen", 17),
    Column("Took", 7, leaves=1, right=True),
    Column("Checks", 22, leaves=2),
    Column("When", 22, leaves=3),
)


class ProbeSection(Section):
    """The section that probes the organisations' FHIR and SMART endpoints and shows what they publish."""

    MODE = "probe"
    ABOUT = (
        "A probe reads the public discovery documents of an organisation's FHIR server: its capability statement, its "
        "SMART configuration and what these point to. It creates nothing, searches nothing and guesses nothing. What "
        "was seen is saved in observations/ and counts at once. An organisation that could not be reached is not "
        "observed, with the reason: never failing. Space marks organisations; {probe.one} probes the marked ones, or "
        "the highlighted one, also again after {probe.cancel} cancelled it. An address in a private network is left "
        "alone until you allow it ({probe.allow}). {probe.drift} shows what changed at an organisation since it was "
        "last seen, what the contract uses first. {probe.rehearse} goes to the rehearsal of your own product."
    )
    INITIAL_FOCUS = "#probe-list Options"
    PANELS = {"#probe-orgs": "Organisations"}
    BINDINGS = bindings("probe")

    def __init__(self) -> None:
        super().__init__()
        self._marked: frozenset[str] = frozenset()

    def body(self) -> ComposeResult:
        """Buttons, then organisations beside the card of the highlighted one."""
        with Horizontal(classes="buttons"):
            yield Button("Probe all", id="probe-all", variant="primary", compact=True)
            yield Button("Probe this one", id="probe-one", compact=True)
            yield Button("Cancel all", id="probe-cancel", compact=True)
            yield Static("", id="probe-said", markup=False)
        with Horizontal(classes="sides"):
            with Vertical(classes="panel side", id="probe-orgs"):
                yield Rows(
                    _COLUMNS,
                    id="probe-list",
                    roomy=True,
                    empty="No organisation yet. Section 7 (Organisations) adds the first one.",
                )
            yield ScrollingFlow(id="card", classes="panel side")

    def on_mount(self) -> None:
        """Count the seconds while something is being probed."""
        super().on_mount()
        self.set_interval(0.5, self._tick)

    def _tick(self) -> None:
        if self.state.probing and self.is_current:
            self._show_rows(self.state)

    def show(self, old: State | None, new: State) -> None:
        """Draw the rows with their progress, and the card if its observation changed."""
        if new.inputs is None:
            return
        self._marked &= {org.id for org in new.inputs.organizations}
        self._show_rows(new)
        self.query_one("#probe-cancel").display = new.probing
        self.query_one("#probe-said", Static).update(_said(new))
        if old is None or old.inputs is not new.inputs:
            self._show_card(keep_position=True)
        if old is None or old.probes is not new.probes:
            self.refresh_bindings()

    def _show_rows(self, state: State) -> None:
        inputs, now = state.inputs, time.monotonic()
        if inputs is None:
            return
        self.query_one("#probe-list", Rows).set_rows(
            [
                _row(org, inputs.observations.get(org.id), state.probes.get(org.id), now, marked=org.id in self._marked)
                for org in inputs.organizations
            ]
        )
        which = f"Probe {len(self._marked)} marked" if self._marked else "Probe this one"
        self.query_one("#probe-one", Button).label = which

    @property
    def _chosen(self) -> frozenset[str]:
        """The organisations that a key is for: those that are marked, or the highlighted one."""
        key = self.query_one("#probe-list", Rows).key
        return self._marked or frozenset(() if key is None else (key,))

    def _under_way(self, org: str) -> bool:
        row = self.state.probes.get(org)
        return row is not None and row.under_way

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Cancel what is under way, start what is not."""
        match action:
            case "cancel_all":
                return self.state.probing
            case "cancel":
                return any(map(self._under_way, self._chosen))
            case "probe_one":
                return not self._chosen or not all(map(self._under_way, self._chosen))
            case "allow":
                return self._refused(self.query_one("#probe-list", Rows).key)
            case "back":
                return self.query_one("#card").has_focus
            case _:
                return True

    def action_mark(self) -> None:
        """Mark the highlighted organisation, or take its mark away."""
        key = self.query_one("#probe-list", Rows).key
        if key is not None:
            self._marked ^= {key}
            self._show_rows(self.state)
            self.refresh_bindings()

    def _show_card(self, *, keep_position: bool = False) -> None:
        self.workers.cancel_group(self, "card")
        card = self.query_one("#card", ScrollingFlow)
        key, inputs = self.query_one("#probe-list", Rows).key, self.state.inputs
        org = self.state.organization(key) if key else None
        if org is None or inputs is None:
            card.draw(lambda page: page.para("What a probe saw is shown here.", DIM), "Result")
            return
        observation, fit = inputs.observations.get(org.id), inputs.fits.get(org.id)

        def drawing(page: Page) -> None:
            draw_observation(page, observation, org.fhir_base_url)
            if observation is not None:
                draw_fit(page, fit)

        card.draw(drawing, org.name, keep_position=keep_position)

    @on(Rows.Moved, "#probe-list")
    def _moved(self) -> None:
        self._show_card()
        self.refresh_bindings()

    @on(Rows.Chosen, "#probe-list")
    def _open(self, event: Rows.Chosen) -> None:
        self.interlock.show_organization(event.key)

    def action_drift(self) -> None:
        """Show what changed between the last two observations, in the card's place."""
        key = self.query_one("#probe-list", Rows).key
        if key is None:
            self.notify("There is no organisation to compare. Section 7 adds one.", markup=False)
            return
        self._compare(key)

    @work(group="card", exclusive=True, description="drift")
    async def _compare(self, org: str) -> None:
        from interlock.usecases.observations import drift_of_org

        card = self.query_one("#card", ScrollingFlow)
        card.border_title = text(f"What changed: {self.state.name_of(org)}")
        card.focus()
        await card.work_out("Comparing…", partial(drift_of_org, self.interlock.workspace, org, None, None), draw_drift)

    def action_back(self) -> None:
        """Back to the list and the card."""
        self._show_card()
        self.query_one("#probe-list", Rows).options.focus()

    @on(Button.Pressed, "#probe-one")
    def action_probe_one(self) -> None:
        """Probe the marked organisations, or the highlighted one."""
        chosen, self._marked = self._chosen, frozenset()
        self.interlock.probe(chosen)

    def action_rehearse(self) -> None:
        """Let simulated hospitals launch the product, on a page of its own."""
        self.app.push_screen(RehearsalPage())

    @on(Button.Pressed, "#probe-all")
    def action_probe_all(self) -> None:
        """Probe every organisation."""
        self.interlock.probe_all()

    @work(group="allow", exclusive=True, description="allow")
    async def action_allow(self) -> None:
        """Ask whether the highlighted organisation's private address may be contacted, and probe it if so."""
        from interlock.usecases.trust import allow_more, base_grant

        org = self.state.organization(self.query_one("#probe-list", Rows).key or "")
        grant = base_grant(org) if org is not None else None
        if org is None or grant is None:
            return
        about = (
            f"{org.fhir_base_url} is in a private network or on this computer, and its file may be anybody's. If it is "
            "the one you mean, a probe may ask there. It is recorded on this computer, for this workspace alone."
        )
        answers = (("allow", "Allow it"), ("leave", "Leave it"))
        if await self.answer_to(Confirm(f"Contact {plain(org.name, 80)}?", about, answers)) != "allow":
            return
        try:
            await in_thread(allow_more, self.interlock.workspace, [grant])
        except InterlockError as error:
            self.notify(plain(error, 400), title="Not recorded", severity="error", markup=False)
        else:
            self.interlock.probe([org.id])

    def _refused(self, org: str | None) -> bool:
        """Was it left alone because its address is private? Who looks through a browser may not allow it."""
        inputs = self.state.inputs
        observation = inputs.observations.get(org) if inputs is not None and org is not None else None
        asked = observation.requests if observation is not None else ()
        return not self.app.is_web and any(request.failure == "refused" for request in asked)

    def action_cancel(self) -> None:
        """Stop the probe of the marked organisations, or of the highlighted one."""
        self.interlock.cancel_probe(self._chosen)

    @on(Button.Pressed, "#probe-cancel")
    def action_cancel_all(self) -> None:
        """Stop every probe."""
        self.interlock.cancel_probe()


def _row(org: Organization, observation: Observation | None, row: ProbeRow | None, now: float, *, marked: bool) -> Row:
    sign = OBSERVED[observation.outcome if observation else "never_probed"]
    shown, took = mark(sign), row.took(now) if row is not None else None
    if took is None and observation is not None and (row is None or not row.under_way):
        took = observation.elapsed_ms / 1000
    if row is not None and row.state == "cancelled":
        shown = text("– stopped" if row.detail else "– cancelled", WARN)
    elif row is not None and row.under_way:
        asked = words.count(row.requests, "answer") if row.requests else "connecting"
        shown = text("… waiting" if row.state == "waiting" else f"… {asked}", ACCENT)
    name = line(("▪ ", f"bold {ACCENT}"), (org.name, "bold")) if marked else text(org.name, "bold")
    elapsed = text("" if took is None else f"{took:.1f} s", DIM)
    when = text(words.moment(observation.started) if observation else "", DIM)
    return Row(org.id, (name, shown, elapsed, _checks(observation), when), below=_progress(org, observation, row))


def _checks(observation: Observation | None) -> Content:
    if observation is None or not observation.checks:
        return Content("")
    outcomes = [check.outcome for check in observation.checks]
    failed = sum(outcome in {CheckOutcome.FAIL, CheckOutcome.ERROR} for outcome in outcomes)
    warned = outcomes.count(CheckOutcome.WARN)
    if not failed and not warned:
        return text("nothing is off" if CheckOutcome.PASS in outcomes else "none could run", DIM)
    parts = [(f"✗ {failed} failed", BAD)] if failed else []
    parts += [((", " if parts else "") + f"! {warned} warned", WARN)] if warned else []
    return line(*parts)


def _progress(org: Organization, observation: Observation | None, row: ProbeRow | None) -> Content:
    if row is not None and row.under_way:
        return line(row.detail)
    if row is not None and row.state == "cancelled":
        why = f"{row.detail}; " if row.detail else ""
        return text(f"{why}p probes it again; what was seen before stays", WARN)
    if not org.fhir_base_url:
        return text("no FHIR base URL", WARN)
    if observation is None:
        return text("not looked at yet", DIM)
    reason = observation.reason_not_observed()
    if reason and any(request.failure == "refused" for request in observation.requests):
        return line(("t allows it: ", ACCENT), (reason, DIM))
    return text(reason or f"seen at {org.fhir_base_url}", DIM)


def _said(state: State) -> Content:
    if not state.probing:
        return Content("")
    done = sum(not row.under_way for row in state.probes.values())
    return line((f"{done} of {len(state.probes)} done", DIM), ("   x cancels one", ACCENT))


#: Changes of one rank that are shown.
_SHOWN = 25


def draw_drift(page: Page, drift: Drift) -> None:
    """Every change by its rank, and what could not be compared."""
    page.field("From", f"{words.moment(drift.before)} to {words.moment(drift.after)}", label_width=9)
    page.field("Ranked by", drift.ranked_by or "no contract: nobody can say what is used", style=DIM, label_width=9)
    if not drift.changes:
        page.blank()
        page.para("Nothing changed.", DIM)
    for rank, sign in DRIFT.items():
        changes = [change for change in drift.changes if change.rank == rank]
        if changes:
            _draw_changes(page, sign, changes)
    if drift.not_compared:
        page.heading("Not compared", "not seen one of the two times; nothing is concluded")
    for note in drift.not_compared:
        page.bullet(text("○", DIM), (note, DIM))


def _draw_changes(page: Page, sign: Mark, changes: list[DriftChange]) -> None:
    page.heading(words.capital(sign.word), str(len(changes)))
    for change in changes[:_SHOWN]:
        page.bullet(text(sign.glyph, sign.style), change.summary())
        if change.uses:
            page.bullet(" ", line(("used: ", ACCENT), (change.uses, DIM)))
    if len(changes) > _SHOWN:
        page.line((f"and {len(changes) - _SHOWN} more: interlock diff --org lists them", DIM))
