"""Calls of hospitals to the sample application, and the keys that it publishes for them."""

from __future__ import annotations

import hmac
import json
import time

from starlette.requests import Request
from starlette.responses import Response

from interlock.rehearse.sample.parts import HEADERS, RefusedError
from interlock.rehearse.sample.signing_in import SigningIn


class Calls(SigningIn):
    """What systems ask, and no browser."""

    async def keys(self, _: Request) -> Response:
        """The public keys of this application: those that hospitals gave it, and its own."""
        public = {key.kid: key.as_dict(private=False) for key in map(self.key_of, self.hospitals.values()) if key}
        told = json.dumps({"keys": list(public.values())})
        return Response(told, media_type="application/json", headers={"Cache-Control": "max-age=300"})

    async def notified(self, request: Request) -> Response:
        """A hospital says that something is new; it proves itself by the secret that was agreed."""
        hospital, secret = self.hospital(request), request.headers.get("x-call-secret", "")
        if not hospital.call_secret or not hmac.compare_digest(secret.encode(), hospital.call_secret.encode()):
            raise RefusedError("This call does not prove who makes it.", 401)
        return Response(status_code=204, headers=HEADERS)

    async def hook(self, request: Request) -> Response:
        """A hospital calls: a service without advice (CDS Hooks 2.0)."""
        hospital = self.hospital(request)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        discovered = await self.discover(hospital)
        claims = await self.claims_of(discovered["jwks_uri"], token if kind.lower() == "bearer" else "")
        ends, once = claims.get("exp"), str(claims.get("jti", ""))
        self.called = {known: until for known, until in self.called.items() if until > time.time()}
        wrong = (
            claims.get("iss") != hospital.iss
            or claims.get("aud") != str(request.url)
            or not isinstance(ends, int | float)
            or not time.time() < ends < time.time() + 600
            or not once
            or once in self.called
        )
        if wrong:
            raise RefusedError("This call does not prove who makes it.", 401)
        self.called[once] = float(ends or 0)
        return Response('{"cards": []}', media_type="application/json", headers=HEADERS)
