"""Serving the simulated organisations on loopback: in a background thread, or until somebody stops it."""

from __future__ import annotations

import contextlib
import difflib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal

from interlock.model.errors import InterlockError
from interlock.sandbox import hooks
from interlock.sandbox.app import create_app
from interlock.sandbox.certificates import simulated_contexts
from interlock.sandbox.clients import Client
from interlock.sandbox.exchange import Director, Log, State, Timing
from interlock.sandbox.faults import for_grants, require_known
from interlock.sandbox.grants import Context
from interlock.sandbox.launches import begin_launch
from interlock.sandbox.ledger import Ledger
from interlock.sandbox.listeners import Listeners
from interlock.sandbox.marks import Marks
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations
from interlock.sandbox.sockets import HOST, listening, reserved
from interlock.sandbox.store import Store
from interlock.sandbox.tape import Tape
from interlock.sandbox.tls import Presenting, Wrong

#: Faults of the listener → the names of their sockets; the first one asked for counts.
_TLS = {"expired-tls": "expired", "middlebox-tls": "middlebox"}
#: The first hospital's own address is 127.0.0.2, the next one's 127.0.0.3; 127.0.0.1 is everybody's.
_FIRST_OWN = 2

#: What each hospital has of its own: nothing (its path tells it), an address of this computer, or a port.
Apart = Literal["addresses", "ports"]


class SandboxServer:
    """A running sandbox on loopback, as a context manager; it is never offered to a network.

    >>> with SandboxServer() as server:  # doctest: +SKIP
    ...     server.base_url("riverside", "slow")
    'http://127.0.0.1:40123/riverside+slow/fhir'

    Leaving the context takes well under a second, whatever connections are open, and leaves no thread or socket.

    :ivar certificate_authority: PEM certificate of the authority behind the expired certificate, once the context is
        entered: trust it to see the expiry alone.
    :ivar tape: every request that arrived, in order.
    """

    def __init__(
        self,
        organizations: Sequence[SimulatedOrganization] | None = None,
        *,
        port: int = 0,
        apart: Apart | None = None,
        timing: Timing | None = None,
        ledger: Ledger | None = None,
        secured: bool = False,
    ) -> None:
        """Prepare a server; nothing is bound before the context is entered.

        :param organizations: by default the shipped ones.
        :param port: 0 for any free port.
        :param apart: give each organisation that listens an address or a port of its own, where no other answers.
            Browsers keep cookies apart by address, not by port.
        :param secured: let those that have an address or a port of their own speak https, with certificates of
            :func:`interlock.sandbox.tls.published_authority`.
        :param ledger: with a clock, a source of random values or lifetimes of its own.
        """
        self.organizations = tuple(load_organizations() if organizations is None else organizations)
        self.certificate_authority = ""
        self._wanted_port = port
        self._apart, self._secured = apart, secured
        self._presenting: dict[str, Presenting] = {}
        self._state = State(timing or Timing(), ledger or Ledger())
        self.tape = Tape(Marks(self._state.clients.secrets))
        self._addresses: dict[str, tuple[str, int]] = {}
        self._running = contextlib.ExitStack()
        self._listeners: Listeners | None = None

    @property
    def port(self) -> int:
        """The port that is served; known once the context is entered."""
        return self._address("http")[1]

    @property
    def running(self) -> bool:
        """Whether requests are being answered."""
        return self._listeners is not None and self._listeners.is_alive()

    @property
    def origins(self) -> frozenset[str]:
        """Everything that it answers at: each of its sockets, under each name of this machine that its faults use."""
        return frozenset(
            f"{'https' if listener in _TLS.values() else 'http'}://{name}:{port}"
            for listener, (host, port) in self._addresses.items()
            for name in ("localhost", HOST, host)
        )

    def base_url(self, org_id: str, *faults: str) -> str:
        """FHIR base URL of an organisation, without a trailing slash; with faults that only this URL has.

        One that does not listen has a loopback address that refuses connections. ``expired-tls`` or ``middlebox-tls``,
        here or among the organisation's own faults, gives an https address.

        :raises InterlockError: no such organisation or fault, or the server is not running.
        """
        organization = self._organization(org_id)
        asked = require_known(faults)
        path = f"{'+'.join([org_id, *(name for name in asked if name not in _TLS)])}/fhir"
        if not organization.listen:
            return _url("http", self._address("refused"), path)
        secured = next((_TLS[name] for name in (*asked, *organization.faults) if name in _TLS), None)
        if secured is not None:
            return _url("https", self._address(secured), path)
        scheme = "https" if org_id in self._presenting else "http"
        return _url(scheme, self._address(_own(org_id) if self._apart else "http"), path)

    @property
    def log(self) -> Log:
        """What happened at the organisations, in words: every refusal, every sign-in."""
        return self._state.log

    def register(self, org_id: str, client: Client) -> Client:
        """Register a client at an organisation, or replace the one of this id; may be called at any time.

        :raises InterlockError: no such organisation.
        """
        self._state.clients.add(self._organization(org_id).id, client)
        return client

    def clients(self, org_id: str) -> tuple[Client, ...]:
        """The clients that were registered at an organisation, by a test or by themselves, oldest first."""
        return self._state.clients.of(org_id)

    def launch(
        self,
        org_id: str,
        client_id: str,
        *,
        context: Context | None = None,
        user: str = "",
        refusal: str | None = None,
        access_seconds: float | None = None,
        handle: str | None = None,
        faults: Sequence[str] = (),
    ) -> str:
        """The address that the EHR opens to launch a registered client: its launch URL with ``iss`` and ``launch``.

        See :func:`interlock.sandbox.launches.begin_launch` for the choices.

        :raises InterlockError: no such organisation, client or user, no EHR launch there, no launch URL, not running.
        """
        organization, base = self._organization(org_id), self.base_url(org_id)
        client = self._state.clients.get(org_id, client_id)
        if client is None:
            raise InterlockError(f"{org_id} has no client {client_id!r}", remedy="register it first")
        return begin_launch(
            self._state.ledger,
            organization,
            client,
            base,
            context=context,
            user=user,
            refusal=refusal,
            access_seconds=access_seconds,
            handle=handle,
            faults=faults,
        )

    def give_faults(self, org_id: str, *faults: str, client: str | None = None, token: str | None = None) -> None:
        """Let all grants of one client, or one access token, meet these faults and no others from now on.

        They are met after the sign-in, by requests that show an access token; everybody else is answered as before.
        Without a fault those that were given end. :meth:`launch` gives faults to the tokens of one launch.

        :raises InterlockError: no such organisation, client, token or fault, or a fault that acts before a token is
            shown.
        """
        organization, given = self._organization(org_id), for_grants(faults)
        if (client is None) == (token is None):
            raise InterlockError("faults are given to a client or to a token", remedy="name one of the two")
        if client is not None:
            known = self._state.clients.get(organization.id, client)
            if known is None:
                raise InterlockError(f"{org_id} has no client {client!r}", remedy="register it first")
            self._state.clients.add(organization.id, replace(known, faults=given))
        elif token is not None and not self._state.ledger.set_faults(organization.id, token, given):
            raise InterlockError(f"{org_id} has issued no such access token", remedy="give one that is still in use")

    def direct(self, director: Director) -> None:
        """Let somebody decide otherwise what hospitals answer, from now on."""
        self._state.director = director

    @contextlib.contextmanager
    def presenting(self, org_id: str, wrong: Wrong) -> Iterator[Callable[[], int]]:
        """Let an organisation that speaks https present a wrong certificate within the context, to new connections.

        Every connection that is open ends. Gives how many handshakes have begun with that certificate.
        """
        known = self._presenting[self._organization(org_id).id]
        known.present(wrong)
        self._running_listeners().hang_up()
        before = known.begun
        try:
            yield lambda: known.begun - before
        finally:
            known.present(None)

    def store(self, org_id: str) -> Store:
        """What an organisation keeps, to be looked at while nobody asks it anything."""
        return self._state.hospital(self._organization(org_id)).store

    def rotate_keys(self, org_id: str) -> None:
        """Sign ID tokens with new keys from now on; the old ones stay in the JWK Set for an hour."""
        self._state.keys.rotate(self._organization(org_id).id, self._state.ledger.clock())

    def reset(self, org_id: str) -> None:
        """Let an organisation forget everything that was written to it, or asked of it."""
        hospital = self._state.hospital(self._organization(org_id))

        async def forget() -> None:
            hospital.reset()

        self._running_listeners().run_within(forget())

    def fire_hook(
        self, org_id: str, service: str, hook: str, context: Mapping[str, Any], prefetch: Mapping[str, str]
    ) -> hooks.HookCall:
        """Let an organisation call a CDS service on this computer, as a clinician's screen would.

        :param service: the whole address of one service, ``http://127.0.0.1:5000/cds-services/sepsis``.
        :param prefetch: key → template, as the service's discovery lists them.
        :raises RefusalError: the service is not on this computer.
        """
        hospital, base = self._state.hospital(self._organization(org_id)), self.base_url(org_id)

        async def fired() -> hooks.HookCall:
            prefetched = hooks.prefetched(hospital, base, prefetch, context)
            return await hooks.fire(
                base, service, hook, context, prefetched, lambda claims: self.signed(org_id, claims)
            )

        return self._running_listeners().run_within(fired())

    def signed(self, org_id: str, claims: dict[str, Any]) -> str:
        """The token with which an organisation calls a service: a JWT by its own key (CDS Hooks 2.0, "Trusting …")."""
        return self._state.keys.sign(org_id, claims, "ES384")

    def _running_listeners(self) -> Listeners:
        if self._listeners is None:
            raise InterlockError("the sandbox is not running", remedy="ask within its context")
        return self._listeners

    def _organization(self, org_id: str) -> SimulatedOrganization:
        organization = next((entry for entry in self.organizations if entry.id == org_id), None)
        if organization is None:
            known = [entry.id for entry in self.organizations]
            close = difflib.get_close_matches(org_id, known, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"organisations: {', '.join(known)}"
            raise InterlockError(f"the sandbox has no organisation {org_id!r}", remedy=remedy)
        return organization

    def __enter__(self) -> SandboxServer:
        """Bind, start, and wait until requests are answered.

        :raises InterlockError: the port is taken or may not be used, or the server did not start in time.
        """
        with contextlib.ExitStack() as undo:
            contexts, self.certificate_authority = simulated_contexts()
            sockets = {"http": undo.enter_context(listening(self._wanted_port))}
            sockets |= {name: undo.enter_context(listening(0)) for name in contexts}
            if self._apart is not None:
                sockets |= self._own_sockets(sockets["http"].getsockname()[1], undo)
            refusing = undo.enter_context(reserved())
            self._addresses = {name: sock.getsockname() for name, sock in {**sockets, "refused": refusing}.items()}
            undo.callback(self._addresses.clear)
            homes = {self._address(_own(org.id)): org.id for org in self.organizations if _own(org.id) in sockets}
            if self._secured:
                self._presenting = {org: Presenting(self._address(_own(org))[0]) for org in homes.values()}
                undo.callback(self._presenting.clear)
            either = {_own(org): presenting.context for org, presenting in self._presenting.items()}
            app = self.tape.recording(create_app(self.organizations, self._state, homes), self._state.ledger.clock)
            self._listeners = Listeners(app, sockets, contexts, either)
            undo.callback(self._listeners.stop)
            self._listeners.start()
            self._running = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop: abort open connections, end the thread, close every socket."""
        self._running.close()

    def _own_sockets(self, port: int, undo: contextlib.ExitStack) -> dict[str, socket.socket]:
        """A socket for each organisation that listens, at an address or a port of its own."""
        sockets: dict[str, socket.socket] = {}
        for number, entry in enumerate((entry for entry in self.organizations if entry.listen), _FIRST_OWN):
            if self._apart == "addresses":
                sock = listening(port, f"127.0.0.{number}")
            else:  # beside each other where a port was asked for, so that they are the same ones the next time
                sock = listening(port + number - 1 if self._wanted_port else 0)
            sockets[_own(entry.id)] = undo.enter_context(sock)
        return sockets

    def _address(self, listener: str) -> tuple[str, int]:
        if listener not in self._addresses:
            raise InterlockError("the sandbox is not running", remedy="ask within its context")
        return self._addresses[listener]


def _own(org_id: str) -> str:
    """The name of an organisation's own socket."""
    return f"own {org_id}"


def _url(scheme: str, address: tuple[str, int], path: str) -> str:
    return f"{scheme}://{address[0]}:{address[1]}/{path}"


def serve_forever(server: SandboxServer, on_ready: Callable[[SandboxServer], None], stop: threading.Event) -> None:
    """Serve until ``stop`` is set or the process is interrupted; says nothing itself.

    :param on_ready: called once with the running server, to tell the user its addresses.
    :raises KeyboardInterrupt: after everything is closed.
    :raises InterlockError: the port is taken, or the server ended by itself.
    """
    with server:
        on_ready(server)
        while not stop.wait(0.2):
            if not server.running:
                raise InterlockError("the sandbox ended unexpectedly", remedy="start it again")
