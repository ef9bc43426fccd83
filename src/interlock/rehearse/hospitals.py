"""The simulated hospitals of a rehearsal, a stranger beside them, and everything that they are asked.

Each is a whole hospital of the sandbox, with records of its own (:mod:`interlock.rehearse.records`). The stranger is
one that the application was never told of: whatever arrives there is a finding. What a hostile hospital does otherwise
is a *twist*: it acts for one check, within ``with hospitals.twisted(…)``, and then everything is polite again.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.responses import Response

from interlock.model.errors import InterlockError
from interlock.model.product import Product, ProductClient
from interlock.model.rehearsal import Layout
from interlock.rehearse.offering import hospital
from interlock.rehearse.registration import (
    TRUSTING,
    adopted,
    client_secret,
    elsewhere,
    environment,
    registered,
    registered_for_jobs,
)
from interlock.sandbox.bearer import bearer_token
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import NUMBER, Director, Exchange, Timing
from interlock.sandbox.grants import Context
from interlock.sandbox.launches import with_query
from interlock.sandbox.replies import plain_json
from interlock.sandbox.server import SandboxServer
from interlock.sandbox.sockets import listening
from interlock.sandbox.tape import Entry
from interlock.sandbox.tls import published_authority

#: The hospital that the application does not know.
STRANGER = "stranger"
#: What stands in the User-Agent of the rehearsal's own browsers, so that the tape tells them from the application.
BROWSER = "interlock-rehearsal"
_MAX_HEARD = 6_000
_MAX_DOCUMENT_BYTES = 200_000


class OutOfReachError(Exception):
    """What a check builds on is not to be had; says why."""


Instead = Callable[[Exchange], Response | None]
Altered = Callable[[Exchange, Response], Response]
Late = Callable[[Exchange], float]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request at a simulated hospital, with what the tape does not keep: values as they were sent.

    :ivar organization: empty for an address of no hospital; ``host`` tells where it arrived.
    :ivar form: fields of a form; ``token`` the bearer token; ``document`` a resource that was sent.
    """

    number: int
    at: float
    organization: str
    role: str
    by_app: bool
    method: str
    path: str
    host: str
    status: int | None
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]
    token: str | None
    document: Mapping[str, Any] | None = None

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        """The resources that it was to write: the one that was sent, or those of a transaction or batch."""
        if self.role != "resource" or self.document is None or self.path.endswith("/_search"):
            return []
        if self.document.get("resourceType") != "Bundle":
            return [self.document] if self.method in ("POST", "PUT", "PATCH") else []
        entries = [entry for entry in self.document.get("entry") or [] if isinstance(entry, dict)]
        return [
            entry["resource"]
            for entry in entries
            if isinstance(entry.get("resource"), dict) and (entry.get("request") or {}).get("method") in ("POST", "PUT")
        ]

    def holds(self, value: str) -> bool:
        """Whether a value was sent in it, wherever."""
        return value in (*self.query.values(), *self.form.values(), self.token) or any(
            value in header for header in self.headers.values()
        )


@dataclass(frozen=True, slots=True)
class _Heard:
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]
    token: str | None
    document: Mapping[str, Any] | None


class _Twists(Director):
    """What hospitals do otherwise now, and the values of every request; nothing of it is ever written."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.instead_of: list[Instead] = []
        self.alter: list[Altered] = []
        self.delay: list[Late] = []
        self.failed: list[Exception] = []
        self.heard: dict[int, _Heard] = {}
        self._order: deque[int] = deque()

    def instead(self, exchange: Exchange) -> Response | None:
        request = exchange.request
        form = parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
        query = parse_qsl(str(request.url.query), keep_blank_values=True, max_num_fields=200)
        is_form = "form-urlencoded" in request.headers.get("content-type", "")
        number = int(request.scope[NUMBER])
        self.heard[number] = _Heard(
            dict(query),
            dict(form) if is_form else {},
            dict(request.headers),
            bearer_token(request.headers),
            None if is_form or len(exchange.body) > _MAX_DOCUMENT_BYTES else _object(exchange.body),
        )
        self._order.append(number)
        if len(self._order) > _MAX_HEARD:
            del self.heard[self._order.popleft()]
        for act in () if _is_preflight(exchange) else tuple(self.instead_of):
            with self._watched():
                response = act(exchange)
                if response is not None:
                    return response
        if exchange.role == "register":
            return elsewhere(self.product, exchange)
        return _of_stranger(exchange) if exchange.organization.id == STRANGER else None

    def late(self, exchange: Exchange) -> float:
        return sum(act(exchange) for act in tuple(self.delay))

    def altered(self, exchange: Exchange, response: Response) -> Response:
        for act in () if _is_preflight(exchange) else tuple(self.alter):
            with self._watched():
                response = act(exchange, response)
        return response

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Keep what goes wrong in a twist: the hospital answers with 500 then, and no application is blamed for it."""
        try:
            yield
        except Exception as error:
            self.failed.append(error)
            raise


def _object(body: bytes) -> dict[str, Any] | None:
    """A JSON object, or none for anything else."""
    with contextlib.suppress(ValueError, RecursionError):
        read = json.loads(body)
        return read if isinstance(read, dict) else None
    return None


def _is_preflight(exchange: Exchange) -> bool:
    """Whether a browser asks if a page may ask: answered politely, so that the page gets what is meant for it."""
    request = exchange.request
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def _of_stranger(exchange: Exchange) -> Response | None:
    """A hospital that takes any client: it wants the application to go on, and to send it what it should not."""
    if exchange.role == "authorize":
        asked = exchange.request.query_params
        target = with_query(asked.get("redirect_uri", ""), code=secrets.token_hex(32), state=asked.get("state"))
        return Response(status_code=302, headers={"Location": target})
    if exchange.role == "token":
        answer = {"access_token": secrets.token_hex(32), "token_type": "Bearer", "expires_in": 3600, "patient": "p1"}
        return plain_json({**answer, "scope": "launch openid patient/*.rs"})
    return None


class Hospitals:
    """The hospitals of a rehearsal while they stand, as a context manager.

    :ivar layout: whether they have addresses or ports of their own.
    :ivar began: when they were made, Unix time in seconds.
    """

    def __init__(self, product: Product, port: int | None = None) -> None:
        """Prepare them; nothing is bound before the context is entered.

        :param port: another first port than the product's file says; 0 for any free one.
        """
        self.product = product
        self.clients: dict[str, ProductClient] = {client.id: client for client in product.organizations}
        self.layout: Layout = _layout()
        organizations = [hospital(name) for name in (*self.clients, STRANGER)]
        self.server = SandboxServer(
            organizations,
            port=product.port if port is None else port,
            apart=self.layout,
            timing=Timing(1.0, 5.0),
            secured=product.tls,
        )
        self._adopted: dict[str, Client] = {}
        self._twists = _Twists(product)
        self.began = time.time()

    def __enter__(self) -> Hospitals:
        """Bind the addresses and register the product at each of them.

        :raises InterlockError: a port is taken: another rehearsal may be running.
        """
        try:
            self.server.__enter__()
        except InterlockError as error:
            remedy = "end the other program (another rehearsal?), or give product.yaml another port"
            raise InterlockError(f"the simulated hospitals cannot stand: {error.message}", remedy=remedy) from error
        self.server.direct(self._twists)
        for client in self.clients.values():
            if self.product.registration != "dynamic":
                self.server.register(client.id, registered(self.product, client))
            if (alone := registered_for_jobs(self.product, client)) is not None:
                self.server.register(client.id, alone)
        return self

    def __exit__(self, *problem: object) -> None:
        """Close every address."""
        self.server.__exit__(None, None, None)

    def base(self, org: str) -> str:
        """The FHIR base URL of a hospital, which is its ``iss``."""
        return self.server.base_url(org)

    def origin(self, org: str) -> str:
        """Scheme, host and port of a hospital."""
        return f"{urlsplit(self.base(org)).scheme}://{self.host(org)}"

    def host(self, org: str) -> str:
        """Host and port of a hospital."""
        return urlsplit(self.base(org)).netloc

    def address(self, org: str, role: str) -> str:
        """The address of one endpoint of a hospital: ``authorize`` or ``token``."""
        return f"{self.base(org)}/oauth2/{role}"

    def launch(
        self,
        org: str,
        patient: str = "p1",
        *,
        handle: str | None = None,
        access_seconds: float | None = None,
        user: str = "",
    ) -> str:
        """The address that the EHR opens for a chart: the product's launch URL with ``iss`` and ``launch``."""
        context = Context(patient=patient, encounter=f"{patient}-encounter")
        return self.server.launch(
            org, self.clients[org].client_id, context=context, handle=handle, access_seconds=access_seconds, user=user
        )

    def kept(self, org: str) -> dict[str, dict[str, Any]]:
        """The live resources at a hospital, by ``Type/id``."""
        return {version.address: version.content for version in self.server.store(org).all()}

    @contextlib.contextmanager
    def twisted(
        self, *, instead: Instead | None = None, altered: Altered | None = None, late: Late | None = None
    ) -> Iterator[None]:
        """Let hospitals behave otherwise within the context; ``late`` gives the seconds that an answer takes longer."""
        pairs: tuple[tuple[list[Any], Any], ...] = (
            (self._twists.instead_of, instead),
            (self._twists.alter, altered),
            (self._twists.delay, late),
        )
        acting = [(acts, act) for acts, act in pairs if act is not None]
        for acts, act in acting:
            acts.append(act)
        try:
            yield
        finally:
            for acts, act in acting:
                acts.remove(act)
            failed = self._twists.failed[:]
            self._twists.failed.clear()
        if failed:
            told = f"{type(failed[0]).__name__}: {failed[0]}"
            raise OutOfReachError(f"the simulated hospital failed by itself ({told}), which is no fault of your app")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The tape: every request at every hospital."""
        return self.server.tape.entries

    def now(self) -> int:
        """The number of the newest request, from which on a check looks."""
        return self.server.tape.newest

    def words_of(self, number: int) -> tuple[str, ...]:
        """What a hospital's log says of one request."""
        return next((entry.words for entry in self.entries if entry.number == number), ())

    def asked(
        self, since: int = 0, *, by_app: bool | None = True, org: str | None = None, role: str = ""
    ) -> list[Asked]:
        """Requests after number ``since``, by default the application's own, at one hospital or in one role."""
        rows = []
        for entry in self.server.tape.after(since):
            headers = dict(entry.headers)
            from_app = BROWSER not in headers.get("user-agent", "")
            if by_app not in (None, from_app) or org not in (None, entry.organization) or role not in ("", entry.role):
                continue
            heard = self._twists.heard.get(entry.number)
            rows.append(
                Asked(
                    entry.number,
                    entry.at,
                    entry.organization,
                    entry.role,
                    from_app,
                    entry.method,
                    entry.path,
                    headers.get("host", ""),
                    entry.answer.status if entry.answer else None,
                    heard.query if heard else dict(entry.query),
                    heard.form if heard else {},
                    heard.headers if heard else headers,
                    heard.token if heard else None,
                    heard.document if heard else None,
                )
            )
        return rows

    def signed(self, org: str, claims: dict[str, Any]) -> str:
        """A token of a hospital for a service that it calls: claims, signed with its key (CDS Hooks 2.0)."""
        return self.server.signed(org, claims)

    def adopt(self) -> tuple[str, ...]:
        """Take over what the product has registered itself; ids of the hospitals where it has not yet."""
        missing = []
        for org, client in self.clients.items():
            adoption = adopted(self.product, client, self.server.clients(org)) if org not in self._adopted else None
            if adoption is not None:
                self.clients[org], self._adopted[org] = adoption[0], self.server.register(org, adoption[1])
            elif org not in self._adopted:
                missing.append(org)
        return tuple(missing) if self.product.registration == "dynamic" else ()

    def secret(self, org: str) -> str:
        """The product's secret at a hospital; one that nobody has where it has none."""
        return (self._adopted[org].secret if org in self._adopted else "") or client_secret(org)

    @property
    def jwks_address(self) -> str | None:
        """Where the product publishes its keys, if it does."""
        registered_there = next((client.jwks_uri for client in self._adopted.values() if client.jwks_uri), None)
        return registered_there or self.product.jwks_url

    def environment(self, authority: Path | None = None) -> dict[str, str]:
        """What the product has to know of every hospital, as variables.

        :param authority: where the certificate of the hospitals' authority is written, if they speak https.
        :raises OSError: it cannot be written.
        """
        if not self.product.tls or authority is None:
            return environment(self.product, self.base)
        authority.parent.mkdir(exist_ok=True)
        authority.write_text(published_authority().pem, "ascii")
        return environment(self.product, self.base) | dict.fromkeys(TRUSTING, str(authority.resolve()))


def _layout() -> Layout:
    """Addresses of their own where this computer has them, ports otherwise."""
    try:
        listening(0, "127.0.0.2").close()
    except InterlockError:
        return "ports"
    return "addresses"
