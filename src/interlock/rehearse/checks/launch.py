"""Launches: polite ones, malformed ones, and those of servers that nobody registered."""

from __future__ import annotations

from contextlib import AbstractContextManager
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.responses import Response

from interlock.model.base import Severity
from interlock.rehearse.browser import PAGE_SECONDS, Browser
from interlock.rehearse.checks.base import (
    NO_TLS,
    NOT_ASKED,
    changed_tab,
    check,
    each,
    edited_discovery,
    not_reached,
    shows_own,
)
from interlock.rehearse.checks.scripts import framed_by_stranger
from interlock.rehearse.hospitals import STRANGER, Asked, OutOfReachError
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, Visit, is_scripted, judged, row
from interlock.sandbox.launches import with_query

_HANDLE = "+/=~%41&;" + "x" * 591
_DISCOVERY = ("smart", "openid", "metadata")


@check("L01", polite=True)
def polite(stage: Stage) -> list[Row]:
    """Told of the sign-ins with which the rehearsal began."""
    rows = []
    for org, visit in stage.visits.items():
        if shows_own(stage, visit):
            rows.append(row(HELD, "signed in, and the patient is shown", visit.asked, org=org))
        elif visit.of("resource"):
            seen = f"signed in and read, but {visit.page.told} shows no text of the patient's record"
            rows.append(not_reached(f"{seen}: name the page that does as home in product.yaml", org=org))
        elif stage.chromium is None and is_scripted(visit.page):
            seen = f"the sign-in stopped at {urlsplit(visit.page.url).path}, a page that a script makes or carries on"
            rows.append(not_reached(f"{seen}, and plain HTTP runs none", org=org))
        else:
            ended = ", and the product ended by itself" if stage.running.deaths or not stage.running.alive() else ""
            rows.append(row(BROKE, f"not signed in: it ended with {visit.page.told}{ended}", visit.asked, org=org))
    return rows


@check("L02")
def standalone(stage: Stage) -> list[Row] | Row:
    """Opened by a person, at each hospital."""
    if stage.product.standalone_url is None:
        return row(NOT_APPLICABLE, "product.yaml names no standalone_url")
    rows = []
    for org in stage.orgs:
        visit = stage.visit(org, url=stage.product.standalone_url.replace("{org}", org))
        if not visit.authorization:
            rows.append(not_reached(f"no authorization request of {org}: {visit.page.told}", org=org))
        elif "launch" in visit.authorization:
            rows.append(row(BROKE, "it sent a launch value that nobody gave it", visit.asked, org=org))
        elif shows_own(stage, visit):
            rows.append(row(HELD, "signed in, and the patient is shown", visit.asked, org=org))
        else:
            rows.append(row(BROKE, f"it ended with {visit.page.told}", visit.asked, org=org))
    return rows


@check("L03")
def launch_value(stage: Stage) -> Row:
    """A value with everything in it that a careless program would encode once more, or cut."""
    begun = stage.begin(stage.browser(), stage.a, handle=_HANDLE)
    if not begun.asked:
        return row(BROKE, f"no authorization request followed: {begun.page.told}")
    came = begun.asked.get("launch")
    if came == _HANDLE:
        return row(HELD, "the same 600 characters arrived")
    return row(BROKE, "no launch value arrived" if came is None else f"{len(came)} other characters arrived")


@check("L04")
def slash(stage: Stage) -> Row:
    """With a slash at the end that the registered address does not have."""
    browser, iss = stage.browser(), stage.hospitals.base(stage.a) + "/"
    begun = stage.begin(browser, stage.a, url=_launch(stage, iss))
    if not begun.asked:
        return row(HELD, stage.refusal(begun.page))
    aud = begun.asked.get("aud")
    if aud == stage.hospitals.base(stage.a):
        return row(HELD, "taken for the registered hospital, in its registered spelling")
    return row(BROKE, f"it went on with aud {aud}, which is no registered spelling")


@check("L05")
def spellings(stage: Stage) -> list[Row]:
    """Other spellings of the registered address, which a program that normalises would let pass."""
    base = stage.hospitals.base(stage.a)
    org = base.rsplit("/", 2)[1]
    written = {
        "a letter encoded": base.replace(f"/{org}/", f"/%{ord(org[0]):02x}{org[1:]}/"),
        "upper case": base.replace(f"/{org}/", f"/{org.upper()}/"),
        "a dot segment": base.replace(f"/{org}/", f"/%2e/{org}/"),
    }
    return [_refused(stage, iss, subject) for subject, iss in written.items() if iss != base]


@check("L06")
def unknown(stage: Stage) -> Row:
    """A whole hospital, which the product was never told of."""
    return _refused(stage, stage.hospitals.base(STRANGER))


@check("L07")
def look_alikes(stage: Stage) -> list[Row]:
    """What a comparison by beginning, end or part lets pass."""
    base, stranger = stage.hospitals.base(stage.a), stage.hospitals.base(STRANGER)
    (scheme, host), other = urlsplit(base)[:2], urlsplit(stranger)
    look_alike = {
        "more behind the base": f"{base}-more",
        "another path at the host": f"{scheme}://{host}/another/fhir",
        "the host as a user name": f"{scheme}://{host}@{other.netloc}{other.path}",
        "a path that climbs out": f"{base}/../../{STRANGER}/fhir",
        "the base within a query": f"{stranger}?{base}",
        "the base within a path": f"{stranger}/{quote(base, safe='')}",
    }
    return [_refused(stage, iss, subject) for subject, iss in look_alike.items()]


@check("L08")
def stranger_gets_nothing(stage: Stage) -> Row:
    """The stranger's sign-in followed to its end, if the product begins it."""
    since = stage.hospitals.now()
    stage.browser().open(_launch(stage, stage.hospitals.base(STRANGER)))
    came = _at_stranger(stage, since)
    lost = [
        request for request in came if request.role == "token" and (request.form or "authorization" in request.headers)
    ]
    if not lost:
        return row(HELD, f"{len(came)} requests arrived there, none with a code, a secret or an assertion", came)
    lost_parts = ", ".join(
        name
        for name, is_there in (
            ("a code", any("code" in request.form for request in lost)),
            (
                "a secret",
                any("client_secret" in request.form or "authorization" in request.headers for request in lost),
            ),
            ("an assertion", any("client_assertion" in request.form for request in lost)),
        )
        if is_there
    )
    return row(BROKE, f"a server that nobody registered was sent {lost_parts}", lost)


@check("L09", two=True)
def launch_of_another(stage: Stage) -> Row:
    """The launch value of A, with B as the issuer."""
    assert stage.b is not None
    handle = dict(parse_qsl(urlsplit(stage.hospitals.launch(stage.a)).query))
    iss = stage.hospitals.base(stage.b)
    url = with_query(_at(stage, stage.b), iss=iss, launch=handle["launch"])
    visit = stage.visit(stage.b, url=url)
    shown = stage.shown(visit.page, [stage.a])
    if shown:
        return row(BROKE, f"it showed a record of {shown[0]}", visit.asked)
    return row(HELD, f"nothing of {stage.a} was shown; it ended with {visit.page.told}")


@check("L10")
def malformed(stage: Stage) -> list[Row]:
    """Parameters missing, and given twice."""
    base, at = stage.hospitals.base(stage.a), _at(stage, stage.a)
    stranger = stage.hospitals.base(STRANGER)
    addresses = {
        "no iss": with_query(at, launch="x"),
        "no launch": with_query(at, iss=base),
        "both twice": with_query(with_query(at, iss=base, launch="x"), iss=stranger, launch="y"),
        "neither": at,
    }
    rows = []
    for subject, url in addresses.items():
        since = stage.hospitals.now()
        page = stage.browser().open(url, until=(f"{stage.hospitals.origin(STRANGER)}/",))
        came = _at_stranger(stage, since)
        problem = stage.crashed(page) or ("it asked a server that nobody registered" if came else "")
        rows.append(judged(problem, f"{page.told}", came, subject=subject))
    return rows


@check("L11")
def without_tls(stage: Stage) -> Row:
    """The registered address but for its scheme, which the hospital answers too."""
    base = stage.hospitals.base(stage.a)
    iss = base.replace("https://", "http://", 1)
    if iss == base:
        return row(NOT_APPLICABLE, NO_TLS)
    page = stage.browser().open(f"{iss}/.well-known/smart-configuration")
    if page.status != 200:
        return not_reached(f"the hospital does not answer there: {page.told}")
    return _refused(stage, iss)


@check("L12")
def moved_token_endpoint(stage: Stage) -> Row:
    """A's discovery names the stranger's token endpoint."""
    since = stage.hospitals.now()
    moved = stage.hospitals.address(STRANGER, "token")
    with edited_discovery(stage, stage.a, lambda document: {**document, "token_endpoint": moved}) as asked:
        visit = stage.visit(stage.a)
        if not asked():
            return not_reached(NOT_ASKED)
    lost = [request for request in _at_stranger(stage, since) if request.role == "token"]
    if lost:
        return row(BROKE, "the code went to a token endpoint at a server that nobody registered", lost)
    return row(HELD, f"no code went there; the sign-in ended with {visit.page.told}")


@check("L13")
def redirected_discovery(stage: Stage) -> Row:
    """A's discovery answers with a redirect to the stranger's."""
    since = stage.hospitals.now()
    there = stage.hospitals.base(STRANGER)
    redirect = stage.answers(
        stage.a,
        "smart",
        lambda exchange: Response(status_code=302, headers={"Location": f"{there}/{exchange.path}"}),
        among=_DISCOVERY,
    )
    with redirect:
        begun = stage.begin(stage.browser(), stage.a)
    if not [request for request in stage.hospitals.asked(since, org=stage.a) if request.role in _DISCOVERY]:
        return not_reached(NOT_ASKED)
    came = _at_stranger(stage, since)
    if came:
        return row(BROKE, "the redirect to another server was followed", came)
    return row(HELD, f"the redirect was not followed; the sign-in ended with {begun.page.told}")


@check("L14")
def broken_discovery(stage: Stage) -> list[Row]:
    """Discovery that is no discovery."""
    broken = {
        "HTML": Response("<!doctype html><title>Sign in</title>", media_type="text/html"),
        "an empty object": Response("{}", media_type="application/json"),
        "503": Response("", 503),
    }
    ways: dict[str, AbstractContextManager[None]] = {
        subject: stage.answers(stage.a, "smart", lambda _, reply=reply: reply, among=_DISCOVERY)  # type: ignore[misc]  # bound
        for subject, reply in broken.items()
    }
    # Right in everything but its size: what goes wrong then is of the size alone.
    huge = stage.edits(stage.a, _DISCOVERY, lambda _, document: {**document, "padding": "x" * 700_000})
    rows = []
    for subject, way in {**ways, "right, and 700 KB long": huge}.items():
        since = stage.hospitals.now()
        with way:
            begun = stage.begin(stage.browser(), stage.a)
        asked = [request for request in stage.hospitals.asked(since, org=stage.a) if request.role in _DISCOVERY]
        if not asked:
            rows.append(not_reached(NOT_ASKED, subject=subject))
            continue
        problem = stage.crashed(begun.page)
        if not problem and begun.page.way and begun.page.way[-1].seconds > PAGE_SECONDS:
            problem = "the page took too long"
        rows.append(judged(problem, begun.page.told, asked, subject=subject))
    return rows


@check("L15")
def opened_again(stage: Stage) -> Row:
    """The first launch's address once more, after a second one."""
    browser, first = stage.browser(), stage.hospitals.launch(stage.a, "p1")
    earlier = stage.visit(stage.a, "p1", browser=browser, url=first)
    two = stage.visit(stage.a, "p2", browser=browser)
    if not (shows_own(stage, earlier) and shows_own(stage, two)):
        return not_reached("two launches one after the other did not show their patients")
    again = stage.begin(browser, stage.a, url=first)
    shown = stage.shown(again.page, [stage.a])
    if not again.asked and f"{stage.a} p1" in shown:
        return row(BROKE, "the earlier patient was shown again, without a new sign-in")
    return row(HELD, "a new sign-in began" if again.asked else f"it ended with {again.page.told}")


@check("L17")
def interleaved(stage: Stage) -> list[Row] | Row:
    """Two charts opened in two tabs of one browser, before either sign-in ends; then the first tab loaded again."""
    browser, tabs = stage.browser(), list[Visit]()
    used = {"p1": browser, "p2": browser.tab()}
    begun = [stage.begin(tab, stage.a, patient) for patient, tab in used.items()]
    if not all(sign_in.asked for sign_in in begun):
        return not_reached("two sign-ins at once did not begin")
    for (patient, tab), sign_in in zip(used.items(), begun, strict=True):
        page = tab.open(sign_in.page.next, method=sign_in.page.method, form=sign_in.page.form)
        if stage.product.home is not None and page.stopped is None and page.status < 400:
            page = stage.home(tab, stage.a, patient)
        asked = tuple(stage.hospitals.asked(sign_in.since))
        shown = stage.shown(page, [stage.a])
        if shown != [f"{stage.a} {patient}"]:
            seen = f"the launch for {patient} ended with {page.told} that shows {', '.join(shown) or 'no patient'}"
            # Nobody reads the wrong chart where a launch is refused: its user opens it once more.
            severity = None if shown else Severity.MEDIUM
            return row(BROKE, seen, asked, about="flow", severity=severity)
        tabs.append(Visit(stage.a, patient, page, sign_in.asked, sign_in.since, asked))
    ended = row(HELD, "each ended with its own patient", tabs[0].asked, about="flow")
    return [ended, _first_tab(stage, browser, *tabs)]


def _first_tab(stage: Stage, browser: Browser, first: Visit, second: Visit) -> Row:
    since, subject = stage.hospitals.now(), "the first tab"
    try:
        again = stage.again(browser, first.page)
    except OutOfReachError as error:
        return not_reached(str(error), subject=subject)
    problem = changed_tab(stage, browser, first, second, again)
    well = f"loaded again, it gives {again.told}"
    return judged(problem, well, stage.hospitals.asked(since), subject=subject, about="tab")


@check("L19")
def framing(stage: Stage) -> list[Row]:
    """The headers of the page with the record; with scripts also a stranger's page that frames it."""

    def problem(headers: dict[str, str]) -> str:
        policy = headers.get("content-security-policy", "")
        directives = dict(part.strip().partition(" ")[::2] for part in policy.lower().split(";"))
        ancestors = directives.get("frame-ancestors")
        if ancestors is not None:
            open_to = {"*", "https:", "http:"} & set(ancestors.split())
            return f"frame-ancestors lets {min(open_to)} frame it" if open_to else ""
        older = headers.get("x-frame-options", "").upper()
        return "" if older in ("DENY", "SAMEORIGIN") else "no header says who may frame the page"

    rows = each(stage, lambda visit: (problem(dict(visit.page.headers)), ()), "strangers cannot frame the page")
    return rows if stage.chromium is None else [*rows, framed_by_stranger(stage)]


def _at(stage: Stage, org: str) -> str:
    return stage.product.launch_at(stage.hospitals.clients[org])


def _launch(stage: Stage, iss: str) -> str:
    return with_query(_at(stage, stage.a), iss=iss, launch="zqxhandle")


def _at_stranger(stage: Stage, since: int) -> list[Asked]:
    """The application's requests at the stranger, at whatever path."""
    host = stage.hospitals.host(STRANGER)
    return [
        request for request in stage.hospitals.asked(since) if request.organization == STRANGER or request.host == host
    ]


def _refused(stage: Stage, iss: str, subject: str | None = None) -> Row:
    """Whether a launch with this issuer is refused without any request, and the browser sent nowhere."""
    since = stage.hospitals.now()
    hosts = [stage.hospitals.host(name) for name in (*stage.hospitals.clients, STRANGER)]
    addresses = [f"{scheme}://{host}/" for host in hosts for scheme in ("http", "https")]
    page = stage.browser().open(_launch(stage, iss), until=addresses)
    came = stage.hospitals.asked(since)
    if came:
        where = "a server that nobody registered" if _at_stranger(stage, since) else "an address that nobody registered"
        return row(BROKE, f"it asked {where}: {came[0].method} {came[0].path[:80]}", came, subject=subject)
    if page.stopped == "elsewhere":
        return row(BROKE, f"it sent the browser on to {page.next[:100]}", subject=subject)
    return row(HELD, f"{stage.refusal(page)}, no request", subject=subject)
