"""How the sample application asks a hospital: documents, tokens, and records with a token that is good."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import secrets
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from interlock.rehearse.sample.logs import Log
from interlock.rehearse.sample.parts import (
    FLOW_SECONDS,
    MAX_BYTES,
    SESSION_SECONDS,
    Backend,
    Flow,
    Hospital,
    Session,
    TroubleError,
    hospitals_of,
)

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

#: An answer that was kept back "may be accessible through alternate processes" (FHIR R4, issue type ``suppressed``).
REASON_WANTED = "The EHR wants a reason before it shows this. Please open the record in the EHR first."


class Asking:
    """What every part of the application shares: hospitals, flows and sessions in memory, and requests.

    ``SAMPLE_PATIENCE`` is for how many seconds it waits for an answer of the EHR.
    """

    def __init__(self, environment: Mapping[str, str], broken: frozenset[str] = frozenset(), folder: str = "") -> None:
        self.hospitals, self.broken, self.folder = hospitals_of(environment), broken, folder
        self.log = Log(folder)
        self.session_seconds = float(environment.get("SESSION_SECONDS", SESSION_SECONDS))
        self.flow_seconds = float(environment.get("SIGN_IN_SECONDS", FLOW_SECONDS))
        self.idle_seconds = float(environment.get("IDLE_SECONDS", 900))
        self.link_seconds = float(environment.get("LINK_SECONDS", 300))
        self.flows: dict[str, Flow] = {}
        self.sessions: dict[str, Session] = {}
        self.users: dict[tuple[str, str], str] = {}
        self.lock = asyncio.Lock()
        self.called: dict[str, float] = {}
        self.own_key: ECKey | None = None
        self.backends = {name: Backend() for name in self.hospitals}
        trusted = ssl.create_default_context(cafile=environment.get("SIM_CA_FILE") or None)
        patience = float(environment.get("SAMPLE_PATIENCE", "2"))
        self.http = httpx.AsyncClient(
            timeout=patience, trust_env=False, verify=trusted, headers={"User-Agent": "sample-app/1"}
        )

    def off(self, hospital: Hospital) -> bool:
        """Whether its operator has switched a hospital off: by a file of its name in the folder."""
        return bool(self.folder) and (Path(self.folder) / f"{hospital.id}.off").exists()

    async def token_request(self, hospital: Hospital, address: str, form: dict[str, str]) -> dict[str, Any]:
        """Ask the token endpoint, as the hospital has this application registered."""
        headers = {}
        key = self.key_of(hospital)
        if key is not None:
            form = form | {
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion(hospital, address, key),
            }
        elif hospital.secret:
            pair = base64.b64encode(f"{hospital.client_id}:{hospital.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            form = form | {"client_id": hospital.client_id}
        try:
            answer = await self.http.post(address, data=form, headers=headers)
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise TroubleError("The EHR gave no answer that can be read.") from error
        if answer.status_code != 200 or not isinstance(told, dict):
            raise TroubleError("The EHR said no.")
        if str(told.get("token_type", "")).lower() != "bearer" or not isinstance(told.get("access_token"), str):
            raise TroubleError("The EHR gave a token of an unknown kind.")
        return told

    def key_of(self, hospital: Hospital) -> ECKey | None:
        """The key with which this application proves itself at a hospital: the one that it was given, or its own."""
        if hospital.method != "private_key_jwt":
            return None
        from joserfc.jwk import ECKey

        if hospital.key:
            return ECKey.import_key(json.loads(hospital.key))
        if self.own_key is None:
            self.own_key = ECKey.generate_key("P-384", {"kid": secrets.token_hex(8), "use": "sig", "alg": "ES384"})
        return self.own_key

    def keep(self, session: Session, answer: dict[str, Any]) -> None:
        """Take over what a token answer gives."""
        lives = answer.get("expires_in")
        lives = lives if isinstance(lives, int | float) and math.isfinite(lives) and lives > 0 else 300
        session.token, session.expires = answer["access_token"], time.time() + lives
        session.refresh = answer.get("refresh_token") or session.refresh
        session.scope = answer.get("scope") or session.scope

    async def document(self, address: str, token: str = "") -> dict[str, Any]:
        """A JSON object; bounded, and never from where a redirect leads."""
        headers = {"Accept": "application/fhir+json" if token else "application/json"}
        headers |= {"Authorization": f"Bearer {token}", "X-Request-Id": secrets.token_hex(8)} if token else {}
        body = b""
        try:
            async with self.http.stream("GET", address, headers=headers) as answer:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise TroubleError("The EHR's answer is too large.")
            self.note(address, answer)
            if answer.status_code == 401:
                raise PermissionError
            if answer.status_code == 403:
                raise TroubleError(REASON_WANTED if b'"suppressed"' in body else "The EHR does not permit it.")
            if answer.status_code != 200:
                raise TroubleError(f"The EHR answered with an error ({answer.status_code}).")
            found = json.loads(body)
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise TroubleError("The EHR gave no answer that can be read.") from error
        if not isinstance(found, dict) or found.get("resourceType") == "OperationOutcome":
            raise TroubleError("The EHR gave no answer that can be used.")
        return found

    def note(self, address: str, answer: httpx.Response) -> None:
        """Log an answer of a hospital: what was asked for, and the number that the hospital has of it; no patient."""
        hospital = next((known for known in self.hospitals.values() if address.startswith(f"{known.iss}/")), None)
        if hospital is not None:
            what = address.removeprefix(f"{hospital.iss}/").partition("?")[0].partition("/")[0]
            number = answer.headers.get("x-request-id", "")
            self.log.say("asked the EHR", hospital.id, about=what, status=answer.status_code, request_id=number)

    async def read(self, session: Session, path: str) -> dict[str, Any]:
        """Something of the hospital, with a token that is good; one that ended is renewed once."""
        if session.expires <= time.time():
            await self.renew(session, session.token)
        used = session.token
        try:
            return await self.document(f"{session.hospital.iss}/{path}", used)
        except PermissionError:
            await self.renew(session, used)
        try:
            return await self.document(f"{session.hospital.iss}/{path}", session.token)
        except PermissionError as error:
            raise TroubleError("The EHR ended this session. Please open the application again.") from error

    async def renew(self, session: Session, used: str) -> None:
        """A new token in the place of one that ended."""
        async with session.lock:
            if session.token != used:
                return
            if not session.refresh:
                raise TroubleError("The EHR ended this session. Please open the application again.")
            form, session.refresh, refresh = {"grant_type": "refresh_token"}, "", session.refresh
            answer = await self.token_request(session.hospital, session.token_url, form | {"refresh_token": refresh})
            self.keep(session, answer)


def assertion(hospital: Hospital, address: str, key: ECKey) -> str:
    """A client assertion for one request (SMART App Launch 2.2, confidential asymmetric clients)."""
    from joserfc import jwt

    claims = {
        "iss": hospital.client_id,
        "sub": hospital.client_id,
        "aud": address,
        "exp": int(time.time()) + 240,
        "jti": secrets.token_hex(16),
    }
    return jwt.encode({"alg": "ES384", "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=["ES384"])
