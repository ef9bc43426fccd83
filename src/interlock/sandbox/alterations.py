"""Faults of the documents themselves: each takes a document that it may change, and gives the one to serve."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from interlock.fhir.oauth_uris import EXTENSION_URL
from interlock.fhir.tolerant import objects_of
from interlock.sandbox.exchange import Exchange, Role, other_host
from interlock.sandbox.organizations import Document

Alteration = Callable[[Exchange, Document], Document]

#: Text that does harm in some medium: terminal, Rich markup, HTML, Markdown, spreadsheet, right-to-left override.
HOSTILE = (
    "\x1b]0;owned\x07\x1b[31mred\x1b[2J [bold]markup[/bold] [link=https://example.invalid]x[/link] "
    "<script>alert(1)</script><img src=x onerror=alert(1)> ![](https://example.invalid/p.png) | cell | "
    "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe \x00 \r\nSet-Cookie: a=b"
)
#: A spreadsheet formula: it has to come first in its cell.
FORMULA = "=CMD|'/C calc'!A0"

_TYPES = ("Condition", "DiagnosticReport", "DocumentReference", "Encounter", "Observation", "Patient", "Procedure")


def _only(*roles: Role) -> Callable[[Alteration], Alteration]:
    """Apply an alteration to documents of these roles and leave others alone."""

    def decorate(alter: Alteration) -> Alteration:
        return lambda exchange, document: alter(exchange, document) if exchange.role in roles else document

    return decorate


def _saying(*roles: Role, **members: Any) -> Alteration:
    """Documents of these roles say something else at some members; at ``None``, nothing."""

    @_only(*roles)
    def alter(_: Exchange, document: Document) -> Document:
        return {name: value for name, value in {**document, **members}.items() if members.get(name, value) is not None}

    return alter


@_only("smart")
def _empty_object(_: Exchange, __: Document) -> Document:
    return {}


@_only("smart")
def _issuer_elsewhere(exchange: Exchange, document: Document) -> Document:
    issuer = str(document.get("issuer", f"{exchange.base}/oauth2"))
    return {**document, "issuer": other_host(issuer)}


@_only("smart")
def _issuer_well_known(exchange: Exchange, document: Document) -> Document:
    issuer = str(document.get("issuer", f"{exchange.base}/oauth2"))
    return {**document, "issuer": f"{issuer}/.well-known/openid-configuration"}


@_only("smart")
def _relative_urls(_: Exchange, document: Document) -> Document:
    return {key: _path_of(value) if _is_address(key) else value for key, value in document.items()}


@_only("smart")
def _internal_token_endpoint(exchange: Exchange, document: Document) -> Document:
    path = urlsplit(str(document.get("token_endpoint", exchange.base))).path
    return {**document, "token_endpoint": f"https://ehr-app-01.corp.internal{path}"}


@_only("smart")
def _many_scopes(_: Exchange, document: Document) -> Document:
    scopes = [
        f"{level}/{kind}.{letters}?_tag=urn:example:unit|{unit}"
        for level in ("patient", "user", "system")
        for kind in _TYPES
        for letters in ("rs", "r", "cud")
        for unit in range(25)
    ]
    return {**document, "scopes_supported": [*document.get("scopes_supported", []), *scopes]}


def _hostile_strings(exchange: Exchange, document: Document) -> Document:
    if exchange.role == "metadata":
        software = {"name": FORMULA, "version": HOSTILE}
        implementation = {**document.get("implementation", {}), "description": HOSTILE}
        return {**document, "publisher": HOSTILE, "software": software, "implementation": implementation}
    if exchange.role == "smart":
        listed = {key: [*document.get(key, []), HOSTILE, FORMULA] for key in ("capabilities", "scopes_supported")}
        return {**document, **listed, "management_endpoint": f"javascript:alert(1)//{HOSTILE}"}
    return {**document, "service_documentation": HOSTILE}


def _elsewhere(path: str, exchange: Exchange, document: Document) -> Document:
    url = urlsplit(exchange.base)._replace(path=path).geturl()
    return {**document, "implementation": {**document.get("implementation", {"description": "shared"}), "url": url}}


@_only("metadata")
def _large_statement(_: Exchange, document: Document) -> Document:
    for rest in _servers(document):
        rest["documentation"] = "What this server does, at length. " * 21_000
    return document


@_only("metadata")
def _two_oauth_uris(exchange: Exchange, document: Document) -> Document:
    for rest in _servers(document):
        security = rest.setdefault("security", {})
        second = {
            "url": EXTENSION_URL,
            "extension": [
                {"url": "authorize", "valueUri": f"{exchange.base}/second/authorize"},
                {"url": "token", "valueUri": f"{exchange.base}/second/token"},
            ],
        }
        security["extension"] = [*security.get("extension", []), second]
    return document


@_only("metadata")
def _alternating_versions(exchange: Exchange, document: Document) -> Document:
    if exchange.state.times_before(f"alternating-versions {exchange.organization.id}") % 2 == 0:
        return document
    software = {"name": "Second back end", **document.get("software", {}), "version": "0.9.0-previous"}
    return {**document, "software": software, "date": "2019-01-01"}


#: Every fault of stage ``document``.
ALTERATIONS: dict[str, Alteration] = {
    "empty-object": _empty_object,
    "issuer-elsewhere": _issuer_elsewhere,
    "issuer-well-known": _issuer_well_known,
    "relative-urls": _relative_urls,
    "internal-token-endpoint": _internal_token_endpoint,
    "pkce-plain": _saying("smart", "openid", code_challenge_methods_supported=["S256", "plain"]),
    "pkce-undeclared": _saying("smart", "openid", code_challenge_methods_supported=None),
    "no-scopes": _saying("smart", scopes_supported=None),
    "many-scopes": _many_scopes,
    "hostile-strings": _hostile_strings,
    "other-tenant": _only("metadata")(partial(_elsewhere, "/another-tenant/fhir")),
    "base-without-tenant": _only("metadata")(partial(_elsewhere, "")),
    "no-software": _saying("metadata", software=None, kind="capability"),
    "no-software-version": _saying("metadata", software={"name": "Unversioned EHR"}),
    "large-statement": _large_statement,
    "two-oauth-uris": _two_oauth_uris,
    "fhir-4-0-0": _saying("metadata", fhirVersion="4.0.0"),
    "alternating-versions": _alternating_versions,
}


def _servers(statement: Document) -> list[Document]:
    """The ``rest`` entries of mode server."""
    return [entry for entry in objects_of(statement, "rest") if entry.get("mode", "server") == "server"]


def _is_address(key: str) -> bool:
    return key == "jwks_uri" or key.endswith("_endpoint")


def _path_of(address: Any) -> Any:
    return urlsplit(address).path if isinstance(address, str) else address
