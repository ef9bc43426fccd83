"""Reads that fail: refused, not found, too many, late, and answers that are not what they should be."""

from __future__ import annotations

from starlette.responses import Response

from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.checks.searches import NO_READ, NO_SEARCH, Answer, each_answer, nothing_found, searched
from interlock.rehearse.stage import Row, Stage, is_search, judged, visible_text
from interlock.sandbox.replies import fhir_json, outcome, page

_MOST_TRIES = 3
#: Seconds that a hospital asks the product to wait.
_RETRY_AFTER = 2
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
    tries = max(sum(one.path == other.path and one.query == other.query for other in reads) for one in reads)
    problem = stage.crashed(visit.page) or (f"it asked for the same {tries} times" if tries > _MOST_TRIES else "")
    return judged(problem, f"{visit.page.told} after {len(reads)} reads", reads)


def _empty_page(stage: Stage, org: str) -> tuple[str, str]:
    """What the page says of a patient of whom nothing is recorded; or why there is no such page to compare with."""
    with stage.answers(org, "resource", lambda exchange: nothing_found(exchange) if is_search(exchange) else None):
        nothing = stage.visit(org).page
    if problem := stage.crashed(nothing):
        return "", f"with an empty answer there is nothing to compare with: {problem}"
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
        for number, one in enumerate(reads)
        for later in reads[number + 1 :]
        if (one.path, one.query) == (later.path, later.query) and later.at - one.at < _RETRY_AFTER
    ]
    problem = f"it asked for the same again after {hasty[0].at - reads[0].at:.1f} s" if hasty else ""
    return judged(problem, "nothing was asked for again before that", hasty or reads)


@check("F23")
def no_fhir(stage: Stage) -> list[Row] | Row:
    """Answers that are not what they should be."""
    if not stage.visits[stage.a].of("resource"):
        return not_reached(NO_READ)
    return each_answer(stage, _BROKEN, lambda visit: stage.crashed(visit.page))
