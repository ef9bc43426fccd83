"""The answer of the authorization server: altered, in another browser, twice, from another server."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import Response

from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import check, each, not_reached, shows_own
from interlock.rehearse.checks.scripts import code_left
from interlock.rehearse.hospitals import Asked
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, NOT_APPLICABLE, Answered, Row, Stage, Visit, judged, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.launches import with_query

_MARK = "zqxmarkup"
#: RFC 6749 section 4.1.2.1, and one that nobody knows.
_ERRORS = (
    "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope",
    "server_error", "temporarily_unavailable", "zqx_unknown",
)  # fmt: skip
#: How much longer than its limit a sign-in is left alone.
_SURELY_SECONDS = 0.6
_NO_CODE = "no code was given in a polite sign-in"


@check("C01")
def without_state(stage: Stage) -> Row:
    """The right answer, but for its state."""
    return _altered(stage, state=None)


@check("C02")
def wrong_state(stage: Stage) -> Row:
    """The right answer with another state."""
    return _altered(stage, state="zqx-another-state-0123456789abcdefghijklmnop")


def _altered(stage: Stage, **changed: str | None) -> Row:
    browser = stage.browser()
    answer = stage.answered(browser, stage.a)
    return not_reached(_NO_CODE) if answer is None else _refused(stage, browser, answer, answer.but(**changed))


def _refused(stage: Stage, browser: Browser, answer: Answered, url: str) -> Row:
    """Whether an answer is refused: its code goes nowhere, and nobody's record is shown."""
    page = browser.open(url)
    used = stage.uses(answer.code, answer.begun.since)
    problem = _problem(stage, page, used)
    return row(BROKE, problem, used) if problem else row(HELD, f"{stage.refusal(page)}; the code went nowhere")


def _problem(stage: Stage, page: Page, used: list[Asked]) -> str:
    if used:
        return f"the code was sent to the token endpoint of {used[0].organization or 'an unknown place'}"
    shown = stage.shown(page)
    return f"it showed a record of {shown[0]}" if shown else ""


@check("C03")
def another_browser(stage: Stage) -> Row:
    """The whole right answer, delivered in a browser that began nothing (RFC 9700 section 4.7)."""
    answer = stage.answered(stage.browser(), stage.a)
    return not_reached(_NO_CODE) if answer is None else _refused(stage, stage.browser(), answer, answer.url)


@check("C04")
def twice(stage: Stage) -> Row:
    """The same answer once more: this very code must not be sent again."""
    browser = stage.browser()
    answer = stage.answered(browser, stage.a)
    if answer is None:
        return not_reached(_NO_CODE)
    browser.open(answer.url)
    first = stage.uses(answer.code, answer.begun.since)
    if not first:
        return not_reached("the first answer was not taken")
    page = browser.open(answer.url, until=stage.authorization_endpoints)
    again = stage.uses(answer.code, answer.begun.since)[len(first) :]
    if again:
        return row(BROKE, "the spent code was sent to the token endpoint again", (*first, *again))
    return row(HELD, f"the second time it gave {page.told}", first)


@check("C05", two=True)
def crossed(stage: Stage) -> Row:
    """A's answer, at its own address and naming A, but with the state of a sign-in at B."""
    assert stage.b is not None
    browser = stage.browser()
    first, second = stage.answered(browser, stage.a), stage.answered(browser, stage.b)
    if first is None or second is None:
        return not_reached(_NO_CODE)
    page = browser.open(first.but(state=second.fields.get("state")))
    used = stage.uses(first.code, first.begun.since)
    lost = [asked for asked in used if asked.organization != stage.a]
    if lost:
        return row(BROKE, f"a code of {stage.a} was sent to the token endpoint of {lost[0].organization}", lost)
    problem = _problem(stage, page, used)
    return row(BROKE, problem, used) if problem else row(HELD, f"{stage.refusal(page)}; the code went nowhere")


@check("C06", two=True)
def mix_up(stage: Stage) -> list[Row]:
    """B is hostile: it sends the browser on to A, as if the product had asked there (RFC 9700 section 4.4).

    Once with hospitals that name themselves in their answers (RFC 9207), and once with such that do not, as most EHRs.
    """
    assert stage.b is not None
    return [_relayed(stage, stage.a, stage.b, named=named) for named in (True, False)]


def _relayed(stage: Stage, a: str, b: str, *, named: bool) -> Row:
    subject = "answers that name their issuer" if named else "answers that name no issuer"
    client, endpoint = stage.hospitals.clients[a], stage.hospitals.address(a, "authorize")
    browser = stage.browser()
    launch = dict(parse_qsl(urlsplit(stage.hospitals.launch(a)).query))["launch"]

    def relay(exchange: Exchange) -> Response:
        asked = {
            **dict(exchange.request.query_params),
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "aud": stage.hospitals.base(a),
            "launch": launch,
        }
        return Response(status_code=302, headers={"Location": f"{endpoint}?{urlencode(asked)}"})

    with stage.answers(b, "authorize", relay):
        begun = stage.begin(browser, b)
        if not begun.asked:
            return not_reached(f"no authorization request of {b}", subject=subject)
        page = browser.open(
            begun.page.next, method=begun.page.method, form=begun.page.form, until=stage.redirect_addresses
        )
    answer = Answered(begun, page.next, dict(parse_qsl(urlsplit(page.next).query)))
    if page.stopped != "elsewhere" or not answer.code:
        return not_reached(f"{a} gave no code for the relayed request: {page.told}", subject=subject)
    ended = browser.open(answer.url if named else answer.but(iss=None))
    used = stage.uses(answer.code, begun.since)
    lost = [request for request in used if request.organization == b]
    if lost:
        return row(BROKE, f"the token endpoint of {b} was sent a code that {a} issued", lost, subject=subject)
    return row(HELD, f"{b} was sent no code of {a}; {ended.told}", used, subject=subject)


@check("C07", two=True)
def other_issuer(stage: Stage) -> Row:
    """The right answer, but that it names B as its issuer (RFC 9207 section 2.4)."""
    assert stage.b is not None
    browser = stage.browser()
    answer = stage.answered(browser, stage.a)
    if answer is None or "iss" not in answer.fields:
        return not_reached(_NO_CODE)
    theirs = f"{stage.hospitals.base(stage.b)}/oauth2"
    page = browser.open(answer.but(iss=theirs))
    used = stage.uses(answer.code, answer.begun.since)
    problem = _problem(stage, page, used)
    if not problem:
        return row(HELD, stage.refusal(page))
    if not used:
        return row(BROKE, problem)
    problem = f"it took no notice of iss: {problem}, though the answer named {stage.b} as its issuer"
    if len(set(stage.redirect_addresses)) < len(stage.redirect_addresses):
        return row(BROKE, problem, used)
    # RFC 9700 section 4.4.2.2: a redirect address of its own for each server does as well, if the product looks at it.
    browser = stage.browser()
    first, second = stage.answered(browser, stage.a), stage.answered(browser, stage.b)
    if first is None or second is None:
        return not_reached(_NO_CODE)
    there = stage.hospitals.clients[stage.b].redirect_uri
    for answer, url in (
        (first, first.but(base=there, iss=theirs)),
        (
            second,
            second.but(
                base=stage.hospitals.clients[stage.a].redirect_uri, iss=f"{stage.hospitals.base(stage.a)}/oauth2"
            ),
        ),
    ):
        browser.open(url)
        taken = stage.uses(answer.code, answer.begun.since)
        if taken:
            seen = (
                f"{problem}; and a code of {answer.begun.org} was taken at the redirect address of the other hospital"
            )
            return row(BROKE, seen, (*used, *taken))
    seen = "it takes no notice of iss, but refuses a code that arrives at the redirect address of another hospital"
    return row(NOT_APPLICABLE, seen, used)


@check("C08")
def markup_in_error(stage: Stage) -> Row:
    """A refusal whose description is markup."""
    browser = stage.browser()
    answer = stage.answered(browser, stage.a)
    if answer is None:
        return not_reached(_NO_CODE)
    evil = f"<script>{_MARK}</script><img src=x onerror={_MARK}>"
    fields = {"error": "access_denied", "error_description": evil, "error_uri": f"javascript:{_MARK}"}
    page = browser.open(answer.but(code=None, **fields))
    text = page.text
    if f"<script>{_MARK}" in text or f"<img src=x onerror={_MARK}" in text or f'href="javascript:{_MARK}' in text:
        return row(BROKE, "markup of the error's description stands in the page as it came")
    problem = stage.crashed(page)
    return judged(problem, f"{page.told}, without the markup")


@check("C09")
def errors(stage: Stage) -> list[Row]:
    """Every error code, and one together with a code."""
    rows = []
    for error in (*_ERRORS, "error and code"):
        browser = stage.browser()
        answer = stage.answered(browser, stage.a)
        if answer is None:
            return [not_reached(_NO_CODE)]
        both = error == "error and code"
        page = browser.open(answer.but(error="access_denied") if both else answer.but(error=error, code=None))
        problem = _problem(stage, page, stage.uses(answer.code, answer.begun.since))
        if problem:
            rows.append(row(BROKE, problem, subject=error))
        elif stage.crashed(page):
            rows.append(row(HELD, stage.refusal(page), subject=error))
    return rows or [row(HELD, f"none of {len(_ERRORS)} errors signed anybody in, nor an error together with a code")]


@check("C10")
def injected(stage: Stage) -> Row:
    """An attacker's code in the answer to the victim's own sign-in (RFC 9700 section 4.5)."""
    theirs = stage.answered(stage.browser(), stage.a, "p2")
    browser = stage.browser()
    own = stage.answered(browser, stage.a)
    if theirs is None or own is None:
        return not_reached(_NO_CODE)
    page = browser.open(own.but(code=theirs.code))
    used = stage.uses(theirs.code, theirs.begun.since)
    shown = stage.shown(page)
    problem = f"it showed a record of {shown[0]}" if shown else ""
    return judged(problem, f"the sign-in failed with {page.told}", used)


@check("C11")
def too_late(stage: Stage) -> Row:
    """An answer when its sign-in has ended, and then a new launch in the same browser."""
    limits = stage.product.session_limits
    lasts = limits.sign_in_seconds if limits is not None else None
    if lasts is None:
        return row(NEEDS_HOOK, "session_limits names no sign_in_seconds", hook="session_limits")
    browser = stage.browser()
    answer = stage.answered(browser, stage.a)
    if answer is None:
        return not_reached(_NO_CODE)
    time.sleep(lasts + _SURELY_SECONDS)
    refusal = _refused(stage, browser, answer, answer.url)
    if refusal.outcome is BROKE:
        return refusal
    anew = stage.visit(stage.a, browser=browser)
    problem = "" if shows_own(stage, anew) else f"a new launch in the same browser ended with {anew.page.told}"
    return judged(problem, f"after {lasts:g} s {refusal.seen}; a new launch signed in", anew.asked)


@check("C12")
def code_in_address(stage: Stage) -> list[Row]:
    """Where the polite sign-in ended; with scripts also what the browser remembers and tells others."""

    def problem(visit: Visit) -> str:
        quiet = visit.page.headers.get("referrer-policy", "").lower() in ("no-referrer", "same-origin", "origin")
        return "" if "code=" not in visit.page.url or quiet else "the code stays in the address of the page"

    rows = each(stage, lambda visit: (problem(visit), ()), "the code does not stay in the address", needs="token")
    return rows if stage.chromium is None else [*rows, *(code_left(stage, org) for org in stage.orgs)]


@check("C13")
def repeated(stage: Stage) -> list[Row]:
    """The code twice, and a state of 16 KiB."""
    rows = []
    for subject in ("code twice", "a state of 16 KiB"):
        browser = stage.browser()
        answer = stage.answered(browser, stage.a)
        if answer is None:
            return [not_reached(_NO_CODE)]
        url = with_query(answer.url, code=answer.code) if subject == "code twice" else answer.but(state="x" * 16_384)
        page = browser.open(url)
        used = stage.uses(answer.code, answer.begun.since)
        problem = _problem(stage, page, used) or stage.crashed(page)
        rows.append(judged(problem, page.told, used, subject=subject))
    return rows
