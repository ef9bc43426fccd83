"""Hosts and addresses: what is loopback, what is public, and whether two base URLs name the same server."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Origin(NamedTuple):
    """Scheme, host and port of a URL, lower-case, the port always given (RFC 6454)."""

    scheme: str
    host: str
    port: int


def split(url: str) -> SplitResult | None:
    """The parts of an absolute http(s) URL with a host and a valid port; none for anything else."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if valid else None


@lru_cache(maxsize=4096)
def origin(url: str) -> Origin | None:
    """Origin of an absolute http(s) URL, or none."""
    parts = split(url)
    if parts is None or parts.hostname is None:
        return None
    return Origin(parts.scheme, parts.hostname.lower(), parts.port or _DEFAULT_PORTS[parts.scheme])


@lru_cache(maxsize=4096)
def literal(host: str) -> Address | None:
    """The address that a host is written as, or none for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine by its writing alone (RFC 6761 section 6.3 for ``localhost``)."""
    address = literal(host)
    if address is not None:
        return _embedded(address).is_loopback
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def is_public(address: Address) -> bool:
    """Whether an address is on the public internet; an IPv4 address inside an IPv6 one counts as itself."""
    inner = _embedded(address)
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def _embedded(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def same_base(one: str, other: str) -> bool:
    """Whether two base URLs name the same FHIR server (FHIR R4 http.html, Service Base URL).

    The query and a trailing slash are ignored, http and https are the same, a stated port must match, the path is
    case-sensitive; the host is not (RFC 3986 section 3.2.2).
    """
    if one == other:
        return True
    left, right = origin(one), origin(other)
    if left is None or right is None:
        return False
    return (left.host, _stated_port(left), _path(one)) == (right.host, _stated_port(right), _path(other))


def _stated_port(where: Origin) -> int | None:
    return where.port if where.port != _DEFAULT_PORTS[where.scheme] else None


def _path(url: str) -> str:
    """The path of an absolute URL, without slashes at its end."""
    _, slash, path = url.partition("://")[2].partition("#")[0].partition("?")[0].partition("/")
    return f"{slash}{path}".rstrip("/")
