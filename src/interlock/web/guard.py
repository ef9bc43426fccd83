"""Who may come in: every request is held against the token, the cookie, and the addresses that are served."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Names of this machine that lead to it alone.
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Refused(Exception):  # noqa: N818
    """A request that may not come in: HTTP status and words for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def is_loopback(host: str) -> bool:
    """Whether what is bound to ``host`` can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Guard:
    """Decides about requests. Nothing here is ever written to disk.

    :ivar token: stands in the address that the user opens; the page keeps it for the WebSocket.
    :ivar cookie: what the browser gets for the token. Cookies are shared by all ports of a host, so that somebody
        else's server on this machine may be sent it: the cookie alone opens the page, never a session.
    """

    host: str
    port: int
    token: str = field(default_factory=_secret, repr=False)
    cookie: str = field(default_factory=_secret, repr=False)

    @property
    def address(self) -> str:
        """Where the page is, without the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{self._authority('127.0.0.1' if self._everywhere else host)}/"

    @property
    def cookie_name(self) -> str:
        """The session cookie's name, with the port, so that two servers do not overwrite each other's cookies."""
        return f"interlock-{self.port}"

    @property
    def _everywhere(self) -> bool:
        return self.host in {"0.0.0.0", "::"}  # noqa: S104

    def _authority(self, host: str) -> str:
        return host if self.port == 80 else f"{host}:{self.port}"

    def check_addresses(self, hosts: Sequence[str], origins: Sequence[str], *, origin_required: bool) -> None:
        """A request's Host headers must be an address that is served, its Origin the same.

        A name that somebody else's DNS points here (rebinding) is not served, whatever it resolves to.

        :raises Refused: it is from elsewhere, or meant for elsewhere.
        """
        if len(hosts) != 1 or not self._is_served(hosts[0].lower()):
            raise Refused(421, f"Interlock is not served under this address. Open {self.address} instead.")
        if len(origins) > 1 or (origin_required and not origins):
            raise Refused(403, "This request does not say which page it comes from.")
        if origins and origins[0].lower() != f"http://{hosts[0].lower()}":
            raise Refused(403, "This request comes from another site.")

    def _is_served(self, authority: str) -> bool:
        names = [f"[{self.host}]" if ":" in self.host else self.host.lower()]
        if is_loopback(self.host) or self._everywhere:
            names += LOOPBACK
        if self._everywhere:
            names.append(socket.gethostname().lower())
        return authority in map(self._authority, names) or (self._everywhere and self._is_literal(authority))

    def _is_literal(self, authority: str) -> bool:
        """An IP address with our port: no name, so nothing that DNS could point here."""
        host = authority if self.port == 80 else authority.removesuffix(f":{self.port}")
        try:
            return authority == self._authority(host) and bool(ipaddress.ip_address(host.strip("[]")))
        except ValueError:
            return False

    def knows_token(self, given: str | None) -> bool:
        """Whether this is the token."""
        return _same(given, self.token)

    def knows_cookie(self, given: str | None) -> bool:
        """Whether this is the cookie."""
        return _same(given, self.cookie)


def _same(given: str | None, secret: str) -> bool:
    """Compared in a time that tells nothing; what a stranger gives may be no Unicode at all."""
    return given is not None and secrets.compare_digest(given.encode("utf-8", "surrogatepass"), secret.encode())
