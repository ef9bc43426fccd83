"""Tokens that end while somebody works: refreshed once, with the newest refresh token, and not without end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from starlette.responses import Response

from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import check, edit_token, not_reached, shows_own
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.pages import visible_text
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, judged, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import plain_json

#: How long an access token lives in these checks, and how long it takes until it has ended for sure.
_LIVES, _ENDED = 1, 1.15
#: How many checks need such a token.
_CHECKS = 6
_MOST_TRIES = 3
_PARALLEL = 8
#: How long a refresh takes while several requests wait for it, so that they meet whatever the product's speed.
_REFRESHING = 0.3


def _signed_in(stage: Stage) -> Browser | Row:
    """A browser whose access token has ended, with a refresh token; or why there is none.

    Several sign in before it is waited once, for this check and the next ones.
    """
    if not _refreshes(stage):
        return row(NOT_APPLICABLE, "the product asks for no refresh token (offline_access or online_access)")
    if not stage.ended:
        for _ in range(_CHECKS):
            browser = stage.lasting_browser()
            stage.ended.append(browser)
            visit = stage.visit(stage.a, browser=browser, access_seconds=_LIVES)
            if not shows_own(stage, visit):
                return not_reached(f"with a token of one second the sign-in ended with {visit.page.told}")
        time.sleep(_ENDED)
    return stage.take(stage.ended.pop())


def _refreshes(stage: Stage) -> bool:
    scope = stage.visits[stage.a].authorization.get("scope", "").split()
    return bool({"offline_access", "online_access"} & set(scope))


def _refresh_requests(stage: Stage, since: int) -> list[Asked]:
    asked = stage.hospitals.asked(since, org=stage.a, role="token")
    return [request for request in asked if request.form.get("grant_type") == "refresh_token"]


def _too_many(asked: list[Asked]) -> list[Asked]:
    """Refreshes while the token of the one before was still good: a second expiry, on a slow machine, is no such."""
    return [later for earlier, later in pairwise(asked) if later.at - earlier.at < _LIVES * 0.9]


def _goes_on(stage: Stage, page: Page, asked: list[Asked]) -> str:
    if f"{stage.a} p1" not in stage.shown(page, [stage.a]):
        return f"after the token ended the page was gone: {page.told}"
    return "" if asked else "the token was not refreshed"


@check("R13")
def ended(stage: Stage) -> Row:
    """The page once more, after the token ended."""
    browser = _signed_in(stage)
    if isinstance(browser, Row):
        return browser
    since = stage.hospitals.now()
    page = stage.home(browser, stage.a)
    asked = _refresh_requests(stage, since)
    problem = _goes_on(stage, page, asked) or (f"it refreshed {len(asked)} times" if _too_many(asked) else "")
    return judged(problem, "one refresh, and the page as before", asked)


@check("R14")
def rotated(stage: Stage) -> Row:
    """Past the end twice: the second refresh needs what the first one brought."""
    browser = _signed_in(stage)
    if isinstance(browser, Row):
        return browser
    since = stage.hospitals.now()
    stage.home(browser, stage.a)
    first = _refresh_requests(stage, since)
    time.sleep(_ENDED)
    page = stage.home(browser, stage.a)
    second = _refresh_requests(stage, since)[len(first) :]
    if not first or not second:
        return not_reached("two refreshes were not seen")
    if second[0].form.get("refresh_token") == first[0].form.get("refresh_token"):
        return row(BROKE, "a refresh token that was replaced was used again", second)
    problem = _goes_on(stage, page, second)
    return judged(problem, "the newer refresh token was used", second)


@check("R15")
def at_once(stage: Stage) -> Row:
    """Eight requests of one browser at the moment of expiry; a page that was late by chance is not gone twice."""
    first = _at_once(stage)
    return _at_once(stage) if first.about == "gone" else first


def _at_once(stage: Stage) -> Row:
    browser = _signed_in(stage)
    if isinstance(browser, Row):
        return browser
    since = stage.hospitals.now()
    copies = [stage.plain_browser() for _ in range(_PARALLEL)]
    for copy in copies:
        for cookie in browser.cookies:
            copy.hold(cookie)
    slow = stage.hospitals.twisted(late=lambda exchange: _REFRESHING if exchange.role == "token" else 0.0)
    with slow, ThreadPoolExecutor(_PARALLEL) as pool:
        pages = list(pool.map(lambda copy: stage.home(copy, stage.a), copies))
    asked = _refresh_requests(stage, since)
    lost = [page for page in pages if f"{stage.a} p1" not in stage.shown(page, [stage.a])]
    if _too_many(asked):
        return row(BROKE, f"{_PARALLEL} requests at once refreshed {len(asked)} times", asked)
    if lost:
        return row(BROKE, f"{len(lost)} of {_PARALLEL} pages were gone: {lost[0].told}", asked, about="gone")
    return row(HELD, f"{_PARALLEL} requests at once, one refresh", asked)


@check("R16")
def refused(stage: Stage) -> Row:
    """invalid_grant to every refresh."""
    browser = _signed_in(stage)
    if isinstance(browser, Row):
        return browser
    since = stage.hospitals.now()

    def no(exchange: Exchange) -> Response | None:
        return plain_json({"error": "invalid_grant"}, 400) if b"grant_type=refresh_token" in exchange.body else None

    with stage.answers(stage.a, "token", no):
        page = stage.home(browser, stage.a)
    asked = _refresh_requests(stage, since)
    problem = stage.crashed(page) or (f"it tried {len(asked)} times" if len(asked) > _MOST_TRIES else "")
    return judged(problem, f"after a refused refresh it gave {page.told}", asked)


@check("S11")
def nothing_new(stage: Stage) -> Row:
    """The page once more, when the token has ended and can be renewed no more."""
    browser = _signed_in(stage)
    if isinstance(browser, Row):
        return browser
    since = stage.hospitals.now()
    with stage.answers(stage.a, "token", lambda _: plain_json({"error": "invalid_grant"}, 400)):
        page = stage.home(browser, stage.a)
    asked = stage.hospitals.asked(since)
    if f"{stage.a} p1" not in stage.shown(page, [stage.a]):
        return row(HELD, f"nothing of the record is shown any more; {page.told}", asked)
    same = visible_text(page) == visible_text(stage.home(_fresh(stage), stage.a))
    problem = "the page is as if nothing had happened, and the hospital gives it nothing any more" if same else ""
    return judged(problem, "the record is shown, and the page says something else than before", asked)


def _fresh(stage: Stage) -> Browser:
    browser = stage.browser()
    stage.visit(stage.a, browser=browser)
    return browser


@check("R17")
def fewer(stage: Stage) -> Row:
    """A refresh that grants the patient's name alone."""
    browser = _signed_in(stage)
    if isinstance(browser, Row):
        return browser
    since = stage.hospitals.now()
    with edit_token(
        stage, stage.a, scope="launch openid fhirUser offline_access patient/Patient.rs patient/Patient.read"
    ):
        page = stage.home(browser, stage.a)
    asked = _refresh_requests(stage, since)
    if not asked:
        return not_reached("the token was not refreshed")
    reads = [
        request
        for request in stage.hospitals.asked(since, org=stage.a, role="resource")
        if request.number > asked[0].number
    ]
    beyond = [request for request in reads if "/Patient" not in request.path and "/Practitioner" not in request.path]
    problem = (
        f"after the refresh it read {beyond[0].path.rpartition('/fhir/')[2]}, for which no scope was left"
        if beyond
        else ""
    )
    return judged(problem, f"nothing was asked for that was not granted; {page.told}", beyond or asked)
