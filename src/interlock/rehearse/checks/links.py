"""What leads to a record without a page: links that were made for somebody, and updates that come by themselves."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from interlock.model.product import VisitedEndpoint
from interlock.rehearse.acting import sign_out
from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import NOT_SHOWN, check, not_reached, shows_own
from interlock.rehearse.checks.endpoints import opened
from interlock.rehearse.checks.surface import same_site
from interlock.rehearse.hospitals import STRANGER, OutOfReachError
from interlock.rehearse.http_browser import HttpBrowser
from interlock.rehearse.stage import NOT_APPLICABLE, Row, Stage, filled, judged, query_of, row

BrowserOf = TypeVar("BrowserOf", bound=Browser)
#: For how many seconds updates are listened to, and while another chart is opened in the same browser.
_LISTENS, _WHILE_ANOTHER = 0.5, 2.0
#: How long after its end a link has ended for sure.
_ENDED = 0.3
_LINK = re.compile(r"""["'](https?://[^"'\s<>]{1,2000}|/[^"'\s<>/][^"'\s<>]{0,2000})["']""")


@check("E06")
def links(stage: Stage) -> list[Row] | Row:
    """A link that an endpoint gives, opened by another browser and after the sign-out."""
    chosen = [endpoint for endpoint in stage.product.endpoints if endpoint.what == "link"]
    if not chosen:
        return row(NOT_APPLICABLE, "no endpoint in product.yaml is declared as one that gives a link (what: link)")
    return [row for endpoint in chosen for row in _link(stage, endpoint)]


def _link(stage: Stage, endpoint: VisitedEndpoint) -> list[Row]:
    browser, path = stage.browser(), endpoint.path
    visit = stage.visit(stage.a, browser=browser)
    given = opened(stage, browser, endpoint, stage.a)
    link = _given(stage, given)
    if link is None or not stage.shown(browser.open(link), [stage.a]):
        return [not_reached(f"it gave {given.told}, and no link that shows the patient to its own user", subject=path)]
    rows = [_dead(stage, stage.browser().open(link), f"{path}, another browser")]
    if endpoint.link_seconds is not None:
        time.sleep(endpoint.link_seconds + _ENDED)
        rows.append(_dead(stage, browser.open(link), f"{path}, after {endpoint.link_seconds:g} s"))
    kept, subject = _copied(stage.browser(), browser), f"{path}, after the sign-out"
    try:
        sign_out(stage, browser, visit)
    except OutOfReachError as error:
        return [*rows, not_reached(str(error), subject=subject)]
    return [*rows, _dead(stage, kept.open(link), subject)]


def _copied(browser: BrowserOf, other: Browser) -> BrowserOf:
    """A browser with the cookies of another."""
    for cookie in other.cookies:
        browser.hold(cookie)
    return browser


def _given(stage: Stage, page: Page) -> str | None:
    """The link: where the endpoint leads, or the first address of the product's own that its answer names."""
    if len(page.way) > 1:
        return page.url
    own = urlsplit(page.url).netloc
    named = (urljoin(page.url, link) for link in _LINK.findall(page.text[:100_000]))
    return next((url for url in named if urlsplit(url).netloc == own and url != page.url), None)


def _dead(stage: Stage, page: Page, subject: str) -> Row:
    shown = stage.shown(page)
    return judged(f"it shows a record of {shown[0]}" if shown else "", page.told, subject=subject)


@check("E07")
def live(stage: Stage) -> list[Row] | Row:
    """Each address of live updates: without a cookie, from another site, and while another chart is opened."""
    chosen = [endpoint for endpoint in stage.product.endpoints if endpoint.what in ("events", "socket")]
    if not chosen:
        return row(NOT_APPLICABLE, "no endpoint in product.yaml gives live updates (what: events, or socket)")
    return [row for endpoint in chosen for row in _live(stage, endpoint)]


def _live(stage: Stage, endpoint: VisitedEndpoint) -> list[Row]:
    browser, path = stage.browser(), endpoint.path
    if not shows_own(stage, stage.visit(stage.a, browser=browser)):
        return [not_reached(NOT_SHOWN, subject=path)]
    own = _heard(stage, _copied(stage.plain_browser(), browser), endpoint)
    if not _taken(own):
        return [not_reached(f"to its own user it gave {own.told}", subject=path)]
    foreign = stage.plain_browser()
    for cookie in browser.cookies:
        if same_site(cookie) not in ("lax", "strict"):
            foreign.hold(cookie)
    headers = {"Origin": stage.hospitals.origin(STRANGER), "Sec-Fetch-Site": "cross-site"}
    asked = {
        "without a cookie": _heard(stage, stage.plain_browser(), endpoint),
        "from a page of another site": _heard(stage, foreign, endpoint, headers),
    }
    rows = [
        judged("it was taken, and updates may come" if _taken(page) else "", page.told, subject=f"{path}, {how}")
        for how, page in asked.items()
    ]
    listening = _copied(stage.plain_browser(), browser)
    with ThreadPoolExecutor(1) as other:
        launched = other.submit(lambda: stage.visit(stage.a, "p2", browser=browser))
        during = _heard(stage, listening, endpoint, seconds=_WHILE_ANOTHER)
        launched.result()
    strange = f"{stage.a} p2" in stage.shown(during, [stage.a])
    problem = "what was opened for patient 1 went on with patient 2" if strange else ""
    subject = f"{path}, while another chart is opened"
    rows.append(judged(problem, "nothing of patient 2 came", subject=subject))
    return [*rows, *_after_the_end(stage, endpoint)]


def _after_the_end(stage: Stage, endpoint: VisitedEndpoint) -> list[Row]:
    """What was opened before the sign-out, and what is opened with the old cookies after it."""
    if stage.product.sign_out is None:
        return []
    browser, subject = stage.browser(), f"{endpoint.path}, after the sign-out"
    visit = stage.visit(stage.a, browser=browser)
    kept = _copied(stage.plain_browser(), browser)
    try:
        sign_out(stage, browser, visit)
    except OutOfReachError as error:
        return [not_reached(str(error), subject=subject)]
    page = _heard(stage, kept, endpoint)
    shown = _taken(page) and stage.shown(page, [stage.a])
    return [
        judged(
            "with the cookies of the session that has ended it gives a record" if shown else "",
            page.told,
            subject=subject,
        )
    ]


def _heard(
    stage: Stage,
    browser: HttpBrowser,
    endpoint: VisitedEndpoint,
    headers: Mapping[str, str] | None = None,
    seconds: float = _LISTENS,
) -> Page:
    fields = {name: filled(value, stage.a, "p1") for name, value in endpoint.query.items()}
    url = query_of(stage.at(endpoint.path, stage.a), fields)
    return browser.listen(url, headers or {}, socket=endpoint.what == "socket", seconds=seconds)


def _taken(page: Page) -> bool:
    return page.status in (101, 200)
