"""Where a rehearsal goes: to this machine, and to the one origin that its user named, at the address that it had."""

from __future__ import annotations

import ssl
from functools import cache
from urllib.parse import urlsplit

import httpx

from interlock.probe.transport.addresses import is_loopback_host, origin
from interlock.sandbox.tls import published_authority


def may_be_asked(url: str, target: str | None) -> bool:
    """Whether a rehearsal may ask an address: it is http or https, on this machine or at the target."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https"):
        return False
    return is_loopback_host(host) or (target is not None and origin(url) == origin(target))


class Pinning(httpx.HTTPTransport):
    """Connections to the one address that the target had when it was looked up, whatever its name means later."""

    def __init__(self, target: str | None, pinned: str | None) -> None:
        super().__init__(verify=_trusted(), trust_env=False)
        where = origin(target) if target and pinned else None
        self._name, self._address = (where.host if where else ""), pinned or ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, at the pinned address where it is the target's."""
        if self._name and request.url.host == self._name:
            request = httpx.Request(
                request.method,
                request.url.copy_with(host=self._address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": self._name},
            )
        return super().handle_request(request)


@cache
def _trusted() -> ssl.SSLContext:
    """What every browser trusts; loading it takes 30 ms, and a rehearsal has hundreds of browsers."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_verify_locations(cadata=published_authority().pem)
    return context


def joined(url: str, location: str) -> str:
    """Where a Location header leads; one that is no address stays as it is."""
    try:
        return str(httpx.URL(url).join(location))
    except (httpx.InvalidURL, ValueError):
        return location
