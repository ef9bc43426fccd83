"""What is found in a chart and does not belong there, or not as it is: another's, in error, with markup."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import (
    NO_OBSERVATION,
    NO_SEARCH,
    UNSTEADY,
    changing,
    finding_more,
    finds_observations,
    searched,
    shows_kind,
    unsteady,
)
from interlock.rehearse.pages import said
from interlock.rehearse.records import canary, observation, records
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, NOT_APPLICABLE, Row, Stage, judged, row
from interlock.sandbox.exchange import Exchange

_MARK = "zqxmarkup"


@check("F09")
def foreign_record(stage: Stage) -> Row:
    """Records of patient 2 in what is found for patient 1."""
    if not searched(stage):
        return not_reached(NO_SEARCH)
    foreign = [record for record in records(stage.a) if canary(stage.a, "p2") in json.dumps(record).lower()]
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


@check("F16")
def duplicates(stage: Stage) -> list[Row] | Row:
    """An observation that is found twice, and one that is there under two ids."""
    polite = stage.visits[stage.a].page
    number = next((known for known in (1, 2, 3) if polite.shows(canary(stage.a, "p1", "observation", known))), None)
    if number is None:
        return not_reached(NO_OBSERVATION)
    mark, same = canary(stage.a, "p1", "observation", number), observation(stage.a, "p1", number)
    usual = polite.text.lower().count(mark)
    with finding_more(stage, same):
        visit = stage.visit(stage.a)
    times = visit.page.text.lower().count(mark)
    problem = f"it is named {times} times on the page, and {usual} as a rule" if times > usual else ""
    twice = judged(problem, "the page names it as often as ever", visit.asked, subject="the same id twice")
    return [twice, _under_two_ids(stage, same, mark, usual)]


def _under_two_ids(stage: Stage, same: dict[str, Any], mark: str, usual: int) -> Row:
    """One result, known by its identifier, in two records."""
    subject, agreed = "the same identifier under two ids", stage.contract and stage.contract.failures.duplicate
    if not agreed:
        seen = "contract.yaml does not say what becomes of duplicates (failures.duplicate), or is not there"
        return row(NOT_APPLICABLE, seen, subject=subject)
    named = {"identifier": [{"system": f"https://{stage.a}.example/results", "value": "R-1"}]}
    with (
        changing(stage, "Observation", lambda record: record.update(named), same["id"]),
        finding_more(stage, same | named | {"id": f"{same['id']}-again"}),
    ):
        visit = stage.visit(stage.a)
    if visit.page.text.lower().count(mark) <= usual:
        return row(HELD, "the page names it once", visit.asked, subject=subject)
    question = f"whether that is what the contract says (“{agreed}”), a person has to judge"
    return row(NEEDS_HOOK, f"the page names both; {question}", visit.asked, subject=subject)


@check("F20")
def merged(stage: Stage) -> list[Row] | Row:
    """A patient's record that another one took the place of: it says so, or the other one comes in its place."""
    if not shows_kind(stage, "Patient"):
        return not_reached("the polite page does not show the patient's name")
    return [replace(_replaced(stage), subject="a link to another record"), _answered_by_another(stage)]


def _answered_by_another(stage: Stage) -> Row:
    """The record that remained, where the one that was merged into it is asked for: its results are still apart."""
    subject, told = "the other record in its place", list[None]()
    other = next(record for record in records(stage.a) if (record["resourceType"], record["id"]) == ("Patient", "p2"))

    def change(record: dict[str, Any]) -> None:
        record.clear()
        record.update(copy.deepcopy(other))
        told.append(None)

    with changing(stage, "Patient", change):
        visit = stage.visit(stage.a)
    if not told:
        return not_reached("the product did not read the patient again", subject=subject)
    if problem := stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked, subject=subject)
    other_name = visit.page.shows(canary(stage.a, "p2", "patient"))
    mixed = other_name and visit.page.shows(canary(stage.a, "p1", "observation"))
    more = " ".join(word for word in said(visit.page, stage.visits[stage.a].page).split() if "zqx" not in word.lower())
    if mixed and more:
        question = "whether the reader knows by that whose results these are, a person has to judge"
        seen = f"it shows results of patient 1 below the name of patient 2, and says “{more}”; {question}"
        return row(NEEDS_HOOK, seen, visit.asked, subject=subject)
    problem = "it shows results of patient 1 below the name of patient 2, and says nothing of it" if mixed else ""
    return judged(problem, "no results of patient 1 stand below the name of patient 2", visit.asked, subject=subject)


def _replaced(stage: Stage) -> Row:
    """FHIR R4, link type ``replaced-by``."""
    link = [{"other": {"reference": "Patient/p2"}, "type": "replaced-by"}]
    told: list[None] = []

    def change(record: dict[str, Any]) -> None:
        record.update(active=False, link=link)
        told.append(None)

    with changing(stage, "Patient", change):
        visit = stage.visit(stage.a)
    if not told:
        return not_reached("the product did not read the patient again")
    if problem := stage.crashed(visit.page):
        return row(BROKE, problem, visit.asked)
    more = said(visit.page, stage.visits[stage.a].page)
    if more or not visit.page.shows(canary(stage.a, "p1", "patient")):
        if more and unsteady(stage):
            return not_reached(UNSTEADY)
        return row(HELD, f"the page says “{more}”" if more else "the patient is not shown", visit.asked)
    return row(BROKE, "the page is that of a record in use: that another took its place is not said", visit.asked)
