"""ID tokens: forged ones, keys that were replaced, and users of every type."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from interlock.rehearse.checks.base import check, claims_of, edit_token, not_reached, shows_own
from interlock.rehearse.hospitals import STRANGER
from interlock.rehearse.stage import BROKE, HELD, NOT_APPLICABLE, Row, Stage, judged, row
from interlock.sandbox.exchange import Exchange

_MOST_TRIES = 3


@check("R07")
def forged_identity(stage: Stage) -> list[Row] | Row:
    """ID tokens that must not count (OpenID Connect Core 1.0, ID token validation)."""
    if "openid" not in stage.visits[stage.a].authorization.get("scope", "").split():
        return row(NOT_APPLICABLE, "the scope openid is not asked for")
    rows = []
    for subject in ("unsigned", "another key", "audience", "issuer", "expired", "nonce", "HS256 with the public key"):
        with _forged(stage, subject):
            visit = stage.visit(stage.a)
        if subject == "nonce" and visit.authorization and "nonce" not in visit.authorization:
            # OpenID Connect Core 1.0, section 3.1.3.7: it is compared where one was sent.
            rows.append(row(NOT_APPLICABLE, "it sends no nonce, so there is none to compare with", subject=subject))
        elif not visit.of("token"):
            rows.append(not_reached("the token endpoint was not asked", subject=subject))
        else:
            problem = "it signed in" if stage.shown(visit.page) else ""
            rows.append(judged(problem, f"refused with {visit.page.told}", visit.of("token"), subject=subject))
    return rows


def _forged(stage: Stage, how: str) -> Any:
    """Let ID tokens of A be wrong in one way, as a context."""
    wrong: dict[str, dict[str, Any]] = {
        "audience": {"aud": "zqx-another-client"},
        "issuer": {"iss": "https://zqx.example/oauth2"},
        "expired": {"exp": int(time.time()) - 3_600, "iat": int(time.time()) - 7_200},
        "nonce": {"nonce": "zqx-another-nonce"},
    }
    changed = wrong.get(how, {})

    def edit(exchange: Exchange, document: dict[str, Any]) -> None:
        if "id_token" not in document:
            return
        header, claims = claims_of(document["id_token"])
        claims |= changed
        keys = exchange.state.keys
        if how == "unsigned":
            document["id_token"] = f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."
        elif how == "another key":
            theirs = keys.sign(STRANGER, claims, "RS256").rsplit(".", 1)[1]
            document["id_token"] = f"{_part(header)}.{_part(claims)}.{theirs}"
        elif how.startswith("HS256"):
            document["id_token"] = _with_public_key(keys.jwks(stage.a, time.time()), header, claims)
        else:
            document["id_token"] = keys.sign(stage.a, claims, "RS256")

    return stage.edits(stage.a, ("token",), edit)


def _with_public_key(jwks: dict[str, Any], header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed by HMAC with the public key as its secret (RFC 8725 section 2.1)."""
    from joserfc.jwk import RSAKey

    public = next(key for key in jwks["keys"] if key["kty"] == "RSA")
    pem = RSAKey.import_key(public).as_pem(private=False)
    signed = f"{_part({**header, 'alg': 'HS256'})}.{_part(claims)}"
    digest = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@check("R08")
def rotated_keys(stage: Stage) -> Row:
    """A sign-in after the provider has taken new keys."""
    if "openid" not in stage.visits[stage.a].authorization.get("scope", "").split():
        return row(NOT_APPLICABLE, "the scope openid is not asked for")
    stage.hospitals.server.rotate_keys(stage.a)
    visit = stage.visit(stage.a)
    fetched = visit.of("jwks")
    if not shows_own(stage, visit):
        return row(BROKE, f"an ID token of a new key was refused with {visit.page.told}", visit.asked)
    if len(fetched) > _MOST_TRIES:
        return row(BROKE, f"the key set was asked for {len(fetched)} times", fetched)
    if not fetched:
        return not_reached("it signed in without the new key, so it looks at no signature (see RH-R07)")
    return row(HELD, f"signed in; the key set was asked for {len(fetched)} times", visit.asked)


@check("R11")
def every_user(stage: Stage) -> list[Row] | Row:
    """fhirUser of every type, and relative (SMART App Launch 2.2, scopes for requesting identity data)."""
    if not {"openid", "fhirUser"} <= set(stage.visits[stage.a].authorization.get("scope", "").split()):
        return row(NOT_APPLICABLE, "the scopes openid and fhirUser are not asked for")
    with edit_token(stage, stage.a, **{"id_token": "zqx-no-token"}):
        if shows_own(stage, stage.visit(stage.a)):
            return not_reached("it signed in with an ID token that is none, so it does not look at it (see RH-R07)")
    rows, base = [], stage.hospitals.base(stage.a)
    for kind in ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "Person", "a relative one"):
        user = "Practitioner/clinician" if kind == "a relative one" else f"{base}/{kind}/somebody"

        def edit(exchange: Exchange, document: dict[str, Any], user: str = user) -> None:
            if "id_token" in document:
                claims = claims_of(document["id_token"])[1] | {"fhirUser": user}
                document["id_token"] = exchange.state.keys.sign(stage.a, claims, "RS256")

        with stage.edits(stage.a, ("token",), edit):
            visit = stage.visit(stage.a)
        rows.append(judged(stage.crashed(visit.page), visit.page.told, visit.asked, subject=kind))
    return rows
