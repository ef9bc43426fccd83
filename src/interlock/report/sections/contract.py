"""The whole workflow contract, as the page to sign has it, with each organisation's settings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from interlock.model import words
from interlock.model.contract import ContractFit, SettingMatch, SurfaceSetting
from interlock.model.contract_page import UNDECIDED, Cell, Part, contract_parts, scopes_by_mode, spaced
from interlock.model.language import _
from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.context import WHOLE, Context, Section

#: Organisations beside each other in a table of settings, and rows of any table: a contract has no bounds of its own.
COLUMNS, MAX_ROWS, MAX_LINES, MAX_LENGTH = 6, 200, 40, 1_500
_SURFACE = "Configuration surface"
#: Parts by the first word of what contract.yaml calls them, which is where other sections lead to.
_ANCHORS = {
    "Clinical event": "clinical_event",
    "Launch and session": "launch",
    "Clients": "clients",
    "Channels": "channels",
    "What it reads": "inputs",
    "What it writes": "outputs",
    "When the output is wrong": "output_is_wrong",
    "Failures": "failures",
    "Review before the record": "review",
    "Safeguards": "safeguards",
    "The product's own endpoints": "endpoints",
    "Test path": "test_path",
    "Owners": "owners",
    "Approvals": "approvals",
}
#: Parts that somebody who signs has to agree with, and those of which a brief report names the rows alone.
_SHORTENED = frozenset({"What it reads", "What it writes"})
_SIGNED = _SHORTENED | {
    "Clinical event", "When the output is wrong", "Review before the record", "Safeguards", "Owners", "Approvals",
}  # fmt: skip
#: The system of a code, and the address of a profile or value set of HL7 up to its name.
_SYSTEM, _FOLDER = re.compile(r"https?://[^\s|,;]+\|"), re.compile(r"http://hl7\.org/[^\s|,;]*/")


def build_contract(context: Context) -> Shown:
    """Every part of the contract; a brief report leaves out what engineers alone read, and says so."""
    contract, fits = context.assessment.contract, context.assessment.fit
    if contract is None:
        lead = _("There is no workflow contract yet: interlock init writes a commented one.")
        return {"lead": lead, "hash": "", "parts": ()}
    parts: list[Part] = []
    left_out: list[str] = []
    for part in contract_parts(contract, scopes_by_mode(contract, fits), context.assessment.contract_hash or None):
        if context.brief and part.title not in map(_, _SIGNED):
            left_out.append(f"{part.title[:1].lower()}{part.title[1:]} ({len(part.rows)})")
        elif part.title == _(_SURFACE):
            parts += _settings(context, part, contract.organization_surface, fits)
        else:
            parts.append(_in_line(part) if context.brief and part.title in map(_, _SHORTENED) else part)
    lead = _(
        "%(contract)s, version %(version)s, FHIR %(fhir_release)s. The page that “interlock "
        "contract export” makes to be signed says the same.",
        contract=contract.title,
        version=contract.version,
        fhir_release=contract.fhir_release,
    )
    if left_out:
        lead += " " + _(
            "Here is what somebody who signs it has to agree with; of what it reads and writes the "
            "fields, codes and limits are left out, and all of these: %(left_out)s. %(whole)s has "
            "the whole text.",
            left_out=words.listed(left_out, len(left_out)),
            whole=WHOLE,
        )
    return {
        "lead": safe.text(lead, 900),
        "hash": context.assessment.contract_hash or contract.hash,
        "parts": tuple(map(_shown, parts)),
        "anchors": {_(title): safe.anchor("contract", name) for title, name in _ANCHORS.items()},
        "surface": _(_SURFACE),
        "settings": next((part.title for part in parts if part.title.startswith(_(_SURFACE))), ""),
    }


def _in_line(part: Part) -> Part:
    """A table as one line: the labels of its rows alone."""
    labels = ("; ".join(", ".join(map(_ends, label)) for label, *_ in part.rows),) if part.rows else (_("nothing"),)
    return part.but(columns=(), rows=(((part.title,), labels),))


def _ends(text: str) -> str:
    return _FOLDER.sub("", _SYSTEM.sub("", text))


def _shown(part: Part) -> Shown:
    def cell(lines: Cell) -> tuple[Shown, ...]:
        more = len(lines) - MAX_LINES
        shown = [{"text": safe.text(line, MAX_LENGTH), "open": line == _(UNDECIDED)} for line in lines[:MAX_LINES]]
        return (
            *shown,
            *(({"text": _("and %(more)s more", more=words.number(more)), "open": False},) if more > 0 else ()),
        )

    more = len(part.rows) - MAX_ROWS
    return {
        "title": part.title,
        "columns": tuple(safe.text(name, 120) for name in part.columns),
        "rows": tuple(tuple(map(cell, row)) for row in part.rows[:MAX_ROWS]),
        "more": words.counted(more, "%(number)s more row in contract.yaml", "%(number)s more rows in contract.yaml")
        if more > 0
        else "",
    }


def _settings(
    context: Context, part: Part, surface: Sequence[SurfaceSetting], fits: Sequence[ContractFit]
) -> list[Part]:
    """The settings with each organisation's value, a table for every :data:`COLUMNS` of them."""
    if not fits or not surface:
        return [part]
    tables = []
    for start in range(0, len(fits), COLUMNS):
        group = fits[start : start + COLUMNS]
        values = [{match.name: match for match in fit.settings} for fit in group]
        rows = []
        for setting in surface:
            about = (setting.name, *filter(None, (setting.description,)))
            kind = f"{spaced(setting.surface)}, {setting.type}"
            rows.append((about, (kind,), *(_value(own.get(setting.name)) for own in values)))
        names = (context.names.get(fit.org, fit.org) for fit in group)
        title = _("%(surface)s, by organisation", surface=_(_SURFACE))
        if len(fits) > COLUMNS:
            part_of = {"first": start + 1, "last": start + len(group), "total": len(fits)}
            title += f" ({_('%(first)s to %(last)s of %(total)s', **part_of)})"
        tables.append(Part(title=title, columns=(_("Setting"), _("Kind"), *names), rows=tuple(rows)))
    return tables


def _value(match: SettingMatch | None) -> Cell:
    if match is None or (match.value is None and match.default is None):
        return (_(UNDECIDED),)
    if match.outcome == "own":
        return (match.value or "",)
    if match.outcome in {"mistyped", "universal"}:
        return (match.value or "", f"✗ {words.SETTING[match.outcome].phrase}")
    return (match.default or "", "default")


SECTION = Section("contract", "The workflow contract", build_contract)
