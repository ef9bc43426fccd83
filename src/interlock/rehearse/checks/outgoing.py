"""Addresses in what a hospital answers that lead away: next links, references, attachments, styles."""

from __future__ import annotations

from typing import Any

from interlock.rehearse.checks.base import check, edit_token, not_reached, shows_own
from interlock.rehearse.checks.searches import NO_SEARCH, finding_more, searched
from interlock.rehearse.hospitals import STRANGER
from interlock.rehearse.stage import Row, Stage, judged
from interlock.sandbox.exchange import Exchange


@check("F10")
def next_elsewhere(stage: Stage) -> list[Row] | Row:
    """A next link at the stranger, and one at B."""
    if not searched(stage):
        return not_reached(NO_SEARCH)
    rows = []
    for subject, org in (("a server that nobody registered", STRANGER), ("another hospital", stage.b)):
        if org is None:
            continue
        with finding_more(stage, links=(("next", f"{stage.hospitals.base(org)}/{{path}}?page=2"),)):
            visit = stage.visit(stage.a)
        there = [request for request in visit.asked if request.organization == org]
        lost = [request for request in there if request.token]
        problem = f"the access token of {stage.a} was sent there" if lost else ""
        rows.append(judged(problem, f"{len(there)} requests arrived there, none with a token", there, subject=subject))
    return rows


@check("F21")
def references_elsewhere(stage: Stage) -> Row:
    """References, attachments and photos at the stranger."""
    since, there = stage.hospitals.now(), stage.hospitals.base(STRANGER)

    def edit(_: Exchange, document: dict[str, Any]) -> None:
        if document.get("resourceType") == "Patient":
            document["photo"] = [{"contentType": "image/png", "url": f"{there}/Binary/photo"}]
            document["generalPractitioner"] = [{"reference": f"{there}/Practitioner/other"}]
        for entry in document.get("entry") or []:
            entry["resource"]["note"] = [{"authorReference": {"reference": f"{there}/Practitioner/other"}, "text": "x"}]
            entry["resource"]["performer"] = [{"reference": f"{there}/Practitioner/other"}]

    with stage.edits(stage.a, ("resource",), edit):
        visit = stage.visit(stage.a)
    if not visit.of("resource"):
        return not_reached("nothing was read")
    came = stage.hospitals.asked(since, org=STRANGER)
    lost = [request for request in came if request.token]
    problem = "the access token was sent to another server, which a reference named" if lost else ""
    return judged(problem, f"{len(came)} requests arrived there, none with a token", came)


@check("D04")
def style(stage: Stage) -> Row:
    """smart_style_url of the token answer at the stranger."""
    since = stage.hospitals.now()
    with edit_token(stage, stage.a, smart_style_url=f"{stage.hospitals.base(STRANGER)}/smart-style.json"):
        visit = stage.visit(stage.a)
    if not visit.of("token"):
        return not_reached("the token endpoint was not asked")
    came = stage.hospitals.asked(since, org=STRANGER)
    problem = "the product's server fetched a style from an address that a token answer named" if came else ""
    return (
        judged(problem, "nothing was fetched", came)
        if shows_own(stage, visit) or came
        else not_reached(visit.page.told)
    )
