"""The bars around a section: title and tabs at the top, keys at the foot, and the score below the questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import events
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from interlock.model import words
from interlock.model.readiness import Score
from interlock.tui.page import ACCENT, BAD, DIM, OK, PRIMARY, WARN, Page, interval_bar, line, stage_bar, text
from interlock.tui.state import State
from interlock.tui.widgets.flow import Flow

#: A section's mode, its title, and the title where there is little room.
Tab = tuple[str, str, str]
#: Cells from which on whole names fit.
WIDE = 110


class Pieces(Widget):
    """Pieces of text side by side on one line; a click on a piece does the action that belongs to it."""

    def pieces(self) -> Iterable[tuple[Content, str]]:
        """The pieces with their actions."""
        return ()

    def render(self) -> Content:
        """All pieces."""
        return Content.assemble(*(piece for piece, _ in self.pieces()))

    async def on_click(self, event: events.Click) -> None:
        """Do what belongs to the piece under the mouse."""
        right = 0
        for piece, action in self.pieces():
            right += piece.cell_length
            if event.x < right:
                await self.screen.run_action(action)
                return


class Tabs(Pieces):
    """The sections on one line, with the numbers that go to them; a click goes to one."""

    def __init__(self, sections: Sequence[Tab], current: str, *, numbered: bool) -> None:
        super().__init__(id="tabs")
        self._sections, self._current, self._numbered = sections, current, numbered

    def pieces(self) -> Iterable[tuple[Content, str]]:
        """``1 Overview  2 Questions``; short names and less room between them where it is narrow."""
        for number, (mode, title, short) in enumerate(self._sections, 1):
            name = f"{title} " if self.size.width >= WIDE else short
            shown = Content.assemble(" ", (f"{number} " if self._numbered else "  ", ACCENT), (name, DIM))
            if mode == self._current:
                shown = Content.styled(shown.plain, "bold $primary on $background")
            yield shown, f"app.go('{mode}')"


class Title(Widget):
    """Product and verdict, and at the right what is going on, which is never cut for the others' sake.

    One line of the whole width: what it says changes with every answer, and nothing around it has to move.
    """

    def __init__(self) -> None:
        super().__init__(id="title")
        self._product = self._status = Content("")

    def show(self, product: Content, status: Content) -> None:
        """Say something else."""
        if not (self._product.is_same(product) and self._status.is_same(status)):
            self._product, self._status = product, status
            self.refresh()

    def render(self) -> Content:
        """The line, with two cells at least between its ends."""
        width = self.content_size.width
        product = self._product.truncate(max(0, width - self._status.cell_length - 2), ellipsis=True)
        room = width - product.cell_length - self._status.cell_length
        return Content.assemble(product, " " * max(0, room), self._status)


class TopBar(Vertical):
    """Product, verdict and what is going on; below it the sections."""

    def __init__(self, sections: Sequence[Tab], current: str, *, numbered: bool) -> None:
        super().__init__(Title(), Tabs(sections, current, numbered=numbered))

    def show(self, state: State) -> None:
        """Show what is assessed and what is going on."""
        self.query_one(Title).show(_product(state), _status(state))


def _product(state: State) -> Content:
    brand = Content.styled("Interlock", f"bold {PRIMARY}")
    if state.inputs is None:
        return brand
    pieces = line(brand, ("  ", ""), (state.inputs.settings.product, "bold"))
    if state.judgement is None:
        return pieces
    verdict = state.judgement.verdict
    return line(pieces, (f"  {words.verdict(verdict.value, verdict.latest)}", DIM))


def _status(state: State) -> Content:
    """One thing, the most urgent: unsaved, a problem, changed files, work going on, or that all is saved."""
    if state.unsaved:
        return text(f"! {words.count(len(state.unsaved), 'answer')} not saved: ctrl+s tries again", f"bold {BAD}")
    if state.problem is not None or state.stuck is not None:
        return text("! there is a problem", f"bold {BAD}")
    if state.changed_files:
        return text("~ files changed: r reads them again", f"bold {WARN}")
    if state.inputs is None:
        return text("… reading", DIM)
    if state.waiting:
        return text("… saving", DIM)
    if state.probing:
        return text("… probing", DIM)
    if not state.up_to_date:
        return text("… updating the plan", DIM)
    return line(("✓ ", OK), ("saved", DIM))


#: Actions whose keys are always shown, at the end of the line.
_ALWAYS = ("go_to", "help", "quit")
#: Keys at the foot: more are not read.
MOST = 6


@dataclass(frozen=True)
class KeyHint:
    """A key as it is shown, what it does in a word, and the action behind it."""

    key: str
    word: str
    action: str

    @property
    def width(self) -> int:
        """Cells, with the room around it."""
        return len(self.key) + len(self.word) + 3


def fitting(hints: list[KeyHint], width: int) -> list[KeyHint]:
    """At most six hints that fit into ``width`` cells: the general ones always, of the others the first ones."""
    general = [hint for hint in hints if hint.action in _ALWAYS]
    others = [hint for hint in hints if hint.action not in _ALWAYS][: MOST - len(general)]
    room = width - sum(hint.width for hint in general)
    kept = []
    for hint in others:
        room -= hint.width
        if room < 0:
            break
        kept.append(hint)
    return [*kept, *general]


class KeyBar(Pieces):
    """Keys with their words; a click does what the key does."""

    def __init__(self) -> None:
        super().__init__()
        self._hints: list[KeyHint] = []

    def on_mount(self) -> None:
        """Follow the focus: other keys work elsewhere."""
        self.screen.bindings_updated_signal.subscribe(self, self._collect)

    def _collect(self, screen: Screen[object]) -> None:
        if screen is not self.screen or not self.is_attached:
            return
        hints: list[KeyHint] = []
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled and binding.action not in {hint.action for hint in hints}:
                hints.append(KeyHint(self.app.get_key_display(binding), binding.description, binding.action))
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def pieces(self) -> Iterable[tuple[Content, str]]:
        """`` n Next  p Prev  ? Help``."""
        for hint in fitting(self._hints, self.size.width):
            key = (hint.key, "bold $footer-key-foreground")
            yield Content.assemble(" ", key, f" {hint.word} "), hint.action


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
