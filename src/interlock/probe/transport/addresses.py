"""Hosts and addresses: which may be contacted at all, and whether two base URLs name the same server."""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: ``private`` is contacted when the user allows its origin; ``never`` whatever anybody allows.
Kind = Literal["public", "private", "never"]

#: Why an address of a kind is not contacted.
REASONS: dict[Kind, str] = {
    "private": "is in a private network; it was not contacted",
    "never": "has a link-local, metadata or reserved address; it was not contacted",
}

_DEFAULT_PORTS = {"http": 80, "https": 443}


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(map(ipaddress.ip_network, text.split()))


#: This machine and the networks behind a gateway (RFC 1122, 1918, 4193).
_PRIVATE = _networks("127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7")
#: The special-purpose registries of the IANA (RFC 6890), and the addresses of the clouds' own services: where an
#: address has no meaning, or gives whoever asks the machine's credentials. Most metadata services are link-local.
_NEVER = _networks(
    "0.0.0.0/8 100.64.0.0/10 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 "
    "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 2001::/23 2001:db8::/32 3fff::/20 "
    # Azure's; AWS's, Google's, Oracle's and Scaleway's in IPv6. Alibaba's and Oracle's in IPv4 lie in networks above.
    "168.63.129.16/32 fd00:ec2::/32 fd20:ce::/64 fd00:c1::/64 fd00:42::/64"
)
#: Everything of IPv6 that is handed out to anybody (RFC 4291 section 2.4); the rest is special or nobody's.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Interface identifiers that hold an IPv4 address (ISATAP, RFC 5214 section 6.1).
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})
#: An address as ``inet_aton`` reads it: up to four numbers, each decimal, octal or hexadecimal.
_NUMBERS = re.compile(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}\.?", re.IGNORECASE | re.ASCII)
#: Names that no public name server has (RFC 6761, 6762, 8375; .internal by ICANN; .lan and .corp by habit).
_INTERNAL = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".corp", ".test")


class Origin(NamedTuple):
    """Scheme, host and port of a URL, lower-case, the port always given (RFC 6454)."""

    scheme: str
    host: str
    port: int


def split(url: str) -> SplitResult | None:
    """The pieces of an absolute http(s) URL with a host and a valid port; none for anything else."""
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


def has_userinfo(url: str) -> bool:
    """Whether an absolute URL holds a user's name or password, or a text that another reader may take for them."""
    return "@" in url.partition("://")[2].partition("/")[0]


@lru_cache(maxsize=4096)
def literal(host: str) -> Address | None:
    """The address that a host is written as, in any spelling that a system takes (``127.1``, ``0x7f000001``)."""
    text = host.strip("[]")
    with suppress(ValueError):
        return ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    if _NUMBERS.fullmatch(text):
        with suppress(OSError):
            return ipaddress.IPv4Address(socket.inet_aton(text.rstrip(".")))
    return None


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine by its writing alone (RFC 6761 section 6.3 for ``localhost``)."""
    address = literal(host)
    if address is not None:
        return is_loopback(address)
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost")


def is_loopback(address: Address) -> bool:
    """Whether an address is this machine, as IPv4 inside IPv6 too."""
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_internal_name(host: str) -> bool:
    """Whether only a network's own name servers can know a name: by its ending, or because it has no dot."""
    name = host.lower().rstrip(".")
    return literal(host) is None and ("." not in name or name.endswith(_INTERNAL))


@lru_cache(maxsize=4096)
def kind_of(address: Address) -> Kind:
    """Whether an address is public, private or never contacted.

    Only the networks listed here decide: the standard library's list changes with its version.

    An IPv4 address inside an IPv6 address counts: a mapped address is contacted itself, an address behind a translator
    or a tunnel must be public.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return kind_of(address.ipv4_mapped)
        inner = _tunnelled(address)
        if inner is not None and kind_of(inner) != "public":
            return "never"
        if address in _NAT64:
            return "public"
    if any(address in network for network in _NEVER):
        return "never"
    if any(address in network for network in _PRIVATE):
        return "private"
    return "public" if isinstance(address, ipaddress.IPv4Address) or address in _UNICAST else "never"


def kind_of_host(host: str) -> Kind | None:
    """The kind of a host that is written as an address; none for a name, whose addresses must be looked up first."""
    address = literal(host)
    if address is not None:
        return kind_of(address)
    return "private" if is_loopback_host(host) else None


def _tunnelled(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a translator or a tunnel would send to (NAT64, 6to4, ISATAP); Teredo is never contacted."""
    number = int(address)
    if address in _NAT64 or number >> 32 & 0xFFFF_FFFF in _ISATAP:
        return ipaddress.IPv4Address(number & 0xFFFF_FFFF)
    return address.sixtofour


def same_base(url: str, other: str) -> bool:
    """Whether two base URLs name the same FHIR server (FHIR R4 http.html, Service Base URL).

    The query and a trailing slash are ignored, http and https are the same, a stated port must match, the path is
    case-sensitive; the host is not (RFC 3986 section 3.2.2).
    """
    if url == other:
        return True
    left, right = origin(url), origin(other)
    if left is None or right is None:
        return False
    return (left.host, _stated_port(left), _path(url)) == (right.host, _stated_port(right), _path(other))


def _stated_port(where: Origin) -> int | None:
    return where.port if where.port != _DEFAULT_PORTS[where.scheme] else None


def _path(url: str) -> str:
    """The path of an absolute URL, without slashes at its end."""
    _, slash, path = url.partition("://")[2].partition("#")[0].partition("?")[0].partition("/")
    return f"{slash}{path}".rstrip("/")
