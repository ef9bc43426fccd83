"""How a person signs in to the sample application: launch, authorization request, callback, ID token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from interlock.rehearse.sample.parts import (
    FLOW_SECONDS,
    HEADERS,
    OLDER_SCOPE,
    SCOPE,
    SESSION_SECONDS,
    Flow,
    Hospital,
    RefusedError,
    Session,
    TroubleError,
)
from interlock.rehearse.sample.registering import Registering


class SigningIn(Registering):
    """The way from a launch to a session."""

    async def launch(self, request: Request) -> Response:
        """An EHR opens the application."""
        iss, launch = request.query_params.getlist("iss"), request.query_params.getlist("launch")
        if len(iss) != 1 or len(launch) != 1:
            raise RefusedError("This launch is not complete. Please open the application again.")
        hospital = next((known for known in self.hospitals.values() if known.iss == iss[0]), None)
        if hospital is None:
            raise RefusedError("This application is not set up for the system that opened it.", 403)
        if self.off(hospital):
            raise RefusedError("This application is switched off for the hospital that opened it.", 403)
        return await self.begin(hospital, launch[0], "")

    async def start(self, request: Request) -> Response:
        """A person opens the application."""
        hospital = self.hospital(request)
        return await self.begin(hospital, None, request.query_params.get("next", ""))

    async def begin(self, hospital: Hospital, launch: str | None, following: str) -> Response:
        """Send the browser to the hospital's sign-in, and remember what must come back."""
        discovered = await self.discover(hospital)
        hospital = await self.registered(hospital, discovered)
        state, verifier, nonce, browser = (secrets.token_urlsafe(48) for _ in range(4))
        inside = following.startswith(f"/{hospital.id}/") and "\\" not in following
        following = following if inside else ""
        ends = time.time() + self.flow_seconds
        self.flows[state] = Flow(hospital, discovered, verifier, nonce, browser, following, ends)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        able = discovered.get("capabilities") or ()
        older = "permission-v1" in able and "permission-v2" not in able
        scope = OLDER_SCOPE if older else SCOPE
        context = {"launch": launch} if launch is not None else {}
        asked = {
            "response_type": "code",
            "client_id": hospital.client_id,
            "redirect_uri": hospital.redirect_uri,
            "scope": f"{'launch' if launch is not None else 'launch/patient'} {scope}",
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
        self.log.say("sent to sign in", hospital.id, flow=flow_cookie(state), ehr=launch is not None)
        return response

    async def discover(self, hospital: Hospital) -> dict[str, Any]:
        """The hospital's SMART configuration; its endpoints must be the hospital's own."""
        try:
            found = await self.document(f"{hospital.iss}/.well-known/smart-configuration")
        except TroubleError as trouble:
            raise RefusedError(f"The EHR is not available. {trouble}", 502, security=False) from trouble
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
        claims = {}
        if "openid" in str(answer.get("scope", "")).split():
            claims = await self.check_identity(flow, answer.get("id_token"))
        self.sessions.pop(request.cookies.get("session", ""), None)
        session = secrets.token_urlsafe(32)
        now, encounter = time.time(), str(answer.get("encounter") or "")
        ends = now + self.session_seconds
        token_url = flow.discovered["token_endpoint"]
        self.sessions[session] = Session(flow.hospital, token_url, patient, encounter, "", "", "", 0, ends, now)
        self.sessions[session].banner = answer.get("need_patient_banner") is not False
        self.sessions[session].claims = claims
        self.keep(self.sessions[session], answer)
        first = f"/{flow.hospital.id}/patient?chart={self.sessions[session].chart}"
        response = RedirectResponse(flow.following or first, 303, headers=HEADERS)
        response.delete_cookie(flow_cookie(state), urlsplit(flow.hospital.redirect_uri).path)
        self.give(response, "session", session, f"/{flow.hospital.id}", SESSION_SECONDS)
        self.log.say("signed in", flow.hospital.id, flow=flow_cookie(state))
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

    async def check_identity(self, flow: Flow, token: Any) -> dict[str, Any]:
        """What an ID token says, if it counts: signature, issuer, audience, times, nonce (OpenID Connect Core 1.0)."""
        claims = await self.claims_of(flow.discovered["jwks_uri"], str(token))
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
        return claims

    async def claims_of(self, address: str, token: str) -> dict[str, Any]:
        """What a token says that a hospital signed with one of its keys."""
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            keys = KeySet.import_key_set(await self.document(address))  # type: ignore[arg-type]  # checked by it
            return dict(jwt.decode(token, keys, algorithms=["RS256", "ES384"]).claims)
        except (JoseError, ValueError, TroubleError) as error:
            raise RefusedError("The EHR's word on who this is cannot be trusted.", 401) from error

    def hospital(self, request: Request) -> Hospital:
        """The hospital of the path."""
        hospital = self.hospitals.get(request.path_params["org"])
        if hospital is None or self.off(hospital):
            raise RefusedError("There is nothing here.", 404)
        return hospital

    def give(self, response: Response, name: str, value: str, path: str, seconds: int) -> None:
        """Set a cookie that no script reads."""
        response.set_cookie(name, value, seconds, path=path, httponly=True, samesite="lax")


def flow_cookie(state: str) -> str:
    """The name of the cookie of one sign-in."""
    return f"flow-{hashlib.sha256(state.encode()).hexdigest()[:16]}"
