"""Pages in Markdown whose rows say what holds them: the id of a test, or who looks by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from interlock.contract.skeletons.suite import id_of_test
from interlock.documents.markdown import escape
from interlock.model.contract import WorkflowContract
from interlock.model.resolved import ResolvedContract
from interlock.model.text import plain

OPEN = "*OPEN*"
_MAX_CELL = 400


def page(title: str, resolved: ResolvedContract, about: Sequence[str], parts: Iterable[Iterator[str]]) -> str:
    """A page with its title, what it rests on, and its parts."""
    contract = resolved.contract
    lines = [
        f"# {title}",
        "",
        f"{cell(contract.title)} · version {cell(contract.version)} · {resolved.made}",
        "",
        *about,
    ]
    for part in parts:
        lines += ["", *part]
    return "\n".join(lines) + "\n"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A section with a table; cells are Markdown already."""
    yield from (f"## {title}", "")
    body = ["| " + " | ".join(row) + " |" for row in rows]
    if not body:
        yield "*None.*"
        return
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    yield from body


def cell(text: str | None) -> str:
    """Text of the contract's author in a cell; ``OPEN`` where there is none."""
    return escape(plain(text, _MAX_CELL)) if text else OPEN


def held(file: str, function: str, *row: str) -> str:
    """A test that holds a row, as pytest is given it."""
    return f"`{id_of_test(file, function, *row)}`"


def by_hand(contract: WorkflowContract, *parts: str) -> str:
    """Who looks: the owner whose part of the contract names one of these words, or else the first."""
    named = [owner for owner in contract.owners if any(word in (owner.part or "").lower() for word in parts)]
    owner = next(iter((*named, *contract.owners)), None)
    return f"by hand: {cell(f'{owner.name}, {owner.role}')}" if owner else f"by hand: {OPEN}, no owner is named"
