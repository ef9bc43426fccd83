"""A hospital that is played as it was observed: from an observation and the documents that it rests on.

Statement, SMART configuration, OpenID document and scopes are the hospital's own, with every address of it replaced by
the simulation's; refusals and oddities are played as far as a fault does the same. What cannot be played is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from interlock.documents.json import parse_json
from interlock.model.errors import DocumentError, InterlockError
from interlock.model.observation import Observation, RequestRecord
from interlock.sandbox.localising import Localising
from interlock.sandbox.organizations import Document, SimulatedOrganization, load_organizations

_PROBE_AGAIN = "probe it again"
#: Whose invented people stand in, by release; the records of other releases would have to be others.
_PEOPLE = {"R4": "riverside", "R4B": "riverside", "STU3": "pinecrest"}
#: Members of a statement that are about people of the hospital, and about nothing that it does.
_PERSONAL = ("contact",)


@dataclass(frozen=True, slots=True)
class Played:
    """A hospital to serve, and what of the real one it does not show, each a sentence without a full stop."""

    organization: SimulatedOrganization
    limits: tuple[str, ...]


def play(observation: Observation, bodies: Mapping[str, bytes], name: str = "") -> Played:
    """The hospital of an observation.

    :param bodies: the documents that were kept, by their SHA-256 in hexadecimal.
    :param name: what people call the organisation; by default its id.
    :raises InterlockError: no capability statement was observed, or its text was not kept, or is no JSON.
    """
    org = observation.target.org or "observed"
    record = _document(observation, "metadata")
    if record is None:
        reason = observation.reason_not_observed() or "no capability statement was received"
        raise InterlockError(
            f"{org} cannot be played: its latest observation has no capability statement ({reason})",
            remedy="probe it again once it answers",
        )
    statement = _read(org, record, bodies)
    base = record.url.partition("?")[0].rstrip("/").removesuffix("/metadata")
    documents = {
        purpose: _read(org, asked, bodies)
        for purpose in ("smart", "openid")
        if (asked := _document(observation, purpose)) is not None
    }
    local = Localising(base, _hosts(observation, (statement, *documents.values())))
    told = {key: local.document(value) for key, value in documents.items()}
    release = observation.facts.capability.fhir_release if observation.facts.capability else None
    faults = tuple(_faults(observation))
    organization = SimulatedOrganization(
        id=org,
        name=name or org,
        release=release or "R4",
        faults=faults,
        cors=_open(observation),
        registered_origins=_origins(observation),
        description=f"Played as it was observed on {observation.started:%d %B %Y}.",
        metadata=local.document({key: value for key, value in statement.items() if key not in _PERSONAL}),
        smart=told.get("smart"),
        openid=told.get("openid"),
        resources=_people(release, statement),
    )
    return Played(organization, tuple(_limits(observation, organization, base)))


def _document(observation: Observation, purpose: str) -> RequestRecord | None:
    """The last request for a document, when it brought one."""
    asked = [request for request in observation.requests if request.purpose == purpose]
    return asked[-1] if asked and asked[-1].reading == "document" and asked[-1].failure is None else None


def _read(org: str, record: RequestRecord, bodies: Mapping[str, bytes]) -> Document:
    body = bodies.get(record.sha256 or "")
    if body is None:
        raise InterlockError(f"{org} cannot be played: its {record.purpose} document was not kept", remedy=_PROBE_AGAIN)
    try:
        value = parse_json(body, f"the {record.purpose} document of {org}")
    except DocumentError as error:
        raise InterlockError(f"{org} cannot be played: {error}", remedy=_PROBE_AGAIN) from error
    if not isinstance(value, dict):
        raise InterlockError(f"{org} cannot be played: its {record.purpose} document is no JSON object")
    return value


def _hosts(observation: Observation, documents: tuple[Document, ...]) -> set[str]:
    """Every host that the observation is about: asked, redirected to, or named by a document as an endpoint."""
    addresses = [observation.target.base_url, *(request.url for request in observation.requests)]
    for document in documents[1:]:
        addresses += [value for value in document.values() if isinstance(value, str)]
    facts = observation.facts.capability
    if facts is not None:
        addresses += [facts.implementation_url or "", *filter(None, facts.security.oauth_uris.model_dump().values())]
    return {host for address in addresses if (host := _host(address))}


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _people(release: str | None, statement: Document) -> tuple[Document, ...]:
    """Invented people in the hospital's release, of the types that it declares."""
    whose = _PEOPLE.get(release or "R4")
    if whose is None:
        return ()
    own = next(entry.resources for entry in load_organizations() if entry.id == whose)
    declared = {
        entry.get("type")
        for rest in statement.get("rest", ())
        if isinstance(rest, dict)
        for entry in rest.get("resource", ())
        if isinstance(entry, dict)
    }
    return tuple(record for record in own if record["resourceType"] in declared)


def _faults(observation: Observation) -> Iterator[str]:
    """Faults of the simulation that do what the hospital was seen to do."""
    metadata = [request for request in observation.requests if request.purpose == "metadata"]
    last = metadata[-1]
    if any(request.reading == "xml" for request in metadata[:-1]):
        yield "json-format-param-only" if "_format=" in last.url else "json-fhir-only"
    elif any(request.status == 406 for request in metadata[:-1]):
        yield "406-fhir-json"
    smart = _document(observation, "smart")
    media_type = (smart.content_type or "").partition(";")[0].strip().lower() if smart else ""
    if media_type in ("application/fhir+json", "text/html"):
        yield "smart-as-fhir-json" if media_type == "application/fhir+json" else "smart-as-html"
    tls = observation.facts.tls
    if tls is not None and tls.error == "expired" and tls.cause != "here":
        yield "expired-tls"


def _open(observation: Observation) -> bool:
    """Whether discovery may be read from any origin; where it was not asked, as most hospitals do."""
    cors = observation.facts.cors
    return cors is None or cors.metadata is not False or cors.smart is True


def _origins(observation: Observation) -> tuple[str, ...]:
    cors = observation.facts.cors
    return (cors.origin,) if cors is not None and (cors.token or cors.fhir_api) else ()


def _limits(observation: Observation, organization: SimulatedOrganization, base: str) -> Iterator[str]:
    """What of the real hospital is not shown."""
    facts = observation.facts
    if base != observation.target.base_url.rstrip("/"):
        yield "its statement was found at another address than the base URL; the simulation has it at the base"
    if facts.security is not None and facts.security.https and "expired-tls" not in organization.faults:
        yield "TLS: the simulation speaks HTTP on this computer"
    if facts.capability is None or facts.capability.fhir_release is None:
        yield "its FHIR version: the statement names none that is known, so that it is played as R4"
    asked = [request for request in observation.requests if request.purpose == "smart"]
    if organization.smart is None and asked and asked[-1].status not in (404, 410):
        answer = f"HTTP {asked[-1].status}" if asked[-1].status else asked[-1].failure or "no answer"
        yield f"its answer to the request for a SMART configuration ({answer}): it is 404 here"
    if facts.jwks is not None or organization.openid is not None:
        yield "its signing keys: ID tokens are signed with keys of this computer"
    if facts.udap is not None:
        yield "its UDAP metadata"
    if facts.security is not None and facts.security.anonymous_read == "allowed":
        yield "reads without a token: they are refused here"
    if not organization.resources:
        yield f"people: there are none in {organization.release}, so that nobody can sign in or be read"
    else:
        yield "its people: invented ones stand in their place"
    yield "operations of its own, rate limits and slowness"
