"""The workflow contract against each organisation's own statement; what was not seen is never called missing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from interlock.model import words
from interlock.model.contract import ContractFit, NeedMatch
from interlock.model.language import Said, _
from interlock.model.words import Word
from interlock.report import safe
from interlock.report.elements import Link, Mark, Marks, Shown, Tone
from interlock.report.sections.context import Context, Section

COLUMNS = 6
_TONE: dict[str, Tone] = {
    "supported": "good",
    "missing": "bad",
    "undeclared": "warn",
    "restricted": "warn",
    "not_fhir": "bad",
    "not_observed": "unknown",
}
FIT_MARK = Marks({outcome: (words.FIT[outcome], tone) for outcome, tone in _TONE.items()})
_NOT_NEEDED = Word("not needed", "–")
_SETTING_TONE: dict[str, Tone] = {"own": "good", "default": "good", "defaulted": "warn"}
SETTING_MARK = Marks({outcome: (word, _SETTING_TONE.get(outcome, "bad")) for outcome, word in words.SETTING.items()})
_OPEN = frozenset({"missing", "undeclared", "restricted", "not_fhir"})
_MEANS = Said(
    {
        "supported": "the statement declares it",
        "missing": "the statement was read and leaves it out of what it lists",
        "undeclared": "the statement was read and does not say",
        "restricted": "the scope is listed with a query only, which gives a part of the resources",
        "not_fhir": "the contract names what FHIR does not have: no server was asked for it",
        "not_observed": "the statement could not be read: nothing is known",
    }
)
PART = Said({"release": "Release", "launch": "Launch and scopes", "input": "Reads", "output": "Writes"})
#: Where the contract says what it needs.
_AT = {
    "release": "contract-text",
    "launch": "contract-launch",
    "input": "contract-inputs",
    "output": "contract-outputs",
}
KIND = Said(
    {
        "resource": "resource",
        "interaction": "interaction",
        "search_parameter": "search parameter",
        "operation": "operation",
        "profile": "profile",
        "condition": "condition of a write",
        "launch": "launch mode",
        "scope": "scope",
        "release": "FHIR release",
    }
)
#: The same, of several.
KINDS = Said(
    {
        "resource": "resources",
        "interaction": "interactions",
        "search_parameter": "search parameters",
        "operation": "operations",
        "profile": "profiles",
        "condition": "condition of a writes",
        "launch": "launch modes",
        "scope": "scopes",
        "release": "FHIR releases",
    }
)
_Key = tuple[str, str, str, str]


def build_fit(context: Context) -> Shown:
    """One table for every :data:`COLUMNS` organisations, needs in contract order."""
    fits = context.assessment.fit
    needs: dict[_Key, NeedMatch] = {}
    for fit in fits:
        for match in fit.matches:
            needs.setdefault(_key(match), match)
    shown = {key: match for key, match in needs.items() if _worth_a_row(context, key)}
    columns = _alike(fits) if context.brief else [[fit] for fit in fits]
    tables = tuple(
        _table(context, columns[start : start + COLUMNS], shown, start, len(columns))
        for start in range(0, len(columns), COLUMNS)
        if needs
    )
    if not tables:
        return {
            "lead": _("There is no workflow contract to compare with, or no organisation."),
            "legend": (),
            "tables": (),
        }
    lead = _(
        "What the workflow contract needs, against what each organisation's own statement "
        "declares. A declaration is not proof that it works, and the absence of one is not proof "
        "that it does not."
    )
    if len(shown) < len(needs):
        lead += " " + _(
            "%(number)s needs that every organisation whose statement was read declares are left out here.",
            number=words.number(len(needs) - len(shown)),
        )
    return {"lead": lead, "legend": _legend(), "tables": tables}


def _legend() -> tuple[Mark, ...]:
    return tuple(Mark.of(words.FIT[outcome], _TONE[outcome], means) for outcome, means in _MEANS.items())


def _worth_a_row(context: Context, key: _Key) -> bool:
    """In a brief report only needs that somebody's statement leaves out or does not speak of."""
    return not context.brief or any(
        match.outcome in _OPEN
        for fit in context.assessment.fit
        if fit.observed
        for match in fit.matches
        if _key(match) == key
    )


def _key(match: NeedMatch) -> _Key:
    return (match.direction, match.resource or "", match.kind, match.name)


def _table(
    context: Context, columns: Sequence[Sequence[ContractFit]], needs: dict[_Key, NeedMatch], start: int, total: int
) -> Shown:
    fits = [alike[0] for alike in columns]
    matches_of = [{_key(match): match for match in fit.matches} for fit in fits]
    groups = []
    for direction, title in PART.items():
        ours = [match for match in needs.values() if match.direction == direction]
        rows = [_row(match, fits, matches_of) for match in ours]
        if rows:
            at = context.leads("contract", _AT[direction]) if context.assessment.contract else ""
            groups.append({"title": title, "at": at, "rows": _merged(ours, rows) if context.brief else tuple(rows)})
    caption = _("Contract fit")
    if total > COLUMNS:
        part_of = {"first": start + 1, "last": start + len(fits), "total": total}
        caption = _("Contract fit, columns %(first)s to %(last)s of %(total)s", **part_of)
    return {
        "caption": caption,
        "organizations": tuple(_column(context, alike) for alike in columns),
        "groups": tuple(groups),
        "totals": tuple(_total(fit) for fit in fits),
    }


def _alike(fits: Sequence[ContractFit]) -> list[list[ContractFit]]:
    """Organisations of which every need came out the same, together."""
    groups: dict[tuple[bool, tuple[tuple[_Key, str], ...]], list[ContractFit]] = {}
    for fit in fits:
        came_out = tuple((_key(match), match.outcome) for match in fit.matches)
        groups.setdefault((fit.observed, came_out), []).append(fit)
    return list(groups.values())


def _column(context: Context, alike: Sequence[ContractFit]) -> Link:
    first = context.organization_link(alike[0].org)
    more = len(alike) - 1
    return (
        Link(label=_("%(first)s and %(more)s alike", first=first.label, more=words.number(more)), anchor=first.anchor)
        if more
        else first
    )


def _row(need: NeedMatch, fits: Sequence[ContractFit], matches_of: Sequence[dict[_Key, NeedMatch]]) -> Shown:
    matches = [matches.get(_key(need)) for matches in matches_of]
    cells = (
        FIT_MARK[match.outcome if fit.observed else "not_observed"] if match else Mark.of(_NOT_NEEDED, "neutral")
        for fit, match in zip(fits, matches, strict=True)
    )
    return {
        "need": need_name(need),
        "kind": KIND[need.kind],
        "optional": need.optional,
        "cells": tuple(cells),
    }


def _merged(needs: Sequence[NeedMatch], rows: Sequence[Shown]) -> tuple[Shown, ...]:
    """Runs of the same resource, or of the same kind without one, that came out alike everywhere, in one row each."""
    merged = []
    pairs = zip(needs, rows, strict=True)
    for _key, run in groupby(
        pairs, lambda pair: (pair[0].resource or pair[0].kind, pair[1]["optional"], pair[1]["cells"])
    ):
        ours, alike = zip(*run, strict=True)
        row = alike[0]
        if len(alike) > 1:
            kinds = list(dict.fromkeys(need.kind for need in ours))
            kind = KINDS[kinds[0]] if len(kinds) == 1 else _("%(number)s needs", number=len(alike))
            row = row | {"need": _("%(need)s and %(alike)s more", need=row["need"], alike=len(alike) - 1), "kind": kind}
        merged.append(row)
    return tuple(merged)


def need_name(match: NeedMatch) -> str:
    """``Observation: create``, the resource alone, or the launch mode, scope or release; a profile by its last word."""
    name = safe.text(match.name, 120)
    if match.kind == "profile" and "/" in match.name:
        name = safe.text(match.name.rstrip("/").rpartition("/")[2], 80)
    if not match.resource:
        return name
    resource = safe.text(match.resource, 64)
    return resource if match.kind == "resource" else f"{resource}: {name}"


def _total(fit: ContractFit) -> str:
    required = [match for match in fit.matches if not match.optional]
    if not fit.observed:
        return words.FIT["not_observed"].phrase
    supported = sum(1 for match in required if match.outcome == "supported")
    return _("%(supported)s of %(required)s", supported=supported, required=len(required))


def settings_here(fit: ContractFit | None, *, only_wrong: bool) -> tuple[Shown, ...]:
    """The contract's settings at one organisation: the value, the default, and where it comes from.

    :param only_wrong: leave out what is as it should be.
    """
    return tuple(
        {
            "name": safe.text(match.name, 64),
            "mark": SETTING_MARK[match.outcome],
            "value": safe.text(match.value or "", 200),
            "default": safe.text(match.default or _("none"), 200),
            "note": safe.text(match.note or "", 300),
        }
        for match in (fit.settings if fit else ())
        if not only_wrong or match.outcome not in {"own", "default"}
    )


def unmet_needs(fit: ContractFit, *, limit: int) -> tuple[Shown, ...]:
    """Needs that the statement does not support or does not declare; empty when it was not seen.

    :param limit: needs that a row names; the others are counted.
    """
    if not fit.observed:
        return ()
    groups: dict[tuple[str, str], list[str]] = {}
    for match in fit.matches:
        if match.outcome in _OPEN:
            name = need_name(match) + (" (optional)" if match.optional else "")
            groups.setdefault((match.outcome, safe.text(match.note or "", 300)), []).append(name)
    return tuple(
        {"mark": FIT_MARK[outcome], "needs": words.listed(names, limit), "note": words.sentence(words.capital(note))}
        for (outcome, note), names in sorted(groups.items(), key=lambda item: item[0][0])
    )


SECTION = Section("fit", "Contract fit", build_fit)
