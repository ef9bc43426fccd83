"""What the answer to a search proves: which of its resources are what was asked for, and what it says of itself.

A server may ignore a parameter, return more than it was asked for, or withhold a part, and FHIR lets it say so: in the
self link, in an OperationOutcome among the results, in ``total``. Nothing here raises on anything that a server may
send; besides the resources themselves only numbers, FHIR's own codes and names of our own parameters leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from interlock.fhir.tables import Unknown, release
from interlock.fhir.tolerant import objects_of
from interlock.model.sample import NextLink

#: Entries of an answer that are looked at, and references within one resource.
MAX_ENTRIES = 200
_MAX_VISITED = 5_000
_MAX_LINKS = 50
_MAX_TOTAL = 1_000_000_000
_MAX_URL = 20_000

#: Parameters that name the patient; a server may answer one with the other in its self link.
PATIENT = frozenset({"patient", "subject"})
#: Elements that say whose a resource is: these decide before any other reference to a patient does.
_WHOSE = ("subject", "patient", "beneficiary", "individual", "for")
#: FHIR's issue codes (http://hl7.org/fhir/R4/valueset-issue-type.html) for an answer that leaves something out.
PARTIAL = frozenset({"suppressed", "incomplete", "throttled", "too-costly", "timeout", "security", "forbidden"})
#: A value that cannot be compared.
_ANY = "*"
_SEVERITIES = ("fatal", "error", "warning", "information")


class Asked(NamedTuple):
    """A search: the type, the parameters that narrow it with their values, how many a page may hold, of which base."""

    kind: str
    filters: tuple[tuple[str, str], ...]
    limit: int
    base: str


@dataclass(slots=True)
class Searchset:
    """What came of one search, or of several like it.

    :ivar resources: those that are what was asked for, at most ``limit`` a page.
    :ivar others: parameter → resources that have another value of it.
    :ivar unnamed: resources that name no patient where one was asked for.
    """

    resources: list[dict[str, Any]] = field(default_factory=list, repr=False)
    seen: int = 0
    others: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    unrepeated: tuple[str, ...] = ()
    page: int = 0
    total: int | None = None
    unreached: int = 0
    outcomes: tuple[str, ...] = ()
    next_links: tuple[NextLink, ...] = ()

    def add(self, other: Searchset) -> None:
        """Add the answer to another search of this kind, about another patient."""
        self.total = other.total if not self.page and not self.seen else _sum(self.total, other.total)
        self.resources += other.resources
        self.seen += other.seen
        self.others += other.others
        self.unnamed += other.unnamed
        self.unrepeated = tuple(dict.fromkeys((*self.unrepeated, *other.unrepeated)))
        self.page = max(self.page, other.page)
        self.unreached += other.unreached
        self.outcomes = tuple(dict.fromkeys((*self.outcomes, *other.outcomes)))
        self.next_links = tuple(dict.fromkeys((*self.next_links, *other.next_links)))


def _sum(total: int | None, other: int | None) -> int | None:
    return None if total is None or other is None else total + other


def read_searchset(bundle: dict[str, Any], asked: Asked) -> Searchset:
    """What a Bundle holds of what was asked for. Its entries beyond :data:`MAX_ENTRIES` are not looked at."""
    entries = objects_of(bundle, "entry", MAX_ENTRIES)
    matches = [entry for entry in entries if _is_match(entry, asked.kind)]
    links = {link.get("relation"): link.get("url") for link in objects_of(bundle, "link", _MAX_LINKS)
             if isinstance(link.get("relation"), str)}  # fmt: skip
    answer = Searchset(
        seen=min(len(matches), asked.limit),
        page=len(matches),
        unrepeated=_unrepeated(links.get("self"), asked),
        total=_total(bundle.get("total")),
        outcomes=tuple(dict.fromkeys(_outcomes(entries)))[:10],
    )
    if "next" in links:
        answer.next_links = (_next_link(links["next"], asked.base),)
    elif answer.total is not None:
        answer.unreached = max(0, answer.total - len(matches))
    for entry in matches[: asked.limit]:
        resource = entry["resource"]
        said = {name: _fits(resource, name, value, asked.base, entry.get("fullUrl")) for name, value in asked.filters}
        answer.others.update(name for name, fits in said.items() if fits == "other")
        if "other" not in said.values():
            answer.unnamed += "unnamed" in said.values()
        if all(fits == "same" for fits in said.values()):
            answer.resources.append(resource)
    return answer


def _is_match(entry: dict[str, Any], kind: str) -> bool:
    resource, search = entry.get("resource"), entry.get("search")
    mode = search.get("mode") if isinstance(search, dict) else None
    return isinstance(resource, dict) and resource.get("resourceType") == kind and mode in (None, "match")


def _total(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_TOTAL else None


def _unrepeated(url: object, asked: Asked) -> tuple[str, ...]:
    """The parameters that the self link leaves out, or has with another value; none when none could be read."""
    if not isinstance(url, str) or not url or len(url) > _MAX_URL:
        return ()
    try:
        query = parse_qsl(urlsplit(url).query, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return ()
    used: dict[str, set[str]] = {}
    for name, value in query:
        base = name.partition(":")[0]  # subject:Patient and patient.identifier are ways to say the same
        first, chained, _ = base.partition(".")
        said = {_ANY} if chained else {_bare(part) for part in value.split(",")}
        used.setdefault("patient" if first in PATIENT else first, set()).update(said)
    return tuple(
        name
        for name, value in asked.filters
        if not used.get("patient" if name in PATIENT else name, set()) & {value.casefold(), _ANY}
    )


def _bare(value: str) -> str:
    """A value without its code system, or without the type and server of a reference."""
    return value.rpartition("|")[2].rpartition("/")[2].casefold()


def _outcomes(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Severity and code of each issue that the answer reports of itself; what is mere information is left out."""
    element = release("R4").element("OperationOutcome.issue.code")
    codes = () if isinstance(element, Unknown) or element.binding is None else element.binding.codes
    for entry in entries:
        resource = entry.get("resource")
        if not isinstance(resource, dict) or resource.get("resourceType") != "OperationOutcome":
            continue
        for issue in objects_of(resource, "issue", 20):
            severity, code = issue.get("severity"), issue.get("code")
            known = code if isinstance(code, str) and code in codes else "other"
            if severity in _SEVERITIES and (severity != "information" or known in PARTIAL):
                yield f"{severity} {known}"


def _next_link(url: object, base: str) -> NextLink:
    if not isinstance(url, str) or not url or len(url) > _MAX_URL:
        return "unreadable"
    try:
        parts, own = urlsplit(url), urlsplit(base)
        if not parts.scheme and not parts.netloc:
            return "relative"
        if parts.scheme in {"http", "https"} and parts.hostname:
            if (parts.hostname, _port(parts.port, parts.scheme)) == (own.hostname, _port(own.port, own.scheme)):
                return "here" if parts.scheme == own.scheme else "plain_http"
            if parts.hostname == own.hostname and parts.scheme == "http" and own.scheme == "https":
                return "plain_http"
            return "another_host"
        return "another_host" if parts.hostname else "unreadable"
    except ValueError:
        return "unreadable"


def _port(port: int | None, scheme: str) -> int:
    return port or (443 if scheme == "https" else 80)


_Fit = Literal["same", "other", "unnamed"]


def _fits(resource: dict[str, Any], name: str, value: str, base: str, full_url: object) -> _Fit:
    """Whether a resource has what a parameter asked for."""
    if name in PATIENT:
        return _whose(resource, value, base, full_url)
    return "same" if value.casefold() in {code.casefold() for code in codes_in(resource.get(name))} else "other"


def codes_in(value: object) -> Iterator[str]:
    """The codes of an element: a code itself, those of its codings, or of each of several."""
    for entry in value[:50] if isinstance(value, list) else (value,):
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for coding in (entry, *objects_of(entry, "coding", 50)):
                if isinstance(code := coding.get("code"), str):
                    yield code


def _whose(resource: dict[str, Any], patient: str, base: str, full_url: object) -> _Fit:
    """Whether a resource is about a patient: by the elements that say whose it is, else by any reference in it."""
    servers = {_server(base)}
    if isinstance(full_url, str) and len(full_url) <= _MAX_URL:
        servers.add(_server(full_url.rpartition("/")[0].rpartition("/")[0]))
    for elements in ({name: resource[name] for name in _WHOSE if name in resource}, resource):
        named = [_patient_of(reference, servers) for reference in _references(elements)]
        if known := [patient_id for patient_id in named if patient_id is not None]:
            return "same" if patient in known else "other"
    return "unnamed"


def _references(value: object) -> Iterator[str]:
    queue = [value]
    for node in queue:
        if isinstance(node, list):
            queue += node[: max(0, _MAX_VISITED - len(queue))]
        elif isinstance(node, dict):
            if isinstance(reference := node.get("reference"), str) and len(reference) <= _MAX_URL:
                yield reference
            queue += list(node.values())[: max(0, _MAX_VISITED - len(queue))]


def _patient_of(reference: str, servers: set[tuple[str | None, int | None, str]]) -> str | None:
    """The id that a reference to a patient names; empty for one on another server; none when it names no patient."""
    path, _, _ = reference.partition("/_history/")
    server, slash, rest = path.rpartition("Patient/")
    if not slash or not rest or "/" in rest or "?" in path or (server and not server.endswith("/")):
        return None
    return rest if not server or _server(server) in servers else ""


def _server(url: str) -> tuple[str | None, int | None, str]:
    """What names a FHIR server: host, stated port, path. http and https are the same (FHIR R4, http.html#root)."""
    try:
        parts = urlsplit(url)
        port = parts.port if parts.port not in {80, 443} else None
        return parts.hostname, port, parts.path.rstrip("/")
    except ValueError:
        return None, None, url
