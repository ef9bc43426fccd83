"""What is found in a chart and does not belong there, or not as it is: another's, in error, with markup."""

from __future__ import annotations

import json
from typing import Any

from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import NO_OBSERVATION, NO_SEARCH, finding_more, finds_observations, searched
from interlock.rehearse.records import canary, observation, records
from interlock.rehearse.stage import BROKE, HELD, Row, Stage, judged, row
from interlock.sandbox.exchange import Exchange

_MARK = "zqxmarkup"


@check("F09")
def foreign_record(stage: Stage) -> Row:
    """Records of patient 2 in what is found for patient 1."""
    if not searched(stage):
        return not_reached(NO_SEARCH)
    foreign = [one for one in records(stage.a) if canary(stage.a, "p2") in json.dumps(one).lower()]
    with finding_more(stage, *foreign):
        visit = stage.visit(stage.a)
    if f"{stage.a} p2" in stage.shown(visit.page, [stage.a]):
        return row(BROKE, "a record whose subject is another patient was shown", visit.asked)
    return row(HELD, "it was not shown", visit.asked)


@check("F14")
def in_error(stage: Stage) -> Row:
    """An observation that was entered in error."""
    if not finds_observations(stage):
        return not_reached(NO_OBSERVATION)
    wrong = observation(stage.a, "p1", 8) | {"status": "entered-in-error"}
    with finding_more(stage, wrong):
        visit = stage.visit(stage.a)
    shown = visit.page.shows(canary(stage.a, "p1", "observation", 8))
    marked = "in error" in visit.page.text.lower() or "entered-in-error" in visit.page.text.lower()
    problem = "an observation that was entered in error is shown like any other" if shown and not marked else ""
    return judged(problem, "it is not shown, or marked", visit.asked)


@check("F22")
def markup(stage: Stage) -> Row:
    """Markup in the name of an observation and of the patient."""
    evil = f"<script>{_MARK}</script><img src=x onerror={_MARK}>"
    hostile = observation(stage.a, "p1", 8)
    hostile["code"] = {"text": evil}

    def edit(_: Exchange, document: dict[str, Any]) -> None:
        if document.get("resourceType") == "Patient":
            document["name"] = [{"family": evil, "given": [document["name"][0]["family"]]}]

    with finding_more(stage, hostile), stage.edits(stage.a, ("resource",), edit):
        visit = stage.visit(stage.a)
    if _MARK not in visit.page.text:
        return not_reached("neither the patient's name nor an observation's is shown")
    raw = f"<script>{_MARK}" in visit.page.text or f"<img src=x onerror={_MARK}" in visit.page.text
    is_html = "html" in visit.page.headers.get("content-type", "")
    return judged(
        "markup of a record stands in the page as it came" if raw and is_html else "", "shown as text", visit.asked
    )
