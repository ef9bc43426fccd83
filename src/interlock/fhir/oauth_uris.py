"""The ``oauth-uris`` extension of ``rest.security`` (SMART App Launch 1.0; deprecated in 2.x)."""

from __future__ import annotations

from typing import Any

from interlock.fhir.tolerant import MAX_CODE, MAX_URL, Problems, objects_at, text_at
from interlock.model.facts import OAuthUris

EXTENSION_URL = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"

_PARTS = ("authorize", "token", "register", "manage", "introspect", "revoke")
_MAX_EXTENSIONS = 200

#: ``register`` is a method of every model, so its field has another name.
_FIELDS = {"register": "register_"}


class OAuthUriReader:
    """Collects the parts of every such extension; the specification's own URL wins over a misspelt one.

    :ivar count: how many extensions were found. More than one is a server's mistake that real servers make.
    :ivar misspelt: how many of them have another URL than the specification's.
    """

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._exact: dict[str, str] = {}
        self._similar: dict[str, str] = {}
        self.count = 0
        self.misspelt = 0

    def add(self, security: dict[str, Any]) -> None:
        """Read the extensions of one ``rest.security`` object."""
        for extension in objects_at(security, "extension", self._problems, _MAX_EXTENSIONS):
            url = extension.get("url")
            if isinstance(url, str) and url.rstrip("/").endswith("/oauth-uris"):
                self.count += 1
                self.misspelt += url != EXTENSION_URL
                self._read(extension, self._exact if url == EXTENSION_URL else self._similar)

    def _read(self, extension: dict[str, Any], into: dict[str, str]) -> None:
        for part in objects_at(extension, "extension", self._problems, _MAX_EXTENSIONS):
            name = text_at(part, "url", self._problems, MAX_CODE)
            if name not in _PARTS:
                continue
            value = text_at(part, "valueUri", self._problems, MAX_URL)
            for key in ("valueUrl", "valueString"):
                if value is None and (value := text_at(part, key, self._problems, MAX_URL)) is not None:
                    self._problems.add(f"the oauth-uris part {name} has {key}, where clients read valueUri")
            if value is None:
                self._problems.add(f"the oauth-uris part {name} has no value")
            elif into.setdefault(name, value) != value:
                self._problems.add(f"the oauth-uris extensions disagree on {name}; the first was taken")

    def uris(self) -> OAuthUris:
        """The endpoints that the extensions name."""
        addresses = {**self._similar, **self._exact}
        return OAuthUris.trusted(**{_FIELDS.get(name, name): value for name, value in addresses.items()})
