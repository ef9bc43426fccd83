"""The chain around a gap as a drawing in characters, layer by layer; and what closing a gap does.

A gap stands on lines of its own; to the left run lanes, one from each gap down to those that wait directly for it::

      ◆ The organisation's security review is not passed
    ╭─  Lakeshore Health System, the organisation, sandbox gate
    ├─▶ ■ Nobody has an account in the sandbox   this one
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.plan import WhatIf
from interlock.model.text import plain
from interlock.tui.gap_tree import where
from interlock.tui.keys import key_of
from interlock.tui.page import ACCENT, DIM, OK, PRIMARY, SEVERITY, TASK, Page, line, text
from interlock.tui.plan_page import draw_result
from interlock.tui.widgets.flow import draw_problem

if TYPE_CHECKING:
    from interlock.usecases.closing import Closing, Moved
    from interlock.usecases.gaps import Chain, ChainLink

#: Stands behind the gap that a chain is drawn around.
THIS_ONE = "  this one"
#: Cells that are kept for words beside the lanes, and organisations that a box names.
_WORDS, _NAMED = 36, 3
#: What starts then, of which so many are named.
_SHOWN = 8
#: Organisations of which is told what moves.
_MOVED = 6


class _Lanes:
    """The lanes to the left of the words: which gap each comes from, and how far it still runs."""

    def __init__(self, chain: Chain, width: int) -> None:
        self._last = {number: max(link.after) for number, link in enumerate(chain.links) if link.after}
        self._at: dict[int, int] = {}  # the gap that a lane comes from → the lane, counted from the words
        self.number = self._most(chain)
        self._step = 2 if 2 * self.number <= width - _WORDS else 1
        self._chain = chain

    def _most(self, chain: Chain) -> int:
        """How many lanes run side by side at most."""
        most = 0
        for number in range(len(chain.links)):
            self._leave(number)
            if number in self._last:
                most = max(most, self._enter(number) + 1)
        self._at.clear()
        return most

    def _enter(self, number: int) -> int:
        taken = set(self._at.values())
        self._at[number] = next(lane for lane in range(len(taken) + 1) if lane not in taken)
        return self._at[number]

    def _leave(self, number: int) -> None:
        self._at = {start: lane for start, lane in self._at.items() if self._last[start] != number}

    def passing(self) -> str:
        """Lanes that run past a line."""
        return self._drawn(dict.fromkeys(self._at.values(), "│"), None) + "   "

    def arriving(self, number: int) -> str:
        """Lanes at the line where those that lead to a gap arrive; the last ones end there."""
        ends = {start for start in self._at if number in self._chain.links[start].after}
        signs = dict.fromkeys(self._at.values(), "│")
        farthest = max((self._at[start] for start in ends), default=None)
        for start in ends:
            lane, over = self._at[start], self._last[start] == number
            signs[lane] = ("╰" if over else "├") if lane == farthest else ("┴" if over else "┼")
        drawn = self._drawn(signs, farthest) + ("─▶ " if ends else "   ")
        self._leave(number)
        return drawn

    def leaving(self, number: int) -> str:
        """Lanes at the line where the gap's own begins, if something waits for it."""
        if number not in self._last:
            return self.passing()
        lane = self._enter(number)
        return self._drawn(dict.fromkeys(self._at.values(), "│") | {lane: "╭"}, lane) + "─  "

    def _drawn(self, signs: Mapping[int, str], line_from: int | None) -> str:
        """Signs in their lanes; from one lane on a line runs to the words, below the lanes that it crosses."""
        drawn = ""
        for lane in reversed(range(self.number)):
            in_line = line_from is not None and lane <= line_from
            drawn += signs.get(lane, "─" if in_line else " ")
            drawn += ("─" if in_line else " ") * (self._step - 1)
        return drawn


def draw_chain(page: Page, chain: Chain, names: Mapping[str, str]) -> None:
    """The chain from what can start now down to what waits longest."""
    before = sum(len(link.nodes) for link in chain.links[: chain.here] if link.layer < chain.links[chain.here].layer)
    page.line((f"Top to bottom: what has to be closed first, then what waits for it. {before:,} before this one.", DIM))
    lanes, layer = _Lanes(chain, page.width), -1
    for number, link in enumerate(chain.links):
        if link.layer != layer:
            layer = link.layer
            heading = "Can start now" if layer == 0 else f"Then, step {layer + 1}"
            page.add(line((lanes.passing(), PRIMARY)), line((lanes.passing(), PRIMARY), (heading, DIM)))
        _draw_link(page, link, lanes, number, names, here=number == chain.here)
    if chain.left:
        page.blank()
        further = words.count(chain.left, "gap or unknown", "gaps and unknowns")
        page.line((f"{further} farther from this one {words.agree(chain.left, 'is', 'are')} left out.", DIM))


def _draw_link(
    page: Page, link: ChainLink, lanes: _Lanes, number: int, names: Mapping[str, str], *, here: bool
) -> None:
    first = link.nodes[0]
    sign = TASK["discovery"] if first.kind == "discovery" else SEVERITY[first.severity]
    at = words.listed(list(dict.fromkeys(plain(where(node, names), 60) for node in link.nodes)), _NAMED)
    title = line((first.label, "bold" if here else ""), (THIS_ONE if here else "", ACCENT))
    about = line((f"{at}; {words.OWNER[first.owner].phrase}; {words.gate(first.gate)}", DIM))
    arriving = lanes.arriving(number)
    room = max(16, page.width - len(arriving) - 2)
    head, *more = title.wrap(room)
    page.add(line((arriving, PRIMARY), (sign.glyph, sign.style), " ", head.rstrip()))
    for part in more:
        page.add(line((lanes.passing(), PRIMARY), "  ", part.rstrip()))
    head, *more = about.wrap(room)
    page.add(line((lanes.leaving(number), PRIMARY), "  ", head.rstrip()))
    for part in more:
        page.add(line((lanes.passing(), PRIMARY), "  ", part.rstrip()))


def draw_closing(
    page: Page,
    closed: Closing,
    dates: WhatIf | InterlockError | None,
    names: Mapping[str, str],
    *,
    planned: bool,
    kept: bool,
) -> None:
    """What closing a gap does.

    :param dates: none while they are worked out.
    :param planned: a task of the plan closes it, so that a date may move.
    :param kept: it is among the what-ifs of the plan.
    """
    first, several = closed.nodes[0], len(closed.nodes) > 1
    one_rule = all(node.rule == first.rule for node in closed.nodes)
    page.para(first.label if one_rule else f"All {len(closed.nodes):,} that stand there", "bold")
    if several and one_rule:
        page.line((f"at {words.listed([where(node, names) for node in closed.nodes], _NAMED)}", DIM))
    supposed = "closed" if first.kind == "gap" else "found to be no gap"
    page.line(
        (f"What if {'all of them were' if several else 'it were'} {supposed}? ", ACCENT), "Nothing is changed here."
    )
    page.heading("Score and stage", "before → after")
    product, *orgs = closed.moved
    for moved in closed.moved[:_MOVED]:
        page.bullet(text("·", DIM), _told(moved, "The product" if not moved.org else names.get(moved.org, moved.org)))
    if len(closed.moved) > _MOVED:
        page.line((f"and something of {words.count(len(closed.moved) - _MOVED, 'more organisation')}", DIM))
    if product.is_same and not orgs:
        page.para("Neither score nor stage moves by this alone.", DIM)
    before, after = closed.verdict
    if before != after:
        page.field("Verdict", f"{words.verdict(*before)} → {words.verdict(*after)}", style="bold", label_width=9)
    page.heading("What unlocks")
    starts: dict[str, list[str]] = {}
    for node in closed.starts:
        starts.setdefault(node.label, []).append(plain(where(node, names), 60))
    for label, organizations in list(starts.items())[:_SHOWN]:
        page.bullet(text("▶", OK), label, (f"  {words.listed(organizations, _NAMED)}", DIM))
    if len(starts) > _SHOWN:
        page.line((f"and {len(starts) - _SHOWN:,} more can start then", DIM))
    if closed.nearer:
        waits = words.agree(len(closed.nearer), "waits", "wait")
        page.line((f"{len(closed.nearer):,} {waits} for others too, and {waits} for one less then.", DIM))
    if not closed.starts and not closed.nearer:
        page.para("Nothing waits for it directly.", DIM)
    page.heading("Dates")
    if not planned:
        page.para("No date waits for it: the way to the target gate does not need it.", DIM)
    elif isinstance(dates, InterlockError):
        draw_problem(page, dates)
    elif dates is None:
        page.line(("… working out the dates", ACCENT))
    else:
        finishes = tuple(change for change in dates.finishes if change.org is None or change.days)
        draw_result(page, dates.model_copy(update={"finishes": finishes}), names)
    if planned:
        page.blank()
        says = (
            f"kept as a what-if: section 5 has it with the others, {key_of('gaps.keep')} takes it back"
            if kept
            else f"{key_of('gaps.keep')} keeps it as a what-if"
        )
        page.line((says, ACCENT))


def _told(moved: Moved, name: str) -> Content:
    """``Lakeshore  39 → 45  design → sandbox``; what stays is quiet."""
    low, high = (words.interval(each.low, each.high) for each in (moved.before, moved.after))
    pieces = [
        line((f"{name}  ", "bold")),
        text(f"{low} → {high}", OK) if low != high else text(f"score stays {low}", DIM),
    ]
    if low == high and moved.uncapped[0] != moved.uncapped[1]:
        bare = " → ".join(words.interval(each.low, each.high) for each in moved.uncapped)
        pieces.append(text(f"(other blockers cap it; without them {bare})", DIM))
    if moved.stage_before is not moved.stage_after:
        pieces.append(text(f"{words.stage(moved.stage_before)} → {words.stage(moved.stage_after)}", f"bold {OK}"))
    elif moved.gate is not None and moved.gate[1] != moved.gate[2]:
        gate, before, after = moved.gate
        pieces.append(line((f"{words.gate(gate)}: {before} → ", DIM), (after, OK)))
    return Content("  ").join(pieces)
