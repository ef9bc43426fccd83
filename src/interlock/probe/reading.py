"""How an answer reads: as the document asked for, or as something that servers send instead. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from interlock.documents.bounds import JsonBoundsError, check_json
from interlock.fhir.capability import decode, tolerate
from interlock.fhir.statement import TOLD_ONCE, is_statement
from interlock.fhir.tolerant import repeated_members, storable
from interlock.model.text import plain
from interlock.probe.transport.content import (
    MAX_NODES,
    NotJsonError,
    decode_text,
    parse_document,
    parse_json,
)
from interlock.probe.transport.exchange import DOCUMENT_NAMES, Purpose, Reading

_ELEMENT = re.compile(r"<(!doctype\s+html|[A-Za-z_][\w.:-]{0,80})", re.I)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,200})", re.I)

#: In the title of nginx's page when the handshake passed without the client certificate that it wants
#: (ngx_http_ssl_module, status 496, answered as 400). Asking in other words would bring the same page.
_NO_CLIENT_CERTIFICATE = "No required SSL certificate was sent"

#: A JSON object counts as the document when it has any of these fields.
_FIELDS: dict[str, frozenset[str]] = {
    "smart": frozenset(
        {
            "authorization_endpoint",
            "token_endpoint",
            "capabilities",
            "grant_types_supported",
            "code_challenge_methods_supported",
            "scopes_supported",
        }
    ),
    "openid": frozenset({"issuer", "jwks_uri", "authorization_endpoint", "token_endpoint"}),
    "jwks": frozenset({"keys"}),
    "udap": frozenset({"udap_versions_supported", "udap_profiles_supported", "signed_metadata"}),
    "cds": frozenset({"services"}),
}
_FIELDS["smart-root"] = _FIELDS["cors-smart"] = _FIELDS["smart"]

_STATEMENTS: frozenset[Purpose] = frozenset({"metadata", "deeper", "cors-metadata"})

#: Members that are written once in a document, so that a second one shows in its text; of a statement that msgspec
#: reads, its own reader looks.
_TOLD_ONCE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_STATEMENTS, TOLD_ONCE),
    "smart": ("issuer", "token_endpoint", "authorization_endpoint", "capabilities", "scopes_supported"),
    "openid": ("issuer", "token_endpoint", "jwks_uri"),
    "jwks": ("keys",),
}

_STATUS: dict[int, tuple[Reading, str]] = {
    401: ("unauthorized", "asks for a token (HTTP 401)"),
    403: ("forbidden", "refuses access (HTTP 403)"),
    404: ("absent", "has nothing there (HTTP 404)"),
    406: ("not_acceptable", "does not offer the media type asked for (HTTP 406)"),
    410: ("absent", "has nothing there any more (HTTP 410)"),
    415: ("unsupported_media_type", "rejects the request's media type (HTTP 415)"),
    429: ("rate_limited", "asks to slow down (HTTP 429)"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """How an answer reads, and the document in it, if any: a capability statement, or another document's JSON value.

    :ivar notes: oddities of the text; ``slips`` are those of the JSON.
    """

    reading: Reading
    detail: str
    document: Any = None
    notes: tuple[str, ...] = ()
    slips: tuple[str, ...] = ()


def read_reply(purpose: Purpose, status: int, content_type: str, body: bytes) -> Read:
    """Read the answer to a request. Never raises; ``detail`` is a sentence without a full stop."""
    if not 200 <= status < 300:
        return _error(status, content_type, body)
    name = DOCUMENT_NAMES[purpose]
    if not body.strip():
        return Read("empty", f"the server answered HTTP {status} with an empty body instead of a {name}")
    text, oddities = decode_text(body, content_type)
    if text.lstrip()[:1] == "<":
        return _markup(text, name, oddities)
    try:
        if purpose in _STATEMENTS:
            check_json(text, max_nodes=MAX_NODES)  # the parser bounds the depth
            if (statement := decode(text)) is not None:
                return Read("document", f"a {statement.members['resourceType']}", statement, oddities)
        value, slips = parse_document(text)
    except (NotJsonError, JsonBoundsError) as error:
        return Read("not_json", f"the {name} {error}", notes=oddities)
    reading, detail = _json(purpose, name, value)
    document = None
    if reading == "document":
        document = tolerate(value) if purpose in _STATEMENTS else value
        slips = (*slips, *repeated_members(text, _TOLD_ONCE.get(purpose, ())))
    return Read(reading, detail, document, oddities, slips)


def _error(status: int, content_type: str, body: bytes) -> Read:
    if status in _STATUS:
        reading, sentence = _STATUS[status]
    elif status >= 500:
        reading, sentence = "server_error", f"failed (HTTP {status})"
    elif status >= 400:
        reading, sentence = "client_error", f"rejects the request (HTTP {status})"
    else:
        reading, sentence = "unexpected_status", f"answered with HTTP {status}, which carries no document"
    said = _diagnostics(content_type, body)
    if not said and reading == "client_error":  # a proxy in front names its objection in its page's title
        title = _TITLE.search(body[:20_000].decode("latin-1"))
        said = f"“{plain(title[1].strip(), 80)}”" if title and title[1].strip() else ""
        if _NO_CLIENT_CERTIFICATE in said:
            reading, sentence = "client_certificate", f"demands a client certificate (HTTP {status})"
    return Read(reading, f"the server {sentence}" + (f": {said}" if said else ""))


def _diagnostics(content_type: str, body: bytes) -> str:
    """The words of an OperationOutcome in an error's body, or an empty string."""
    if not body or len(body) > 200_000 or body[:200].lstrip()[:1] != b"{":
        return ""
    try:
        value = parse_json(decode_text(body, content_type)[0])
    except (NotJsonError, JsonBoundsError):
        return ""
    return outcome_text(value) if isinstance(value, dict) and value.get("resourceType") == "OperationOutcome" else ""


def outcome_text(outcome: dict[str, Any]) -> str:
    """The first issue of an OperationOutcome in words, bounded; an empty string when it says nothing."""
    issues = outcome.get("issue")
    for issue in issues[:20] if isinstance(issues, list) else []:
        if not isinstance(issue, dict):
            continue
        details = issue.get("details")
        spoken = details.get("text") if isinstance(details, dict) else None
        for said in (issue.get("diagnostics"), spoken, issue.get("code")):
            if isinstance(said, str) and said.strip():
                return plain(storable(said), 200)
    return ""


def _markup(text: str, name: str, notes: tuple[str, ...]) -> Read:
    match = _ELEMENT.match(_after_prolog(text[:8192].lstrip()))
    root = match[1].lower() if match else ""
    if root.startswith("!doctype") or root in {"html", "head", "body", "script", "meta"}:
        title = _TITLE.search(text[:20_000])
        titled = f" titled “{plain(title[1], 80)}”" if title and title[1].strip() else ""
        return Read("html", f"the server answered with an HTML page{titled} instead of a {name}", notes=notes)
    if match:
        element = plain(match[1], 80)
        return Read("xml", f"the server answered with XML ({element}) although JSON was asked for", notes=notes)
    return Read("not_json", f"the {name} is markup, not JSON", notes=notes)


def _after_prolog(head: str) -> str:
    """The text after the XML declaration, processing instructions and comments."""
    for opening, closing in (("<?", "?>"), ("<!--", "-->")) * 8:
        if head.startswith(opening):
            head = head.partition(closing)[2].lstrip()
    return head


def _json(purpose: Purpose, name: str, value: Any) -> tuple[Reading, str]:
    if not isinstance(value, dict):
        kind = "list" if isinstance(value, list) else "bare value"
        return "not_an_object", f"the server answered with a JSON {kind} instead of a {name}"
    if not value:
        return "empty_object", f"the server answered with an empty JSON object instead of a {name}"
    resource = value.get("resourceType")
    if purpose in _STATEMENTS and is_statement(value):
        return "document", f"a {resource}"
    if resource == "OperationOutcome":
        said = outcome_text(value)
        return "operation_outcome", f"the server answered with an OperationOutcome instead of a {name}" + (
            f": {said}" if said else ""
        )
    if resource == "Bundle" and purpose == "brands":
        return "document", f"a {name}"
    if resource == "Bundle":
        return "bundle", f"the server answered with a Bundle instead of a {name}"
    if isinstance(resource, str):
        shown = plain(storable(resource), 60)
        return "other_resource", f"the server answered with a resource of type {shown} instead of a {name}"
    if purpose in _FIELDS and _FIELDS[purpose] & value.keys():
        return "document", f"a {name}"
    return "unrelated", f"the server answered with a JSON object that is no {name}"
