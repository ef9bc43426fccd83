"""``interlock patterns``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

import typer
from rich.padding import Padding
from rich.text import Text

from interlock.cli.options import OnlyOrgOption, TableOrJson, WorkspaceOption
from interlock.cli.output import blank, cell_text, console, emit_result, make_grid, say, show_heading, show_table
from interlock.model import words
from interlock.model.pattern import PatternMatch
from interlock.model.text import plain
from interlock.usecases.judge import find_patterns
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace

#: How many messages a pattern shows before it counts the rest.
_SHOWN = 8


def patterns(
    output: TableOrJson = "table",
    org: OnlyOrgOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Also the patterns that do not hold.")] = False,
    folder: WorkspaceOption = None,
) -> None:
    """Show which known patterns of trouble hold here, what they usually mean, and what to do."""
    inputs = load_inputs(open_workspace(folder), org)
    matches = find_patterns(inputs, org)
    names = {org.id: org.name for org in inputs.organizations}
    emit_result(output, matches, partial(show_patterns, names=names, everything=everything))


def show_patterns(matches: Sequence[PatternMatch], names: Mapping[str, str], *, everything: bool = False) -> None:
    """Print the patterns that hold, then those that cannot be decided yet.

    :param names: organisation id → its name.
    :param everything: also name those that do not hold.
    """
    matched = [match for match in matches if match.outcome == "matched"]
    undecided = [match for match in matches if match.outcome == "undecided"]
    other = [match for match in matches if match.outcome == "not_matched"]
    for match in matched:
        _show(match, names)
    if undecided:
        show_heading(f"Cannot be decided yet ({len(undecided)})")
        blank()
        rows = [(match.pattern, match.title, _would_decide(match, names)) for match in undecided]
        show_table([("Pattern", {"no_wrap": True}), "Title", "What would decide it"], rows)
        blank()
    if everything and other:
        show_heading(f"Do not hold ({len(other)})")
        blank()
        show_table([("Pattern", {"no_wrap": True}), "Title"], [(match.pattern, match.title) for match in other])
        blank()
    counts = f"{len(matched)} of {len(matches)} patterns hold, {len(undecided)} cannot be decided yet"
    say(f"{counts}." if everything or not other else f"{counts}; --all also names the {len(other)} that do not.")


def _show(match: PatternMatch, names: Mapping[str, str]) -> None:
    console().print(Text.assemble((match.pattern, "bold yellow"), "  ", (match.title, "bold")))
    rows: list[tuple[str, object]] = []
    if (
        match.scope == "fleet"
        and match.orgs
        and plain(names.get(match.orgs[0], match.orgs[0]), 60) not in "".join(match.messages)
    ):
        rows.append(("At", _some(match.orgs, names)))
    rows += [("" if index else "Seen", message) for index, message in enumerate(match.messages[:_SHOWN])]
    if len(match.messages) > _SHOWN:
        rows.append(("", Text(f"and at {len(match.messages) - _SHOWN} more", "dim")))
    action = Text.assemble(cell_text(match.action), (f"  ({words.OWNER[match.owner].phrase})", "dim"))
    console().print(Padding(make_grid([*rows, ("Means", match.means), ("Do", action)]), (0, 0, 1, 9)))


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
