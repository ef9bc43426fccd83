"""``interlock patterns``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock.cli.options import OnlyOrgOption, TableOrJson, WorkspaceOption
from interlock.cli.output import cell_text, console, emit_json, say, show_table
from interlock.model import words
from interlock.model.pattern import PatternMatch
from interlock.model.text import plain
from interlock.usecases.load import load_inputs, open_workspace
from interlock.usecases.patterns import find_patterns

#: How many messages a pattern shows before it counts the rest.
_SHOWN = 8


def patterns(
    output: TableOrJson = "table",
    org: OnlyOrgOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the patterns that do not hold.")] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Show which known patterns of trouble hold here, what they usually mean, and what to do."""
    inputs = load_inputs(open_workspace(folder))
    matches = find_patterns(inputs, org)
    if output == "json":
        emit_json([match.model_dump(mode="json") for match in matches])
    else:
        show_patterns(matches, {org.id: org.name for org in inputs.organizations}, everything=everything)


def show_patterns(matches: Sequence[PatternMatch], names: Mapping[str, str], *, everything: bool = False) -> None:
    """Print the patterns that hold, then those that cannot be decided yet.

    :param names: organisation id → its name.
    :param everything: also name those that do not hold.
    """
    out = console()
    matched = [match for match in matches if match.outcome == "matched"]
    undecided = [match for match in matches if match.outcome == "undecided"]
    other = [match for match in matches if match.outcome == "not_matched"]
    for match in matched:
        _show(out, match, names)
    if undecided:
        out.print(Text(f"Cannot be decided yet ({len(undecided)})", "bold"))
        out.print()
        rows = [(match.pattern, match.title, _would_decide(match, names)) for match in undecided]
        show_table([("Pattern", {"no_wrap": True}), "Title", "What would decide it"], rows)
        out.print()
    if everything and other:
        out.print(Text(f"Do not hold ({len(other)})", "bold"))
        out.print()
        show_table([("Pattern", {"no_wrap": True}), "Title"], [(match.pattern, match.title) for match in other])
        out.print()
    counts = f"{len(matched)} of {len(matches)} patterns hold, {len(undecided)} cannot be decided yet"
    say(f"{counts}." if everything or not other else f"{counts}; --all also names the {len(other)} that do not.")


def _show(out: Console, match: PatternMatch, names: Mapping[str, str]) -> None:
    out.print(Text.assemble((match.pattern, "bold yellow"), "  ", (match.title, "bold")))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if (
        match.scope == "fleet"
        and match.orgs
        and plain(names.get(match.orgs[0], match.orgs[0]), 60) not in "".join(match.messages)
    ):
        grid.add_row("At", Text(_some(match.orgs, names)))
    for index, message in enumerate(match.messages[:_SHOWN]):
        grid.add_row("Seen" if index == 0 else "", cell_text(message))
    if len(match.messages) > _SHOWN:
        grid.add_row("", Text(f"and at {len(match.messages) - _SHOWN} more", "dim"))
    grid.add_row("Means", cell_text(match.means))
    grid.add_row("Do", Text.assemble(cell_text(match.action), (f"  ({words.OWNER[match.owner].phrase})", "dim")))
    out.print(Padding(grid, (0, 0, 1, 9)))


def _would_decide(match: PatternMatch, names: Mapping[str, str]) -> str:
    at = _some(match.undecided_orgs, names)
    steps = []
    if match.missing_answers:
        steps.append(f"answer {', '.join(match.missing_answers[:3])}" + (f" for {at}" if at else ""))
    if match.missing_facts or (at and not match.missing_answers):
        steps.append(f"observe {at}" if at else "observe the organisations")
    return "; ".join(steps) if steps else plain(match.detail or "too little is known", 300)


def _some(orgs: Sequence[str], names: Mapping[str, str]) -> str:
    return words.listed([plain(names.get(org, org), 60) for org in orgs], 4)
