"""How things stand: what the top bar says, and the score below the questions."""

from __future__ import annotations

from textual.content import Content
from textual.timer import Timer

from interlock.model import words
from interlock.model.readiness import Score
from interlock.tui.keys import key_of
from interlock.tui.page import BAD, DIM, OK, PRIMARY, WARN, Page, interval_bar, line, stage_bar, text
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow


def product(state: State) -> Content:
    """What is assessed, and the verdict."""
    brand = Content.styled("Interlock", f"bold {PRIMARY}")
    if state.inputs is None:
        return brand
    pieces = line(brand, ("  ", ""), (state.inputs.settings.product, "bold"))
    if state.judgement is None:
        return pieces
    verdict = state.judgement.verdict
    return line(pieces, (f"  {words.verdict(verdict.value, verdict.latest)}", DIM))


def status(state: State) -> Content:
    """One thing, the most urgent: unsaved, a problem, changed files, work going on, or that all is saved."""
    if state.unsaved:
        return text(
            f"! {words.count(len(state.unsaved), 'answer')} not saved: {key_of('app.save')} tries again", f"bold {BAD}"
        )
    if state.problem is not None or state.stuck is not None:
        return text("! there is a problem", f"bold {BAD}")
    if state.changed_files:
        return text(f"~ files changed: {key_of('app.reload')} reads them again", f"bold {WARN}")
    if state.inputs is None:
        return text("… reading", DIM)
    if state.waiting:
        return text("… saving", DIM)
    if state.probing:
        return text("… probing", DIM)
    if not state.up_to_date:
        return text("… updating the plan", DIM)
    return line(("✓ ", OK), ("saved", DIM))


#: Seconds for which a change stays written out.
DELTA_S = 6.0


class ScoreLine(Flow):
    """The product's interval, and the organisations' stages; for an organisation's questions, its own first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._timer: Timer | None = None
        self._delta = Content("")
        self._at: tuple[State, str] | None = None

    def show(self, old: State | None, new: State, scope: str) -> None:
        """Draw the newest judgement; ``scope`` decides whose score stands first."""
        self._at = (new, scope)
        if old is not None and old.judgement is not None and new.judgement is not old.judgement:
            delta = _delta(old, new, scope)
            if delta.plain:
                self._delta = delta
                if self._timer is not None:
                    self._timer.stop()
                self._timer = self.set_timer(DELTA_S, self._forget)
        self._show()

    def _forget(self) -> None:
        self._delta = Content("")
        self._show()

    def _show(self) -> None:
        if self._at is not None:
            state, scope = self._at
            self.draw(lambda page: _draw(page, state, scope, self._delta), fixed=True)


def _score(state: State, scope: str) -> Score | None:
    if scope == "product":
        return state.judgement.product_score if state.judgement else None
    readiness = state.readiness_of(scope)
    return readiness.score if readiness else None


def _draw(page: Page, state: State, scope: str, delta: Content) -> None:
    score = _score(state, scope)
    if score is None or state.judgement is None:
        page.line(("Working out the score…", DIM))
        page.add(Content(""))
        return
    name = "Product" if scope == "product" else state.name_of(scope)
    width = max(10, min(40, page.width // 4))
    moving = ("…", DIM) if state.judged != state.revision else ""
    head = line(
        (f"{name}  ", "bold"),
        interval_bar(score.interval, width),
        (f"  {words.interval(score.interval.low, score.interval.high)} ", "bold"),
        moving,
        delta,
    )
    page.add(head.truncate(page.width, ellipsis=True))
    page.add(_stages(state, scope, page.width))


def _stages(state: State, scope: str, width: int) -> Content:
    readiness = state.judgement.readiness if state.judgement else ()
    if not readiness:
        return text("No organisation yet: g 7 leads to where one is added.", DIM)
    shown: list[Content] = []
    used = 0
    ordered = sorted(readiness, key=lambda own: own.org != scope)
    for index, own in enumerate(ordered):
        piece = line(
            (f"{own.org} ", DIM),
            (stage_bar(own.stage), PRIMARY),
            f" {words.stage(own.stage)}",
            (f" {words.interval(own.score.interval.low, own.score.interval.high)}", DIM),
        )
        rest = len(ordered) - index
        reserve = 9 if rest > 1 else 0
        if used + piece.cell_length + 3 + reserve > width:
            shown.append(text(f"+{rest} more", DIM))
            break
        shown.append(piece)
        used += piece.cell_length + 3
    return Content("   ").join(shown)


def _delta(old: State, new: State, scope: str) -> Content:
    """What the last answer did: to the verdict, to the score that stands first, and to any organisation's stage."""
    before, after = _score(old, scope), _score(new, scope)
    if before is None or after is None:
        return Content("")
    low = round(after.interval.low) - round(before.interval.low)
    high = round(after.interval.high) - round(before.interval.high)
    changes = [(low, "")] if low == high else [(low, " verified"), (high, " best case")]
    parts = [
        text(f"{'▲ +' if change > 0 else '▼ −'}{abs(change)}{word}", f"bold {OK if change > 0 else BAD}")
        for change, word in changes
        if change
    ]
    parts = [*verdict_change(old, new), *parts, *_stage_changes(old, new)]
    return Content("  ").join(parts) if parts else text("no change to the score", DIM)


def verdict_change(old: State, new: State) -> list[Content]:
    """``verdict: Prove it outside the EHR``, where an answer moved it."""
    if old.judgement is None or new.judgement is None:
        return []
    was, now = old.judgement.verdict, new.judgement.verdict
    if (was.value, was.latest) == (now.value, now.latest):
        return []
    return [text(f"verdict: {words.verdict_label(now.value, now.latest)}", f"bold {WARN}")]


def _stage_changes(old: State, new: State) -> list[Content]:
    """``lakeshore: design → sandbox``; organisations that move alike are counted together."""
    moved: dict[str, list[str]] = {}
    for now in new.judgement.readiness if new.judgement else ():
        before = old.readiness_of(now.org)
        if before is not None and before.stage != now.stage:
            moved.setdefault(f"{words.stage(before.stage)} → {words.stage(now.stage)}", []).append(now.org)
    return [
        text(f"{orgs[0] if len(orgs) == 1 else words.count(len(orgs), 'organisation')}: {stages}", f"bold {WARN}")
        for stages, orgs in moved.items()
    ]
