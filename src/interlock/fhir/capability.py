"""CapabilityStatement and DSTU2 Conformance as facts.

Covers DSTU2 1.0, STU3 3.0, R4 4.0, R4B 4.3 and R5 5.0 in one reading, because servers mix their forms. Several ``rest``
entries of mode server are merged and client entries are ignored (FHIR R4, CapabilityStatement.rest.mode).
"""

from __future__ import annotations

from typing import Any

from interlock.fhir.oauth_uris import OAuthUriReader
from interlock.fhir.tolerant import MAX_CODE, MAX_URL, Problems, kind_of, objects_at, shown, text_at, texts_at
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
    for entry in objects_at(document, "rest", problems, MAX_ENTRIES):
        rest.add(entry)
    version = _version(document, problems)
    release = release_of(version)
    if version and release is None:
        problems.add(f"fhirVersion {shown(version)} belongs to no published release")
    implementation = _object_at(document, "implementation", problems)
    return CapabilityFacts(
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
        resources=rest.resources(),
        system_interactions=tuple(rest.system_interactions),
        operations=tuple(rest.operations),
        profiles=_references(document, "profile", problems),
        security=rest.security(),
        subsetted=_subsetted(document, problems),
        problems=problems.notes(),
    )


class _Resource:
    """What has been read so far of one type; dictionaries serve as ordered sets."""

    __slots__ = ("interactions", "operations", "profile", "profiles", "search_params", "versioning")

    def __init__(self) -> None:
        self.interactions: dict[str, None] = {}
        self.search_params: dict[str, None] = {}
        self.profiles: dict[str, None] = {}
        self.operations: dict[str, None] = {}
        self.profile: str | None = None
        self.versioning: str | None = None

    def facts(self) -> ResourceFacts:
        return ResourceFacts(
            interactions=tuple(self.interactions),
            search_params=tuple(self.search_params),
            profiles=tuple(self.profiles),
            profile=self.profile,
            operations=tuple(self.operations),
            versioning=self.versioning,
        )


class _Rest:
    """Merges the ``rest`` entries of mode server."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._resources: dict[str, _Resource] = {}
        self._oauth = OAuthUriReader(problems)
        self._services: dict[str, None] = {}
        self._cors: bool | None = None
        self.system_interactions: dict[str, None] = {}
        self.operations: dict[str, None] = {}

    def add(self, rest: dict[str, Any]) -> None:
        problems = self._problems
        mode = text_at(rest, "mode", problems, MAX_CODE)
        if mode == "client":
            return
        if mode != "server":
            problems.add("a rest entry says neither mode server nor mode client; it was read as the server's")
        seen: dict[str, None] = {}
        for entry in objects_at(rest, "resource", problems, MAX_RESOURCES):
            self._add_resource(entry, seen)
        everywhere = dict.fromkeys(_names(rest, "searchParam", "name", problems, MAX_PARAMETERS))
        if everywhere:
            for type_name in seen:
                self._resources[type_name].search_params.update(everywhere)
        self.system_interactions.update(dict.fromkeys(_names(rest, "interaction", "code", problems, MAX_ENTRIES)))
        transaction = text_at(rest, "transactionMode", problems, MAX_CODE)
        self.system_interactions.update(dict.fromkeys(_TRANSACTION_MODES.get(transaction or "", ())))
        self.operations.update(dict.fromkeys(_operations(rest, problems)))
        self._add_security(_object_at(rest, "security", problems))

    def _add_resource(self, entry: dict[str, Any], seen: dict[str, None]) -> None:
        problems = self._problems
        type_name = text_at(entry, "type", problems, MAX_CODE)
        if type_name is None:
            problems.add("a resource entry has no type and was ignored")
            return
        if type_name in seen:
            problems.add(f"the type {shown(type_name)} is listed more than once; the entries were merged")
        elif type_name not in self._resources and len(self._resources) >= MAX_RESOURCES:
            problems.add(f"more than {MAX_RESOURCES} resource types; the rest was not read")
            return
        seen[type_name] = None
        merged = self._resources.setdefault(type_name, _Resource())
        merged.interactions.update(dict.fromkeys(_names(entry, "interaction", "code", problems, MAX_ENTRIES)))
        merged.search_params.update(dict.fromkeys(_names(entry, "searchParam", "name", problems, MAX_PARAMETERS)))
        merged.profiles.update(dict.fromkeys(_references(entry, "supportedProfile", problems)))
        merged.operations.update(dict.fromkeys(_operations(entry, problems)))
        merged.profile = merged.profile or next(iter(_references(entry, "profile", problems)), None)
        merged.versioning = merged.versioning or text_at(entry, "versioning", problems, MAX_CODE)

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

    def resources(self) -> dict[str, ResourceFacts]:
        return {name: resource.facts() for name, resource in self._resources.items()}

    def security(self) -> SecurityFacts:
        return SecurityFacts(
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

    A large statement holds thousands of these, so the common case, a short ASCII string in a plain list, takes no call.
    """
    value = parent.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > cap:
        value = objects_at(parent, key, problems, cap)
    names = []
    for entry in value:
        if isinstance(entry, dict):
            text = entry.get(name)
            if not isinstance(text, str) or not text.isascii() or len(text) > MAX_CODE:
                text = text_at(entry, name, problems, MAX_CODE)
            if text and (stripped := text.strip()):
                names.append(stripped)
        else:
            problems.add(f"{key} holds {kind_of(entry)} where an object belongs")
    return names


def _operations(parent: dict[str, Any], problems: Problems) -> list[str]:
    names = (name.lstrip("$") for name in _names(parent, "operation", "name", problems, MAX_ENTRIES))
    return [name for name in names if name]


def _references(parent: dict[str, Any], key: str, problems: Problems) -> tuple[str, ...]:
    """Canonicals (R4 and later) or References (DSTU2, STU3), one or a list of them."""
    value = parent.get(key)
    if value is None:
        return ()
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
