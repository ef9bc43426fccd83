"""What a simulated hospital keeps: every version of every resource, in memory, bounded, and undone as a whole."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from interlock.sandbox.organizations import Document
from interlock.sandbox.replies import RefusalError, encode

MAX_RESOURCES = 10_000
MAX_VERSIONS = 50
#: When the shipped people were loaded, for those of their resources that do not say it themselves.
LOADED = "2026-10-05T06:00:00.000Z"


class Version:
    """One version of one resource; of a deletion, the mark that it left.

    :ivar number: 1 for the first; an ETag is this number.
    :ivar updated: a FHIR instant.
    :ivar resource: none when this version is a deletion. Shared: nobody changes it.
    :ivar method: what made it, as a history tells it: ``POST``, ``PUT``, ``DELETE``.
    :ivar ours: whether ``{base}`` in its strings stands for the server's address; what a client wrote stays as it is.
    """

    __slots__ = ("_text", "id", "kind", "method", "number", "ours", "resource", "updated")

    def __init__(
        self, kind: str, identity: str, number: int, updated: str, resource: Document | None, method: str, ours: bool
    ) -> None:
        self.kind, self.id, self.number, self.updated = kind, identity, number, updated
        self.resource, self.method, self.ours = resource, method, ours
        self._text: bytes | None = None

    @property
    def address(self) -> str:
        """``Type/id``."""
        return f"{self.kind}/{self.id}"

    @property
    def tag(self) -> str:
        """The weak ETag of this version (FHIR R4 http.html#concurrency)."""
        return f'W/"{self.number}"'

    @property
    def content(self) -> Document:
        """The resource of a version that is no deletion."""
        if self.resource is None:
            raise LookupError(f"{self.address} version {self.number} is a deletion")
        return self.resource

    def text(self, base: str) -> bytes:
        """The resource as JSON, with the server's address filled in. A base URL has no letter that JSON escapes."""
        if self._text is None:
            self._text = encode(self.content)
        return self._text.replace(b"{base}", base.encode()) if self.ours else self._text

    def filled(self, base: str) -> Document:
        """The resource with the server's address filled in; not to be changed."""
        return fill(self.content, base) if self.ours else self.content


class Store:
    """The resources of one hospital. Not thread-safe: one event loop answers, one request after the other.

    :ivar changes: what was written since somebody last took it, in order; whoever answers a request empties it.
    """

    def __init__(self, seeds: Iterable[Document], versioned: Callable[[str], bool] = lambda _: True) -> None:
        """Load the seeds; ``versioned`` says of a type whether clients see the numbers of its versions."""
        self._seeds, self._versioned = tuple(seeds), versioned
        self._chains: dict[str, dict[str, tuple[Version, ...]]] = {}
        self._last = datetime.min.replace(tzinfo=UTC)
        self.changes: list[Version] = []
        self.reset()

    def reset(self) -> None:
        """Forget everything that was written."""
        self._chains = {}
        self.changes.clear()
        for seed in self._seeds:
            kind, identity = str(seed["resourceType"]), str(seed["id"])
            updated = str(seed.get("meta", {}).get("lastUpdated", LOADED))
            version = Version(kind, identity, 1, updated, self._stamped(seed, identity, 1, updated), "POST", ours=True)
            self._chains.setdefault(kind, {})[identity] = (version,)

    def get(self, kind: str, identity: str) -> Version | None:
        """The newest version, which may be a deletion; none for an id that was never used."""
        chain = self._chains.get(kind, {}).get(identity)
        return chain[-1] if chain else None

    def history(self, kind: str, identity: str | None = None) -> list[Version]:
        """All kept versions of one resource or of a type, newest first."""
        of_kind = self._chains.get(kind, {})
        if identity is not None:
            return list(reversed(of_kind.get(identity, ())))
        versions = [version for chain in of_kind.values() for version in chain]
        return sorted(versions, key=lambda version: version.updated, reverse=True)

    def of(self, kind: str) -> list[Version]:
        """The live resources of a type, in the order in which they came."""
        return [chain[-1] for chain in self._chains.get(kind, {}).values() if chain[-1].resource is not None]

    def all(self) -> list[Version]:
        """The live resources of every type."""
        return [version for kind in self._chains for version in self.of(kind)]

    def new_id(self) -> str:
        """An id that nobody can guess."""
        return secrets.token_hex(16)

    def put(self, resource: Document, identity: str, method: str) -> Version:
        """Keep a resource as the next version of its id; its id and meta are set here.

        :raises RefusalError: 507, the hospital is full.
        """
        kind = str(resource["resourceType"])
        if self.get(kind, identity) is None and sum(map(len, self._chains.values())) >= MAX_RESOURCES:
            raise RefusalError(507, "too-costly", f"this simulation keeps {MAX_RESOURCES} resources; reset it to go on")
        return self._add(kind, identity, resource, method)

    def delete(self, kind: str, identity: str) -> Version:
        """Mark a resource as deleted."""
        return self._add(kind, identity, None, "DELETE")

    def amend(self, version: Version, resource: Document) -> None:
        """Replace the content of a version that is being written, before anybody saw it."""
        amended = Version(
            version.kind, version.id, version.number, version.updated, resource, version.method, ours=False
        )
        self._chains[version.kind][version.id] = (*self._chains[version.kind][version.id][:-1], amended)
        self.changes = [amended if change is version else change for change in self.changes]

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """Everything that is written within is kept, or, when an exception leaves the block, nothing of it."""
        before, changes = {kind: dict(chains) for kind, chains in self._chains.items()}, len(self.changes)
        try:
            yield
        except BaseException:
            self._chains = before
            del self.changes[changes:]
            raise

    def _add(self, kind: str, identity: str, resource: Document | None, method: str) -> Version:
        chain = self._chains.setdefault(kind, {}).get(identity, ())
        number, updated = (chain[-1].number + 1 if chain else 1), self._now()
        stamped = None if resource is None else self._stamped(resource, identity, number, updated)
        version = Version(kind, identity, number, updated, stamped, method, ours=False)
        self._chains[kind][identity] = (*chain[-(MAX_VERSIONS - 1) :], version)
        self.changes.append(version)
        return version

    def _stamped(self, resource: Document, identity: str, number: int, updated: str) -> Document:
        meta = resource.get("meta")
        kept = {name: value for name, value in meta.items() if name != "versionId"} if isinstance(meta, dict) else {}
        stamp = {"versionId": str(number)} if self._versioned(str(resource["resourceType"])) else {}
        rest = {name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")}
        head = {"resourceType": resource["resourceType"], "id": identity}
        return {**head, "meta": {**kept, **stamp, "lastUpdated": updated}, **rest}

    def _now(self) -> str:
        """The time, later than every earlier one."""
        self._last = max(datetime.now(UTC), self._last + timedelta(milliseconds=1))
        return instant(self._last)


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill(value: Any, base: str) -> Any:
    """A copy of a JSON value with ``{base}`` replaced in every string."""
    if isinstance(value, dict):
        return {key: fill(child, base) for key, child in value.items()}
    if isinstance(value, list):
        return [fill(child, base) for child in value]
    return value.replace("{base}", base) if isinstance(value, str) else value
