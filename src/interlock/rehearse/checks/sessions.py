"""Sessions: two hospitals in one browser, planted and stolen cookies, and what a session is made of."""

from __future__ import annotations

import base64
import contextlib
import re
import time
import zlib
from http.cookiejar import Cookie
from urllib.parse import unquote

from interlock.rehearse.acting import sign_out
from interlock.rehearse.browser import Browser
from interlock.rehearse.checks.base import NOT_SHOWN, bits, changed_tab, check, not_reached, shows_own
from interlock.rehearse.checks.scripts import going_back, issued_tokens, kept_tokens
from interlock.rehearse.stage import BROKE, HELD, NEEDS_HOOK, NOT_APPLICABLE, Row, Stage, Visit, judged, row
from interlock.rehearse.tab import ChromiumBrowser

#: Bits of a session id (OWASP ASVS 5.0.0, chapter V7).
_ID_BITS = 128
_SIGN_INS = 10
#: How much longer than its limit a session is tried.
_SURELY_SECONDS = 0.6
_MAX_COOKIE = 4_096


@check("S01", two=True)
def second_hospital(stage: Stage) -> Row:
    """A, then B, in one browser."""
    visit = _two(stage)[2]
    shown = stage.shown(visit.page)
    if not visit.of("token"):
        return row(
            BROKE, f"the second hospital was not asked for a token; it ended with {visit.page.told}", visit.asked
        )
    if shown != [f"{stage.b} p1"]:
        return row(BROKE, f"after a launch from {stage.b} the page shows {', '.join(shown) or 'nobody'}", visit.asked)
    return row(HELD, f"{stage.b} was asked and is shown, and nothing of {stage.a}", visit.asked)


@check("S02", two=True)
def first_tab(stage: Stage) -> Row:
    """The page of A once more, after B was launched in the same browser."""
    browser, first, second = _two(stage)
    if not (shows_own(stage, first) and shows_own(stage, second)):
        return not_reached(NOT_SHOWN)
    since = stage.hospitals.now()
    page = stage.again(browser, first.page)
    problem = changed_tab(stage, browser, first, second, page)
    return judged(problem, f"the first tab, loaded again, gives {page.told}", stage.hospitals.asked(since))


def _two(stage: Stage) -> tuple[Browser, Visit, Visit]:
    """A browser that was launched from A and then from B, and both sign-ins."""
    assert stage.b is not None
    browser = stage.browser()
    return browser, stage.visit(stage.a, browser=browser), stage.visit(stage.b, browser=browser.tab())


@check("S03")
def renewed(stage: Stage) -> list[Row]:
    """The cookies from before the sign-in, and then those of an earlier one, used by somebody else after it."""
    return [_from_before(stage), _from_earlier(stage)]


def _from_before(stage: Stage) -> Row:
    subject = "cookies from before the sign-in"
    browser, other = stage.browser(), stage.browser()
    begun = stage.begin(browser, stage.a)
    before = browser.cookies
    page = browser.open(begun.page.next, method=begun.page.method, form=begun.page.form)
    if f"{stage.a} p1" not in stage.shown(stage.home(browser, stage.a), [stage.a]):
        return not_reached(f"{NOT_SHOWN}: {page.told}", subject=subject)
    for cookie in before:
        other.hold(cookie)
    since = stage.hospitals.now()
    shown = stage.shown(stage.home(other, stage.a), [stage.a])
    problem = f"with the cookies from before the sign-in {shown[0]} is shown" if shown else ""
    asked = stage.hospitals.asked(since)
    return judged(problem, f"{len(before)} of them open nothing after it", asked, subject=subject)


def _from_earlier(stage: Stage) -> Row:
    """Patient 1, then patient 2 in one browser: the first one's cookies must not have become the second one's."""
    subject = "cookies of an earlier sign-in"
    browser, other = stage.browser(), stage.browser()
    first = stage.visit(stage.a, "p1", browser=browser)
    for cookie in browser.cookies:
        other.hold(cookie)
    second = stage.visit(stage.a, "p2", browser=browser)
    if not (shows_own(stage, first) and shows_own(stage, second)):
        return not_reached("two sign-ins one after the other did not show their patients", subject=subject)
    since = stage.hospitals.now()
    page = stage.again(other, second.page)
    own = f"{stage.a} p2" in stage.shown(page, [stage.a])
    problem = f"the cookies that the first sign-in gave show {stage.a} p2, whom the second one opened" if own else ""
    asked = stage.hospitals.asked(since)
    return judged(problem, f"with them the page of the second sign-in gives {page.told}", asked, subject=subject)


@check("S04")
def planted(stage: Stage) -> Row:
    """An attacker's cookies in the victim's browser, which then signs in."""
    attacker, victim = stage.browser(), stage.browser()
    stage.begin(attacker, stage.a)
    for cookie in attacker.cookies:
        victim.hold(cookie)
    visit = stage.visit(stage.a, browser=victim)
    if not shows_own(stage, visit):
        return not_reached(f"with planted cookies the sign-in ended with {visit.page.told}")
    shown = stage.shown(stage.home(attacker, stage.a), [stage.a])
    problem = f"the attacker's browser shows {shown[0]} after the victim signed in" if shown else ""
    return judged(problem, "the attacker's browser is not signed in")


def _session_cookies(stage: Stage, browser: Browser) -> list[Cookie]:
    """The cookies of a signed-in browser without which its page is not shown."""
    needed, held = [], browser.cookies
    for cookie in held:
        without = stage.browser()
        for other in held:
            if other is not cookie:
                without.hold(other)
        if f"{stage.a} p1" not in stage.shown(stage.home(without, stage.a), [stage.a]):
            needed.append(cookie)
    return needed


@check("S05")
def marked(stage: Stage) -> list[Row] | Row:
    """The cookies without which the page is not shown: which those are is found by leaving one out."""
    browser = stage.browser()
    if not shows_own(stage, stage.visit(stage.a, browser=browser)):
        return not_reached(NOT_SHOWN)
    cookies = _session_cookies(stage, browser)
    if not cookies:
        return row(NOT_APPLICABLE, "no cookie is needed to see the page")
    rows = []
    for cookie in cookies:
        given = {name.lower(): value for name, value in vars(cookie)["_rest"].items()}
        secure = stage.home_address(stage.a).startswith("https://")
        lacks = [
            words
            for missing, words in (
                ("httponly" not in given, "HttpOnly"),
                ("samesite" not in given, "SameSite"),
                (secure and not cookie.secure, "Secure"),
            )
            if missing
        ]
        problem = f"the cookie {cookie.name} lacks {' and '.join(lacks)}" if lacks else ""
        if not problem and len(cookie.value or "") > _MAX_COOKIE:
            problem = f"the cookie {cookie.name} is larger than browsers must keep"
        rows.append(judged(problem, f"{cookie.name} at {cookie.path}, marked as it should be", subject=cookie.name))
    return rows


@check("S07")
def signed_out(stage: Stage) -> Row | list[Row]:
    """The cookies from before the sign-out, used after it; with scripts also the back button."""
    browser, thief = stage.browser(), stage.browser()
    visit = stage.visit(stage.a, browser=browser)
    if not shows_own(stage, visit):
        return not_reached(NOT_SHOWN)
    for cookie in browser.cookies:
        thief.hold(cookie)
    sign_out(stage, browser, visit)
    back = [going_back(stage, browser, "p1", "whoever")] if isinstance(browser, ChromiumBrowser) else []
    for who, name in ((browser, "the browser"), (thief, "a copy of its cookies")):
        shown = stage.shown(stage.home(who, stage.a), [stage.a])
        if shown:
            return row(BROKE, f"after the sign-out {name} still shows {shown[0]}")
    return [row(HELD, "after the sign-out the old cookies open nothing"), *back]


@check("S08")
def limits(stage: Stage) -> list[Row] | Row:
    """A session that is left alone, and one that is used for longer than any may last."""
    told = stage.product.session_limits
    assert told is not None
    rows = []
    for subject, lasts, used in (("idle", told.idle_seconds, False), ("overall", told.overall_seconds, True)):
        if lasts is None:
            continue
        browser = stage.browser()
        if not shows_own(stage, stage.visit(stage.a, browser=browser)):
            rows.append(not_reached(NOT_SHOWN, subject=subject))
            continue
        until = time.monotonic() + lasts + _SURELY_SECONDS
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, (told.idle_seconds or lasts) / 3) if used else left)
            if used and left > _SURELY_SECONDS:
                stage.home(browser, stage.a)
        shown = stage.shown(stage.home(browser, stage.a))
        problem = f"after {lasts:g} s and more it still shows {shown[0]}" if shown else ""
        rows.append(judged(problem, f"after {lasts:g} s it shows nothing", subject=subject))
    seen = "session_limits names no limit of a session (idle_seconds, overall_seconds)"
    return rows or row(NEEDS_HOOK, seen, hook="session_limits")


@check("S09")
def tokens_in_reach(stage: Stage) -> list[Row]:
    """Issued tokens in pages, addresses and cookies; with scripts also in what those keep."""
    rows = []
    for org in stage.orgs:
        browser = stage.browser()
        with issued_tokens(stage) as issued:
            visit = stage.visit(org, browser=browser)
        tokens = issued["access_token"] | issued["refresh_token"]
        texts = [visit.page.text, *(hop.url for hop in visit.page.way)]
        texts += [text for cookie in browser.cookies for text in _readable(cookie.value or "")]
        stands_there = any(token in text for token in tokens for text in texts)
        if not tokens:
            rows.append(not_reached("no token was issued", org=org))
            continue
        problem = "a token stands in a page, an address or a cookie" if stands_there else ""
        well = "no token in a page, an address or a cookie"
        if isinstance(browser, ChromiumBrowser):
            problem, well = problem or kept_tokens(stage, browser, org, issued), f"{well}, nor where scripts keep one"
        rows.append(judged(problem, well, visit.asked, org=org))
    return rows


def _readable(value: str) -> list[str]:
    """A cookie, and what everybody can read in it: parts in base64, compressed or not, as signed sessions are."""
    texts = [value]
    for part in re.split(r"[.:|!]", unquote(value.strip('"'))):
        with contextlib.suppress(ValueError, zlib.error):
            plain = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
            texts.append(plain.decode("latin-1"))
            texts.append(zlib.decompressobj().decompress(plain, 65_536).decode("latin-1"))
    return texts


@check("S10")
def nobody_else(stage: Stage) -> Row:
    """A browser without cookies, while another is signed in."""
    browser = stage.browser()
    if not shows_own(stage, stage.visit(stage.a, browser=browser)):
        return not_reached(NOT_SHOWN)
    page = stage.home(stage.browser(), stage.a)
    shown = stage.shown(page)
    return judged(f"a browser without cookies sees {shown[0]}" if shown else "", f"it sees {page.told}")


@check("S12")
def session_ids(stage: Stage) -> Row:
    """The session cookies of ten sign-ins."""
    values: dict[str, list[str]] = {}
    names: set[str] = set()
    for number in range(_SIGN_INS):
        browser = stage.browser()
        visit = stage.visit(stage.a, browser=browser)
        if not shows_own(stage, visit):
            return not_reached(NOT_SHOWN)
        if number == 0:
            names = {cookie.name for cookie in _session_cookies(stage, browser)}
        for cookie in browser.cookies:
            values.setdefault(cookie.name, []).append(cookie.value or "")
        browser.close()  # ten at once would be much for Chromium
    known = {
        name: seen_values for name, seen_values in values.items() if name in names and len(seen_values) == _SIGN_INS
    }
    if not known:
        return row(NOT_APPLICABLE, "no cookie is needed to see the page")
    strength = {
        name: 0.0 if len(set(seen_values)) < len(seen_values) else bits(seen_values)
        for name, seen_values in known.items()
    }
    name, most = max(strength.items(), key=lambda pair: pair[1])
    problem = f"values of {name} differ in {most:.0f} bits at most, and {_ID_BITS} are asked for"
    return judged(problem if most < _ID_BITS else "", f"values of {name} differ in more than {_ID_BITS} bits")
