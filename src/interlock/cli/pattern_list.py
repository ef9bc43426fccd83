"""Patterns of trouble on a terminal: those that hold in full, the others in short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock.cli.output import cell_text, console, say, show_table
from interlock.documents.text import plain
from interlock.model.pattern import PatternMatch

#: How many places one pattern lists before it counts the rest.
_PLACES = 8
_DOES = {"us": "we", "vendor": "the vendor", "org": "the organisation"}


def show_patterns(found: Sequence[PatternMatch], names: Mapping[str, str], *, everything: bool = False) -> None:
    """Print the patterns that hold, then those that cannot be decided yet.

    :param names: organisation id → its name.
    :param everything: also name those that do not hold.
    """
    out = console()
    matched = [one for one in found if one.outcome == "matched"]
    undecided = [one for one in found if one.outcome == "undecided"]
    other = [one for one in found if one.outcome == "not_matched"]
    for one in matched:
        _show(out, one, names)
    if undecided:
        out.print(Text(f"Cannot be decided yet ({len(undecided)})", "bold"))
        out.print()
        rows = [(one.pattern, one.title, _would_decide(one, names)) for one in undecided]
        show_table([("Pattern", {"no_wrap": True}), "Title", "What would decide it"], rows)
        out.print()
    if everything and other:
        out.print(Text(f"Do not hold ({len(other)})", "bold"))
        out.print()
        show_table([("Pattern", {"no_wrap": True}), "Title"], [(one.pattern, one.title) for one in other])
        out.print()
    counts = f"{len(matched)} of {len(found)} patterns hold, {len(undecided)} cannot be decided yet"
    say(f"{counts}." if everything or not other else f"{counts}; --all also names the {len(other)} that do not.")


def _show(out: Console, one: PatternMatch, names: Mapping[str, str]) -> None:
    out.print(Text.assemble((one.pattern, "bold yellow"), "  ", (one.title, "bold")))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if (
        one.scope == "fleet"
        and one.orgs
        and plain(names.get(one.orgs[0], one.orgs[0]), 60) not in "".join(one.messages)
    ):
        grid.add_row("At", Text(_some(one.orgs, names)))
    for index, message in enumerate(one.messages[:_PLACES]):
        grid.add_row("Seen" if index == 0 else "", cell_text(message))
    if len(one.messages) > _PLACES:
        grid.add_row("", Text(f"and at {len(one.messages) - _PLACES} more", "dim"))
    grid.add_row("Means", cell_text(one.means))
    grid.add_row("Do", Text.assemble(cell_text(one.action), (f"  ({_DOES[one.owner.value]})", "dim")))
    out.print(Padding(grid, (0, 0, 1, 9)))


def _would_decide(one: PatternMatch, names: Mapping[str, str]) -> str:
    at = _some(one.undecided_orgs, names)
    steps = []
    if one.missing_answers:
        steps.append(f"answer {', '.join(one.missing_answers[:3])}" + (f" for {at}" if at else ""))
    if one.missing_facts or (at and not one.missing_answers):
        steps.append(f"observe {at}" if at else "observe the organisations")
    return "; ".join(steps) if steps else plain(one.detail or "too little is known", 300)


def _some(orgs: Sequence[str], names: Mapping[str, str]) -> str:
    shown = ", ".join(plain(names.get(org, org), 60) for org in orgs[:4])
    return f"{shown} and {len(orgs) - 4} more" if len(orgs) > 4 else shown
