"""Serving the simulated organisations on loopback: in a background thread, or until somebody stops it."""

from __future__ import annotations

import contextlib
import difflib
import errno
import ipaddress
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from starlette.applications import Starlette

from interlock.model.errors import InterlockError
from interlock.sandbox.app import create_app
from interlock.sandbox.certificates import simulated_contexts
from interlock.sandbox.client import CLIENT_ID, REGISTERED_SCOPE
from interlock.sandbox.exchange import State
from interlock.sandbox.faults import require_known
from interlock.sandbox.listeners import Listeners
from interlock.sandbox.organizations import SimulatedOrganization, load_organizations

_STOP_SECONDS = 10.0
#: Faults of the listener → the names of their sockets; the first one asked for counts.
_TLS = {"expired-tls": "expired", "middlebox-tls": "middlebox"}


class SandboxServer:
    """A running sandbox, as a context manager.

    >>> with SandboxServer() as server:  # doctest: +SKIP
    ...     server.base_url("riverside", "slow")
    'http://127.0.0.1:40123/riverside+slow/fhir'

    Leaving the context takes well under a second, whatever connections are open, and leaves no thread or socket.
    A server is started once; make a new one to start again.
    """

    def __init__(
        self,
        organizations: Sequence[SimulatedOrganization] | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        faults: Mapping[str, Sequence[str]] | None = None,
        tls_faults: bool = True,
        slow_seconds: float = 3.0,
        token_delay: float = 0.0,
        hang_seconds: float = 60.0,
    ) -> None:
        """Prepare a server; nothing is bound before the context is entered.

        :param organizations: by default the shipped ones.
        :param port: 0 for any free port.
        :param host: ``localhost`` or a loopback address; the sandbox is never offered to a network.
        :param faults: organisation id to names of faults that it has on every request.
        :param tls_faults: whether to listen with an expired certificate and with a middlebox's too.
        :param slow_seconds: what the fault ``slow`` waits before each answer.
        :param token_delay: what token endpoints wait before each answer, in seconds.
        :param hang_seconds: when the faults ``hang`` and ``drip`` give up.
        :raises InterlockError: the host is not loopback, a fault is unknown, or two organisations share an id.
        """
        self.organizations = _unique(load_organizations() if organizations is None else organizations)
        self.host = host
        self._address = _loopback(host)
        self._wanted_port = port
        self._tls_faults = tls_faults
        self._faults = {identity: require_known(names) for identity, names in (faults or {}).items()}
        self._app: Starlette = create_app(
            self.organizations,
            faults=self._faults,
            slow_seconds=slow_seconds,
            token_delay=token_delay,
            hang_seconds=hang_seconds,
        )
        self._ports: dict[str, int] = {}
        self._refusing: socket.socket | None = None
        self._authority: str | None = None
        self._thread: threading.Thread | None = None
        self._listeners: Listeners | None = None

    @property
    def port(self) -> int:
        """The port that is served; known once the context is entered."""
        return self._port("http")

    @property
    def certificate_authority(self) -> str:
        """PEM certificate of the authority behind the expired certificate: trust it to see the expiry alone.

        :raises InterlockError: the server was made without TLS faults, or is not running.
        """
        if self._authority is None:
            raise InterlockError("the sandbox serves no TLS", remedy="start it with tls_faults=True")
        return self._authority

    @property
    def running(self) -> bool:
        """Whether requests are being answered."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def origins(self) -> frozenset[str]:
        """Everything that it answers at: each of its sockets, under each name of this machine that its faults use."""
        names = {self._netloc(name).rpartition(":")[0] for name in self._ports} | {"localhost", "127.0.0.1"}
        return frozenset(
            f"{'https' if listener in _TLS.values() else 'http'}://{name}:{port}"
            for listener, port in self._ports.items()
            for name in names
        )

    def base_url(self, org_id: str, *faults: str) -> str:
        """FHIR base URL of an organisation, without a trailing slash; with faults that only this URL has.

        One that does not listen has a loopback address that refuses connections. ``expired-tls`` or ``middlebox-tls``,
        here or among the organisation's own faults, gives an https address.

        :raises InterlockError: no such organisation or fault, or the server is not running.
        """
        organization = next((entry for entry in self.organizations if entry.id == org_id), None)
        if organization is None:
            known = [entry.id for entry in self.organizations]
            close = difflib.get_close_matches(org_id, known, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"organisations: {', '.join(known)}"
            raise InterlockError(f"the sandbox has no organisation {org_id!r}", remedy=remedy)
        asked = require_known(faults)
        path = f"{'+'.join([org_id, *(name for name in asked if name not in _TLS)])}/fhir"
        if not organization.listen:
            return f"http://{self._netloc('refused')}/{path}"
        in_force = (*asked, *organization.faults, *self._faults.get(org_id, ()))
        listener = next((_TLS[name] for name in in_force if name in _TLS), None)
        if listener is not None:
            return f"https://{self._netloc(listener)}/{path}"
        return f"http://{self._netloc('http')}/{path}"

    def issue_token(self, org_id: str, scope: str = REGISTERED_SCOPE, seconds: float = 300) -> str:
        """A bearer token for reading an organisation's resources, without asking its token endpoint.

        :raises InterlockError: there is no such organisation.
        """
        self.base_url(org_id)
        state: State = self._app.state.sandbox
        return state.tokens.issue(org_id, CLIENT_ID, tuple(scope.split()), seconds)

    def __enter__(self) -> SandboxServer:
        """Bind, start, and wait until requests are answered.

        :raises InterlockError: the port is taken or may not be used, or the server did not start in time.
        """
        if self._thread is not None:
            raise InterlockError("this sandbox was started before", remedy="make a new SandboxServer")
        with contextlib.ExitStack() as undo:
            sockets = {"http": undo.enter_context(_listening(self._address, self._wanted_port))}
            contexts: dict[str, ssl.SSLContext] = {}
            if self._tls_faults:
                contexts, self._authority = simulated_contexts()
                sockets |= {name: undo.enter_context(_listening(self._address, 0)) for name in contexts}
            self._refusing = undo.enter_context(_reserved(self._address))
            self._ports = {name: sock.getsockname()[1] for name, sock in sockets.items()}
            self._ports["refused"] = self._refusing.getsockname()[1]
            self._listeners = Listeners(self._app, sockets, contexts)
            self._thread = threading.Thread(target=self._listeners.run, name="interlock-sandbox", daemon=True)
            self._thread.start()
            undo.callback(self._stop)
            self._listeners.wait_until_ready(self._thread)
            undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop: abort open connections, end the thread, close every socket."""
        self._stop()

    def _stop(self) -> None:
        if self._listeners is not None and self._thread is not None:
            self._listeners.stop()
            self._thread.join(_STOP_SECONDS)
        if self._refusing is not None:
            self._refusing.close()
        self._ports, self._authority = {}, None

    def _netloc(self, listener: str) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{shown}:{self._port(listener)}"

    def _port(self, listener: str) -> int:
        if listener in _TLS.values() and not self._tls_faults:
            raise InterlockError("the sandbox serves no TLS", remedy="start it with tls_faults=True")
        if listener not in self._ports:
            raise InterlockError("the sandbox is not running", remedy="ask within its context")
        return self._ports[listener]


def serve_forever(
    organizations: Sequence[SimulatedOrganization] | None = None,
    *,
    port: int = 0,
    tls_faults: bool = True,
    on_ready: Callable[[SandboxServer], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve until ``stop`` is set or the process is interrupted; says nothing itself.

    :param on_ready: called once with the running server, to tell the user its addresses.
    :raises KeyboardInterrupt: after everything is closed.
    :raises InterlockError: the port is taken, or the server ended by itself.
    """
    stopping = stop or threading.Event()
    with SandboxServer(organizations, port=port, tls_faults=tls_faults) as server:
        if on_ready is not None:
            on_ready(server)
        while not stopping.wait(0.2):
            if not server.running:
                raise InterlockError("the sandbox ended unexpectedly", remedy="start it again")


def _unique(organizations: Sequence[SimulatedOrganization]) -> tuple[SimulatedOrganization, ...]:
    """The organisations, equal ones once.

    :raises InterlockError: two different ones have the same id.
    """
    known: dict[str, SimulatedOrganization] = {}
    for organization in organizations:
        if known.setdefault(organization.id, organization) != organization:
            raise InterlockError(f"two simulated organisations have the id {organization.id!r}")
    return tuple(known.values())


def _loopback(host: str) -> str:
    """The address to bind for a host name.

    :raises InterlockError: it is not this machine alone.
    """
    if host == "localhost":
        return "127.0.0.1"
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InterlockError(
            f"the sandbox is served on this machine only, not on {host!r}", remedy="use 127.0.0.1, ::1 or localhost"
        )
    return host


def _listening(address: str, port: int) -> socket.socket:
    """A TCP socket that listens; 0 takes any free port.

    :raises InterlockError: the port is taken, not allowed, or out of range.
    """
    sock = _socket(address)
    try:
        if sys.platform != "win32":  # there the option would let two programs share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen()
    except (OSError, OverflowError) as error:
        sock.close()
        raise _cannot_bind(port, error) from error
    return sock


def _reserved(address: str) -> socket.socket:
    """A TCP socket with a port that never listens: connections are refused, and nobody else can take the port."""
    sock = _socket(address)
    try:
        sock.bind((address, 0))
    except OSError as error:
        sock.close()
        raise _cannot_bind(0, error) from error
    return sock


def _socket(address: str) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it on, each answer takes 40 ms more.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def _cannot_bind(port: int, error: Exception) -> InterlockError:
    remedy = "choose another port, or 0 for any free one"
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return InterlockError(f"port {port} is already used by another program", remedy=remedy)
    if number in (errno.EACCES, errno.EPERM):
        return InterlockError(f"port {port} may not be used by this user", remedy=remedy)
    return InterlockError(f"port {port} cannot be used: {error}", remedy=remedy)
