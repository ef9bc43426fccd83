"""The product's own addresses: without a session, with another's, after the end of one; and where they lead."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from interlock.model.product import VisitedEndpoint
from interlock.rehearse.acting import sign_out
from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import NOT_SHOWN, check, not_reached, shows_own
from interlock.rehearse.hospitals import STRANGER
from interlock.rehearse.records import canary
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, filled, judged, query_of, row
from interlock.sandbox.launches import with_query

#: Addresses that tell a stranger something, and what they would tell.
_OPERATIONS = {
    "/metrics": "# help", "/openapi.json": '"openapi"', "/swagger.json": '"swagger"', "/.git/config": "[core]",
    "/.env": "secret", "/actuator/env": "propertysources", "/debug/vars": '"cmdline"', "/server-status": "apache",
    "/graphql?query=%7B__schema%7BqueryType%7Bname%7D%7D%7D": '"querytype"',
}  # fmt: skip
_NONE = "neither product.yaml nor the contract names an endpoint that shows patient data"
#: What no browser opens to see a record.
_CALLED = ("inbound", "change", "link", "events", "socket")
Judge = Callable[[VisitedEndpoint, str], Row]

_OPEN = "it asks for no session at all (RH-E01), so which session it takes cannot be told"


def opened(
    stage: Stage, browser: Browser, endpoint: VisitedEndpoint, org: str, patient: str = "p1", **query: str
) -> Page:
    """An endpoint, filled in, as a browser sees it."""
    fields = {name: filled(value, org, patient) for name, value in endpoint.query.items()} | query
    url = stage.at(endpoint.path, org, patient)
    if endpoint.method == "POST":
        return browser.open(url, method="POST", form=fields, until=stage.authorization_endpoints)
    return browser.open(query_of(url, fields), until=stage.authorization_endpoints)


def _each(
    stage: Stage, judge: Judge, chosen: Iterable[VisitedEndpoint] | None = None, *, guarded: bool = False
) -> list[Row] | Row:
    """A row for each endpoint that showed its own patient to somebody who may see it.

    :param guarded: only for those that ask for a session: of the others no session says anything (RH-E01).
    """
    endpoints = [
        endpoint
        for endpoint in (stage.endpoints if chosen is None else chosen)
        if endpoint.carries_phi and endpoint.what not in _CALLED
    ]
    if not endpoints:
        return row(NOT_APPLICABLE, _NONE)
    browser, rows = stage.browser(), []
    if not shows_own(stage, stage.visit(stage.a, browser=browser)):
        return not_reached(NOT_SHOWN)
    for endpoint in endpoints:
        page = opened(stage, browser, endpoint, stage.a)
        if f"{stage.a} p1" in stage.shown(page, [stage.a]):
            open_to_all = guarded and stage.shown(opened(stage, stage.browser(), endpoint, stage.a))
            since = stage.hospitals.now()
            judgement = not_reached(_OPEN, subject=endpoint.path) if open_to_all else judge(endpoint, endpoint.path)
            if judgement.outcome is BROKE:
                judgement = replace(
                    judgement, requests=tuple(request.number for request in stage.hospitals.asked(since)[:50])
                )
        else:
            seen = f"to its own user it showed no text of the patient's record, but {page.told}"
            judgement = not_reached(seen, subject=endpoint.path)
        rows.append(replace(judgement, about=endpoint.what))
    return rows


def _shows(stage: Stage, page: Page, path: str, who: str) -> Row:
    """Whether a page shows anybody's record, which it must not."""
    shown = stage.shown(page)
    return judged(
        f"{who} it shows a record of {shown[0]}" if shown else "", f"{who} it gives {page.told}", subject=path
    )


@check("E01")
def without_session(stage: Stage) -> list[Row] | Row:
    """A browser without cookies, while another is signed in."""
    return _each(
        stage,
        lambda endpoint, path: _shows(
            stage, opened(stage, stage.browser(), endpoint, stage.a), path, "without a session"
        ),
    )


@check("E02", two=True)
def other_hospitals_session(stage: Stage) -> list[Row] | Row:
    """A session of A at the address of B: as a browser has it, then with cookies of A under names and paths of B."""
    assert stage.b is not None
    org = stage.b
    theirs, browser = stage.browser(), stage.browser()
    stage.visit(org, browser=theirs)
    stage.visit(stage.a, browser=browser)
    forced = stage.browser()
    for cookie in browser.cookies:
        for name in {cookie.name, *(other.name for other in theirs.cookies)}:
            copied = copy.copy(cookie)
            copied.name, copied.path = name, "/"
            forced.hold(copied)

    def judge(endpoint: VisitedEndpoint, path: str) -> Row:
        if "{org}" not in f"{endpoint.path}{endpoint.query}":
            seen = "it has one address for all hospitals (RH-S02 looks at home); write {org} in it where theirs differ"
            return row(NOT_APPLICABLE, seen, subject=path)
        judgement = _shows(stage, opened(stage, browser, endpoint, org), path, f"with a session of {stage.a}")
        if judgement.outcome is BROKE:
            return judgement
        return _shows(stage, opened(stage, forced, endpoint, org), path, f"with cookies of {stage.a} forced on it")

    return _each(stage, judge, guarded=True)


@check("E03")
def other_patient(stage: Stage) -> list[Row] | Row:
    """The id of patient 2 in a session of patient 1."""
    chosen = [endpoint for endpoint in stage.endpoints if "{patient}" in f"{endpoint.path}{endpoint.query}"]
    if not chosen:
        return row(NOT_APPLICABLE, "no endpoint in product.yaml has {patient} in its path or query")
    browser = stage.browser()
    stage.visit(stage.a, browser=browser)

    def judge(endpoint: VisitedEndpoint, path: str) -> Row:
        page = opened(stage, browser, endpoint, stage.a, "p2")
        other_shown = f"{stage.a} p2" in stage.shown(page, [stage.a])
        return judged("it shows patient 2 to a session of patient 1" if other_shown else "", page.told, subject=path)

    return _each(stage, judge, chosen)


@check("E04")
def after_sign_out(stage: Stage) -> list[Row] | Row:
    """Each endpoint after the sign-out."""
    browser = stage.browser()
    visit = stage.visit(stage.a, browser=browser)
    kept = stage.browser()
    for cookie in browser.cookies:
        kept.hold(cookie)
    sign_out(stage, browser, visit)
    return _each(
        stage,
        lambda endpoint, path: _shows(stage, opened(stage, kept, endpoint, stage.a), path, "after the sign-out"),
        guarded=True,
    )


@check("E05")
def headers(stage: Stage) -> list[Row] | Row:
    """The headers of what shows patient data."""
    browser = stage.browser()
    stage.visit(stage.a, browser=browser)

    def judge(endpoint: VisitedEndpoint, path: str) -> Row:
        told = opened(stage, browser, endpoint, stage.a).headers
        wrong = [
            words
            for is_wrong, words in (
                ("no-store" not in told.get("cache-control", "").lower(), "it may be cached (no no-store)"),
                (told.get("x-content-type-options", "").lower() != "nosniff", "nosniff is missing"),
                (told.get("access-control-allow-origin") == "*", "every origin may read it"),
            )
            if is_wrong
        ]
        return judged(", and ".join(wrong), "no-store, nosniff, no foreign origin", subject=path)

    return _each(stage, judge)


@check("E08")
def filters(stage: Stage) -> list[Row] | Row:
    """Filters with an empty text, a wildcard, and texts of others."""
    chosen = [endpoint for endpoint in stage.endpoints if endpoint.what == "filter"]
    if not chosen:
        return row(NOT_APPLICABLE, "no endpoint in product.yaml is declared as a filter (what: filter)")
    browser = stage.browser()
    stage.visit(stage.a, browser=browser)
    others = {canary(org, patient) for org in stage.orgs for patient in ("p1", "p2")} - {canary(stage.a, "p1")}

    def judge(endpoint: VisitedEndpoint, path: str) -> Row:
        names = [name for name, value in endpoint.query.items() if "{" not in value]
        if not names:
            return not_reached("no parameter in its query is free to be changed (a value without braces)", subject=path)
        for name in names:
            for text in ("", "%", "*", "zqx", *sorted(others)):
                page = opened(stage, browser, endpoint, stage.a, **{name: text})
                leaked = sorted(mark for mark in others if page.shows(f"{mark}o") or page.shows(f"{mark}c"))
                if leaked or stage.crashed(page):
                    problem = f"{name}={text!r} finds a record of another" if leaked else stage.crashed(page)
                    return row(BROKE, problem, subject=path)
        return row(HELD, "its own patient's rows alone", subject=path)

    return _each(stage, judge, chosen)


@check("E09")
def operations(stage: Stage) -> Row:
    """Addresses that are often left open."""
    browser, told = stage.browser(), []
    for path, mark in _OPERATIONS.items():
        page = browser.open(stage.at("/", stage.a).rstrip("/") + path, until=stage.authorization_endpoints)
        if page.status == 200 and mark in page.text.lower():
            told.append(path)
    return judged(f"open to everybody: {', '.join(told)}" if told else "", f"{len(_OPERATIONS)} addresses tell nothing")


# -- return addresses -----------------------------------------------------------------------------------------------


def _hostile(stage: Stage) -> dict[str, str]:
    """Return addresses that lead to the stranger, by how they are written."""
    host = stage.hospitals.host(STRANGER)
    return {
        "an absolute address": f"{stage.hospitals.origin(STRANGER)}/away",
        "two slashes": f"//{host}/away",
        "a slash and a backslash": f"/\\{host}/away",
        "a tab": f"/\t/{host}/away",
        "javascript:": "javascript:zqxaway",
        "behind the own host": f"http://{urlsplit(stage.at('/', stage.a)).netloc}@{host}/away",
    }


def _leads_away(stage: Stage, page: Page) -> str:
    """Where a browser was sent that it must not go; empty for nowhere."""
    host = stage.hospitals.host(STRANGER)
    for where in (page.next, *(hop.location or "" for hop in page.way)):
        bare = where.replace("\\", "/").replace("\t", "").strip()
        there = bare.partition("://")[2] if "://" in bare else bare.removeprefix("//") if bare.startswith("//") else ""
        authority = there.partition("/")[0].partition("?")[0]
        if authority.rpartition("@")[2] == host or bare.lower().startswith("javascript:"):
            return where[:100]
    return ""


@check("D01")
def before_sign_in(stage: Stage) -> list[Row]:
    """Every known name of a return parameter at once, on the way into the sign-in."""
    product, client = stage.product, stage.hospitals.clients[stage.a]
    begins = [with_query(product.launch_at(client), iss=stage.hospitals.base(stage.a))]
    if product.standalone_url is not None:
        begins.append(product.standalone_url.replace("{org}", stage.a))
    rows = []
    for subject, hostile in _hostile(stage).items():
        away = ""
        for begin in begins:
            url = query_of(begin, dict.fromkeys(product.return_parameters, hostile))
            if begin == begins[0]:
                handle = stage.hospitals.launch(stage.a).rpartition("launch=")[2]
                url = query_of(url, {"launch": handle})
            page = stage.browser().open(url, until=(f"{stage.hospitals.origin(STRANGER)}/",))
            away = away or _leads_away(stage, page)
        rows.append(judged(f"the browser was sent to {away}" if away else "", "it stayed inside", subject=subject))
    return rows


@check("D02")
def after_sign_in(stage: Stage) -> list[Row]:
    """The same names on the page with the record, at the sign-out and in an answer that is an error."""
    browser, leave = stage.browser(), stage.product.sign_out
    stage.visit(stage.a, browser=browser)
    client, rows = stage.hospitals.clients[stage.a], list[Row]()
    for subject, hostile in _hostile(stage).items():
        fields = dict.fromkeys(stage.product.return_parameters, hostile)
        urls = [
            stage.home_address(stage.a),
            query_of(client.redirect_uri, {"error": "access_denied", "state": hostile}),
        ]
        if leave is not None and leave.method == "GET":
            if rows:  # the round before has signed out
                stage.visit(stage.a, browser=browser)
            urls.append(stage.at(leave.path, stage.a))
        away = ""
        for url in urls:
            page = browser.open(query_of(url, fields), until=(f"{stage.hospitals.origin(STRANGER)}/",))
            away = away or _leads_away(stage, page)
        rows.append(judged(f"the browser was sent to {away}" if away else "", "it stayed inside", subject=subject))
    return rows


@check("D03", two=True)
def to_another_hospital(stage: Stage) -> Row:
    """The page of B as the return address in a sign-in at A."""
    assert stage.b is not None
    theirs, product = stage.home_address(stage.b), stage.product
    if theirs == stage.home_address(stage.a):
        return row(NOT_APPLICABLE, "both hospitals have one page (RH-S02 looks at it), so none leads to the other's")
    path = urlsplit(theirs).path
    fields = dict.fromkeys(product.return_parameters, path)
    begins = [query_of(stage.hospitals.launch(stage.a), fields)]
    if product.standalone_url is not None:
        begins.append(query_of(product.standalone_url.replace("{org}", stage.a), fields))
    ended = [stage.browser().open(begin) for begin in begins]
    led = [page for page in ended if urlsplit(page.url).path == path]
    return judged(
        f"the sign-in at {stage.a} ended at the page of {stage.b}" if led else "", "it stayed at its hospital"
    )


@check("E12", two=True)
def kept_apart(stage: Stage) -> list[Row] | Row:
    """A and B have records of the same ids; each endpoint is asked at A, at B, and at A again."""
    assert stage.b is not None
    browsers = {org: stage.browser() for org in (stage.a, stage.b)}
    for org, browser in browsers.items():
        stage.visit(org, browser=browser)

    def judge(endpoint: VisitedEndpoint, path: str) -> Row:
        for org in (stage.a, str(stage.b), stage.a):
            shown = stage.shown(opened(stage, browsers[org], endpoint, org))
            strange = [name for name in shown if not name.startswith(f"{org} ")]
            if strange:
                return row(BROKE, f"to a user of {org} it shows a record of {strange[0]}", subject=path)
        return row(HELD, "each hospital's user sees its own, though ids are the same", subject=path)

    return _each(stage, judge)
