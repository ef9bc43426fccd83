"""A base URL as directories list it, cleaned: what can only have been meant is repaired, everything else is named."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from interlock.model.address_secrets import secret_in

MAX_URL = 2048

_EDGES = " \t\r\n\"'`,;<>()[]\u200b\ufeff\xa0"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(/{1,3})", re.ASCII)
_BROKEN_SCHEME = re.compile(r"(https?)(:|:/|//|/)(?=[A-Za-z0-9])", re.IGNORECASE | re.ASCII)
_NO_SCHEME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d{1,5})?(?:/.*)?", re.ASCII | re.DOTALL)
_TAIL = re.compile(r"(?:/metadata|/\.well-known/smart-configuration)$", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\s\x00-\x20\x7f-\x9f<>\"\\^`|\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SLASHES = re.compile("/{2,}")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_NOTHING = frozenset({"", "-", "n/a", "na", "none", "null", "tbd", "unknown", "not available", "#n/a"})


class Repaired(NamedTuple):
    """A cleaned base URL with what was repaired, or none with a word and a sentence for why it cannot be used."""

    url: str | None
    repairs: tuple[str, ...] = ()
    word: str = ""
    reason: str = ""


def repair_address(text: str) -> Repaired:
    """The base URL that a directory's author meant. Never raises; bounded work for any input.

    Repaired are stray quotes, colons and spaces around it, a scheme in capitals, doubled, broken or missing before
    something that is a host name, a query, a fragment, and a tail of ``/metadata`` or the SMART address; a default
    port, dot segments and needless percent-encoding are taken away (RFC 3986 section 6.2). A relative path, another
    scheme, a placeholder, credentials and what no URL may hold are not: nobody knows what was meant.
    """
    if len(text) > 4 * MAX_URL:
        return _unusable("too_long", f"it is longer than {MAX_URL} characters")
    repairs: list[str] = []
    url = text.strip(_EDGES)
    if "//[" in url and "]" not in url and text.rstrip(_EDGES.replace("]", "")).endswith("]"):
        url += "]"  # of an IPv6 address, which is no stray character
    if url.startswith(":") and not url.startswith("://"):
        url = url.lstrip(": " + _EDGES)
    if url != text.strip():
        repairs.append("stray characters around it removed")
    if url.lower() in _NOTHING:
        return _unusable("empty", "there is no address")
    if url.startswith(("/", ".")):
        return _unusable("relative", "it is a relative path")
    schemed = _with_scheme(url, repairs)
    if isinstance(schemed, Repaired):
        return schemed
    scheme, rest = schemed
    while (inner := _SCHEME.match(rest)) is not None and inner[1].lower() in {"http", "https"}:
        repairs.append("doubled scheme removed")
        scheme, rest = inner[1].lower(), rest[inner.end() :]
    if secret_in(f"{scheme}://{rest}") is not None:
        return _unusable("credentials", "it holds credentials")
    for mark, repair in (("#", "fragment removed"), ("?", "query removed")):
        if mark in rest:
            rest = rest.partition(mark)[0]
            repairs.append(repair)
    if "{" in rest or "}" in rest or "[" in rest.partition("/")[2]:
        return _unusable("placeholder", "it holds a placeholder to be filled in")
    if _FORBIDDEN.search(rest):
        return _unusable("characters", "it holds a space or a character that no URL has")
    return _assembled(scheme, rest, repairs)


def _with_scheme(url: str, repairs: list[str]) -> tuple[str, str] | Repaired:
    """Scheme in lower case and the rest."""
    match = _SCHEME.match(url)
    if match is None or (match[2] != "//" and match[1].lower() in {"http", "https"}):
        broken = _BROKEN_SCHEME.match(url) or (match if match is not None else None)
        if broken is not None and broken[1].lower() in {"http", "https"}:
            repairs.append("scheme repaired")
            return broken[1].lower(), url[broken.end() :]
        if match is None and _NO_SCHEME.fullmatch(url) and not _FORBIDDEN.search(url):
            repairs.append("https:// added")
            return "https", url
        if match or re.match(r"[a-z]+:", url, re.IGNORECASE):
            return _unusable("scheme", "it has another scheme than http")
        relative = "/" in url and "." not in url.partition("/")[0] and not _FORBIDDEN.search(url)
        return (
            _unusable("relative", "it is a relative path") if relative else _unusable("no_address", "it is no address")
        )
    scheme, rest = match[1], url[match.end() :]
    if scheme.lower() not in {"http", "https"}:
        return _unusable("scheme", "it has another scheme than http")
    if scheme != scheme.lower():
        repairs.append("scheme in lower case")
    return scheme.lower(), rest


def _assembled(scheme: str, rest: str, repairs: list[str]) -> Repaired:
    listed_authority, slash, path = rest.partition("/")
    decoded = _decoded(slash + path)
    dotless = _without_dots(decoded)
    base_path = without_tails(dotless)
    authority = listed_authority.lower().removesuffix(":443" if scheme == "https" else ":80")
    url = f"{scheme}://{authority}{base_path}"
    steps = (
        (slash + path, decoded, "percent-encoding in its usual form"),
        (decoded, dotless, "dot segments resolved"),
        (dotless.rstrip("/"), base_path, "the document's own path removed"),
        (listed_authority, listed_authority.lower(), "host in lower case"),
        (listed_authority.lower(), authority, "default port removed"),
    )
    repairs.extend(repair for before, after, repair in steps if before != after)
    try:
        parts = urlsplit(url)
        host, valid = parts.hostname or "", parts.port != 0
    except ValueError:
        host, valid = "", False
    if not valid or not _is_host(host):
        return _unusable("host", "it has no host name, or a bad port")
    if len(url) > MAX_URL:
        return _unusable("too_long", f"it is longer than {MAX_URL} characters")
    return Repaired(url, tuple(repairs))


def _decoded(path: str) -> str:
    """A path without needless percent-encoding (RFC 3986 section 6.2.2.2); unchanged when an escape in it is broken."""
    if "%" not in path or path.count("%") != len(_ESCAPE.findall(path)):
        return path

    def usual(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    return _ESCAPE.sub(usual, path)


def _without_dots(path: str) -> str:
    """A path without the segments ``.`` and ``..`` (RFC 3986 section 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def base_key(url: str) -> str:
    """The same for two cleaned base URLs that name one FHIR server (FHIR R4 http.html, Service Base URL).

    The scheme and slashes at the end make no difference; the path is case-sensitive, and a port counts unless it is
    the scheme's own. Slashes in a row count as one: a path with an empty segment is never meant.
    """
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    authority = authority.lower().removesuffix(":443" if scheme.lower() == "https" else ":80")
    return f"{authority}{_SLASHES.sub('/', slash + path)}".rstrip("/")


def without_tails(path: str) -> str:
    """A path without the slashes and the names of documents at its end, however many there are."""
    while (shorter := _TAIL.sub("", path.rstrip("/"))) != path:
        path = shorter
    return path


def _is_host(host: str) -> bool:
    if len(host) > 253:
        return False
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return False
    labels = host.removesuffix(".").split(".")
    return (
        bool(host)
        and all(0 < len(label) <= 63 and not label.startswith("-") for label in labels)
        and bool(re.fullmatch(r"[A-Za-z0-9._-]+", host, re.ASCII))
    )


def _unusable(word: str, reason: str) -> Repaired:
    return Repaired(None, (), word, reason)
