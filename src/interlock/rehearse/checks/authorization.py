"""The authorization request: read from the address with which the browser reached the hospital."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from interlock.rehearse.checks.base import NOT_ASKED, bits, check, each, edited_discovery, not_reached
from interlock.rehearse.records import PATIENTS, canary
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Begun, Row, Stage, Visit, judged, row

#: At least so many bits (SMART App Launch 2.2, app protection).
_STATE_BITS = 122
_SIGN_INS = 20
#: A scope for resources as SMART App Launch 2.2 and 1.0 write it.
_RESOURCE_SCOPE = re.compile(
    r"(?:patient|user|system)/(?P<type>[A-Za-z]+|\*)\.(?P<how>read|write|\*|[cruds]+)(?:\?.*)?"
)
#: What the launch itself is about: who, in which visit, and who is signed in (a judgement).
_CONTEXT = {"Patient", "Encounter", "Practitioner", "PractitionerRole", "Person", "RelatedPerson"}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@check("A01", polite=True)
def four_parameters(stage: Stage) -> list[Row]:
    """What was asked in the polite sign-ins."""

    rows = []
    for org, visit in stage.visits.items():
        client, asked = stage.hospitals.clients[org], visit.authorization
        wanted = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "aud": stage.hospitals.base(org),
        }
        wrong = [name for name, value in wanted.items() if asked.get(name) != value] if asked else []
        for name in wrong:
            seen = f"{name} is not as registered" if name in asked else f"{name} is missing"
            rows.append(Row(BROKE, seen, org=org, subject=name, about=name))
        if not asked:
            rows.append(not_reached(f"there was no authorization request: {visit.page.told}", org=org))
        elif not wrong:
            rows.append(row(HELD, "response_type, client_id, redirect_uri and aud are right", org=org))
    return rows


@check("A02", two=True, polite=True)
def own_client_id(stage: Stage) -> Row:
    """Where the hospitals gave different ids."""
    return _own(stage, "client_id", {client.client_id for client in stage.hospitals.clients.values()})


@check("A03", two=True, polite=True)
def own_redirect(stage: Stage) -> Row:
    """Where the hospitals registered different addresses."""
    return _own(stage, "redirect_uri", {client.redirect_uri for client in stage.hospitals.clients.values()})


def _own(stage: Stage, name: str, registered: set[str]) -> Row:
    if len(registered) < len(stage.hospitals.clients):
        return row(NOT_APPLICABLE, f"the hospitals have one {name} registered")
    clients = stage.hospitals.clients
    sent = {org: visit.authorization.get(name) for org, visit in stage.visits.items()}
    if None in sent.values():
        return not_reached("not every hospital had an authorization request")
    wrong = [org for org, value in sent.items() if value != getattr(clients[org], name)]
    if wrong:
        return row(BROKE, f"{wrong[0]} was sent a {name} that is registered elsewhere, or nowhere")
    return row(HELD, f"each was sent its own {name}")


@check("A04", polite=True)
def as_in_the_contract(stage: Stage) -> list[Row] | Row:
    """Each resource scope against what contract.yaml reads and writes."""
    contract = stage.contract
    if contract is None or not (contract.inputs or contract.outputs):
        return row(NOT_APPLICABLE, "there is no contract.yaml that names what is read and written")
    written = {need.resource for need in contract.outputs}
    named = _CONTEXT | written | {need.resource for need in contract.inputs}

    def beyond(visit: Visit) -> str:
        for scope in visit.authorization.get("scope", "").split():
            parts = _RESOURCE_SCOPE.fullmatch(scope)
            if parts is None:
                continue
            if parts["type"] not in named:
                return f"it asks for {scope}, and contract.yaml names no {parts['type']}"
            writes = parts["how"] != "read" and bool(set(parts["how"]) & set("cud*w"))
            if parts["type"] not in written and writes:
                return f"it asks for {scope}, and contract.yaml writes no {parts['type']}"
        return ""

    return each(stage, lambda visit: (beyond(visit), ()), "nothing is asked for that contract.yaml does not name")


@check("A05", polite=True)
def scopes(stage: Stage) -> list[Row]:
    """Whether scope is there at all, and names what it wants."""

    def problem(visit: Visit) -> str:
        scope = visit.authorization.get("scope", "")
        wide = [text for text in scope.split() if "/*" in text or text.endswith((".*", "/*.*"))]
        return "no scope is asked for" if not scope else f"it asks for {wide[0]}" if wide else ""

    return each(stage, lambda visit: (problem(visit), ()), "scopes name their types")


@check("A06")
def syntax(stage: Stage) -> list[Row] | Row:
    """Discovery that offers scopes of SMART 1.0 alone, then of 2 alone."""
    if not _syntaxes(stage.visits[stage.a].authorization):
        return row(NOT_APPLICABLE, "no scope for a resource is asked for")
    rows = []
    for offered, other in (("v1", "v2"), ("v2", "v1")):
        subject = f"scopes of {offered} alone are offered"

        def edit(document: dict[str, Any], offered: str = offered, other: str = other) -> dict[str, Any]:
            able = [
                capability for capability in document.get("capabilities", ()) if capability != f"permission-{other}"
            ]
            scopes = [
                scope for scope in document.get("scopes_supported", ()) if _syntaxes({"scope": scope}) <= {offered}
            ]
            return {**document, "capabilities": [*{*able, f"permission-{offered}"}], "scopes_supported": scopes}

        with edited_discovery(stage, stage.a, edit) as asked:
            begun = stage.begin(stage.browser(), stage.a)
            if not asked():
                rows.append(not_reached(NOT_ASKED, subject=subject))
                continue
        syntaxes = _syntaxes(begun.asked)
        if not syntaxes:
            rows.append(not_reached(f"it asked for no scope of a resource: {begun.page.told}", subject=subject))
        else:
            problem = "" if offered in syntaxes else f"it asks for scopes of {other}: {begun.asked['scope'][:200]}"
            rows.append(judged(problem, f"it asks for scopes of {offered}", subject=subject))
    return rows


def _syntaxes(asked: Mapping[str, str]) -> set[str]:
    """Which syntaxes the scopes for resources have: v1 (read, write, *) and v2 (letters of cruds)."""
    matches = (_RESOURCE_SCOPE.fullmatch(scope) for scope in asked.get("scope", "").split())
    return {"v1" if match["how"] in ("read", "write", "*") else "v2" for match in matches if match is not None}


@check("A07")
def states(stage: Stage) -> Row:
    """Twenty sign-ins of new browsers."""
    begun = _many(stage)
    values = [sign_in.asked["state"] for sign_in in begun if sign_in.asked.get("state")]
    if len(values) < len(begun):
        return row(BROKE, f"{len(begun) - len(values)} of {len(begun)} authorization requests had no state")
    if len(set(values)) < len(values):
        return row(BROKE, f"the same state came twice in {len(values)} sign-ins")
    strength = bits(values)
    if strength < _STATE_BITS:
        return row(BROKE, f"states have at most {strength:.0f} bits, and {_STATE_BITS} are asked for")
    return row(HELD, f"{len(values)} states, each another, of up to {strength:.0f} bits")


@check("A08")
def two_at_once(stage: Stage) -> Row:
    """Two sign-ins of one browser."""
    browser = stage.browser()
    first, second = (stage.begin(browser, stage.a, patient) for patient in PATIENTS)
    if not (first.asked and second.asked):
        return not_reached("two sign-ins at once did not begin")
    if first.asked.get("state") == second.asked.get("state"):
        return row(BROKE, "both have one state")
    for begun in (first, second):
        answer = stage.answer(browser, begun)
        if answer is None:
            return not_reached("the hospital gave no code")
        browser.open(answer.url)
        if not stage.uses(answer.code, begun.since):
            return row(BROKE, "only one of two answers was taken")
    return row(HELD, "two states, and both answers were taken")


@check("A09")
def pkce(stage: Stage) -> Row:
    """The challenges of twenty sign-ins."""
    begun = _many(stage)
    return _pkce_row(begun)


def _pkce_row(begun: list[Begun]) -> Row:
    challenges = [sign_in.asked.get("code_challenge", "") for sign_in in begun]
    if not all(challenges):
        return row(BROKE, "the authorization request has no code_challenge")
    if any(sign_in.asked.get("code_challenge_method") != "S256" for sign_in in begun):
        return row(BROKE, "code_challenge_method is not S256")
    if not all(_CHALLENGE.fullmatch(challenge) for challenge in challenges):
        return row(BROKE, "code_challenge is no SHA-256 digest in base64url")
    if len(set(challenges)) < len(challenges):
        return row(BROKE, "the same code_challenge came twice")
    return row(HELD, f"S256, another challenge in each of {len(challenges)} sign-ins")


@check("A10")
def never_plain(stage: Stage) -> list[Row]:
    """Discovery that offers no method, and that offers plain."""

    def without(document: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in document.items() if name != "code_challenge_methods_supported"}

    edits = {
        "no method offered": without,
        "plain offered": lambda document: {**document, "code_challenge_methods_supported": ["plain"]},
    }
    rows = []
    for subject, edit in edits.items():
        with edited_discovery(stage, stage.a, edit) as asked:
            begun = stage.begin(stage.browser(), stage.a)
            if not asked():
                rows.append(not_reached(NOT_ASKED, subject=subject))
                continue
        if not begun.asked:
            rows.append(row(HELD, f"it stopped with {begun.page.told}", subject=subject))
            continue
        pkce = _pkce_row([begun])
        rows.append(Row(pkce.outcome, pkce.seen, subject=subject))
    return rows


@check("A11")
def nonces(stage: Stage) -> Row:
    """Where openid is asked for."""
    begun = [sign_in for sign_in in _many(stage) if "openid" in sign_in.asked.get("scope", "").split()]
    if not begun:
        return row(NOT_APPLICABLE, "the scope openid is not asked for")
    values = [sign_in.asked.get("nonce", "") for sign_in in begun]
    if not all(values):
        return row(BROKE, "openid is asked for without a nonce")
    if len(set(values)) < len(values):
        return row(BROKE, "the same nonce came twice")
    return row(HELD, f"another nonce in each of {len(values)} sign-ins")


@check("A12")
def nothing_secret(stage: Stage) -> list[Row]:
    """In the address of the authorization request, and in the Referer with which it came."""

    def problem(visit: Visit) -> str:
        tokens = {request.token for request in visit.asked if request.token}
        patients = {canary(org, patient) for org in stage.orgs for patient in PATIENTS}
        for secret, marks in (
            ("a token", tokens),
            ("the client secret", {stage.hospitals.secret(visit.org)}),
            ("a patient", patients),
        ):
            for name, value in visit.authorization.items():
                if any(mark.lower() in value.lower() for mark in marks):
                    return f"{secret} stands in {name}"
        return ""

    return each(stage, lambda visit: (problem(visit), ()), "no secret, token or patient in the address")


@check("A13")
def query_kept(stage: Stage) -> Row:
    """An authorization endpoint with a query of its own (RFC 6749 section 3.1)."""

    def edit(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "authorization_endpoint": f"{document['authorization_endpoint']}?tenant=rehearsal"}

    browser = stage.browser()
    with edited_discovery(stage, stage.a, edit) as asked:
        begun = stage.begin(browser, stage.a)
        if not asked():
            return not_reached(NOT_ASKED)
    if not begun.asked:
        return row(BROKE, f"no authorization request followed: {begun.page.told}")
    stage.answer(browser, begun)
    sent = stage.hospitals.asked(begun.since, by_app=None, org=stage.a, role="authorize")
    came = dict(parse_qsl(urlsplit(begun.page.next).query)).get("tenant")
    if came == "rehearsal":
        return row(HELD, "tenant=rehearsal came along unchanged", sent)
    if came is None:
        return row(BROKE, "the endpoint's own tenant=rehearsal was left out", sent)
    return row(BROKE, f"the endpoint's own tenant=rehearsal came as {came[:60]!r}: a query was begun twice", sent)


def _many(stage: Stage) -> list[Begun]:
    """Twenty sign-ins of new browsers, begun once in a rehearsal; with scripts of four, which are dear."""
    if not stage.begun:
        browsers = [stage.browser() for _ in range(_SIGN_INS if stage.chromium is None else 4)]
        stage.begun = [stage.begin(browsers[number % len(browsers)], stage.a) for number in range(_SIGN_INS)]
    return stage.begun
