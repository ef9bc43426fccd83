"""Searches whose answer has more than one page."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import NO_OBSERVATION, UNSTEADY, finds_observations, searches, unsteady
from interlock.rehearse.pages import visible_text
from interlock.rehearse.records import canary, observation
from interlock.rehearse.stage import BROKE, HELD, Row, Stage, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import fhir_json, outcome

_NUMBERS = (7, 8, 9)
_NONE_OF_THEM = "an observation that stands alone on one page is not shown, so pages say nothing"


@check("F11")
def later_pages(stage: Stage) -> Row:
    """Observations on three pages; the canary is on the last."""
    return _compared(stage, 3, "of three pages the first alone is shown, as if it were all", "more is announced")


@check("F12")
def second_page_fails(stage: Stage) -> Row:
    """The second page fails."""
    problem = "a list whose second page failed looks like a whole one"
    return _compared(stage, 2, problem, "the page says something else than a whole list", fails=True)


def _compared(stage: Stage, pages: int, problem: str, well: str, *, fails: bool = False) -> Row:
    """The page of an answer in several pages against that of its first one alone."""
    if not finds_observations(stage):
        return not_reached(NO_OBSERVATION)
    with _paged(stage, pages, fails=fails):
        visit = stage.visit(stage.a)
    if visit.page.shows(canary(stage.a, "p1", "observation", _NUMBERS[pages - 1])):
        return row(HELD, "what is on the last page is shown", visit.asked)
    with _paged(stage, 1):
        single = stage.visit(stage.a).page
    if not single.shows(canary(stage.a, "p1", "observation", _NUMBERS[0])):
        return not_reached(_NONE_OF_THEM)
    if visible_text(single) == visible_text(visit.page):
        return row(BROKE, problem, visit.asked)
    return not_reached(UNSTEADY) if unsteady(stage) else row(HELD, well, visit.asked)


def _paged(stage: Stage, pages: int, *, fails: bool = False) -> Any:
    """Let the search for observations have one on each of some pages, as a context."""

    def make(exchange: Exchange) -> Response | None:
        if exchange.path != "Observation":
            return None
        number = int(exchange.request.query_params.get("zqxpage", "1"))
        if fails and number > 1:
            return outcome(500, "exception", "an internal error")
        link = [{"relation": "self", "url": exchange.address}]
        if number < pages:
            link.append({"relation": "next", "url": f"{exchange.address}?zqxpage={number + 1}"})
        record = observation(stage.a, "p1", _NUMBERS[number - 1])
        entry = [{"fullUrl": f"{exchange.base}/Observation/{record['id']}", "resource": record}]
        return fhir_json({"resourceType": "Bundle", "type": "searchset", "total": pages, "link": link, "entry": entry})

    return searches(stage, make)
