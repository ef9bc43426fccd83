"""The registry of faults: what real servers get wrong, by name.

An organisation has its own (``organization.yaml``), a URL may ask for them in front of everything else
(``/riverside+slow+bom/fhir/metadata``), and a grant may have some, which are met with its access tokens alone: of one
client, one launch, or one token. Each fault acts at one stage of a reply; the stage's module
holds the behaviour under the same name (``substitutes``, ``alterations``, ``bodies``, ``wire``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from interlock.model.errors import InterlockError

#: More at once are asked for by nobody who wants to learn something.
MAX_FAULTS = 8


class Stage(StrEnum):
    """When a fault acts, in the order of a reply."""

    LISTENER = "listener"
    WAIT = "wait"
    REPLY = "reply"
    DOCUMENT = "document"
    BODY = "body"
    WIRE = "wire"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its name in URLs and files, when it acts, and one sentence for a reader.

    :ivar quirks: numbers in the project's list of what real servers do; a quirk may have several faults.
    """

    name: str
    stage: Stage
    description: str
    quirks: tuple[int, ...] = ()


_ALL = (
    Fault(
        "expired-tls",
        Stage.LISTENER,
        "TLS with a certificate that expired years ago, signed by an unknown authority",
        (22,),
    ),
    Fault("middlebox-tls", Stage.LISTENER, "TLS with the certificate of a middlebox that inspects connections", (22,)),
    Fault("slow", Stage.WAIT, "Every answer waits first (3 s unless set)"),
    Fault("smart-slow-404", Stage.WAIT, "The SMART document is answered with 404, after waiting as long as slow", (7,)),
    # The whole reply is something else.
    Fault("401", Stage.REPLY, "Everything, discovery included, asks for a token", (23,)),
    Fault("metadata-401", Stage.REPLY, "The statement asks for a token, the SMART document does not", (23,)),
    Fault("403", Stage.REPLY, "Everything is refused"),
    Fault("404", Stage.REPLY, "Nothing is found"),
    Fault("500", Stage.REPLY, "Everything fails inside the server"),
    Fault(
        "503-once", Stage.REPLY, "The first request for each address is answered with 503, later ones properly", (31,)
    ),
    Fault("429", Stage.REPLY, "Too many requests, with Retry-After: 1", (31,)),
    Fault("html-200", Stage.REPLY, "An HTML login page under status 200", (12,)),
    Fault("spa-200", Stage.REPLY, "A single-page application's empty shell under status 200", (12,)),
    Fault("outcome-200", Stage.REPLY, "An OperationOutcome under status 200", (11,)),
    Fault("no-smart", Stage.REPLY, "The SMART document is answered with 404"),
    Fault("smart-at-root", Stage.REPLY, "The SMART document is at the host's root, not under the tenant", (13,)),
    Fault("base-deeper", Stage.REPLY, "Everything is one path segment deeper, under r4/", (25,)),
    Fault(
        "dirty-directory", Stage.REPLY, "A list of Endpoints whose addresses are written the way real lists do", (26,)
    ),
    Fault("no-token-cors", Stage.REPLY, "No cross-origin requests at the token endpoint", (27,)),
    Fault("406-fhir-json", Stage.REPLY, "406 when application/fhir+json is asked for; application/json is fine", (3,)),
    Fault("charset-400", Stage.REPLY, "400 when the Accept header carries a charset parameter", (4,)),
    Fault("parameter-400", Stage.REPLY, "400 when the Accept header carries any parameter", (4,)),
    Fault("user-agent-403", Stage.REPLY, "403 unless the User-Agent looks like a browser's", (5,)),
    Fault(
        "user-agent-415", Stage.REPLY, "415 with a page for people, unless the User-Agent looks like a browser's", (5,)
    ),
    Fault("redirect-loop", Stage.REPLY, "A redirect that leads back to itself", (33,)),
    Fault("redirect-other-host", Stage.REPLY, "A redirect from 127.0.0.1 to localhost, where the answer is", (33,)),
    Fault("redirect-to-http", Stage.REPLY, "A redirect from https to http", (33,)),
    Fault("redirect-patient-search", Stage.REPLY, "A redirect from discovery to a search of patients", (33,)),
    # A document says something else.
    Fault("empty-object", Stage.DOCUMENT, "The SMART document is {}", (8,)),
    Fault("issuer-elsewhere", Stage.DOCUMENT, "The issuer is on another host name", (14,)),
    Fault("issuer-well-known", Stage.DOCUMENT, "The issuer is itself a .well-known address", (15,)),
    Fault("relative-urls", Stage.DOCUMENT, "Endpoint addresses of the SMART document are relative", (28,)),
    Fault("internal-token-endpoint", Stage.DOCUMENT, "The token endpoint is on an internal host name", (10,)),
    Fault("pkce-plain", Stage.DOCUMENT, "PKCE plain is offered beside S256"),
    Fault("pkce-undeclared", Stage.DOCUMENT, "PKCE methods are not declared", (9,)),
    Fault("no-scopes", Stage.DOCUMENT, "scopes_supported is absent", (19,)),
    Fault("many-scopes", Stage.DOCUMENT, "scopes_supported has over 1,500 entries", (20,)),
    Fault(
        "hostile-strings",
        Stage.DOCUMENT,
        "Terminal escapes, markup, HTML and formulas in the documents' strings",
        (34,),
    ),
    Fault("other-tenant", Stage.DOCUMENT, "implementation.url names another tenant", (16,)),
    Fault("base-without-tenant", Stage.DOCUMENT, "implementation.url is the host alone, without the tenant", (16,)),
    Fault("no-software", Stage.DOCUMENT, "kind capability, with an implementation and without software", (17,)),
    Fault("no-software-version", Stage.DOCUMENT, "The software is named without a version", (17,)),
    Fault(
        "large-statement", Stage.DOCUMENT, "A statement of over 700 KB: many resources with long documentation", (20,)
    ),
    Fault("two-oauth-uris", Stage.DOCUMENT, "Two oauth-uris extensions that disagree", (18,)),
    Fault("fhir-4-0-0", Stage.DOCUMENT, "fhirVersion is 4.0.0", (21,)),
    Fault(
        "alternating-versions", Stage.DOCUMENT, "Two back ends that take turns: every second statement is older", (24,)
    ),
    # The right content, wrongly written.
    Fault("xml-only", Stage.BODY, "FHIR content is XML whatever is asked for", (1,)),
    Fault("xml-by-default", Stage.BODY, "FHIR content is XML unless JSON is asked for by name", (1,)),
    Fault("json-format-param-only", Stage.BODY, "FHIR content is XML unless _format asks for JSON", (2,)),
    Fault("json-fhir-only", Stage.BODY, "FHIR content is XML unless application/json+fhir is asked for", (2,)),
    Fault("smart-as-fhir-json", Stage.BODY, "The SMART document is typed application/fhir+json", (6,)),
    Fault("smart-as-html", Stage.BODY, "The SMART document is typed text/html", (6,)),
    Fault("bom", Stage.BODY, "A byte-order mark in front of the JSON", (29,)),
    Fault("latin-1", Stage.BODY, "ISO 8859-1 with letters that are not valid UTF-8", (29,)),
    Fault("gzip-unsolicited", Stage.BODY, "Compressed with gzip although nobody accepts it", (29,)),
    Fault("trailing-bytes", Stage.BODY, "Bytes follow the end of the JSON", (29,)),
    Fault("gzip-bomb", Stage.BODY, "64 MiB of JSON in a gzip body of some 64 KiB", (30,)),
    Fault("deep-json", Stage.BODY, "JSON nested 100,000 deep", (30,)),
    Fault("big-number", Stage.BODY, "JSON with a number of 10 million digits", (30,)),
    # The right bytes, badly delivered.
    Fault("truncated", Stage.WIRE, "The connection closes after half of what Content-Length promised", (29,)),
    Fault("reset", Stage.WIRE, "The connection is reset in the middle of the answer"),
    Fault("hang", Stage.WIRE, "Accepted and never answered (60 s unless set)", (32,)),
    Fault("drip", Stage.WIRE, "One byte at a time, for up to 60 s", (30,)),
)

#: Every fault by name.
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}


def names_at(stage: Stage, names: Iterable[str]) -> tuple[str, ...]:
    """The names of faults, among ``names``, that act at ``stage``, in the given order; every name must be known."""
    return tuple(name for name in names if FAULTS[name].stage is stage)


def for_grants(names: Iterable[str]) -> tuple[str, ...]:
    """The names themselves, once each, of faults that a grant can have: all but those of a listener.

    :raises InterlockError: no such fault, too many, or one that acts before anybody can show a token.
    """
    known = require_known(names)
    if early := names_at(Stage.LISTENER, known):
        remedy = "put it into the base URL, where it is met by everybody"
        raise InterlockError(f"{early[0]} acts before a token is shown, so that no grant can have it", remedy=remedy)
    if len(known) > MAX_FAULTS:
        raise InterlockError(f"{len(known)} faults are too many at once", remedy=f"name at most {MAX_FAULTS}")
    return known


def closest(name: str) -> str:
    """Advice about a name that no fault has: the closest known name, and where all faults are listed."""
    close = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.4)
    guess = f"did you mean {close[0]}? " if close else ""
    return f"{guess}interlock sandbox --list-faults lists them all"


def require_known(names: Iterable[str]) -> tuple[str, ...]:
    """The names themselves, once each, in the given order.

    :raises InterlockError: one is not a fault's name; says which is closest.
    """
    unique = tuple(dict.fromkeys(names))
    for name in unique:
        if name not in FAULTS:
            raise InterlockError(f"no fault is named {name!r}", remedy=closest(name))
    return unique
