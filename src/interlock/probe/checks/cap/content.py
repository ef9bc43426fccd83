"""CAP, the content: what a statement says beyond the minimum, and whether it can be relied on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from interlock.fhir.capability import Statement
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check
from interlock.probe.checks.results import (
    Result,
    capitalized,
    failed,
    not_applicable,
    not_observed,
    passed,
    quoted,
    quoted_list,
    warned,
)
from interlock.probe.checks.sources import cite
from interlock.probe.transport.exchange import INSTEAD

#: Years after which a statement's date is worth a word (judgement: no source gives an age limit).
STALE_YEARS = 2
US_CORE_SERVER = "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server"
_US_CORE = "http://hl7.org/fhir/us/core/"
_JSON = re.compile(r"json|(?:text/json|application/(?:fhir\+)?json(?:\+fhir)?)(?:\s*;.*)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")

#: Releases in which a resource entry has at least one interaction (REL-05), and profiles are canonicals (REL-07).
_NEED_INTERACTIONS = frozenset({"DSTU2", "STU3"})
_SUPPORTED_PROFILES = frozenset({"R4", "R4B", "R5"})


@check(
    "CAP-014",
    "The nested elements that its release requires are there",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.rest.mode", "CapabilityStatement.rest.mode"),
    cite("STU3"),
    cite("DSTU2"),
    rows=("REL-05", "CS-07", "CS-08", "CS-09"),
    needs="metadata",
    at="metadata",
    level="SHALL",
)
def nested_elements(probed: CheckInput) -> Result:
    """rest.mode, software.name and implementation.description in all; interactions in DSTU2 and STU3.

    Codes, names, types and definitions within lists warn: what was meant can be read from the rest.
    """
    missing = dict(_missing(probed))
    below = probed.statement.lacking
    everything = missing | below
    where = probed.at_each("metadata", everything.values())
    if not everything:
        return passed("The required nested elements are there")
    message = f"Missing, though required where its parent is given: {words.listed(list(everything))}"
    return failed(message, *where) if missing else warned(message, *where)


def _missing(probed: CheckInput) -> Iterator[tuple[str, str]]:
    document = probed.statement.members
    for position, mode in probed.statement.modes.items():
        if mode is None:
            yield "rest.mode", f"/rest/{position}/mode"
            break
    for parent, child in (("software", "name"), ("implementation", "description")):
        holder = document.get(parent)
        if isinstance(holder, dict) and holder and not holder.get(child):
            yield f"{parent}.{child}", f"/{parent}/{child}"
    facts = probed.capability
    if facts.fhir_release in _NEED_INTERACTIONS and not all(item.interactions for item in facts.resources.values()):
        yield "rest.resource.interaction", "/rest/0/resource"


@check(
    "CAP-015",
    "No type or parameter is listed twice",
    Severity.LOW,
    rows=("cpb-9", "cpb-12"),
    needs="metadata",
    at="metadata#/rest",
)
def repeats(probed: CheckInput) -> Result:
    """For the releases whose invariants are not judged one by one; in R4 these are cpb-9 and cpb-12."""
    if probed.capability.fhir_release == "R4":
        return not_applicable("judged by cpb-9 and cpb-12 in R4 (CAP-029, CAP-032)", probed.at("metadata"))
    pointers = probed.capability.repeated
    if not pointers:
        return passed("No type or parameter is listed twice")
    types = probed.statement.twice
    lists = sum(pointer.endswith("/searchParam") for pointer in pointers)
    said = [f"the types {quoted_list(types)}" if len(types) > 1 else f"the type {quoted_list(types)}"] if types else []
    said += [f"search parameters of {words.count(lists, 'type')}"] if lists else []
    return warned(
        f"Listed more than once: {words.listed(said)}; clients may read either entry, here they were merged",
        *probed.at_each("metadata", pointers[:5]),
    )


@check(
    "CAP-016",
    "Types that can be searched list their parameters",
    Severity.MEDIUM,
    cite("R4-CSD", "CapabilityStatement.rest.resource.searchParam", "CapabilityStatement.rest.resource.searchParam"),
    rows=("CS-11", "CS-12"),
    needs="metadata",
    at="metadata#/rest",
)
def search_parameters(probed: CheckInput) -> Result:
    """Without them nobody can plan a query; FHIR leaves the list optional."""
    resources = probed.capability.resources
    searchable = [name for name, facts in resources.items() if "search-type" in facts.interactions]
    silent = [name for name in searchable if not resources[name].search_params]
    if not searchable:
        return not_applicable("no type is declared to be searched")
    if not silent:
        return passed(f"All {len(searchable)} searchable types list their parameters")
    return warned(
        f"{len(silent)} of {len(searchable)} searchable types list no parameter: {quoted_list(silent)}",
        probed.at("metadata", "/rest/0/resource"),
    )


@check(
    "CAP-017",
    "Profiles are declared, with their versions",
    Severity.LOW,
    cite("UC7", "", "General requirements: supportedProfile", page="general-requirements.html"),
    cite(
        "R4-CSD",
        "CapabilityStatement.rest.resource.supportedProfile",
        "CapabilityStatement.rest.resource.supportedProfile",
    ),
    rows=("UC-01", "CS-13", "REL-07"),
    needs="metadata",
    at="metadata#/rest/0/resource",
    level="SHOULD",
)
def supported_profiles(probed: CheckInput) -> Result:
    """Not declared is unknown, not "no"; ``profile`` is the rule for the whole type and no such claim."""
    facts = probed.capability
    supported = facts.fhir_release in _SUPPORTED_PROFILES
    profiles = probed.profiles if supported else facts.profiles
    number = len(profiles)
    declared = f"{words.count(number, 'profile')} {words.agree(number, 'is', 'are')} declared"
    if not supported:
        unnamed, where = "No profile is declared; which ones are met has to be asked", probed.at("metadata", "/profile")
        return passed(declared, where) if number else warned(unnamed, where)
    if not number:
        return warned("No supportedProfile is declared; which profiles are met has to be asked")
    unversioned = sum("|" not in profile for profile in profiles)
    those = words.agree(unversioned, "it is", "they are")
    some = "" if number == 1 else ", all" if unversioned == number else f", {unversioned}"
    return (
        warned(f"{declared}{some} without a version; which edition {those} of has to be asked")
        if unversioned
        else passed(f"{declared} with {words.agree(number, 'its version', 'their versions')}")
    )


@check(
    "CAP-018",
    "What the statement instantiates is named",
    Severity.LOW,
    cite("UC7", "", "General requirements: instantiates", page="general-requirements.html"),
    cite("R4-CSD", "CapabilityStatement.instantiates", "CapabilityStatement.instantiates"),
    rows=("UC-02", "CS-10"),
    needs="metadata",
    at="metadata#/instantiates",
    level="SHOULD",
)
def instantiates(probed: CheckInput) -> Result:
    """SHALL in US Core 6.1, SHOULD in 7 and 8, for servers that claim US Core; never proof of a resource."""
    facts = probed.capability
    if facts.fhir_release == "DSTU2":
        return not_applicable("DSTU2 has no instantiates")
    # US Core 8 prints the address with another capital than the artefact has (docs/requirements.md: UC-02).
    names_us_core = any(url.partition("|")[0].lower() == US_CORE_SERVER.lower() for url in facts.instantiates)
    claims_us_core = any(profile.startswith(_US_CORE) for profile in probed.profiles)
    if names_us_core or (facts.instantiates and not claims_us_core):
        return passed(f"Named: {quoted_list(facts.instantiates, 3)}")
    return (
        warned("US Core profiles are declared, but not that the US Core server is instantiated")
        if claims_us_core
        else not_applicable("nothing is instantiated, and no guide's profiles are declared")
    )


@check(
    "CAP-019",
    "The statement has a date, and is not stale",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.date", "CapabilityStatement.date"),
    rows=("CS-02",),
    needs="metadata",
    at="metadata#/date",
)
def date_of_statement(probed: CheckInput) -> Result:
    """The date must change when the content does; many servers write the moment of the request instead."""
    text = probed.capability.date
    if text is None:
        return not_observed("the statement has no date (see CAP-007)")
    day = _day(text)
    if day is None:
        return warned(f"The date {quoted(text, 40)} is none that FHIR writes")
    age = (probed.now.date() - day).days
    if age < -2:
        return warned(f"The date {quoted(text, 40)} is in the future")
    if age > STALE_YEARS * 365:
        return warned(
            f"The statement is of {quoted(text, 40)}, {age // 365} years old: what it says may have changed since, or "
            "its date is not kept"
        )
    return passed(f"The statement is of {words.iso_day(plain(text, 40))}")


def _day(text: str) -> date | None:
    match = _DATE.match(text)
    try:
        return date(*(int(part or 1) for part in match.groups())) if match else None
    except ValueError:
        return None


@check(
    "CAP-041",
    "JSON is among the formats declared",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.format", "CapabilityStatement.format"),
    cite("UC7", "behavior", "Server CapabilityStatement: JSON", page="CapabilityStatement-us-core-server.html"),
    rows=("CS-05", "UC-04"),
    needs="metadata",
    at="metadata#/format",
    level="SHALL",
)
def json_declared(probed: CheckInput) -> Result:
    """``json``, ``application/json`` and ``application/fhir+json`` all mean JSON; this answer was JSON anyway."""
    formats = probed.capability.formats
    if not formats:
        return not_observed("the formats are not listed (see CAP-007)")
    return (
        passed("JSON is declared")
        if any(_JSON.fullmatch(media_type) for media_type in formats)
        else warned(
            f"Only {quoted_list(formats)} is declared, though JSON is served; its names are json, application/json and "
            "application/fhir+json"
        )
    )


@check(
    "CAP-042",
    "The statement is marked as in use",
    Severity.LOW,
    cite("R4-CSD", "CapabilityStatement.status", "CapabilityStatement.status"),
    rows=("CS-01",),
    needs="metadata",
    at="metadata#/status",
)
def status(probed: CheckInput) -> Result:
    """The definition itself says that the status is not meant for live servers: a note, no error."""
    value = probed.capability.status
    if value == "active":
        return passed("The status is active")
    return (
        not_applicable("the statement has no status")
        if value is None
        else warned(f"The status is {quoted(value, 40)}; ask whether this is the server in use")
    )


@check(
    "CAP-043",
    "A change of the statement can be noticed cheaply",
    Severity.LOW,
    cite("R4-HTTP", "capabilities"),
    rows=("H-03",),
    needs="metadata",
    at="metadata",
    level="SHOULD",
)
def etag(probed: CheckInput) -> Result:
    """An ETag SHOULD be returned; its value SHALL change with the statement."""
    return (
        passed("The answer has an ETag")
        if probed.exchanges["metadata"].record.headers.get("etag")
        else warned("The answer has no ETag, which SHOULD come with a statement and tells when it changes")
    )


@check(
    "CAP-044",
    "A success brings the statement, and nothing else",
    Severity.HIGH,
    cite("R4-HTTP", "Status-Codes", "Status codes"),
    rows=("H-13",),
    rests_on=("metadata",),
    at="metadata",
)
def nothing_instead(probed: CheckInput) -> Result:
    """A login page, an OperationOutcome, a Bundle or an empty object under 200: the statement was not observed."""
    if probed.reading("metadata") in INSTEAD:
        return warned(f"{capitalized(probed.why_unseen('metadata'))}; what the server offers remains unknown")
    probed.require("metadata")
    return passed("What came with a success was the statement")


@check(
    "CAP-045",
    "Two answers give the same statement",
    Severity.MEDIUM,
    rows=("CS-02",),
    rests_on=("metadata", "cors-metadata"),
)
def same_twice(probed: CheckInput) -> Result:
    """Back ends of different versions may take turns. Seen only when the statement was asked for more than once."""
    first, second = probed.document("metadata"), probed.document("cors-metadata")
    if "cors-metadata" not in probed.exchanges:
        return not_applicable("the statement was asked for once only")
    if first is None or second is None:
        return not_observed("one of two answers brought no statement", probed.at("metadata"))
    names = [name for name in ("fhirVersion", "software") if first.members.get(name) != second.members.get(name)]
    names += ["rest"] if _of_rest(first) != _of_rest(second) else []
    if names:
        return warned(
            f"Two answers within one probe differ in {words.listed(names)}: several back ends may take turns",
            *probed.at_fields("metadata", names),
        )
    return passed("Both answers say the same", probed.at("metadata"))


def _of_rest(statement: Statement) -> tuple[object, ...]:
    """What the ``rest`` entries declare."""
    facts = statement.facts
    return facts.resources, facts.system_interactions, statement.operations, facts.security


@check("CAP-046", "The base URL is complete", Severity.HIGH, rows=("H-01",), rests_on=("metadata",))
def deeper_base(probed: CheckInput) -> Result:
    """An address that lost its last segment answers 404, one segment deeper the statement is there."""
    if probed.has("metadata"):
        return passed("The statement is at this base", probed.at("metadata"))
    if not probed.is_absent("metadata"):
        return not_applicable("the base did not answer that nothing is there")
    if "deeper" not in probed.exchanges:
        return not_observed("a quick probe tries no address below the base")
    if probed.has("deeper"):
        url = probed.exchanges["deeper"].url.partition("?")[0].removesuffix("/metadata")
        said = f"A statement is at {plain(url, 200)}: probably the base that is meant, for nothing is at this one"
        return failed(said, probed.at("deeper"))
    return not_observed("nothing was found one segment deeper either", probed.at("deeper"))
