"""CapabilityStatement and DSTU2 Conformance as facts.

Covers DSTU2 1.0, STU3 3.0, R4 4.0, R4B 4.3 and R5 5.0 in one reading, because servers mix their forms. Several ``rest``
entries of mode server are merged and client entries are ignored (FHIR R4, CapabilityStatement.rest.mode).
"""

from __future__ import annotations

from typing import Any

from interlock.fhir.oauth_uris import OAuthUriReader
from interlock.fhir.tolerant import (
    MAX_CODE,
    MAX_PROBLEMS,
    MAX_URL,
    Problems,
    is_plain,
    kind_of,
    numbered_at,
    objects_at,
    shown,
    text_at,
    texts_at,
)
from interlock.model.observation import CapabilityFacts, FhirRelease, ResourceFacts, SecurityFacts

STATEMENT_TYPES = frozenset({"CapabilityStatement", "Conformance"})

MAX_RESOURCES = 1000
MAX_PARAMETERS = 1000
MAX_ENTRIES = 500

#: First two numbers of ``fhirVersion`` → release. 4.1 was the R4B ballot; drafts in between belong to no release.
_RELEASES: dict[str, FhirRelease] = {
    "1.0": "DSTU2",
    "3.0": "STU3",
    "4.0": "R4",
    "4.1": "R4B",
    "4.3": "R4B",
    "5.0": "R5",
}

#: DSTU2's ``rest.transactionMode`` → the system interactions that it stands for.
_TRANSACTION_MODES = {"batch": ("batch",), "transaction": ("transaction",), "both": ("batch", "transaction")}


def release_of(version: str | None) -> FhirRelease | None:
    """Release family from the first two numbers of a ``fhirVersion``; none when it is no published release."""
    return _RELEASES.get(".".join(version.split(".")[:2])) if version else None


def is_statement(document: object) -> bool:
    """Whether a JSON value says that it is a capability statement of any release."""
    name = document.get("resourceType") if isinstance(document, dict) else None
    return isinstance(name, str) and name in STATEMENT_TYPES


def parse(document: object) -> CapabilityFacts:
    """Facts of a statement. Never raises; what does not fit is left out and named in ``problems``.

    Interactions keep the specification's codes (``read``, ``search-type``, …); a leading ``$`` of an operation's name
    is removed; parameters of ``rest.searchParam`` apply to every type and are added to each; ``supportedProfile`` gives
    ``profiles`` and ``profile`` (string or Reference) gives ``profile``.
    """
    problems = Problems()
    if not isinstance(document, dict):
        problems.add(f"the document is {kind_of(document)}, not an object")
        document = {}
    elif not is_statement(document):
        problems.add("resourceType is neither CapabilityStatement nor Conformance")
    rest = _Rest(problems)
    for position, entry in numbered_at(document, "rest", problems, MAX_ENTRIES):
        rest.add(position, entry)
    version = _version(document, problems)
    release = release_of(version)
    if version and release is None:
        problems.add(f"fhirVersion {shown(version)} belongs to no published release")
    implementation = _object_at(document, "implementation", problems)
    return CapabilityFacts.trusted(
        fhir_version=version,
        fhir_release=release,
        kind=text_at(document, "kind", problems, MAX_CODE),
        status=text_at(document, "status", problems, MAX_CODE),
        date=text_at(document, "date", problems, MAX_CODE),
        software=_software(document, problems),
        publisher=text_at(document, "publisher", problems),
        implementation_url=text_at(implementation, "url", problems, MAX_URL),
        formats=texts_at(document, "format", problems, MAX_ENTRIES) or (),
        instantiates=texts_at(document, "instantiates", problems, MAX_ENTRIES, MAX_URL) or (),
        resources=rest.resources,
        system_interactions=tuple(rest.system_interactions),
        operations=tuple(rest.operations),
        profiles=_references(document, "profile", problems),
        security=rest.security(),
        subsetted=_subsetted(document, problems),
        repeated=tuple(rest.repeated),
        problems=problems.notes(),
    )


class _Rest:
    """Merges the ``rest`` entries of mode server."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._oauth = OAuthUriReader(problems)
        self._services: dict[str, None] = {}
        self._cors: bool | None = None
        self.resources: dict[str, ResourceFacts] = {}
        self.system_interactions: dict[str, None] = {}
        self.operations: dict[str, None] = {}
        self.repeated: list[str] = []

    def add(self, position: int, rest: dict[str, Any]) -> None:
        problems = self._problems
        mode = text_at(rest, "mode", problems, MAX_CODE)
        if mode == "client":
            return
        if mode != "server":
            problems.add("a rest entry says neither mode server nor mode client; it was read as the server's")
        seen: set[str] = set()
        everywhere = _names(rest, "searchParam", "name", problems, MAX_PARAMETERS)
        for index, entry in numbered_at(rest, "resource", problems, MAX_RESOURCES):
            self._add_resource(f"/rest/{position}/resource", index, entry, seen, everywhere)
        self.system_interactions.update(dict.fromkeys(_names(rest, "interaction", "code", problems, MAX_ENTRIES)))
        transaction = text_at(rest, "transactionMode", problems, MAX_CODE)
        self.system_interactions.update(dict.fromkeys(_TRANSACTION_MODES.get(transaction or "", ())))
        self.operations.update(dict.fromkeys(_operations(rest, problems)))
        self._add_security(_object_at(rest, "security", problems))

    def _add_resource(
        self, place: str, index: int, entry: dict[str, Any], seen: set[str], everywhere: list[str]
    ) -> None:
        problems = self._problems
        type_name = text_at(entry, "type", problems, MAX_CODE)
        if type_name is None:
            problems.add("a resource entry has no type and was ignored")
            return
        if type_name in seen:
            problems.add(f"the type {shown(type_name)} is listed more than once; the entries were merged")
            self._repeat(place)
        elif type_name not in self.resources and len(self.resources) >= MAX_RESOURCES:
            problems.add(f"more than {MAX_RESOURCES} resource types; the rest was not read")
            return
        seen.add(type_name)
        parameters = _names(entry, "searchParam", "name", problems, MAX_PARAMETERS)
        if len(set(parameters)) < len(parameters):
            self._repeat(f"{place}/{index}/searchParam")
        read = ResourceFacts.trusted(
            interactions=_distinct(_names(entry, "interaction", "code", problems, MAX_ENTRIES)),
            search_params=_distinct([*parameters, *everywhere] if everywhere else parameters),
            profiles=_references(entry, "supportedProfile", problems),
            profile=next(iter(_references(entry, "profile", problems)), None),
            operations=_distinct(_operations(entry, problems)),
            versioning=text_at(entry, "versioning", problems, MAX_CODE),
        )
        before = self.resources.get(type_name)
        self.resources[type_name] = read if before is None else _merged(before, read)

    def _repeat(self, pointer: str) -> None:
        if len(self.repeated) < MAX_PROBLEMS and pointer not in self.repeated:
            self.repeated.append(pointer)

    def _add_security(self, security: dict[str, Any]) -> None:
        problems = self._problems
        cors = security.get("cors")
        if isinstance(cors, bool):
            self._cors = cors if self._cors is None else self._cors and cors
        elif cors is not None:
            problems.add(f"cors is {kind_of(cors)}, not a boolean")
        for service in objects_at(security, "service", problems, MAX_ENTRIES):
            codes = _names(service, "coding", "code", problems, MAX_ENTRIES)
            text = text_at(service, "text", problems)
            self._services.update(dict.fromkeys(codes or ([text] if text else [])))
        self._oauth.add(security)

    def security(self) -> SecurityFacts:
        return SecurityFacts.trusted(
            services=tuple(self._services),
            cors=self._cors,
            oauth_uris=self._oauth.uris(),
            oauth_uris_count=self._oauth.count,
        )


def _object_at(parent: dict[str, Any], key: str, problems: Problems) -> dict[str, Any]:
    value = parent.get(key)
    if isinstance(value, dict):
        return value
    if value is not None:
        problems.add(f"{key} is {kind_of(value)}, not an object")
    return {}


def _names(parent: dict[str, Any], key: str, name: str, problems: Problems, cap: int) -> list[str]:
    """``name`` of every object in the list ``key``.

    A large statement holds thousands of these: when all are short ASCII strings without white space, which is the
    rule, the list is judged as a whole.
    """
    value = parent.get(key)
    if value is None:
        return []
    if type(value) is list and len(value) <= cap:
        try:
            names: list[str] = [entry[name] for entry in value]
            joined = "".join(names)
        except (KeyError, TypeError):
            pass
        else:
            if is_plain(joined) and "" not in names and (len(joined) <= MAX_CODE or max(map(len, names)) <= MAX_CODE):
                return names
    return _odd_names(parent, key, name, problems, cap)


def _odd_names(parent: dict[str, Any], key: str, name: str, problems: Problems, cap: int) -> list[str]:
    texts = (text_at(entry, name, problems, MAX_CODE) for entry in objects_at(parent, key, problems, cap))
    return [text for text in texts if text]


def _distinct(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _merged(one: ResourceFacts, other: ResourceFacts) -> ResourceFacts:
    """Two entries of one type: everything that either declares."""
    return ResourceFacts(
        interactions=_distinct([*one.interactions, *other.interactions]),
        search_params=_distinct([*one.search_params, *other.search_params]),
        profiles=_distinct([*one.profiles, *other.profiles]),
        profile=one.profile or other.profile,
        operations=_distinct([*one.operations, *other.operations]),
        versioning=one.versioning or other.versioning,
    )


def _operations(parent: dict[str, Any], problems: Problems) -> list[str]:
    if "operation" not in parent:
        return []
    names = (name.lstrip("$") for name in _names(parent, "operation", "name", problems, MAX_ENTRIES))
    return [name for name in names if name]


def _references(parent: dict[str, Any], key: str, problems: Problems) -> tuple[str, ...]:
    """Canonicals (R4 and later) or References (DSTU2, STU3), one or a list of them."""
    value = parent.get(key)
    if value is None:
        return ()
    if type(value) is str and len(value) <= MAX_URL and is_plain(value):
        return (value,)
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_ENTRIES:
        problems.add(f"{key} has {len(entries)} entries; only the first {MAX_ENTRIES} were read")
        entries = entries[:MAX_ENTRIES]
    found: dict[str, None] = {}
    for entry in entries:
        holder = entry if isinstance(entry, dict) else {"reference": entry}
        if (text := text_at(holder, "reference", problems, MAX_URL)) is not None:
            found[text] = None
    return tuple(found)


def _version(document: dict[str, Any], problems: Problems) -> str | None:
    value = document.get("fhirVersion")
    if isinstance(value, float) and 0 < value < 100:
        problems.add("fhirVersion is a number, not a string")
        return str(value)
    return text_at(document, "fhirVersion", problems, MAX_CODE)


def _software(document: dict[str, Any], problems: Problems) -> dict[str, str]:
    software = _object_at(document, "software", problems)
    values = ((key, text_at(software, key, problems)) for key in ("name", "version", "releaseDate"))
    return {key: value for key, value in values if value is not None}


def _subsetted(document: dict[str, Any], problems: Problems) -> bool:
    """Whether ``meta.tag`` says that elements were left out (FHIR R4 http.html, summaries)."""
    meta = _object_at(document, "meta", problems)
    return "SUBSETTED" in _names(meta, "tag", "code", problems, MAX_ENTRIES)
