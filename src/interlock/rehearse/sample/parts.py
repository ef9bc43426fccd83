"""What the sample application knows of hospitals, sign-ins and sessions, and how it says no."""

from __future__ import annotations

import asyncio
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.responses import Response

SCOPE = (
    "openid fhirUser offline_access user/Practitioner.rs "
    "patient/Patient.rs patient/Observation.rs patient/DocumentReference.cru"
)
#: The same as SMART App Launch 1.0 writes it.
OLDER_SCOPE = (
    "openid fhirUser offline_access user/Practitioner.read "
    "patient/Patient.read patient/Observation.read patient/DocumentReference.read patient/DocumentReference.write"
)
#: What the variables tell of a hospital, and of the work without a user there.
_TOLD = ("ISS", "CLIENT_ID", "REDIRECT_URI", "CLIENT_SECRET", "PRIVATE_JWK", "AUTH_METHOD", "CALL_SECRET")
_ALONE = ("BACKEND_CLIENT_ID", "BACKEND_CLIENT_SECRET", "BACKEND_PRIVATE_JWK", "BACKEND_AUTH_METHOD")
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
    """A request that is answered with no; somebody has to hear of it, unless it is an everyday one."""

    def __init__(self, words: str, status: int = 400, *, security: bool = True) -> None:
        super().__init__(words)
        self.words, self.status, self.security = words, status, security


@dataclass(frozen=True)
class Hospital:
    """One hospital as it registered this application."""

    id: str
    iss: str
    client_id: str
    redirect_uri: str
    secret: str = ""
    key: str = ""
    method: str = ""
    call_secret: str = ""
    backend: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def alone(self) -> Hospital:
        """The same, as work without a user is registered there."""
        if not self.backend:
            return self
        client_id, secret, key, method = self.backend
        return replace(self, client_id=client_id, secret=secret, key=key, method=method)


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
    """Who is signed in, where, and for which patient.

    :ivar note: the address of what was saved last; ``banner`` whether the EHR wants the patient named here.
    :ivar claims: what the hospital has said of the user, signed.
    """

    hospital: Hospital
    token_url: str
    patient: str
    encounter: str
    scope: str
    token: str
    refresh: str
    expires: float
    ends: float
    seen: float
    draft: str = ""
    draft_id: str = ""
    note: str = ""
    link: str = ""
    banner: bool = True
    claims: dict[str, Any] = field(default_factory=dict)
    link_ends: float = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def chart(self) -> str:
        """What stands for the patient in the address of the first page: a tab is never of another one than it was."""
        return hashlib.sha256(f"{self.hospital.id} {self.patient}".encode()).hexdigest()[:16]


@dataclass
class Backend:
    """The application's own token at one hospital, for work that runs without a user."""

    token: str = ""
    scope: str = ""
    ends: float = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def hospitals_of(environment: Mapping[str, str]) -> dict[str, Hospital]:
    """The hospitals that the variables tell of, by id."""
    found = {}
    for name in environment.get("SIM_ORGANIZATIONS", "").split():
        said = {key: environment.get(f"SIM_{name.upper().replace('-', '_')}_{key}", "") for key in _TOLD + _ALONE}
        alone = tuple(said[key] for key in _ALONE)
        found[name] = Hospital(name, *(said[key] for key in _TOLD), backend=alone if alone[0] else ())
    return found


def page(title: str, body: str, status: int = 200) -> Response:
    """A page."""
    text = f"<!doctype html><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{body}"
    return Response(text, status, HEADERS, "text/html")
