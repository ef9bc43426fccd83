"""CAP, the statement: is it offered, how is it served, and what does it leave unsaid."""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check, unseen
from interlock.probe.checks.net.reach import is_for_people
from interlock.probe.checks.results import (
    Result,
    capitalized,
    clauses,
    failed,
    first_of,
    media_type_stated,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.addresses import same_base
from interlock.probe.transport.content import declared_charset

#: Media types under which a FHIR server may send JSON to whoever asks for it.
_FHIR_JSON = "application/fhir+json"
_DSTU2_JSON = "application/json+fhir"
_PLAIN_JSON = frozenset({"application/json", "text/json"})

#: What each release requires at the top of the statement (the resource definitions of that release).
_REQUIRED = {
    "DSTU2": ("date", "kind", "fhirVersion", "acceptUnknown", "format"),
    "STU3": ("status", "date", "kind", "fhirVersion", "acceptUnknown", "format"),
    "R4": ("status", "date", "kind", "fhirVersion", "format"),
}


@check(
    "CAP-001",
    "A capability statement is offered at [base]/metadata",
    Severity.CRITICAL,
    cite("R4-HTTP", "capabilities"),
    rows=("H-01", "H-13"),
    rests_on=("metadata",),
    at="metadata",
    level="SHALL",
)
def offered(probed: CheckInput) -> Result:
    """A 404 means that FHIR, or that release, is not at this base: a wrong address rather than a broken server."""
    if probed.is_absent("metadata"):
        return failed(
            "The base URL's /metadata answers that nothing is there: the base URL is probably wrong or incomplete"
            + (", though a SMART configuration is served here" if probed.has("smart") else "")
        )
    probed.require("metadata")
    version = probed.capability.fhir_version
    stated = f"FHIR {plain(version, 40)}" if version else "an unstated FHIR version"
    return passed(f"A statement for {stated} is offered")


@check(
    "CAP-002",
    "The statement is answered without a token",
    Severity.MEDIUM,
    cite("R4-SEC", "Anonymous", "Anonymous resources"),
    cite("SM-APP", "considerations-for-cross-origin-resource-sharing-cors-support"),
    rows=("H-15",),
    rests_on=("metadata",),
    at="metadata",
)
def without_token(probed: CheckInput) -> Result:
    """An interoperability finding, no violation: FHIR itself does not require it."""
    if probed.reading("metadata") in {"unauthorized", "forbidden"}:
        exchange = probed.exchanges["metadata"]
        if is_for_people(exchange):
            return not_observed("an HTML page came instead, perhaps of a firewall (see NET-024)", probed.at("metadata"))
        return warned(
            f"The statement is refused without credentials (HTTP {exchange.record.status}); FHIR "
            "permits that, but nobody can see what the server offers before being registered"
        )
    probed.require("metadata")
    return passed("The statement was given without a token")


@check(
    "CAP-003",
    "JSON is served to whoever asks for it",
    Severity.HIGH,
    cite("R4-HTTP", "mime-type", "Content types and encodings"),
    cite("R4-HTTP", "parameters", "General parameters"),
    cite("UC7", "behavior", "Server CapabilityStatement: JSON", page="CapabilityStatement-us-core-server.html"),
    rows=("H-05", "H-06", "H-08", "UC-04", "REL-02"),
    rests_on=("metadata",),
    at="metadata",
    level="SHALL",
)
def json_negotiated(probed: CheckInput) -> Result:
    """application/fhir+json SHALL be used (R4); DSTU2's own type is application/json+fhir."""
    exchange = probed.exchanges.get("metadata")
    if exchange is None or exchange.reading not in {"document", "xml", "not_acceptable", "unsupported_media_type"}:
        return unseen(probed, "metadata")
    if exchange.reading != "document":
        tries = len({(record.accept, record.url) for record in exchange.records})
        return failed(
            f"None of {tries} ways of asking for JSON was met: {plain(exchange.detail, 200)}; US Core servers SHALL "
            "support JSON, FHIR itself leaves the formats to the server"
        )
    asked = "_format=json" if exchange.url.endswith("_format=json") else (exchange.record.accept or "")
    if asked.startswith(f"{_FHIR_JSON};"):
        return passed("JSON is served for application/fhir+json")
    if asked == _FHIR_JSON:
        return passed("JSON is served for application/fhir+json without a version")
    return (
        passed("JSON is served for application/json+fhir, DSTU2's own type")
        if asked == _DSTU2_JSON and probed.capability.fhir_release == "DSTU2"
        else warned(f"JSON is served only when asked for as {asked}; application/fhir+json SHALL be understood")
    )


@check(
    "CAP-004",
    "The statement comes with a JSON media type",
    Severity.LOW,
    cite("R4-HTTP", "mime-type", "Content types and encodings"),
    rows=("H-05", "H-07"),
    needs="metadata",
    at="metadata",
    level="SHALL",
)
def content_type(probed: CheckInput) -> Result:
    """application/json is acceptable for a generic request and not by itself a failure."""
    given = probed.media_type("metadata")
    if given == _FHIR_JSON:
        return passed("The media type is application/fhir+json")
    if given == _DSTU2_JSON:
        return (
            passed("The media type is application/json+fhir, DSTU2's own")
            if probed.capability.fhir_release == "DSTU2"
            else warned("The media type is application/json+fhir, which only DSTU2 used")
        )
    if given in _PLAIN_JSON:
        return passed(f"The media type is {given}, which servers may use for JSON")
    return failed(f"{media_type_stated(given)}; application/fhir+json SHALL be used")


@check(
    "CAP-005",
    "The statement is plain UTF-8",
    Severity.LOW,
    cite("R4-HTTP", "mime-type", "Content types and encodings"),
    rows=("H-09",),
    needs="metadata",
    at="metadata",
    level="SHALL",
)
def utf8(probed: CheckInput) -> Result:
    """UTF-8 SHALL be used; a byte-order mark is a finding of its own."""
    exchange = probed.exchanges["metadata"]
    foreign = [note for note in exchange.notes if "UTF-8" in note]
    declared = declared_charset(exchange.record.content_type or "")
    if foreign:
        return failed(f"{capitalized(foreign[0])}; UTF-8 SHALL be used")
    if declared not in {None, "utf-8", "utf8"}:
        return failed(f"The charset parameter says {quoted(declared)}; UTF-8 SHALL be used")
    return warned(capitalized(clauses(exchange.notes))) if exchange.notes else passed("The text is UTF-8")


@check(
    "CAP-006",
    "The FHIR release is stated and known",
    Severity.HIGH,
    cite("R4-CSD", "CapabilityStatement.fhirVersion", "CapabilityStatement.fhirVersion"),
    rows=("CS-04",),
    needs="metadata",
    at="metadata#/fhirVersion",
    level="SHALL",
)
def release(probed: CheckInput) -> Result:
    """The family is taken from the first two numbers; 4.0.0 is a legal code."""
    facts = probed.capability
    if facts.fhir_version is None:
        return failed("The statement does not say which FHIR version it is for")
    return (
        warned(f"fhirVersion {quoted(facts.fhir_version)} belongs to no published release")
        if facts.fhir_release is None
        else passed(f"fhirVersion {plain(facts.fhir_version, 40)} is {facts.fhir_release}")
    )


@check(
    "CAP-007",
    "The elements that its release requires are there",
    Severity.MEDIUM,
    cite("R4-CSD"),
    cite("STU3"),
    cite("DSTU2"),
    rows=("REL-03", "CS-01", "CS-02", "CS-03", "CS-05"),
    needs="metadata",
    at="metadata",
    level="SHALL",
)
def required_elements(probed: CheckInput) -> Result:
    """Cardinality 1..1 or 1..* at the top of the resource, by release."""
    release_name = probed.capability.fhir_release
    if release_name is None:
        return not_observed("the release is unknown, and so are its required elements")
    needed = _REQUIRED.get(release_name, _REQUIRED["R4"])
    missing = [name for name in needed if probed.statement.members.get(name) in (None, "", [])]
    where = probed.at_fields("metadata", missing)
    return (
        failed(f"Missing, though {release_name} requires it: {words.listed(missing)}", *where)
        if missing
        else passed(f"Everything that {release_name} requires at the top is there")
    )


@check(
    "CAP-008",
    "The statement describes a server and its resources",
    Severity.HIGH,
    cite("R4-CSD", "CapabilityStatement.rest.mode", "CapabilityStatement.rest.mode"),
    rows=("CS-06", "CS-07", "CS-11"),
    needs="metadata",
    at="metadata#/rest",
)
def describes_server(probed: CheckInput) -> Result:
    """Legal without, and useless: nothing can be matched against it."""
    resources = probed.capability.resources
    if not resources:
        return warned("No resource type is listed for mode server; nothing can be concluded")
    types = f"{words.count(len(resources), 'resource type')} {words.agree(len(resources), 'is', 'are')}"
    silent = [name for name, facts in resources.items() if not facts.interactions and not facts.operations]
    return (
        warned(f"{types} listed, {len(silent)} without any interaction or operation: {quoted_list(silent)}")
        if silent
        else passed(f"{types} listed with their interactions or operations")
    )


@check(
    "CAP-009",
    "The statement is complete, not a summary",
    Severity.MEDIUM,
    cite("R4-HTTP", "capabilities"),
    rows=("H-04",),
    needs="metadata",
    at="metadata",
)
def complete(probed: CheckInput) -> Result:
    """Nothing is concluded from what a SUBSETTED statement leaves out."""
    tagged = "The statement is tagged SUBSETTED; what it leaves out is unknown, not unsupported"
    return (
        warned(tagged, probed.at("metadata", "/meta/tag"))
        if probed.capability.subsetted
        else passed("The statement is not tagged as a summary")
    )


@check(
    "CAP-010",
    "implementation.url is the base that was probed",
    Severity.MEDIUM,
    cite("R4-HTTP", "root", "Service base URL"),
    cite("R4-CSD", "CapabilityStatement.implementation.url", "CapabilityStatement.implementation.url"),
    rows=("H-11", "CS-09"),
    needs="metadata",
    at="metadata#/implementation/url",
)
def implementation_url(probed: CheckInput) -> Result:
    """Usually the wrong tenant. The scheme, a trailing slash and the host's case do not matter."""
    url = probed.capability.implementation_url
    if url is None:
        return not_applicable("the statement gives no implementation.url, which is optional", probed.at("metadata"))
    return (
        passed("implementation.url names this base")
        if same_base(url, probed.base)
        else warned(
            f"implementation.url is {quoted(url, 200)}, another base than that probed ({plain(probed.base, 200)}); is "
            "it the same tenant?"
        )
    )


@check(
    "CAP-011",
    "The software and its version are named",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.software", "CapabilityStatement.software"),
    rows=("CS-08",),
    needs="metadata",
    at="metadata#/software",
    level="MAY",
)
def software(probed: CheckInput) -> Result:
    """Optional; without it a change of behaviour cannot be traced to an upgrade."""
    named = probed.capability.software
    if not named:
        return warned("The software is not named, which FHIR permits; an upgrade cannot be told from this")
    name = quoted(named.get("name", ""))
    return (
        passed(f"The software is {name}, version {quoted(named['version'])}")
        if "version" in named
        else warned(
            f"The software is {name} without a version, which FHIR permits; an upgrade cannot be told from this"
        )
    )


@check(
    "CAP-012",
    "The statement says how the server is secured",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.rest.security.service", "CapabilityStatement.rest.security.service"),
    rows=("CS-15",),
    needs="metadata",
    at="metadata#/rest/0/security",
    level="MAY",
)
def security_services(probed: CheckInput) -> Result:
    """Optional (0..*); an integration has to ask instead."""
    services = probed.capability.security.services
    return (
        passed(f"Declared: {quoted_list(services)}")
        if services
        else warned("No security service is declared, which FHIR permits; ask how clients are authorized")
    )


@check(
    "CAP-013",
    "The statement could be read without guessing",
    Severity.LOW,
    cite("R4-CS"),
    needs="metadata",
    at="metadata",
    level="SHALL",
)
def readable(probed: CheckInput) -> Result:
    """Wrong types, codes that the release does not have, merged duplicates, and slips of the JSON itself."""
    facts = probed.capability
    problems = (*probed.exchanges["metadata"].slips, *facts.problems)
    if problems:
        return warned(first_of(problems))
    if facts.limits:
        return not_observed(f"this program read a part only: {facts.limits[0]}")
    codes = f", and its codes are those of {facts.fhir_release}" if facts.fhir_release else ""
    return passed(f"What was read has the types that FHIR gives it{codes}")
