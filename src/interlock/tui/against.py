"""The contract against the organisations, as tables: needs by what is declared, settings by what each says for itself.

Where there are too many organisations for a column each, a column counts how many ended in which way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from interlock.model import words
from interlock.model.contract import ContractFit, NeedMatch, SettingMatch
from interlock.model.text import plain
from interlock.tui.page import DIM, FIT, SETTING, Mark, Page, hang, line, text
from interlock.tui.widgets.rows import Column, Row

#: Most organisations that have a column each.
_MOST_COLUMNS = 8
#: Cells of the widest first column, and of an organisation's.
_WIDEST, _WIDE = 34, 14
#: What a file needs around a value, and a column has no room for.
_PUNCTUATION = str.maketrans("", "", '[]"')
_ASIDES = {"input": "read", "output": "written", "launch": "how a session starts", "release": "FHIR release"}


@dataclass(frozen=True)
class Table:
    """Rows with their columns, and what is told of each row by its key: who ended in which way, and why."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    told: Mapping[str, tuple[Content, ...]]


def fit_table(fits: Sequence[ContractFit], names: Mapping[str, str]) -> Table:
    """Each need of the contract against what every organisation declares."""
    needs: dict[tuple[str, str | None, str, str], dict[str, NeedMatch]] = {}
    for fit in fits:
        for match in fit.matches:
            needs.setdefault((match.direction, match.resource, match.kind, match.name), {})[fit.org] = match
    orgs, rows, told, last = [fit.org for fit in fits], list[Row](), dict[str, tuple[Content, ...]](), None
    labels = [_label(kind, name) for _, _, kind, name in needs]
    for (direction, resource, kind, name), by_org in needs.items():
        if (direction, resource) != last:
            last = (direction, resource)
            rows.append(Row(f"need:{direction}:{resource}", heading=resource or direction, aside=_ASIDES[direction]))
        optional = " (optional)" if any(match.optional for match in by_org.values()) else ""
        key = f"{direction}|{resource}|{kind}|{name}"
        signs = {org: FIT[match.outcome] for org, match in by_org.items()}
        rows.append(Row(key, (text(f"{_label(kind, name)}{optional}"), *_cells(orgs, signs))))
        whole = line((f"{resource} " if resource and resource != name else "", DIM), (name, "bold"), (optional, DIM))
        notes = {org: match.note for org, match in by_org.items() if match.note}
        told[key] = (whole, *_outcomes(signs, names, notes))
    return Table(_columns("Need", labels, orgs, names, marks=True), tuple(rows), told)


def settings_table(fits: Sequence[ContractFit], names: Mapping[str, str]) -> Table:
    """Each setting of the contract with its value at every organisation."""
    settings: dict[str, dict[str, SettingMatch]] = {}
    for fit in fits:
        for match in fit.settings:
            settings.setdefault(match.name, {})[fit.org] = match
    orgs, rows, told = [fit.org for fit in fits], list[Row](), dict[str, tuple[Content, ...]]()
    for name, by_org in settings.items():
        signs = {org: SETTING[match.outcome] for org, match in by_org.items()}
        values = {org: said for org, match in by_org.items() if (said := match.value or match.default)}
        rows.append(Row(name, (text(name), *_cells(orgs, signs, values))))
        notes = {org: "; ".join(filter(None, (values.get(org), match.note))) for org, match in by_org.items()}
        told[name] = (
            line((name, "bold")),
            *_outcomes(signs, names, {org: said for org, said in notes.items() if said}),
        )
    return Table(_columns("Setting", list(settings), orgs, names, marks=False), tuple(rows), told)


def _columns(
    first: str, labels: Sequence[str], orgs: Sequence[str], names: Mapping[str, str], *, marks: bool
) -> tuple[Column, ...]:
    widest = Column(first, min(_WIDEST, max(map(len, labels), default=0) + 2), grow=1)
    if len(orgs) > _MOST_COLUMNS:
        return (widest, Column("How many organisations", 26, grow=3))
    return (widest, *(Column(names.get(org, org), _WIDE, grow=0 if marks else 1, least=4) for org in orgs))


def _cells(
    orgs: Sequence[str], signs: Mapping[str, Mark], values: Mapping[str, str] | None = None
) -> Iterator[Content]:
    if len(orgs) > _MOST_COLUMNS:
        counted = Counter(signs.values())
        yield Content("  ").join(line((sign.glyph, sign.style), f" {number}") for sign, number in counted.most_common())
        return
    for org in orgs:
        sign = signs.get(org)
        if sign is None:
            yield text("–", DIM)
        elif values is None:
            yield text(sign.glyph, sign.style)
        else:
            said = plain(values.get(org, ""), 80).translate(_PUNCTUATION)
            yield line((sign.glyph, sign.style), f" {said}" if said else "")


def _outcomes(signs: Mapping[str, Mark], names: Mapping[str, str], notes: Mapping[str, str]) -> Iterator[Content]:
    """A line for each way in which it ended: who, and what is said of it there."""
    by_sign: dict[tuple[Mark, str], list[str]] = {}
    for org, sign in signs.items():
        by_sign.setdefault((sign, notes.get(org, "")), []).append(names.get(org, org))
    for (sign, note), whose in by_sign.items():
        who = words.listed([plain(name, 60) for name in whose], 6)
        yield line((sign.glyph, sign.style), f" {sign.word}: ", who, (f"  {plain(note, 300)}" if note else "", DIM))


def draw_told(page: Page, told: Sequence[Content]) -> None:
    """What is told of a row, with hanging lines."""
    for each in told:
        page.add(*hang(each, page.width, rest=2))


def _label(kind: str, name: str) -> str:
    """What is needed in few letters: its heading says of which type."""
    match kind:
        case "search_parameter":
            return f"by {name}"
        case "operation":
            return f"${name}"
        case "profile":
            return name.rpartition("/")[2]
        case "launch":
            return f"{name} launch"
        case _:
            return name
