"""The token request, and what the product makes of answers to it that are not what they should be."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, get_args

from starlette.responses import Response

from interlock.rehearse.checks.base import NO_TLS, check, claims_of, each, edit_token, lacking, not_reached, shows_own
from interlock.rehearse.checks.scripts import secret_in_browser
from interlock.rehearse.hospitals import STRANGER, Asked
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, Visit, judged, row
from interlock.sandbox.exchange import Exchange
from interlock.sandbox.replies import plain_json
from interlock.sandbox.tls import Wrong

_ASSERTION_SECONDS = 300
#: Two clocks may differ a little.
_SKEW = 10
_MOST_TRIES = 3


def _token_requests(visit: Visit) -> list[Asked]:
    asked = visit.of("token")
    return [request for request in asked if request.form.get("grant_type") == "authorization_code"] or asked


@check("T01", polite=True)
def proves(stage: Stage) -> list[Row]:
    """The verifier, the redirect address and the place of the polite token requests."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        asked = _token_requests(visit)
        form = asked[0].form
        digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked[0].query:
            return "parameters stand in the address of the token request", asked
        if "code_verifier" not in form:
            return "the token request has no code_verifier", asked
        if digest.decode().rstrip("=") != visit.authorization.get("code_challenge"):
            return "code_verifier does not match the code_challenge", asked
        wrong = form.get("redirect_uri") != stage.hospitals.clients[visit.org].redirect_uri
        return ("redirect_uri is another than that of the authorization request" if wrong else ""), asked

    well = "the verifier matches, redirect_uri is the same, nothing stands in the address"
    return each(stage, problem, well, needs="token")


@check("T02", polite=True)
def secret(stage: Stage) -> list[Row]:
    """Where the client secret travels, and whether a browser ever sees it."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        mine = stage.hospitals.secret(visit.org)
        asked = visit.of("token")
        pages = [visit.page.text, *(hop.url for hop in visit.page.way)]
        if any(mine in text for text in pages):
            return "the client secret reached the browser", asked
        if any(mine in request.query.values() for request in asked):
            return "the client secret stands in an address", asked
        posted = any(mine in request.form.values() or "client_secret" in request.form for request in asked)
        return ("the client secret stands in the body, and SMART has it in the header" if posted else ""), asked

    rows = each(stage, problem, "no secret in an address, a body or the browser", needs="token")
    return rows if stage.chromium is None else [*rows, *(secret_in_browser(stage, org) for org in stage.orgs)]


@check("T03", polite=True)
def authenticates(stage: Stage) -> list[Row]:
    """Whether the client proves itself in the way of its kind."""

    def problem(visit: Visit) -> tuple[str, list[Asked]]:
        asked = _token_requests(visit)
        kind = stage.hospitals.clients[visit.org].client
        form, header = asked[0].form, asked[0].headers.get("authorization", "").lower()
        if kind == "public":
            return ("" if form.get("client_id") else "client_id is not in the body"), asked
        if kind == "confidential-symmetric":
            proven = header.startswith("basic ") or "client_secret" in form
            return ("" if proven else "it did not authenticate with its secret"), asked
        return ("" if form.get("client_assertion") else "it did not authenticate with an assertion"), asked

    return each(stage, problem, "it authenticates as it is registered", needs="token")


@check("T05", polite=True)
def assertion(stage: Stage) -> list[Row] | Row:
    """The client assertions of the polite sign-ins."""
    asymmetric = [
        visit for org, visit in stage.visits.items() if stage.hospitals.clients[org].client.endswith("-asymmetric")
    ]
    if not asymmetric:
        return row(NOT_APPLICABLE, "no client is registered with a key")
    rows, ids = [], set[str]()
    for visit in asymmetric:
        if (less := lacking(visit, "token")) is not None:
            rows.append(less)
            continue
        asked = [request for request in visit.of("token") if "client_assertion" in request.form]
        problem = "" if asked else "there was no client assertion"
        for request in asked:
            header, claims = claims_of(request.form["client_assertion"])
            problem = problem or wrong_assertion(stage, visit.org, header, claims, request.at)
            problem = problem or ("jti was used before" if str(claims.get("jti")) in ids else "")
            ids.add(str(claims.get("jti")))
        rows.append(judged(problem, "aud, iss, sub, exp and jti are right", asked, org=visit.org))
    return rows


def wrong_assertion(
    stage: Stage, org: str, header: dict[str, Any], claims: dict[str, Any], at: float, client: str = ""
) -> str:
    """What is wrong with a client assertion that was sent at a time; empty when nothing is.

    :param client: the id of another client than the one that signs people in.
    """
    client = client or stage.hospitals.clients[org].client_id
    lives = claims.get("exp")
    for wrong, words in (
        (header.get("alg") not in ("RS384", "ES384"), f"it is signed by {header.get('alg')}"),
        (not header.get("kid"), "it has no kid"),
        (header.get("typ") != "JWT", "typ is not JWT"),
        (claims.get("iss") != client or claims.get("sub") != client, "iss and sub are not the client id"),
        (claims.get("aud") != stage.hospitals.address(org, "token"), "aud is not the token endpoint"),
        (not isinstance(lives, int | float), "it has no exp"),
        (not claims.get("jti"), "it has no jti"),
    ):
        if wrong:
            return words
    assert isinstance(lives, int | float)
    return "it is good for longer than five minutes" if lives - at > _ASSERTION_SECONDS + _SKEW else ""


@check("T04", polite=True)
def own_key(stage: Stage) -> list[Row] | Row:
    """Whether each hospital could verify the assertion with the key that it has registered."""
    kinds = {org: client.client for org, client in stage.hospitals.clients.items()}
    rows = []
    for org, visit in stage.visits.items():
        asked = [request for request in visit.of("token") if "client_assertion" in request.form]
        if kinds[org] != "confidential-asymmetric":
            continue
        if (less := lacking(visit, "token")) is not None:
            rows.append(less)
        else:
            problem = "" if asked and asked[0].status == 200 else "the hospital could not take the assertion"
            words = " ".join(stage.hospitals.words_of(asked[0].number)) if problem and asked else ""
            rows.append(judged(f"{problem}: {words}" if words else problem, "it was verified", asked, org=org))
    return rows or row(NOT_APPLICABLE, "no client is registered with a key")


@check("T06")
def second_try(stage: Stage) -> Row:
    """401 to the first token request."""
    if stage.hospitals.clients[stage.a].client != "confidential-asymmetric":
        return row(NOT_APPLICABLE, "the client has no key")
    since = stage.hospitals.now()

    def once(_: Exchange) -> Response | None:
        first = len(stage.hospitals.asked(since, org=stage.a, role="token")) <= 1
        return plain_json({"error": "invalid_client"}, 401) if first else None

    with stage.answers(stage.a, "token", once):
        visit = stage.visit(stage.a)
    asked = [request for request in visit.of("token") if "client_assertion" in request.form]
    if not asked:
        return not_reached("there was no token request with an assertion")
    ids = [str(claims_of(request.form["client_assertion"])[1].get("jti")) for request in asked]
    problem = "the same assertion was sent again" if len(set(ids)) < len(ids) else ""
    if len(asked) > _MOST_TRIES:
        problem = problem or f"it asked {len(asked)} times"
    return judged(problem, f"{len(asked)} requests, each with an assertion of its own", asked)


@check("T08")
def broken_token_endpoint(stage: Stage) -> list[Row]:
    """Refusals and answers that are none."""
    replies: dict[str, Response] = {
        "invalid_grant": plain_json({"error": "invalid_grant"}, 400),
        "500": Response("error", 500),
        "HTML under 200": Response("<!doctype html><title>Sign in</title>", media_type="text/html"),
        "an empty object": plain_json({}),
    }
    rows = []
    for subject, reply in replies.items():
        with stage.answers(stage.a, "token", lambda _, reply=reply: reply):  # type: ignore[misc]  # bound
            visit = stage.visit(stage.a)
        asked = visit.of("token")
        if not asked:
            rows.append(not_reached("the token endpoint was not asked", subject=subject))
            continue
        shown = stage.shown(visit.page)
        problem = f"it showed a record of {shown[0]}" if shown else stage.crashed(visit.page)
        if not problem and len(asked) > _MOST_TRIES:
            problem = f"it asked {len(asked)} times"
        rows.append(judged(problem, visit.page.told, asked, subject=subject))
    return rows


@check("T09")
def redirected_token_endpoint(stage: Stage) -> Row:
    """307 to the stranger: the form with the code would be posted there."""
    since, there = stage.hospitals.now(), stage.hospitals.address(STRANGER, "token")
    with stage.answers(stage.a, "token", lambda _: Response(status_code=307, headers={"Location": there})):
        visit = stage.visit(stage.a)
    if not visit.of("token"):
        return not_reached("the token endpoint was not asked")
    lost = stage.hospitals.asked(since, org=STRANGER)
    if lost:
        return row(BROKE, "it followed the redirect and posted the code to another server", lost)
    return row(HELD, f"the redirect was not followed; {visit.page.told}", visit.of("token"))


@check("T10")
def certificates(stage: Stage) -> list[Row] | Row:
    """A right answer with a code, and a hospital that shows a wrong certificate to whoever brings it."""
    if not stage.product.tls:
        return row(NOT_APPLICABLE, NO_TLS)
    rows = []
    for wrong in get_args(Wrong):
        browser = stage.browser()
        answer = stage.answered(browser, stage.a)
        if answer is None:
            return not_reached("no code was given in a polite sign-in")
        since = stage.hospitals.now()
        with stage.hospitals.server.presenting(stage.a, wrong) as begun:
            page = browser.open(answer.url)
            tried = begun()
        came = stage.hospitals.asked(since, org=stage.a)
        if came:
            rows.append(row(BROKE, f"it sent its request to a hospital with {wrong}", came, subject=wrong))
        elif tried:
            rows.append(row(HELD, f"it gave the connection up; {page.told}", subject=wrong))
        else:
            rows.append(not_reached(f"it did not connect to the hospital; {page.told}", subject=wrong))
    return rows


# -- what the answer says -------------------------------------------------------------------------------------------


@check("R01")
def no_patient(stage: Stage) -> Row:
    """A token answer without a patient, in a browser that had one before."""
    browser = stage.browser()
    stage.visit(stage.a, "p2", browser=browser)
    with edit_token(stage, stage.a, patient=None, encounter=None):
        visit = stage.visit(stage.a, "p1", browser=browser)
    if not visit.of("token"):
        return not_reached("the token endpoint was not asked")
    shown, reads = stage.shown(visit.page), visit.of("resource")
    reads = [
        request
        for request in reads
        if request.path.rsplit("/fhir/", 1)[-1].partition("/")[0] not in ("Practitioner", "metadata")
    ]
    if shown:
        return row(BROKE, f"it showed a record of {shown[0]}", visit.asked)
    if reads:
        return row(BROKE, f"it read {reads[0].path.rsplit('/fhir/', 1)[-1][:80]} without knowing the patient", reads)
    return judged(stage.crashed(visit.page), f"nothing was read; {visit.page.told}", visit.of("token"))


@check("R02")
def patient_of_the_answer(stage: Stage) -> Row:
    """A browser that had patient 1 open, and is launched for patient 2."""
    browser = stage.browser()
    first = stage.visit(stage.a, "p1", browser=browser)
    second = stage.visit(stage.a, "p2", browser=browser)
    if not shows_own(stage, first):
        return not_reached("the first launch did not show its patient")
    shown = stage.shown(second.page, [stage.a])
    if shown == [f"{stage.a} p2"]:
        return row(HELD, "patient 2 is shown, and nothing of patient 1", second.asked)
    return row(BROKE, f"it showed {', '.join(shown) or 'no patient'} after a launch for patient 2", second.asked)


@check("R05")
def fewer_scopes(stage: Stage) -> Row:
    """A token answer that grants the patient's name and nothing else."""
    polite = {_type_of(request) for request in stage.visits[stage.a].of("resource")} - {
        "Patient",
        "Practitioner",
        "metadata",
    }
    if not polite:
        return not_reached("in the polite sign-in nothing was read beside the patient")
    with edit_token(stage, stage.a, scope="launch openid fhirUser patient/Patient.read patient/Patient.rs"):
        visit = stage.visit(stage.a)
    if not visit.of("token"):
        return not_reached("the token endpoint was not asked")
    beyond = [request for request in visit.of("resource") if _type_of(request) in polite]
    if beyond:
        seen = f"it asked for {_type_of(beyond[0])}, for which the token answer granted no scope"
        return row(BROKE, seen, (*visit.of("token"), *beyond))
    problem = stage.crashed(visit.page)
    return row(
        BROKE if problem else HELD, problem or "nothing was asked for that was not granted", visit.of("resource")
    )


def _type_of(request: Asked) -> str:
    return request.path.rpartition("/fhir/")[2].partition("/")[0].partition("?")[0]


@check("R06")
def token_type(stage: Stage) -> list[Row]:
    """Bearer in other letters (RFC 6749 section 7.1: any case), and a type that nobody can use."""
    rows = []
    for kind, good in (("bearer", True), ("BEARER", True), ("mac", False)):
        with edit_token(stage, stage.a, token_type=kind):
            visit = stage.visit(stage.a)
        if shows_own(stage, visit) is good:
            rows.append(
                row(HELD, "signed in" if good else f"refused with {visit.page.told}", visit.asked, subject=kind)
            )
        else:
            rows.append(
                row(BROKE, f"it ended with {visit.page.told}" if good else "it signed in", visit.asked, subject=kind)
            )
    return rows


@check("R12")
def opaque(stage: Stage) -> Row:
    """An access token that happens to be a JWT, with claims of somebody else."""
    foreign = {"sub": "zqxforeign", "patient": "p2", "fhirUser": "Practitioner/zqxforeign", "scope": "user/*.*"}

    def edit(exchange: Exchange, document: dict[str, Any]) -> None:
        if "access_token" in document and exchange.trace.grant is not None:
            value = exchange.state.keys.sign(stage.a, foreign, "RS256")
            document["access_token"] = exchange.state.ledger.add_token(exchange.trace.grant, value)

    with stage.edits(stage.a, ("token",), edit):
        visit = stage.visit(stage.a)
    if visit.page.shows("zqxforeign") or f"{stage.a} p2" in stage.shown(visit.page, [stage.a]):
        return row(BROKE, "it believed what stands in the access token", visit.asked)
    if not shows_own(stage, visit):
        return row(BROKE, f"with an access token that is a JWT it ended with {visit.page.told}", visit.asked)
    return row(HELD, "the token was carried as it is", visit.asked)


@check("R18")
def senseless_expiry(stage: Stage) -> list[Row]:
    """expires_in that is missing, a text, negative."""
    rows = []
    for subject, value in (("missing", None), ("a text", "soon"), ("negative", -1)):
        with edit_token(stage, stage.a, expires_in=value):
            visit = stage.visit(stage.a)
        refreshed = [request for request in visit.of("token") if request.form.get("grant_type") == "refresh_token"]
        problem = stage.crashed(visit.page)
        if not problem and len(refreshed) > _MOST_TRIES:
            problem = f"it refreshed {len(refreshed)} times"
        rows.append(judged(problem, visit.page.told, visit.asked, subject=subject))
    return rows
