"""Whether a name of the contract is one that FHIR knows, in words: asked before anything is compared with a server."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from typing import NamedTuple, get_args

from interlock.documents.yaml import Path_
from interlock.fhir.tables import SearchName, Unknown, release, us_core
from interlock.fhir.tables.us_core import EDITIONS, edition_unknown
from interlock.model import words
from interlock.model.contract import Need
from interlock.model.facts import FhirRelease


class Mistake(NamedTuple):
    """What is wrong, and the path to the value in the file that is."""

    path: Path_
    message: str


def repeated(entries: Iterable[tuple[Path_, Hashable, str]]) -> Iterator[Mistake]:
    """What is said of each that has the key of one before it."""
    known_keys: set[Hashable] = set()
    for path, key, said in entries:
        if key in known_keys:
            yield Mistake(path, said)
        known_keys.add(key)


def twice(path: Path_, names: Collection[str]) -> Iterator[Mistake]:
    """Each name of a list that stands in it already."""
    if len(names) > 1:
        yield from repeated(((*path, index), name, f"{name} is named twice") for index, name in enumerate(names))


#: Least likeness of a name that is offered in place of a wrong one (judgement).
_LIKE = 0.65
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_SID = "http://hl7.org/fhir/sid/"
_BASE = "http://hl7.org/fhir/StructureDefinition/"

#: Code systems by the names that people call them (FHIR R4, terminologies-systems.html).
_SYSTEMS = {
    "SNOMED CT": "http://snomed.info/sct",
    "RxNorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "LOINC": "http://loinc.org",
    "UCUM": "http://unitsofmeasure.org",
    "CPT": "http://www.ama-assn.org/go/cpt",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "ICD-10": "http://hl7.org/fhir/sid/icd-10",
    "ICD-10-CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD-9-CM": "http://hl7.org/fhir/sid/icd-9-cm",
    "ATC": "http://www.whocc.no/atc",
    "DICOM": "http://dicom.nema.org/resources/ontology/DCM",
}
#: Operations that servers of several vendors offer (FHIR R4, operationslist.html; US Core; Bulk Data; Subscriptions R5
#: Backport). A server may have more: these only say what a misspelt one was meant to be.
_OPERATIONS = (
    "apply",
    "closure",
    "convert",
    "docref",
    "document",
    "events",
    "everything",
    "expand",
    "export",
    "find-matches",
    "generate",
    "get-ws-binding-token",
    "lastn",
    "lookup",
    "match",
    "meta",
    "process-message",
    "stats",
    "status",
    "subsumes",
    "transform",
    "translate",
    "validate",
    "validate-code",
)


@lru_cache(maxsize=4096)
def type_problem(of: FhirRelease, name: str) -> str | None:
    """What is wrong with the name of a resource type; none when the release has it."""
    unknown = release(of).type_unknown(name)
    if unknown is None:
        return None
    others = [other for other in get_args(FhirRelease) if other != of and release(other).type_unknown(name) is None]
    if others:
        have = words.agree(len(others), "has", "have")
        return f"there is no resource type {name} in {of}; {words.listed(others)} {have} it"
    return in_words(unknown, of)


@lru_cache(maxsize=4096)
def field_problem(of: FhirRelease, resource: str, field: str) -> str | None:
    """What is wrong with the path of a field below a type; none when the type has it."""
    if field == resource or field.startswith(f"{resource}."):
        return f"{field} begins with its own type; write {field.partition('.')[2] or 'the fields below it'}"
    element = release(of).element(f"{resource}.{field}")
    return in_words(element, of) if isinstance(element, Unknown) else None


@lru_cache(maxsize=4096)
def search_name(of: FhirRelease, resource: str, name: str) -> SearchName | str | None:
    """A search parameter by the tables, what is wrong with it in words, or none for one that is a server's own.

    Local parameters begin with a hyphen (FHIR R4, search.html, 3.1.1.3).
    """
    if name.startswith("-"):
        return None
    parameter = release(of).parameter(resource, name)
    if isinstance(parameter, Unknown):
        return in_words(parameter, of)
    if parameter.modifier_allowed is False:
        kind = parameter.parameter.type or "special"
        return f"{parameter.parameter.code} is a parameter of type {kind} and takes no :{parameter.modifier} in {of}"
    return parameter


def searched_by_code(of: FhirRelease, need: Need) -> bool:
    """Whether a need's codes are asked for in its searches: FHIR has a parameter ``code`` of its type."""
    return (
        bool(need.code)
        and "search" in need.interactions
        and not isinstance(search_name(of, need.resource, "code"), str)
    )


def searched_by(of: FhirRelease, need: Need) -> tuple[str, ...]:
    """Every search parameter that a need's searches have, those of its fixed query and of its codes too, each once."""
    fixed = (query.partition("=")[0] for query in need.query)
    return tuple(dict.fromkeys((*need.search_parameters, *fixed, *(("code",) if searched_by_code(of, need) else ()))))


@lru_cache(maxsize=4096)
def profile_problem(of: FhirRelease, resource: str, profile: str) -> str | None:
    """What is wrong with a profile: no address, unknown to US Core where it says that it is one, or of another type."""
    url, _, version = profile.partition("|")
    if ("://" not in url and not url.startswith("urn:")) or not url.isprintable() or " " in url:
        near = _known_profile(url)
        return f"{profile} is no address of a profile" + (f"; did you mean {near}?" if near else "")
    if url.startswith(_BASE):
        name = url.removeprefix(_BASE)
        if name in release(of).resource_types and name != resource:
            return f"{name} is a type of its own, and the need is of {resource}"
        return None
    if not url.startswith(_US_CORE):
        return None
    if version and (wrong := edition_unknown(version)) is not None:
        return f"no edition {version} of US Core is known; known are {', '.join(wrong.near or EDITIONS)}"
    editions = [edition for edition in reversed(EDITIONS) if version in {"", edition}]
    for edition in editions:
        declared = us_core(edition).profile(url)
        if not isinstance(declared, Unknown):
            if declared.resource != resource:
                return f"{declared.id} is a profile of {declared.resource}, and the need is of {resource}"
            return None
    near = _known_profile(url.removeprefix(_US_CORE))
    said = f"US Core{' ' if version else ''}{version} has no profile {url.removeprefix(_US_CORE)}"
    return said + (f"; did you mean {near.removeprefix(_US_CORE)}?" if near else "")


def _known_profile(name: str) -> str | None:
    """The address of the US Core profile whose id is spelt most like a name."""
    ids = {profile_id: profile.url for edition in EDITIONS for profile_id, profile in us_core(edition).profiles.items()}
    close = get_close_matches(name[:100], ids, n=1, cutoff=_LIKE)
    return ids[close[0]] if close else None


@lru_cache(maxsize=4096)
def system_problem(system: str) -> str | None:
    """What is wrong with a code system: it is no address, or almost that of a known one. Others are a site's own."""
    known = set(_SYSTEMS.values())
    if system in known:
        return None
    if ":" not in system:
        close = get_close_matches(system.upper(), {name.upper(): name for name in _SYSTEMS}, n=1, cutoff=_LIKE)
        meant = {name.upper(): url for name, url in _SYSTEMS.items()}.get(close[0]) if close else None
        return f"{system} is no address of a code system" + (f"; did you mean {meant}?" if meant else "")
    written = system.lower().replace("https://", "http://").rstrip("/")
    if written.startswith(_SID):  # there are many of these, and only their ends differ
        ends = [url.removeprefix(_SID) for url in known if url.startswith(_SID)]
        close = [_SID + end for end in get_close_matches(written.removeprefix(_SID), ends, n=1, cutoff=0.8)]
    else:
        close = get_close_matches(written, known, n=1, cutoff=0.85)
    return f"{system} is no code system that FHIR knows; did you mean {close[0]}?" if close else None


def operation_problem(name: str) -> str | None:
    """What is wrong with the name of an operation: no such name can be, or spelt almost as a known one."""
    bare = name.removeprefix("$")
    if bare in _OPERATIONS:
        return None
    if not bare.replace("-", "").replace(".", "").isalnum() or not bare.isascii():
        return f"{name} cannot be the name of an operation; write it as $everything"
    close = get_close_matches(bare, _OPERATIONS, n=1, cutoff=0.8)
    return f"no operation ${bare} is known; did you mean ${close[0]}?" if close else None


@lru_cache(maxsize=8)
def _status_codes(of: FhirRelease) -> dict[str, frozenset[str]]:
    """The codes of each type's own element ``status`` where they are fixed."""
    tables = release(of)
    codes: dict[str, frozenset[str]] = {}
    for name in tables.resource_types:
        if any(row.path == "status" and row.value_set for row in tables.types[name].elements):
            element = tables.element(f"{name}.status")
            if (
                not isinstance(element, Unknown)
                and element.binding is not None
                and element.binding.strength == "required"
            ):
                codes[name] = frozenset(element.binding.codes)
    return codes


def flow_problem(of: FhirRelease, resource: str, state: str, flow: Collection[str]) -> str | None:
    """What is wrong with a state of an output's flow: a document's is of docStatus where one of its states is.

    FHIR R4, documentreference.html: status says whether the reference is current, docStatus how far the document is.
    """
    element = release(of).element(f"{resource}.docStatus")
    if isinstance(element, Unknown) or element.binding is None:
        return state_problem(of, state, (resource,))
    codes = element.binding.codes
    if not {*flow} & ({*codes} - _status_codes(of).get(resource, frozenset())):
        return state_problem(of, state, (resource,))
    if state in codes:
        return None
    close = get_close_matches(state, codes, n=1, cutoff=_LIKE)
    return f"{state} is no docStatus of {resource} in {of}" + (f"; did you mean {close[0]}?" if close else "")


def has_states(of: FhirRelease, resource: str) -> bool:
    """Whether FHIR fixes the codes of a type's status."""
    return resource in _status_codes(of)


@lru_cache(maxsize=4096)
def state_problem(of: FhirRelease, state: str, resources: tuple[str, ...] = ()) -> str | None:
    """What is wrong with a state: no status of these types has it or, where none is given, no status of any type."""
    every = _status_codes(of)
    known = [code for name, codes in every.items() if not resources or name in resources for code in sorted(codes)]
    if state in known or (resources and not known):
        return None
    whose = " or ".join(resources) if resources else "any type"
    close = get_close_matches(state, known, n=1, cutoff=_LIKE)
    return f"{state} is no status of {whose} in {of}" + (f"; did you mean {close[0]}?" if close else "")


def known_part(of: FhirRelease, need: Need) -> Need | None:
    """A need with those of its required fields that FHIR has, which a server can be asked for; none for no type."""
    if type_problem(of, need.resource) is not None:
        return None
    fields = tuple(field for field in need.required_fields if field_problem(of, need.resource, field) is None)
    return need if fields == need.required_fields else need.but(required_fields=fields)


def in_words(unknown: Unknown, of: FhirRelease) -> str:
    """What was asked for and does not exist, with the closest name that does."""
    said = {
        "type": f"there is no resource type {unknown.name} in {of}",
        "element": f"{unknown.at} has no element {unknown.name} in {of}",
        "parameter": f"{unknown.at or 'no type there'} has no search parameter {unknown.name} in {of}",
        "modifier": f"there is no modifier :{unknown.name} in {of}",
    }.get(unknown.kind, f"there is no {unknown.kind} {unknown.name} in {of}")
    like = [near for near in unknown.near if _like(near, unknown.name)]
    return said + (f"; did you mean {like[0]}?" if like else "")


def _like(name: str, other: str) -> bool:
    return SequenceMatcher(None, name.casefold(), other.casefold()).ratio() >= _LIKE
