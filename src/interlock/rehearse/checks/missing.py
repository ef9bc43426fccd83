"""Fields that the workflow contract requires, each taken out of the records in turn."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from interlock.model.contract import Need
from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import changing, shows_kind
from interlock.rehearse.pages import said, words_on
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, NOT_APPLICABLE, Row, Stage, row

_MOST_FIELDS = 30


class _Required(NamedTuple):
    """A field of a type, and what the contract says of its absence."""

    kind: str
    field: str
    says: tuple[str, ...]


def needs_in_chart(stage: Stage) -> list[Need]:
    """What the contract reads where a person opens the product."""
    needs = stage.contract.inputs if stage.contract else ()
    return [need for need in needs if not need.modes or {"ehr", "standalone"} & set(need.modes)]


def _required(stage: Stage) -> list[_Required]:
    wanted: dict[tuple[str, str], list[str]] = {}
    for need in needs_in_chart(stage):
        own = {missing.field: missing.says for missing in need.missing}
        for field in need.required_fields:
            says = wanted.setdefault((need.resource, field), [])
            says += [text for text in (own.get(field) or need.when_missing,) if text]
    return [_Required(kind, field, tuple(dict.fromkeys(says))) for (kind, field), says in wanted.items()]


@check("F13")
def required_fields(stage: Stage) -> list[Row] | Row:
    """Each required field of what the polite page shows, missing in every record of patient 1."""
    required = _required(stage)[:_MOST_FIELDS]
    if not required:
        return row(
            NOT_APPLICABLE, "there is no contract.yaml, or it names no required fields of what is read in the chart"
        )
    kinds = dict.fromkeys(field.kind for field in required)
    shown = {kind: shows_kind(stage, kind) for kind in kinds}
    unseen = [
        not_reached("the polite page shows no record of this type", subject=kind) for kind in kinds if not shown[kind]
    ]
    return [*(_without(stage, field) for field in required if shown[field.kind]), *unseen]


def _without(stage: Stage, field: _Required) -> Row:
    taken: list[bool] = []
    with changing(stage, field.kind, lambda record: taken.append(_take(record, field.field))):
        visit = stage.visit(stage.a)
    subject = f"{field.kind}.{field.field}"
    if not any(taken):
        return not_reached("the product did not read it again, or no simulated record has it", subject=subject)
    if problem := stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked, subject=subject)
    text = words_on(visit.page)
    for says in field.says:
        if re.search(_as_pattern(says), text, re.IGNORECASE):
            return row(HELD, f"the page says “{says}”", visit.asked, subject=subject)
    more = said(visit.page, stage.visits[stage.a].page)
    if not more:
        return row(BROKE, "no new word on the page tells that it is missing", visit.asked, subject=subject)
    agreed = (
        f"what the contract says (“{field.says[0]}”)" if field.says else "enough, of which the contract says nothing"
    )
    seen = f"without it the page says “{more}”; whether that is {agreed}, a person has to judge"
    return row(NEEDS_HOOK, seen, visit.asked, subject=subject)


def _as_pattern(says: str) -> str:
    """A sentence of the contract as it may stand on a page, its placeholders filled in."""
    parts = re.split(r"\{[a-z_]+\}", " ".join(says.rstrip(".").split()))
    return ".{1,60}".join(map(re.escape, parts))


def _take(record: dict[str, Any], path: str) -> bool:
    """Take an element out of a record, wherever lists lead; whether it was there."""
    name, _, rest = path.partition(".")
    names = [key for key in record if key == name or (name.endswith("[x]") and key.startswith(name[:-3]))]
    taken = False
    for key in names:
        if not rest:
            del record[key]
            taken = True
            continue
        for part in record[key] if isinstance(record[key], list) else [record[key]]:
            taken = (isinstance(part, dict) and _take(part, rest)) or taken
    return taken
