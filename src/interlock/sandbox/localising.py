"""Addresses of a real hospital, taken out of its documents: everything points at the simulation instead."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

#: Hosts of specifications and code systems: what is there are names, and no hospital's.
_OF_SPECIFICATIONS = re.compile(
    r"(.+\.)?(hl7\.org|snomed\.info|loinc\.org|unitsofmeasure\.org|nih\.gov|cdc\.gov|healthit\.gov|nema\.org|ietf\.org"
    r"|w3\.org|openid\.net|nucc\.org|ama-assn\.org|udap\.org)|fhir\.org|(fhir-registry\.|docs\.)?smarthealthit\.org"
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>|\\^`{}]+", re.IGNORECASE)
#: Stands for a host that a text names outside of an address (RFC 2606).
NOWHERE = "hospital.invalid"


class Localising:
    """One hospital's addresses.

    What is below the FHIR base becomes ``{base}/…``; anything else of a host that is no specification's becomes
    ``{base}/at-<six characters>/…``, the same characters for the same host, so that what was at one host stays
    together. The port and the scheme are lost: the simulation has its own.

    :param base: the FHIR base URL as it was probed.
    :param hosts: every host that belongs to the hospital, whatever it is called.
    """

    def __init__(self, base: str, hosts: Iterable[str]) -> None:
        self._base = base.rstrip("/")
        parts = urlsplit(self._base)
        self._home = (_authority(parts.netloc, parts.scheme), parts.path)
        self._hosts = frozenset(host.lower() for host in (*hosts, parts.hostname or "") if host)
        names = sorted((host for host in self._hosts if "." in host), key=len, reverse=True)
        text = "|".join(map(re.escape, names))
        self._bare = re.compile(rf"(?<![\w.-])(?:[\w-]+\.)*(?:{text})(?![\w-])", re.IGNORECASE) if names else None

    def document(self, value: Any) -> Any:
        """A copy of a JSON value without any of the addresses, in names of members too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.document(item) for item in value]
        if isinstance(value, dict):
            return {self.text(name): self.document(item) for name, item in value.items()}
        return value

    def text(self, text: str) -> str:
        """A text without any of the addresses."""
        plain = text.replace("{base}", "{ base }")  # in a document it would be filled in
        if "." not in plain and ":" not in plain:
            return plain
        pieces, at = [], 0
        for match in _ADDRESS.finditer(plain):
            pieces += [self._without_names(plain[at : match.start()]), self._address(match[0])]
            at = match.end()
        return "".join((*pieces, self._without_names(plain[at:])))

    def _without_names(self, text: str) -> str:
        return self._bare.sub(NOWHERE, text) if self._bare is not None else text

    def _address(self, address: str) -> str:
        try:
            parts = urlsplit(address)
            host, authority = (parts.hostname or "").lower(), _authority(parts.netloc, parts.scheme)
        except ValueError:
            return f"http://{NOWHERE}"
        if host not in self._hosts and _OF_SPECIFICATIONS.fullmatch(host):
            return address
        rest = parts._replace(scheme="", netloc="").geturl()
        home, path = self._home
        if authority == home and (parts.path == path or parts.path.startswith(f"{path}/")):
            return "{base}" + self._without_names(rest[len(path) :])
        return f"{{base}}/at-{hashlib.sha256(authority.encode()).hexdigest()[:6]}{self._without_names(rest)}"


def _authority(netloc: str, scheme: str) -> str:
    """Host and port in lower case, the usual port and the user left out."""
    authority = netloc.rpartition("@")[2].lower()
    return authority.removesuffix(":443" if scheme.lower() == "https" else ":80")
