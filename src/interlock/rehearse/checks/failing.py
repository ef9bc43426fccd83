"""Reads that fail: refused, not found, too many, late, and answers that are not what they should be."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import Response

from interlock.rehearse.browser import PAGE_SECONDS, Page
from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import (
    NO_READ,
    NO_SEARCH,
    UNSTEADY,
    Answer,
    each_answer,
    nothing_found,
    searched,
    searches,
)
from interlock.rehearse.hospitals import OutOfReachError
from interlock.rehearse.pages import said, visible_text, words_on
from interlock.rehearse.records import canary, records
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, Row, Stage, Visit, is_search, judged, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import fhir_json, outcome, page

_MOST_TRIES = 3
#: Seconds that a hospital asks the product to wait.
_RETRY_AFTER = 2
#: Seconds by which answers are late, and until one that never comes is given up here too.
_LATE, _NEVER = 8.0, PAGE_SECONDS + 1
_FAULTS: dict[str, Answer] = {
    "403": lambda _: outcome(403, "forbidden", "not permitted"),
    "404": lambda _: outcome(404, "not-found", "not found"),
    "500": lambda _: outcome(500, "exception", "an internal error"),
    "an OperationOutcome under 200": lambda _: outcome(200, "processing", "the request was refused"),
    "HTML under 200": lambda _: page("Sign in", "<p>Sign in to continue.</p>"),
}
_BROKEN: dict[str, Answer] = {
    "XML": lambda _: Response("<Bundle xmlns='http://hl7.org/fhir'/>", media_type="application/fhir+xml"),
    "half of it": lambda _: Response('{"resourceType": "Bundle", "entry": [', media_type="application/fhir+json"),
    "100,000 deep": lambda _: Response("[" * 100_000 + "]" * 100_000, media_type="application/fhir+json"),
    "a list": lambda _: Response("[1, 2]", media_type="application/fhir+json"),
    "no entries but null": lambda _: fhir_json({"resourceType": "Bundle", "type": "searchset", "entry": None}),
}


@check("F04")
def unauthorised(stage: Stage) -> Row:
    """401 to every read of one sign-in."""
    denied = outcome(401, "login", "the token is not good", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    with stage.answers(stage.a, "resource", lambda _: denied):
        visit = stage.visit(stage.a, home=False)
    reads = visit.of("resource")
    if not reads:
        return not_reached("nothing was read")
    tries = max(sum(read.path == other.path and read.query == other.query for other in reads) for read in reads)
    problem = stage.crashed(visit.page) or (f"it asked for the same {tries} times" if tries > _MOST_TRIES else "")
    return judged(problem, f"{visit.page.told} after {len(reads)} reads", reads)


def _empty_page(stage: Stage, org: str) -> tuple[str, str]:
    """What the page says of a patient of whom nothing is recorded; or why there is no such page to compare with."""
    with stage.answers(org, "resource", lambda exchange: nothing_found(exchange) if is_search(exchange) else None):
        nothing, again = (stage.visit(org).page for _ in range(2))
    if problem := stage.crashed(nothing):
        return "", f"with an empty answer there is nothing to compare with: {problem}"
    if visible_text(nothing) != visible_text(again):
        return "", UNSTEADY
    was = visible_text(stage.visits[org].page)
    same = visible_text(nothing) == was
    return visible_text(nothing), "the page shows the same when searches find nothing" if same else ""


@check("F05")
def failed_is_not_empty(stage: Stage) -> list[Row] | Row:
    """Each fault in the place of a search, against an answer that is empty."""
    if not searched(stage):
        return not_reached(NO_SEARCH)
    empty, why = _empty_page(stage, stage.a)
    if why:
        return not_reached(why)
    return each_answer(
        stage,
        _FAULTS,
        lambda visit: "the page looks as if nothing were recorded" if visible_text(visit.page) == empty else "",
        "the page says something else than an empty chart",
    )


@check("F06")
def failed_breaks_nothing(stage: Stage) -> list[Row] | Row:
    """The same faults: the page stands, and the product lives."""
    if not stage.visits[stage.a].of("resource"):
        return not_reached(NO_READ)
    return each_answer(stage, _FAULTS, lambda visit: stage.crashed(visit.page))


@check("F07")
def retry_after(stage: Stage) -> Row:
    """429 with the seconds to wait (RFC 9110 section 10.2.3)."""
    late = outcome(429, "throttled", "too many requests", {"Retry-After": str(_RETRY_AFTER)})
    with stage.answers(stage.a, "resource", lambda _: late):
        visit = stage.visit(stage.a, home=False)
    reads = visit.of("resource")
    if not reads:
        return not_reached("nothing was read")
    hasty = [
        later
        for number, earlier in enumerate(reads)
        for later in reads[number + 1 :]
        if (earlier.path, earlier.query) == (later.path, later.query) and later.at - earlier.at < _RETRY_AFTER
    ]
    problem = f"it asked for the same again after {hasty[0].at - reads[0].at:.1f} s" if hasty else ""
    return judged(problem, "nothing was asked for again before that", hasty or reads)


@check("F08")
def late(stage: Stage) -> list[Row] | Row:
    """Every read late at A, and searches that are never answered at B, at once where there are two hospitals."""
    if not searched(stage):
        return not_reached(NO_SEARCH)
    waits = [
        ("every answer 8 s late", stage.a, lambda exchange: _LATE if exchange.role == "resource" else 0.0),
        ("searches are never answered", stage.b or stage.a, lambda exchange: _NEVER if is_search(exchange) else 0.0),
    ]
    rows: list[Row] = []
    if stage.b is not None and stage.chromium is None:  # Chromium is driven from one thread
        with ThreadPoolExecutor(len(waits)) as pool:
            rows = list(pool.map(lambda wait: _waited(stage, *wait), waits))
    # A product that does one thing at a time is late by both; what went wrong together is tried alone.
    alone = [wait for number, wait in enumerate(waits) if not rows or rows[number].outcome is not HELD]
    tried = {wait[0]: _waited(stage, *wait) for wait in alone}
    return [tried.get(wait[0]) or rows[number] for number, wait in enumerate(waits)]


def _waited(stage: Stage, subject: str, org: str, seconds: Callable[[Exchange], float]) -> Row:
    empty, why = _empty_page(stage, org)
    if why:
        return not_reached(why, subject=subject)
    with stage.hospitals.twisted(late=lambda exchange: seconds(exchange) if exchange.organization.id == org else 0.0):
        began = time.monotonic()
        visit = stage.visit(org)
    took = time.monotonic() - began
    problem = stage.crashed(visit.page)
    if not problem and visible_text(visit.page) == empty:
        problem = "the page looks as if nothing were recorded"
    return judged(
        problem, f"a page after {took:.0f} s, other than that of an empty chart", visit.asked, subject=subject
    )


@check("F23")
def no_fhir(stage: Stage) -> list[Row] | Row:
    """Answers that are not what they should be."""
    if not stage.visits[stage.a].of("resource"):
        return not_reached(NO_READ)
    return each_answer(stage, _BROKEN, lambda visit: stage.crashed(visit.page))


def _glass(_: Exchange) -> Response:
    """403 with an issue ``suppressed``: to be had another way (FHIR R4, issue types)."""
    return outcome(403, "suppressed", "break the glass: a reason has to be given in the EHR")


@check("F24")
def reason_wanted(stage: Stage) -> list[Row] | Row:
    """A chart that needs a reason from the beginning, and one that does from now on."""
    if not searched(stage):
        return not_reached(NO_SEARCH)
    empty, why = _empty_page(stage, stage.a)
    if why:
        return not_reached(why)
    with searches(stage, _FAULTS["403"]):
        refused = stage.visit(stage.a).page
    with searches(stage, _glass):
        visit = stage.visit(stage.a)
    return [_reason_told(stage, visit, refused, empty), _copy_kept(stage)]


def _copy_kept(stage: Stage) -> Row:
    """The page once more, when what it has shown before is not to be had any more without a reason."""
    browser, subject = stage.browser(), "what was read before"
    first = stage.visit(stage.a, browser=browser)
    kinds = {record["resourceType"] for record in records(stage.a)} - {"Patient"}
    marks = [mark for kind in kinds if first.page.shows(mark := canary(stage.a, "p1", kind))]
    try:
        if not any(map(stage.again(browser, first.page).shows, marks)):
            return not_reached("the page, loaded again, shows nothing even when all is well", subject=subject)
        since = stage.hospitals.now()
        with searches(stage, _glass):
            again = stage.again(browser, first.page)
    except OutOfReachError as error:
        return not_reached(str(error), subject=subject)
    asked = stage.hospitals.asked(since, org=stage.a)
    if not any(map(again.shows, marks)):
        return row(HELD, f"loaded again, the page shows nothing of it; {again.told}", asked, subject=subject)
    more = said(again, first.page)
    if not asked:
        question = "whether the product may keep it, a person has to judge"
        return row(NEEDS_HOOK, f"loaded again, the page shows a copy and asks nothing; {question}", subject=subject)
    if more:
        question = "whether that tells the reader that it was read before, a person has to judge"
        seen = f"loaded again, the page still shows it, and says “{more}”; {question}"
        return row(NEEDS_HOOK, seen, asked, subject=subject)
    seen = "loaded again, the page shows a copy of what the hospital does not give any more, and says nothing of it"
    return row(BROKE, seen, asked, subject=subject)


def _reason_told(stage: Stage, visit: Visit, refused: Page, empty: str) -> Row:
    subject, problem = "what is to be read", stage.crashed(visit.page)
    if not problem and visible_text(visit.page) == empty:
        problem = "the page looks as if nothing were recorded"
    if problem:
        return row(BROKE, problem, visit.asked, subject=subject)
    text = words_on(visit.page)
    if re.search(r"(?i)\breason\b|break[ -]the[ -]glass|emergency access", text) and said(visit.page, refused):
        return row(HELD, f"the page says “{said(visit.page, refused)}”", visit.asked, subject=subject)
    more = said(visit.page, stage.visits[stage.a].page)
    question = "whether that leads the reader back to the EHR, a person has to judge"
    return row(NEEDS_HOOK, f"the page says “{more}”; {question}", visit.asked, subject=subject)
