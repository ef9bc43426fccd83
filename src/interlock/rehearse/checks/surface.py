"""What the product answers beside its pages: other methods, foreign forms, calls that come in, and its key set."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterable
from http.cookiejar import Cookie
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from interlock.model.product import VisitedEndpoint
from interlock.rehearse.browser import Browser, Page
from interlock.rehearse.checks.base import NOT_SHOWN, check, not_reached, shows_own
from interlock.rehearse.checks.scripts import foreign_form
from interlock.rehearse.hospitals import STRANGER
from interlock.rehearse.http_browser import HttpBrowser
from interlock.rehearse.registration import call_secret
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, filled, judged, query_of, row
from interlock.rehearse.tab import ChromiumBrowser

_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_MOST_LINKS = 40
#: What a page names and a browser then asks by GET; files of style and script are not what an inventory is for.
_NAMED = re.compile(
    r"""(?is)<(?:a|area|iframe|frame|img|embed|source|object)\b[^>]*?\b(?:href|src|data)\s*=\s*["']?([^"'\s>]+)"""
)
_FILES = re.compile(r"(?i)\.(css|js|mjs|map|ico|png|gif|jpe?g|webp|woff2?|ttf)$")


@check("L20")
def other_methods(stage: Stage) -> list[Row]:
    """The parameters of a launch by POST, HEAD and OPTIONS."""
    rows = []
    for method in ("POST", "HEAD", "OPTIONS"):
        browser, since = stage.browser(), stage.hospitals.now()
        url, _, query = stage.hospitals.launch(stage.a).partition("?")
        form = dict(parse_qsl(query)) if method == "POST" else None
        page = browser.open(url if form else f"{url}?{query}", method=method, form=form, hops=0)
        led = page.stopped == "redirects"
        problem = "" if led else stage.crashed(page)
        shown = stage.shown(stage.home(browser, stage.a))
        if shown:
            problem = f"after it the page shows a record of {shown[0]}, and nobody signed in"
        rows.append(judged(problem, "a redirect" if led else page.told, stage.hospitals.asked(since), subject=method))
    return rows


@check("T07")
def key_set(stage: Stage) -> Row:
    """The address of the product's keys, as anybody opens it."""
    url = stage.hospitals.jwks_address
    if url is None:
        return row(NOT_APPLICABLE, "the product names no address of its keys (jwks_url in product.yaml)")
    page = stage.browser().open(url, until=stage.authorization_endpoints)
    if page.stopped is not None or page.status != 200:
        return row(BROKE, f"without a sign-in its address gave {page.told}")
    try:
        keys = json.loads(page.text)["keys"]
        fine = isinstance(keys, list) and keys and all(isinstance(key, dict) for key in keys)
    except (ValueError, TypeError, KeyError, RecursionError):
        fine = False
    if not fine:
        return row(BROKE, "what stands there is no JWK Set (an object with a list of keys)")
    names = [key.get("kid") for key in keys]
    for wrong, words in (
        (any(_PRIVATE & key.keys() for key in keys), "a private key stands in it"),
        (not all(isinstance(name, str) and name for name in names), "a key has no kid"),
        (len({*map(str, names)}) < len(names), "two keys have one kid"),
        ("cache-control" not in page.headers, "no Cache-Control says for how long a hospital may keep it"),
    ):
        if wrong:
            return row(BROKE, words)
    count = "1 public key" if len(keys) == 1 else f"{len(keys)} public keys"
    return row(HELD, f"{count}, each with a kid of its own; Cache-Control: {page.headers['cache-control'][:60]}")


# -- addresses that nobody listed -----------------------------------------------------------------------------------


@check("E10")
def unlisted(stage: Stage) -> Row:
    """Where a signed-in browser was led, and what the first page names, against what is listed."""
    if not stage.endpoints:
        return row(NOT_APPLICABLE, "neither product.yaml nor the contract lists an endpoint")
    browser = stage.browser()
    visit = stage.visit(stage.a, browser=browser)
    if not shows_own(stage, visit):
        return not_reached(NOT_SHOWN)
    own = urlsplit(stage.at("/", stage.a)).netloc
    led = [hop.url for hop in visit.page.way if hop.status < 400 and hop.location is None]  # a redirect shows nothing
    named = [urljoin(visit.page.url, link) for link in _NAMED.findall(visit.page.text)[:_MOST_LINKS]]
    known = _listed(stage)
    strange: dict[str, None] = {}
    for url in (*led, *named):
        parts = urlsplit(url)
        path = parts.path or "/"
        if (
            parts.netloc != own
            or path in strange
            or _FILES.search(path)
            or any(pattern.fullmatch(path) for pattern in known)
        ):
            continue
        if url in led or browser.open(url, until=stage.authorization_endpoints).status in range(200, 400):
            strange[path] = None
    told = ", ".join(path[:80] for path in list(strange)[:10])
    well = f"{len({*led, *named})} addresses were seen, and each is listed"
    return judged(f"nothing lists {told}" if told else "", well)


def _listed(stage: Stage) -> list[re.Pattern[str]]:
    """Every path that product.yaml or the contract names; what stands in braces is any one part."""
    product = stage.product
    told: list[str | None] = [product.launch_url, product.standalone_url, product.home, product.jwks_url]
    told += [product.start.ready if product.start else None, product.sign_out.path if product.sign_out else None]
    for client in stage.hospitals.clients.values():
        told += [client.redirect_uri, client.launch_url]
    told += [endpoint.path for endpoint in (*stage.endpoints, *product.endpoints)]
    told += [entry.path for entry in stage.contract.endpoints] if stage.contract is not None else []
    paths = {urlsplit(text).path for text in told if text}
    return [re.compile(re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(path)) + "/?") for path in paths]


# -- calls that come in ---------------------------------------------------------------------------------------------


@check("E11")
def inbound(stage: Stage) -> list[Row] | Row:
    """Each address that systems call: without a token, with one that is forged, and with a good one twice."""
    chosen = [endpoint for endpoint in stage.product.endpoints if endpoint.what == "inbound"]
    if not chosen:
        return row(NOT_APPLICABLE, "no endpoint in product.yaml is declared as one that systems call (what: inbound)")
    return [
        row for endpoint in chosen for row in (_told_a_secret if endpoint.secret_header else _called)(stage, endpoint)
    ]


def _told_a_secret(stage: Stage, endpoint: VisitedEndpoint) -> Iterable[Row]:
    """An address that is called with a secret in a header, as a Subscription does (FHIR R4, Subscription.channel)."""
    assert endpoint.secret_header is not None
    url, name = stage.at(endpoint.path, stage.a), endpoint.secret_header

    def call(secret: str | None) -> Page:
        value = f"Bearer {secret}" if name.lower() == "authorization" else secret
        return stage.browser().open(url, method="POST", content=b"", headers={name: value} if secret and value else {})

    good = call(call_secret(stage.a))
    if good.status not in range(200, 300):
        yield not_reached(f"a call with the secret of {stage.a} gave {good.told}", subject=endpoint.path)
        return
    wrong = {"no secret": None, "another secret": call_secret("nobody")}
    wrong |= {"the secret of another hospital": call_secret(stage.b)} if stage.b is not None else {}
    for subject, secret in wrong.items():
        yield _proven(stage, call(secret), f"{endpoint.path}, {subject}")


def _called(stage: Stage, endpoint: VisitedEndpoint) -> Iterable[Row]:
    url = stage.at(endpoint.path, stage.a)
    now = int(time.time())
    claims = {"iss": stage.hospitals.base(stage.a), "aud": url, "iat": now, "exp": now + 300}

    def call(token: str | None) -> Page:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        body = {"hook": "patient-view", "hookInstance": str(uuid.uuid4()), "fhirServer": claims["iss"]}
        context = {"userId": "Practitioner/clinician", "patientId": "p1"}
        content = json.dumps({**body, "context": context}).encode()
        return stage.browser().open(url, method="POST", content=content, headers=headers)

    def signed(**changed: Any) -> str:
        return stage.hospitals.signed(stage.a, {**claims, "jti": str(uuid.uuid4()), **changed})

    good = signed()
    forged = {
        "no token": None,
        "alg none": _unsigned(good),
        "another audience": signed(aud=f"{url}-of-somebody-else"),
        "an issuer that nobody registered": signed(iss=stage.hospitals.base(STRANGER)),
        "a token that ended": signed(iat=now - 900, exp=now - 600),
    }
    for subject, token in forged.items():
        yield _proven(stage, call(token), f"{endpoint.path}, {subject}")
    first = call(good)
    again = f"{endpoint.path}, the same token twice"
    if first.status in range(200, 300):
        yield _proven(stage, call(good), again)
    else:
        yield not_reached(f"a call with a good token of {stage.a} gave {first.told}", subject=again)


def _proven(stage: Stage, page: Page, subject: str) -> Row:
    """Whether a call was refused for who makes it; another 4xx does not say why."""
    if page.status in (401, 403):
        return row(HELD, f"refused with {page.told}", subject=subject, about="inbound")
    if crash := stage.crashed(page):
        return row(BROKE, f"not refused: {crash}", subject=subject, about="inbound")
    if page.status in range(200, 300):
        return row(BROKE, f"it was taken, with {page.told}", subject=subject, about="inbound")
    return not_reached(f"{page.told}, which does not say whether it asks who calls", subject=subject)


def _unsigned(token: str) -> str:
    """The same claims with a header that says they need no signature (RFC 8725 section 2.1)."""
    return f"eyJhbGciOiJub25lIn0.{token.split('.')[1]}."


# -- what changes something -----------------------------------------------------------------------------------------


@check("E13")
def foreign_forms(stage: Stage) -> list[Row] | Row:
    """The sign-out and each address that changes something: by GET, and by a form of another site."""
    leave, rows = stage.product.sign_out, []
    if leave is not None and leave.method == "POST":
        rows += [_kept(stage, leave.path, by) for by in ("GET", "a form of another site")]
    for endpoint in (endpoint for endpoint in stage.product.endpoints if endpoint.what == "change"):
        rows += [_by_get(stage, endpoint), _by_foreign_form(stage, endpoint)]
    write = stage.product.actions.write if stage.product.actions is not None else None
    if write is not None and write.method == "POST":
        saving = VisitedEndpoint(path=write.path, method="POST", query=write.form, what="change")
        rows += [_by_get(stage, saving), _saved(stage, saving)]
    return rows or row(
        NOT_APPLICABLE, "product.yaml names no sign_out or write by POST and no endpoint with what: change"
    )


def _kept(stage: Stage, path: str, by: str) -> Row:
    """Whether a session lives on when its sign-out is asked for in a way that no own page does."""
    browser, subject, url = stage.browser(), f"{path}, {by}", stage.at(path, stage.a)
    if not shows_own(stage, stage.visit(stage.a, browser=browser)):
        return not_reached(NOT_SHOWN, subject=subject)
    page = browser.open(url) if by == "GET" else _from_another_site(stage, browser, url, {})
    ended = f"{stage.a} p1" not in stage.shown(stage.home(browser, stage.a))
    return judged("it ended the session" if ended else "", f"{page.told}; the session lives on", subject=subject)


def _by_get(stage: Stage, endpoint: VisitedEndpoint) -> Row:
    browser, since, subject = stage.browser(), stage.hospitals.now(), f"{endpoint.path}, GET"
    stage.visit(stage.a, browser=browser)
    read = stage.hospitals.now()
    page = browser.open(query_of(stage.at(endpoint.path, stage.a), _form(stage, endpoint)))
    wrote = [
        request
        for request in stage.hospitals.asked(read, role="resource")
        if request.method in ("POST", "PUT", "PATCH")
    ]
    if wrote:
        return row(BROKE, f"it wrote to {stage.a}", wrote, subject=subject)
    if 400 <= page.status < 500:
        return row(HELD, f"refused with {page.told}", stage.hospitals.asked(since), subject=subject)
    return not_reached(f"{page.told}, and whether anything changed cannot be told from outside", subject=subject)


def _saved(stage: Stage, saving: VisitedEndpoint) -> Row:
    """Whether a form of another site has something written to the hospital."""
    browser, subject = stage.browser(), f"{saving.path}, a form of another site"
    stage.visit(stage.a, browser=browser)
    since = stage.hospitals.now()
    page = _from_another_site(stage, browser, stage.at(saving.path, stage.a), _form(stage, saving))
    wrote = [
        request
        for request in stage.hospitals.asked(since, role="resource")
        if request.method in ("POST", "PUT", "PATCH")
    ]
    return judged(
        f"it wrote to {stage.a}" if wrote else "", f"{page.told}; nothing was written", wrote, subject=subject
    )


def _by_foreign_form(stage: Stage, endpoint: VisitedEndpoint) -> Row:
    browser, subject = stage.browser(), f"{endpoint.path}, a form of another site"
    url, form = stage.at(endpoint.path, stage.a), _form(stage, endpoint)
    stage.visit(stage.a, browser=browser)
    own = {"Origin": url.partition(urlsplit(url).path)[0], "Sec-Fetch-Site": "same-origin"}
    polite = browser.open(url, method="POST", form=form, headers=own, until=stage.authorization_endpoints)
    if polite.stopped is not None or polite.status >= 400:
        return not_reached(f"a form of its own page gave {polite.told}", subject=subject)
    page = _from_another_site(stage, browser, url, form)
    taken = page.stopped is None and page.status < 400
    return judged(f"it was taken, with {page.told}" if taken else "", f"refused with {page.told}", subject=subject)


def _form(stage: Stage, endpoint: VisitedEndpoint) -> dict[str, str]:
    return {name: filled(value, stage.a, "p1") for name, value in endpoint.query.items()}


def _from_another_site(stage: Stage, browser: Browser, url: str, form: dict[str, str]) -> Page:
    """Post a form as a page of another site does: without the cookies that SameSite keeps back."""
    if isinstance(browser, ChromiumBrowser):
        return foreign_form(stage, browser, url, form)
    assert isinstance(browser, HttpBrowser)
    kept = [cookie for cookie in browser.cookies if same_site(cookie) in ("lax", "strict")]
    for cookie in kept:
        browser.jar.clear(cookie.domain, cookie.path, cookie.name)
    headers = {"Origin": stage.hospitals.origin(STRANGER), "Sec-Fetch-Site": "cross-site"}
    page = browser.open(url, method="POST", form=form, headers=headers, until=stage.authorization_endpoints)
    replaced = {line.partition("=")[0].strip() for hop in page.way for line in hop.set_cookies}
    for cookie in kept:
        if cookie.name not in replaced:
            browser.hold(cookie)
    return page


def same_site(cookie: Cookie) -> str:
    """What a cookie says of pages of other sites: lax, strict, none, or nothing."""
    names = ("SameSite", "samesite", "Samesite", "sameSite")
    return next((str(value).lower() for name in names if (value := cookie.get_nonstandard_attr(name))), "")
