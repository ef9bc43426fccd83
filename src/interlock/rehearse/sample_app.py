"""A small SMART application for several hospitals, sound as far as the rehearsal can tell: to rehearse, and to read.

``python -m interlock.rehearse.sample_app PORT`` serves it on loopback; what it has to know of each hospital it takes
from the variables that ``interlock rehearse --write-env`` writes. It shows one patient's name and observations, a trend
as a picture, and a filter. With ``viewer,filter`` behind the port these two forget to ask whose session it is, as in
the demo: nobody should copy that.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import html
import json
import math
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

SCOPE = "openid fhirUser offline_access patient/Patient.rs patient/Observation.rs"
MAX_BYTES, MAX_PAGES, FLOW_SECONDS, SESSION_SECONDS = 1_000_000, 5, 600, 3_600
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class TroubleError(Exception):
    """Something that the person has to be told, in plain words."""


class RefusedError(Exception):
    """A request that is answered with no."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.words, self.status = words, status


@dataclass(frozen=True)
class Hospital:
    """One hospital as it registered this application."""

    id: str
    iss: str
    client_id: str
    redirect_uri: str
    secret: str = ""
    key: str = ""


@dataclass
class Flow:
    """One sign-in that has begun; ``browser`` is the value of its cookie."""

    hospital: Hospital
    discovered: dict[str, Any]
    verifier: str
    nonce: str
    browser: str
    following: str
    ends: float


@dataclass
class Session:
    """Who is signed in, where, and for which patient."""

    hospital: Hospital
    token_url: str
    patient: str
    scope: str
    token: str
    refresh: str
    expires: float
    ends: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def chart(self) -> str:
        """What stands for the patient in the address of the first page: a tab is never of another one than it was."""
        return hashlib.sha256(f"{self.hospital.id} {self.patient}".encode()).hexdigest()[:16]


def hospitals_of(environment: Mapping[str, str]) -> dict[str, Hospital]:
    """The hospitals that the variables tell of, by id."""
    found = {}
    for name in environment.get("SIM_ORGANIZATIONS", "").split():
        told = {
            key: environment.get(f"SIM_{name.upper().replace('-', '_')}_{key}", "")
            for key in ("ISS", "CLIENT_ID", "REDIRECT_URI", "CLIENT_SECRET", "PRIVATE_JWK")
        }
        found[name] = Hospital(name, *told.values())
    return found


class SampleApp:
    """The application: flows and sessions in memory."""

    def __init__(self, environment: Mapping[str, str], broken: frozenset[str] = frozenset()) -> None:
        self.hospitals, self.broken = hospitals_of(environment), broken
        self.flows: dict[str, Flow] = {}
        self.sessions: dict[str, Session] = {}
        self.http = httpx.AsyncClient(timeout=5, trust_env=False, headers={"User-Agent": "sample-app/1"})

    # -- signing in -------------------------------------------------------------------------------------------------

    async def launch(self, request: Request) -> Response:
        """An EHR opens the application."""
        iss, launch = request.query_params.getlist("iss"), request.query_params.getlist("launch")
        if len(iss) != 1 or len(launch) != 1:
            raise RefusedError("This launch is not complete. Please open the application again.")
        hospital = next((known for known in self.hospitals.values() if known.iss == iss[0]), None)
        if hospital is None:
            raise RefusedError("This application is not set up for the system that opened it.", 403)
        return await self.begin(hospital, launch[0], "")

    async def start(self, request: Request) -> Response:
        """A person opens the application."""
        hospital = self.hospital(request)
        return await self.begin(hospital, None, request.query_params.get("next", ""))

    async def begin(self, hospital: Hospital, launch: str | None, following: str) -> Response:
        """Send the browser to the hospital's sign-in, and remember what must come back."""
        discovered = await self.discover(hospital)
        state, verifier, nonce, browser = (secrets.token_urlsafe(48) for _ in range(4))
        inside = following.startswith(f"/{hospital.id}/") and "\\" not in following
        following = following if inside else ""
        ends = time.time() + FLOW_SECONDS
        self.flows[state] = Flow(hospital, discovered, verifier, nonce, browser, following, ends)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        context = {"launch": launch} if launch is not None else {}
        asked = {
            "response_type": "code",
            "client_id": hospital.client_id,
            "redirect_uri": hospital.redirect_uri,
            "scope": f"{'launch' if launch is not None else 'launch/patient'} {SCOPE}",
            "aud": hospital.iss,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **context,
        }
        address = discovered["authorization_endpoint"]
        response = RedirectResponse(f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", 302)
        self.give(response, flow_cookie(state), browser, urlsplit(hospital.redirect_uri).path, FLOW_SECONDS)
        return response

    async def discover(self, hospital: Hospital) -> dict[str, Any]:
        """The hospital's SMART configuration; its endpoints must be the hospital's own."""
        try:
            found = await self.document(f"{hospital.iss}/.well-known/smart-configuration")
        except TroubleError as trouble:
            raise RefusedError(f"The EHR is not available. {trouble}", 502) from trouble
        for name in ("authorization_endpoint", "token_endpoint", "issuer", "jwks_uri"):
            if not str(found.get(name, "")).startswith(f"{hospital.iss}/"):
                raise RefusedError("The EHR's sign-in has changed. Its address was not used.", 502)
        return found

    async def callback(self, request: Request) -> Response:
        """The hospital sends the browser back."""
        hospital, params = self.hospital(request) if "org" in request.path_params else None, request.query_params
        if len(params.multi_items()) != len(params) or sum(map(len, params.values())) > 20_000:
            raise RefusedError("This answer is not understood. Please open the application again.")
        state = params.get("state", "")
        flow = self.flows.get(state)
        if flow is None or flow.ends < time.time():
            raise RefusedError("This sign-in is not known, or took too long. Please open the application again.")
        if not hmac.compare_digest(request.cookies.get(flow_cookie(state), ""), flow.browser):
            raise RefusedError("This sign-in began in another browser. Please open the application again.")
        del self.flows[state]
        if hospital not in (None, flow.hospital) or (hospital is None and "iss" not in params):
            raise RefusedError("This answer came to the wrong place. Please open the application again.")
        if "iss" in params and params["iss"] != flow.discovered["issuer"]:
            raise RefusedError("Another system answered than was asked. Please open the application again.")
        if "error" in params or "code" not in params:
            raise RefusedError("The EHR did not let you in. Please open the application again.")
        answer = await self.redeem(flow, params["code"])
        patient = answer.get("patient")
        if not isinstance(patient, str) or not patient:
            raise RefusedError("The EHR did not say which patient this is about. Nothing was read.")
        if "openid" in str(answer.get("scope", "")).split():
            await self.check_identity(flow, answer.get("id_token"))
        self.sessions.pop(request.cookies.get("session", ""), None)
        session = secrets.token_urlsafe(32)
        self.sessions[session] = Session(
            flow.hospital, flow.discovered["token_endpoint"], patient, "", "", "", 0, time.time() + SESSION_SECONDS
        )
        self.keep(self.sessions[session], answer)
        first = f"/{flow.hospital.id}/patient?chart={self.sessions[session].chart}"
        response = RedirectResponse(flow.following or first, 303, headers=HEADERS)
        response.delete_cookie(flow_cookie(state), urlsplit(flow.hospital.redirect_uri).path)
        self.give(response, "session", session, f"/{flow.hospital.id}", SESSION_SECONDS)
        return response

    async def redeem(self, flow: Flow, code: str) -> dict[str, Any]:
        """Tokens for a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": flow.hospital.redirect_uri,
            "code_verifier": flow.verifier,
        }
        try:
            return await self.token_request(flow.hospital, flow.discovered["token_endpoint"], form)
        except TroubleError as trouble:
            raise RefusedError(f"The sign-in failed. {trouble}") from trouble

    async def token_request(self, hospital: Hospital, address: str, form: dict[str, str]) -> dict[str, Any]:
        """Ask the token endpoint, as the hospital has this application registered."""
        headers = {}
        if hospital.key:
            form = form | {
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion(hospital, address),
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

    async def check_identity(self, flow: Flow, token: Any) -> None:
        """Let an ID token count: signature, issuer, audience, times, nonce (OpenID Connect Core 1.0)."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            keys = KeySet.import_key_set(await self.document(flow.discovered["jwks_uri"]))  # type: ignore[arg-type]  # checked by it
            claims = jwt.decode(str(token), keys, algorithms=["RS256", "ES384"]).claims
        except (JoseError, ValueError, TroubleError) as error:
            raise RefusedError("The EHR's word on who you are cannot be trusted.") from error
        audience = claims.get("aud")
        wrong = (
            claims.get("iss") != flow.discovered["issuer"]
            or flow.hospital.client_id not in (audience if isinstance(audience, list) else [audience])
            or not isinstance(claims.get("exp"), int | float)
            or claims["exp"] < time.time()
            or claims.get("nonce") != flow.nonce
        )
        if wrong:
            raise RefusedError("The EHR's word on who you are is not meant for this sign-in.")

    def keep(self, session: Session, answer: dict[str, Any]) -> None:
        """Take over what a token answer gives."""
        lives = answer.get("expires_in")
        lives = lives if isinstance(lives, int | float) and math.isfinite(lives) and lives > 0 else 300
        session.token, session.expires = answer["access_token"], time.time() + lives
        session.refresh = answer.get("refresh_token") or session.refresh
        session.scope = answer.get("scope") or session.scope

    # -- reading ----------------------------------------------------------------------------------------------------

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
            if answer.status_code == 401:
                raise PermissionError
            if answer.status_code == 403:
                raise TroubleError("The EHR does not permit it.")
            if answer.status_code != 200:
                raise TroubleError(f"The EHR answered with an error ({answer.status_code}).")
            found = json.loads(body)
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise TroubleError("The EHR gave no answer that can be read.") from error
        if not isinstance(found, dict) or found.get("resourceType") == "OperationOutcome":
            raise TroubleError("The EHR gave no answer that can be used.")
        return found

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

    async def observations(self, session: Session) -> tuple[list[str], str]:
        """The patient's observations as lines, and what has to be said about them."""
        if not permitted(session.scope, "Observation"):
            return [], "The EHR does not permit it."
        path = f"Observation?patient={session.patient}"
        lines: list[str] = []
        for _ in range(MAX_PAGES):
            try:
                bundle = await self.read(session, path)
            except TroubleError as trouble:
                return lines, f"{trouble} This list is incomplete."
            for entry in bundle.get("entry") or []:
                line = shown(entry.get("resource"), session.patient)
                lines += [line] if line else []
            following = next(
                (link.get("url", "") for link in bundle.get("link") or [] if link.get("relation") == "next"), ""
            )
            if not following:
                return lines, ""
            if not following.startswith(f"{session.hospital.iss}/"):
                return lines, "More was offered at another address, which was not asked. This list is incomplete."
            path = following.removeprefix(f"{session.hospital.iss}/")
        return lines, "There is more. This list is incomplete."

    # -- pages ------------------------------------------------------------------------------------------------------

    async def patient(self, request: Request) -> Response:
        """The first page: who it is, and what was observed."""
        session = self.session(request)
        if request.query_params.get("chart", session.chart) != session.chart:
            raise RefusedError("Another patient was opened since. Please open the application from the EHR again.", 409)
        try:
            found = await self.read(session, f"Patient/{session.patient}")
            name = named(found) if found.get("id") == session.patient else "another patient than was asked for"
        except TroubleError as trouble:
            return page("Patient", f"<p>The patient could not be read. {html.escape(str(trouble))}</p>")
        lines, note = await self.observations(session)
        listed = "".join(f"<li>{html.escape(line)}</li>" for line in lines) or "<li>Nothing is recorded.</li>"
        listed = f"<p>{html.escape(note)}</p>{listed if lines else ''}" if note else listed
        return page(name, f"<ul>{listed}</ul><p>{html.escape(session.hospital.id)}</p>")

    async def trend(self, request: Request) -> Response:
        """The viewer: the observations as a picture."""
        session = self.session(request, "viewer")
        if request.query_params.get("patient", session.patient) != session.patient:
            raise RefusedError("There is nothing here.", 404)
        lines, _ = await self.observations(session)
        texts = "".join(f'<text y="{20 * at}">{html.escape(line)}</text>' for at, line in enumerate(lines, 1))
        drawn = f'<svg xmlns="http://www.w3.org/2000/svg">{texts}</svg>'
        return Response(drawn, media_type="image/svg+xml", headers=HEADERS)

    async def filtered(self, request: Request) -> Response:
        """The filter: the observations that hold a text."""
        session = self.session(request, "filter")
        wanted = request.query_params.get("q", "").lower()
        lines, _ = await self.observations(session)
        return Response(
            json.dumps([line for line in lines if wanted in line.lower()][:50]),
            media_type="application/json",
            headers=HEADERS,
        )

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        hospital = self.hospital(request)
        self.sessions.pop(request.cookies.get("session", ""), None)
        response = page("Signed out", "<p>You are signed out.</p>")
        response.delete_cookie("session", f"/{hospital.id}")
        return response

    async def health(self, _: Request) -> Response:
        """Whether it is up."""
        return Response("up", media_type="text/plain")

    # -- what they share --------------------------------------------------------------------------------------------

    def hospital(self, request: Request) -> Hospital:
        """The hospital of the path."""
        hospital = self.hospitals.get(request.path_params["org"])
        if hospital is None:
            raise RefusedError("There is nothing here.", 404)
        return hospital

    def session(self, request: Request, what: str = "") -> Session:
        """The session of the request's cookie, if it is one of the hospital of the path."""
        hospital = self.hospital(request)
        session = self.sessions.get(request.cookies.get("session", ""))
        if what in self.broken:
            session = next((known for known in reversed(self.sessions.values()) if known.hospital is hospital), session)
        if session is None or session.hospital is not hospital or session.ends < time.time():
            raise RefusedError("Please open the application from the EHR.", 401)
        return session

    def give(self, response: Response, name: str, value: str, path: str, seconds: int) -> None:
        """Set a cookie that no script reads."""
        response.set_cookie(name, value, seconds, path=path, httponly=True, samesite="lax")


def flow_cookie(state: str) -> str:
    """The name of the cookie of one sign-in."""
    return f"flow-{hashlib.sha256(state.encode()).hexdigest()[:16]}"


def assertion(hospital: Hospital, address: str) -> str:
    """A client assertion for one request (SMART App Launch 2.2, confidential asymmetric clients)."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    key = ECKey.import_key(json.loads(hospital.key))
    claims = {
        "iss": hospital.client_id,
        "sub": hospital.client_id,
        "aud": address,
        "exp": int(time.time()) + 240,
        "jti": secrets.token_hex(16),
    }
    return jwt.encode({"alg": "ES384", "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=["ES384"])


def permitted(scope: str, kind: str) -> bool:
    """Whether the granted scopes let this type be read."""
    return any(
        text.startswith((f"patient/{kind}.", "patient/*.", f"user/{kind}.", "user/*.")) for text in scope.split()
    )


def shown(resource: Any, patient: str) -> str:
    """An observation as a line; empty for what is no observation of this patient, or was entered in error."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Observation":
        return ""
    if resource.get("subject", {}).get("reference") != f"Patient/{patient}":
        return ""
    if resource.get("status") in ("entered-in-error", "cancelled"):
        return ""
    value = resource.get("valueQuantity") or {}
    return (
        f"{resource.get('code', {}).get('text', 'no name')}: {value.get('value', 'no value')} {value.get('unit', '')}"
    )


def named(patient: dict[str, Any]) -> str:
    """A patient's name."""
    name = (patient.get("name") or [{}])[0]
    return f"{' '.join(name.get('given') or [])} {name.get('family', '')}".strip() or "no name"


def page(title: str, body: str, status: int = 200) -> Response:
    """A page."""
    text = f"<!doctype html><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{body}"
    return Response(text, status, HEADERS, "text/html")


async def refuse(_: Request, error: Exception) -> Response:
    """The page for a request that is answered with no."""
    assert isinstance(error, RefusedError)
    return page("This cannot be opened", f"<p>{html.escape(error.words)}</p>", error.status)


def create(environment: Mapping[str, str], broken: str = "") -> Starlette:
    """The application for the hospitals that the variables tell of.

    :param broken: which of ``viewer`` and ``filter`` do not ask whose session it is, with a comma between them.
    """
    app = SampleApp(environment, frozenset(broken.split(",")) - {""})

    @contextlib.asynccontextmanager
    async def while_it_runs(_: Starlette) -> AsyncIterator[None]:
        async with app.http:
            yield

    return Starlette(
        lifespan=while_it_runs,
        routes=[
            Route("/launch", app.launch),
            Route("/callback", app.callback),
            Route("/health", app.health),
            Route("/{org}/start", app.start),
            Route("/{org}/callback", app.callback),
            Route("/{org}/patient", app.patient),
            Route("/{org}/trend.svg", app.trend),
            Route("/{org}/filter", app.filtered),
            Route("/{org}/sign-out", app.sign_out, methods=["POST"]),
        ],
        exception_handlers={RefusedError: refuse},
    )


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(create(os.environ, *sys.argv[2:]), port=int(sys.argv[1]), log_level="warning")
