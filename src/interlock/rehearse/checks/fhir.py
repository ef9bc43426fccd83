"""Reading FHIR: answers that fail, that belong to somebody else, that lead away, that have more than one page."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from interlock.rehearse.checks.base import check, each, edit_token, not_reached, shows_own
from interlock.rehearse.hospitals import STRANGER, Asked
from interlock.rehearse.records import canary, observation, records
from interlock.rehearse.stage import BROKE, HELD, Row, Stage, Visit, is_search, judged, row, visible_text
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import fhir_json, outcome, page

_MOST_TRIES = 3
#: Seconds that a hospital asks the product to wait.
_RETRY_AFTER = 2
_MARK = "zqxmarkup"
_FAULTS: dict[str, Callable[[], Response]] = {
    "403": lambda: outcome(403, "forbidden", "not permitted"),
    "404": lambda: outcome(404, "not-found", "not found"),
    "500": lambda: outcome(500, "exception", "an internal error"),
    "an OperationOutcome under 200": lambda: outcome(200, "processing", "the request was refused"),
    "HTML under 200": lambda: page("Sign in", "<p>Sign in to continue.</p>"),
}
_BROKEN: dict[str, Callable[[], Response]] = {
    "XML": lambda: Response("<Bundle xmlns='http://hl7.org/fhir'/>", media_type="application/fhir+xml"),
    "half of it": lambda: Response('{"resourceType": "Bundle", "entry": [', media_type="application/fhir+json"),
    "100,000 deep": lambda: Response("[" * 100_000 + "]" * 100_000, media_type="application/fhir+json"),
    "a list": lambda: Response("[1, 2]", media_type="application/fhir+json"),
    "no entries but null": lambda: fhir_json({"resourceType": "Bundle", "type": "searchset", "entry": None}),
}
_NO_SEARCH = "the product did not search in the polite sign-in, or showed nothing of what it found"


def _searched(stage: Stage) -> bool:
    """Whether the polite page shows something that came from a search."""
    visit = stage.visits[stage.a]
    kinds = {record["resourceType"] for record in records(stage.a)} - {"Patient"}
    asked = {one.path.rpartition("/fhir/")[2] for one in visit.of("resource")}
    return any(visit.page.shows(canary(stage.a, "p1", kind)) for kind in kinds & asked)


def _searches(stage: Stage, make: Callable[[Exchange], Response | None]) -> Any:
    """Let searches at A answer something else, as a context."""
    return stage.answers(stage.a, "resource", lambda exchange: make(exchange) if is_search(exchange) else None)


def _empty(exchange: Exchange) -> Response:
    return fhir_json(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": 0,
            "link": [{"relation": "self", "url": exchange.address}],
        }
    )


@check("F01", polite=True)
def token_in_header(stage: Stage) -> list[Row]:
    """How the token travelled in the polite reads (RFC 6750 section 2)."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        if not reads:
            return "", []
        tokens = {one.token for one in reads if one.token}
        loose = [one for one in reads if "access_token" in one.query or tokens & set(one.query.values())]
        if loose:
            return "the access token stands in an address", loose
        kept = [one for one in reads if "cookie" in one.headers]
        return ("cookies were sent to the hospital" if kept else ""), kept or reads

    return each(stage, problem, "in the Authorization header alone")


@check("F03", polite=True)
def polite_headers(stage: Stage) -> list[Row]:
    """What the polite reads say of themselves."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        reads = visit.of("resource")
        vague = [one for one in reads if "json" not in one.headers.get("accept", "")]
        unnamed = [one for one in reads if not one.headers.get("user-agent")]
        if vague:
            return f"it accepts {vague[0].headers.get('accept', 'nothing')!r}, and FHIR has a type of its own", vague
        return ("it names no program" if unnamed else ""), unnamed or reads

    return each(stage, problem, "the format and the program are named")


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


@check("F05")
def failed_is_not_empty(stage: Stage) -> list[Row] | Row:
    """Each fault in the place of a search, against an answer that is empty."""
    if not _searched(stage):
        return not_reached(_NO_SEARCH)
    with _searches(stage, _empty):
        nothing = stage.visit(stage.a).page
    if problem := stage.crashed(nothing):
        return not_reached(f"with an empty answer there is nothing to compare with: {problem}")
    empty = visible_text(nothing)
    rows = []
    for subject, fault in _FAULTS.items():
        with _searches(stage, lambda _, fault=fault: fault()):  # type: ignore[misc]  # bound
            visit = stage.visit(stage.a)
        same = visible_text(visit.page) == empty
        problem = "the page looks as if nothing were recorded" if same else ""
        rows.append(judged(problem, "the page says something else than an empty chart", visit.asked, subject=subject))
    return rows


@check("F06")
def failed_breaks_nothing(stage: Stage) -> list[Row] | Row:
    """The same faults: the page stands, and the product lives."""
    if not stage.visits[stage.a].of("resource"):
        return not_reached("nothing was read in the polite sign-in")
    rows = []
    for subject, fault in _FAULTS.items():
        with _searches(stage, lambda _, fault=fault: fault()):  # type: ignore[misc]  # bound
            visit = stage.visit(stage.a)
        rows.append(judged(stage.crashed(visit.page), visit.page.told, visit.asked, subject=subject))
    return rows


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


def _with_entry(stage: Stage, *extra: dict[str, Any], links: tuple[tuple[str, str], ...] = ()) -> Any:
    """Let searches at A find something more, or lead somewhere, as a context."""

    def edit(exchange: Exchange, document: dict[str, Any]) -> None:
        if document.get("resourceType") != "Bundle" or not is_search(exchange):
            return
        fitting = [one for one in extra if one["resourceType"] == exchange.path]
        entries = [
            {"fullUrl": f"{exchange.base}/{one['resourceType']}/{one['id']}", "resource": one} for one in fitting
        ]
        document["entry"] = [*document.get("entry", []), *(entry | {"search": {"mode": "match"}} for entry in entries)]
        added = [{"relation": name, "url": url.replace("{path}", exchange.path)} for name, url in links]
        document["link"] = [
            link for link in document.get("link", []) if not added or link["relation"] != "next"
        ] + added

    return stage.edits(stage.a, ("resource",), edit)


@check("F09")
def foreign_record(stage: Stage) -> Row:
    """Records of patient 2 in what is found for patient 1."""
    if not _searched(stage):
        return not_reached(_NO_SEARCH)
    foreign = [one for one in records(stage.a) if canary(stage.a, "p2") in json.dumps(one).lower()]
    with _with_entry(stage, *foreign):
        visit = stage.visit(stage.a)
    if f"{stage.a} p2" in stage.shown(visit.page, [stage.a]):
        return row(BROKE, "a record whose subject is another patient was shown", visit.asked)
    return row(HELD, "it was not shown", visit.asked)


@check("F10")
def next_elsewhere(stage: Stage) -> list[Row] | Row:
    """A next link at the stranger, and one at B."""
    if not _searched(stage):
        return not_reached(_NO_SEARCH)
    rows = []
    for subject, org in (("a server that nobody registered", STRANGER), ("another hospital", stage.b)):
        if org is None:
            continue
        with _with_entry(stage, links=(("next", f"{stage.hospitals.base(org)}/{{path}}?page=2"),)):
            visit = stage.visit(stage.a)
        there = [one for one in visit.asked if one.organization == org]
        lost = [one for one in there if one.token]
        problem = f"the access token of {stage.a} was sent there" if lost else ""
        rows.append(judged(problem, f"{len(there)} requests arrived there, none with a token", there, subject=subject))
    return rows


@check("F11")
def later_pages(stage: Stage) -> Row:
    """Observations on three pages; the canary is on the last."""
    if not _finds_observations(stage):
        return not_reached(_NO_SEARCH)
    with _paged(stage, 3):
        visit = stage.visit(stage.a)
    if visit.page.shows(canary(stage.a, "p1", "observation", 9)):
        return row(HELD, "what is on the last page is shown", visit.asked)
    with _paged(stage, 1):
        single = stage.visit(stage.a)
    same = visible_text(single.page) == visible_text(visit.page)
    return judged(
        "of three pages the first alone is shown, as if it were all" if same else "", "more is announced", visit.asked
    )


@check("F12")
def second_page_fails(stage: Stage) -> Row:
    """The second page fails."""
    if not _finds_observations(stage):
        return not_reached(_NO_SEARCH)
    with _paged(stage, 2, fails=True):
        visit = stage.visit(stage.a)
    with _paged(stage, 1):
        single = stage.visit(stage.a)
    same = visible_text(single.page) == visible_text(visit.page)
    problem = "a list whose second page failed looks like a whole one" if same else ""
    return judged(problem, "the page says something else than a whole list", visit.asked)


def _finds_observations(stage: Stage) -> bool:
    return stage.visits[stage.a].page.shows(canary(stage.a, "p1", "observation"))


def _paged(stage: Stage, pages: int, *, fails: bool = False) -> Any:
    """Let the search for observations have one on each of some pages, numbers 7, 8 and 9, as a context."""

    def make(exchange: Exchange) -> Response | None:
        if exchange.path != "Observation":
            return None
        number = int(exchange.request.query_params.get("zqxpage", "1"))
        if fails and number > 1:
            return outcome(500, "exception", "an internal error")
        link = [{"relation": "self", "url": exchange.address}]
        if number < pages:
            link.append({"relation": "next", "url": f"{exchange.address}?zqxpage={number + 1}"})
        found = observation(stage.a, "p1", 6 + number)
        entry = [{"fullUrl": f"{exchange.base}/Observation/{found['id']}", "resource": found}]
        return fhir_json({"resourceType": "Bundle", "type": "searchset", "total": pages, "link": link, "entry": entry})

    return _searches(stage, make)


@check("F14")
def in_error(stage: Stage) -> Row:
    """An observation that was entered in error."""
    if not _finds_observations(stage):
        return not_reached(_NO_SEARCH)
    wrong = observation(stage.a, "p1", 8) | {"status": "entered-in-error"}
    with _with_entry(stage, wrong):
        visit = stage.visit(stage.a)
    shown = visit.page.shows(canary(stage.a, "p1", "observation", 8))
    marked = "in error" in visit.page.text.lower() or "entered-in-error" in visit.page.text.lower()
    problem = "an observation that was entered in error is shown like any other" if shown and not marked else ""
    return judged(problem, "it is not shown, or marked", visit.asked)


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
    lost = [one for one in came if one.token]
    problem = "the access token was sent to another server, which a reference named" if lost else ""
    return judged(problem, f"{len(came)} requests arrived there, none with a token", came)


@check("F22")
def markup(stage: Stage) -> Row:
    """Markup in the name of an observation and of the patient."""
    evil = f"<script>{_MARK}</script><img src=x onerror={_MARK}>"
    hostile = observation(stage.a, "p1", 8)
    hostile["code"] = {"text": evil}

    def edit(_: Exchange, document: dict[str, Any]) -> None:
        if document.get("resourceType") == "Patient":
            document["name"] = [{"family": evil, "given": [document["name"][0]["family"]]}]

    with _with_entry(stage, hostile), stage.edits(stage.a, ("resource",), edit):
        visit = stage.visit(stage.a)
    if _MARK not in visit.page.text:
        return not_reached("neither the patient's name nor an observation's is shown")
    raw = f"<script>{_MARK}" in visit.page.text or f"<img src=x onerror={_MARK}" in visit.page.text
    is_html = "html" in visit.page.headers.get("content-type", "")
    return judged(
        "markup of a record stands in the page as it came" if raw and is_html else "", "shown as text", visit.asked
    )


@check("F23")
def no_fhir(stage: Stage) -> list[Row] | Row:
    """Answers that are not what they should be."""
    if not stage.visits[stage.a].of("resource"):
        return not_reached("nothing was read in the polite sign-in")
    rows = []
    for subject, broken in _BROKEN.items():
        with _searches(stage, lambda _, broken=broken: broken()):  # type: ignore[misc]  # bound
            visit = stage.visit(stage.a)
        rows.append(judged(stage.crashed(visit.page), visit.page.told, visit.asked, subject=subject))
    return rows


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
