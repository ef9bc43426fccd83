"""What only a browser with scripts shows: tabs that stay open, storage, history, the back button, frames."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from urllib.parse import urlsplit

from starlette.responses import Response

from interlock.rehearse.browser import Page, UnsettledError
from interlock.rehearse.checks.base import NOT_SHOWN, changed_tab, check, not_reached, shows_own
from interlock.rehearse.hospitals import STRANGER, OutOfReachError
from interlock.rehearse.records import canary
from interlock.rehearse.registration import client_jwk
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, Visit, judged, row
from interlock.rehearse.tab import ChromiumBrowser
from interlock.sandbox.exchange import Exchange

_MOST_ROUNDS, _MOST_BACK = 3, 4
#: Of an origin that nobody has to listen at.
_OTHER_PORT = 65_530


def scripted(stage: Stage) -> ChromiumBrowser:
    """A new browser with scripts.

    :raises OutOfReachError: none drives the product.
    """
    browser = stage.browser()
    if not isinstance(browser, ChromiumBrowser):
        raise OutOfReachError("this needs a browser with scripts (--driver chromium)")
    return browser


def _launched(stage: Stage, browser: ChromiumBrowser, org: str, patient: str, user: str = "") -> Visit:
    """A launch that nothing interrupts, as the tab's history has it; and on to the page with the record."""
    stage.running.revive()
    since = stage.hospitals.now()
    page = browser.open(stage.hospitals.launch(org, patient, user=user))
    if stage.product.home is not None and page.stopped is None and page.url != stage.home_address(org, patient):
        page = stage.home(browser, org, patient)
    return Visit(org, patient, page, {}, since, tuple(stage.hospitals.asked(since)))


@check("L16", scripts=True)
def second_chart(stage: Stage) -> list[Row] | Row:
    """Patient 1 in one tab, patient 2 in another; then the first tab as it stands, and loaded again."""
    browser = scripted(stage)
    first = stage.visit(stage.a, "p1", browser=browser)
    second = stage.visit(stage.a, "p2", browser=browser.tab())
    if not shows_own(stage, first):
        return not_reached(NOT_SHOWN)
    shown = stage.shown(second.page)
    problem = f"the launch for p2 shows {', '.join(shown) or 'no patient'}" if shown != [f"{stage.a} p2"] else ""
    rows = [judged(problem, "the launch for p2 shows p2 alone", second.asked, subject="the second tab")]
    if problem:
        return rows
    problem = changed_tab(stage, browser, first, second, browser.look()).replace("when it is loaded again", "by itself")
    rows.append(judged(problem, "left alone, it shows nothing of p2", subject="the first tab, left alone"))
    subject, since = "the first tab, loaded again", stage.hospitals.now()
    try:
        again = stage.again(browser, first.page)
    except OutOfReachError as error:
        return [*rows, not_reached(str(error), subject=subject)]
    asked = stage.hospitals.asked(since)
    return [
        *rows,
        judged(changed_tab(stage, browser, first, second, again), f"it gives {again.told}", asked, subject=subject),
    ]


@check("L18", scripts=True)
def in_frame(stage: Stage) -> Row:
    """The launch in a frame of a page at the hospital, as EHRs do; cookies of other sites are blocked there."""
    browser, since = scripted(stage), stage.hospitals.now()
    frame = f'<iframe width="900" height="600" src="{escape(stage.hospitals.launch(stage.a))}"></iframe>'
    page, restless = None, ""
    try:
        page = browser.show(f"http://{stage.hospitals.host(stage.a)}/a-page-of-the-ehr", _document(frame))
    except UnsettledError as error:
        restless = str(error)
    asked = stage.hospitals.asked(since, by_app=None)
    rounds = [request for request in asked if request.role == "authorize"]
    if len(rounds) > _MOST_ROUNDS:
        return row(BROKE, f"it went to the sign-in {len(rounds)} times, and would go on", rounds)
    if page is None:
        return not_reached(restless)
    if f"{stage.a} p1" in stage.shown(page):
        return row(HELD, "signed in within the frame, and the patient is shown", asked)
    if _refuses_frames(page):
        return row(NOT_APPLICABLE, "the product lets itself not be framed there, so it is launched in a window", asked)
    if re.search(r"(?i)<(a|button)\b", page.text) or browser.windows > 1:
        return row(HELD, "not signed in, and the page in the frame offers a link, a button or a window", asked)
    return row(BROKE, "the page in the frame neither shows the patient nor offers a way to open a window", asked)


def framed_by_stranger(stage: Stage) -> Row:
    """The page with the record in a frame of another origin, in a browser that is signed in.

    Of the product's own host and another port, so that the browser sends the session along as to the product's own.
    """
    browser, subject = scripted(stage), "in a frame of another origin"
    visit = stage.visit(stage.a, browser=browser)
    if not shows_own(stage, visit):
        return not_reached(NOT_SHOWN, subject=subject)
    address = stage.home_address(stage.a)
    frame = f'<iframe width="900" height="600" src="{escape(address)}"></iframe>'
    page = browser.show(f"http://{urlsplit(address).hostname}:{_OTHER_PORT}/another-origin", _document(frame))
    shown = stage.shown(page)
    problem = f"it shows {shown[0]} within a page of another origin" if shown else ""
    well = "Chromium refuses to show it there" if _refuses_frames(page) else "it shows no record there"
    return judged(problem, well, subject=subject)


def foreign_form(stage: Stage, browser: ChromiumBrowser, url: str, form: Mapping[str, str]) -> Page:
    """Let a stranger's page post a form to the product by itself."""
    fields = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(form[name])}">' for name in form)
    posting = f'<form method="post" action="{escape(url)}">{fields}</form><script>document.forms[0].submit()</script>'
    stranger = f"http://{stage.hospitals.host(STRANGER)}/a-form-of-a-stranger"
    return browser.show(stranger, _document(posting), stage.authorization_endpoints)


def _document(body: str) -> str:
    return f"<!doctype html><title>A page of another site</title>{body}"


def _refuses_frames(page: Page) -> bool:
    return any(address.startswith("chrome-error:") for address in page.frames)


@check("S06", scripts=True)
def second_user(stage: Stage) -> list[Row] | Row:
    """A second user is launched for another patient in the tab that the first one left open."""
    browser = scripted(stage)
    with issued_tokens(stage) as issued:
        first = _launched(stage, browser, stage.a, "p1")
        theirs = issued["access_token"] | issued["refresh_token"]
        second = _launched(stage, browser, stage.a, "p2", "clinician-2")
    if not (shows_own(stage, first) and shows_own(stage, second)):
        return not_reached("two users one after the other did not see their patients")
    shown = stage.shown(second.page)
    problem = f"the second user's page shows {', '.join(shown)}" if shown != [f"{stage.a} p2"] else ""
    rows = [judged(problem, "the second user sees their own patient alone", second.asked, subject="the page")]
    mark = canary(stage.a, "p1")
    left = [
        (where, "the first user's patient" if mark in text.lower() else "the first user's token")
        for where, text in browser.kept().items()
        if mark in text.lower() or any(token in text for token in theirs)
    ]
    problem = f"{left[0][0]} still holds {left[0][1]}" if left else ""
    rows.append(judged(problem, "storage holds nothing of the first user's", subject="storage"))
    return [*rows, going_back(stage, browser, "p1", "the second user")]


def going_back(stage: Stage, browser: ChromiumBrowser, patient: str, who: str) -> Row:
    """The back button, pressed until a page shows this patient or the history ends."""
    seen = ""
    for times in range(1, _MOST_BACK + 1):
        if len(browser.history()) < times + 1:
            break
        page = browser.back(stage.authorization_endpoints)
        if f"{stage.a} {patient}" in stage.shown(page, [stage.a]):
            pressed = "once" if times == 1 else f"{times} times"
            return row(BROKE, f"{who} presses the back button {pressed} and sees {patient}", subject="the back button")
        seen = page.told
        if page.stopped is not None:
            break
    well = f"the back button gives {seen}" if seen else "there is nothing to go back to"
    return row(HELD, well, subject="the back button")


@contextlib.contextmanager
def issued_tokens(stage: Stage) -> Iterator[dict[str, set[str]]]:
    """Every token that any hospital issues meanwhile, by its name in the token answer."""
    issued: dict[str, set[str]] = {"access_token": set(), "refresh_token": set()}

    def note(exchange: Exchange, response: Response) -> Response:
        if exchange.role == "token" and response.status_code == 200:
            with contextlib.suppress(ValueError):
                document = json.loads(bytes(response.body))
                for name, known in issued.items():
                    known |= {document[name]} if isinstance(document.get(name), str) else set()
        return response

    with stage.hospitals.twisted(altered=note):
        yield issued


def kept_tokens(stage: Stage, browser: ChromiumBrowser, org: str, issued: dict[str, set[str]]) -> str:
    """What is wrong with what scripts keep in the browser; a public client may have an access token in one tab."""
    public = stage.hospitals.clients[org].client == "public"
    for where, text in browser.kept().items():
        if any(token in text for token in issued["refresh_token"]):
            return f"a refresh token is kept in {where}"
        in_one_tab = public and where.startswith("sessionStorage ")
        if not in_one_tab and any(token in text for token in issued["access_token"]):
            return f"an access token is kept in {where}"
    return ""


def code_left(stage: Stage, org: str) -> Row:
    """The history of a tab that signed in, and what was told to others as where it came from."""
    browser, subject = scripted(stage), "history and Referer"
    visit = _launched(stage, browser, org, "p1")
    if not visit.of("token"):
        return not_reached("no code was used", org=org, subject=subject)
    told = [
        request
        for request in stage.hospitals.asked(visit.since, by_app=None)
        if "code=" in request.headers.get("referer", "")
    ]
    if told:
        return row(BROKE, "the code was told to others as Referer", told, org=org, subject=subject)
    left = any(re.search(r"[?&#]code=", address) for address in browser.history())
    problem = "the address with the code stays in the browser's history" if left else ""
    return judged(problem, "the code stands in neither", visit.asked, org=org, subject=subject)


def secret_in_browser(stage: Stage, org: str) -> Row:
    """Everything that a browser was sent during a sign-in, searched for the client's secret or private key."""
    browser, subject = scripted(stage), "everything that the browser was sent"
    client = stage.hospitals.clients[org].client
    if client == "public":
        return row(NOT_APPLICABLE, "a public client has no secret", org=org, subject=subject)
    key = str(client_jwk(org, private=True)["d"])
    browser.gate.secrets = (stage.hospitals.secret(org), key)
    visit = stage.visit(org, browser=browser)
    if not visit.of("token"):
        return not_reached(NOT_SHOWN, org=org, subject=subject)
    leaked = sorted(browser.gate.leaked)
    problem = f"the client's secret or key was sent to the browser by {leaked[0][:200]}" if leaked else ""
    return judged(problem, "neither secret nor private key was sent to the browser", org=org, subject=subject)
