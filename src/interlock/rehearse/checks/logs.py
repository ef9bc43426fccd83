"""What the product's log holds, and what it does not: secrets, patients, refusals, and whose line it is."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from starlette.responses import Response

from interlock.rehearse.acting import waited
from interlock.rehearse.browser import masked
from interlock.rehearse.checks.base import check, not_reached
from interlock.rehearse.hospitals import STRANGER, OutOfReachError
from interlock.rehearse.records import PATIENTS, canary
from interlock.rehearse.stage import BROKE, NOT_APPLICABLE, Row, Stage, judged, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.launches import with_query

#: Fields of token requests that nobody may read, and what they hold.
_SECRET = {
    "code": "a code", "code_verifier": "a PKCE verifier", "client_assertion": "a client assertion",
    "client_secret": "a client secret", "refresh_token": "a refresh token",
}  # fmt: skip
_SHORTEST = 8
_NO_CODE = "the sign-in gave no code"
#: How long a line may come after what it tells.
_LATE_SECONDS = 1.5
_DATES = re.compile(r"[\dTZ.:+-]+")


def _text(stage: Stage) -> str:
    """The log since the rehearsal began.

    :raises OutOfReachError: it cannot be read, or nothing was written to it.
    """
    if stage.log is None:
        raise OutOfReachError("the product's log is not read here")
    text = stage.log.text()
    if not text.strip():
        raise OutOfReachError("nothing was written to the log since the rehearsal began")
    return text


def _written(stage: Stage, act: Callable[[], object], wanted: Callable[[str], bool]) -> str:
    """What comes to the log while something is done: at once, or a little later if it is not there yet."""
    before = len(_text(stage))
    act()
    waited(lambda: wanted(_text(stage)[before:]), _LATE_SECONDS)
    return _text(stage)[before:]


def logged(stage: Stage, act: Callable[[], object]) -> set[str]:
    """What kinds of lines come to the log while something is done, where it is read at all."""
    log = stage.log
    if log is None:
        act()
        return set()
    before = len(log.text())
    act()
    waited(lambda: len(log.text()) > before, _LATE_SECONDS)
    return set(map(masked, log.text()[before:].splitlines()))


def _lines(text: str, marks: Sequence[str]) -> str:
    """Lines of the log in which one of some texts stands: their numbers, counted from the rehearsal's beginning."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if any(mark in line for mark in marks)]
    more = f" and {len(lines) - 3} more" if len(lines) > 3 else ""
    return f"{'lines' if len(lines) > 1 else 'line'} {', '.join(map(str, lines[:3]))}{more} of the log"


@check("G01")
def secrets_in_clear(stage: Stage) -> list[Row]:
    """Everything secret that the product has sent to a hospital."""
    text, sent = _text(stage), dict[str, set[str]]()
    for request in stage.hospitals.asked():
        for name, words in _SECRET.items():
            sent.setdefault(words, set()).add(request.form.get(name, ""))
        sent.setdefault("an access token", set()).add(request.token or "")
        basic = request.headers.get("authorization", "")
        sent.setdefault("a client secret", set()).add(basic[6:] if basic[:6].lower() == "basic " else "")
    rows = []
    for words, values in sent.items():
        known = {value for value in values if len(value) >= _SHORTEST}
        in_clear = [value for value in known if value in text]
        if known:
            problem = f"{words} stands in clear in {_lines(text, in_clear)}" if in_clear else ""
            rows.append(judged(problem, f"none of {len(known)} stands in the log", subject=words))
    return rows


@check("G02")
def patients(stage: Stage) -> Row:
    """Texts of records, and ids of patients outside the fields that may hold one."""
    assert stage.product.log is not None
    text = _text(stage).lower()
    names = "|".join(re.escape(name.lower()) for name in stage.product.log.patient_fields)
    if names:
        text = re.sub(rf"\b(?:{names})[\"']?\s*[:=]\s*[\"']?[\w/.-]*", "", text)
    marks = [canary(org, patient) for org in stage.orgs for patient in PATIENTS]
    shown = [mark for mark in marks if mark in text]
    if shown:
        return row(BROKE, f"a text of a patient's record stands in {_lines(text, shown)}")
    ids = re.findall(
        rf"(?:patient|subject)[\"']?\s*[:=/]\s*[\"']?(?:patient/)?(?:{'|'.join(PATIENTS)})\b|mrn-p\d", text
    )
    problem = f"a patient's id stands in {_lines(text, ids)}, and patient_fields names no such field" if ids else ""
    return judged(problem, "no record and no patient's id outside the fields that may hold one")


@check("G03")
def rebuilt(stage: Stage) -> Row:
    """A sign-in at B whose answer has another state: which lines tell of it, and what joins them."""
    org, browser = stage.b or stage.a, stage.browser()
    known = set(_words(_text(stage)))
    answers = []
    launched = _written(stage, lambda: answers.append(stage.answered(browser, org)), bool)
    answer = answers[0]
    if answer is None:
        return not_reached(_NO_CODE, org)
    wrong = answer.but(state=secrets.token_hex(24))
    told = _written(stage, lambda: browser.open(wrong, until=stage.authorization_endpoints), bool)
    if not told.strip():
        return row(BROKE, "nothing was written about the answer that was refused", org=org)
    shared = (set(_words(launched)) & set(_words(told))) - known
    if not shared:
        return row(BROKE, "no id joins what was written of the launch and of the refusal", org=org)
    lines = [line for line in (launched + told).splitlines() if any(word in line for word in shared)]
    named = any(name in line for line in lines for name in (org, stage.hospitals.host(org)))
    problem = "" if named else "an id joins launch and refusal, and no line with it names the hospital"
    return judged(problem, "an id joins launch and refusal, and the hospital is named", org=org)


def _words(text: str) -> Iterator[str]:
    """What may be an id in a log: eight characters and more that are no number and no time."""
    return (word for word in re.findall(r"[\w-]{8,}", text) if not _DATES.fullmatch(word))


@check("G04", two=True)
def events(stage: Stage) -> list[Row]:
    """What has to be refused, one after the other, and what the log says of each."""
    assert stage.product.log is not None
    mark = stage.product.log.security_mark.lower()
    rows = []
    for subject, act in (
        ("a launch from an unknown issuer", _unknown_issuer(stage)),
        ("an answer in another browser", _another_browser(stage)),
        ("a code of A at B", _code_elsewhere(stage)),
        ("a session of A at B", _session_elsewhere(stage)),
    ):
        if isinstance(act, Row):
            rows.append(replace(act, subject=subject))
            continue
        told = _written(stage, act, lambda text: mark in text.lower())
        is_told = mark in told.lower()
        written = "no line of the log says so" if not told.strip() else f"no line of the log has “{mark}” for it"
        rows.append(judged("" if is_told else written, f"a line with “{mark}” tells of it", subject=subject))
    return rows


def _unknown_issuer(stage: Stage) -> Callable[[], object]:
    url = stage.product.launch_at(stage.hospitals.clients[stage.a])
    browser = stage.browser()
    return lambda: browser.open(with_query(url, iss=stage.hospitals.base(STRANGER), launch="zqxlaunch"))


def _another_browser(stage: Stage) -> Callable[[], object] | Row:
    answer, other = stage.answered(stage.browser(), stage.a), stage.browser()
    return (
        not_reached(_NO_CODE) if answer is None else lambda: other.open(answer.url, until=stage.authorization_endpoints)
    )


def _code_elsewhere(stage: Stage) -> Callable[[], object] | Row:
    assert stage.b is not None
    browser = stage.browser()
    first, second = stage.answered(browser, stage.a), stage.answered(browser, stage.b)
    if first is None or second is None:
        return not_reached(_NO_CODE)
    url = second.but(code=first.code, iss=first.fields.get("iss"))
    return lambda: browser.open(url, until=stage.authorization_endpoints)


def _session_elsewhere(stage: Stage) -> Callable[[], object] | Row:
    assert stage.b is not None
    if stage.home_address(stage.a) == stage.home_address(stage.b):
        return row(NOT_APPLICABLE, "both hospitals have one page, so no session is at the wrong one")
    browser, forced, org = stage.browser(), stage.browser(), stage.b
    stage.visit(stage.a, browser=browser)
    for cookie in browser.cookies:
        copied = copy.copy(cookie)
        copied.path = "/"
        forced.hold(copied)
    return lambda: stage.home(forced, org)


@check("G05")
def request_ids(stage: Stage) -> Row:
    """Answers with an X-Request-Id of ours."""
    given: list[str] = []

    def number(exchange: Exchange, response: Response) -> Response:
        if exchange.organization.id == stage.a and exchange.role == "resource":
            given.append(f"zqx{secrets.token_hex(12)}")
            response.headers["x-request-id"] = given[-1]
        return response

    with stage.hospitals.twisted(altered=number):
        told = _written(stage, lambda: stage.visit(stage.a), lambda text: any(mark in text for mark in given))
    if not given:
        return not_reached("nothing was read")
    logged = [mark for mark in given if mark in told]
    return judged(
        "" if logged else f"none of the ids of {len(given)} answers is in the log", f"{len(logged)} are there"
    )


@check("G06")
def one_line(stage: Stage) -> list[Row]:
    """Line breaks and control characters in what a browser brings: would they begin a line of the log?"""
    marks = {name: f"zqx{secrets.token_hex(8)}" for name in ("launch", "state", "error_description")}
    acts = [_bringing(stage, name, f"x\r\n{mark} forged \x1b[31m") for name, mark in marks.items()]
    told = _written(stage, lambda: [act() for act in acts], lambda text: all(mark in text for mark in marks.values()))
    lines = [re.sub(r"^\W+", "", line) for line in re.split(r"[\r\n]", told)]
    rows = []
    for name, mark in marks.items():
        begun = any(line.startswith(mark) for line in lines)
        problem = "a line break in it begins a line of the log" if begun else ""
        if not problem and re.search(rf"{mark}[^\r\n]{{0,40}}\x1b", told):
            problem = "a control character in it is in the log as it came"
        rows.append(judged(problem, "in one line" if mark in told else "not in the log", subject=name))
    return rows


def _bringing(stage: Stage, name: str, value: str) -> Callable[[], object]:
    browser = stage.browser()
    if name == "launch":
        url = stage.product.launch_at(stage.hospitals.clients[stage.a])
        address = with_query(url, iss=stage.hospitals.base(stage.a), launch=value)
    else:
        answer = stage.answered(browser, stage.a)
        if answer is None:
            raise OutOfReachError(_NO_CODE)
        error = {"code": None, "error": "access_denied", "error_description": value}
        address = answer.but(**({"state": value} if name == "state" else error))
    return lambda: browser.open(address, until=stage.authorization_endpoints)
