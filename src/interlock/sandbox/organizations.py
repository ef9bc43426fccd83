"""Simulated organisations: their documents, read from a folder or given as they are.

A folder holds one directory an organisation, named by its id: ``organization.yaml`` and, when it listens,
``metadata.json``, optionally ``smart-configuration.json``, ``openid-configuration.json``, ``jwks.json`` and
``resources/*.json`` (each a resource or a Bundle of them). ``{base}`` in any string is the organisation's FHIR base
URL and is filled in when the document is served.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from interlock.documents.files import read_bytes
from interlock.documents.json import parse_json
from interlock.documents.resources import data_dir
from interlock.documents.yaml import MAX_NODES, load_yaml, model_from_yaml
from interlock.model.base import Model, Slug
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.observation import FhirRelease
from interlock.model.text import plain
from interlock.sandbox.faults import FAULTS, closest

#: A JSON object, as :func:`json.loads` returns it.
Document = dict[str, Any]

MAX_DOCUMENT_BYTES = 4_000_000


class OrganizationCard(Model):
    """``organization.yaml``: who the organisation is and how it differs from the others.

    :ivar listen: false for the one that cannot be reached; it has an address on which nothing answers.
    :ivar faults: names of the faults that it has unless a test asks for others (see :mod:`interlock.sandbox.faults`).
    :ivar cors: whether discovery documents may be read from any origin.
    :ivar registered_origins: origins for which the token endpoint and the FHIR API allow cross-origin requests.
    """

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    vendor: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "other"
    release: FhirRelease = "R4"
    listen: bool = True
    faults: tuple[str, ...] = ()
    cors: bool = True
    registered_origins: tuple[str, ...] = ()
    description: str = ""

    @field_validator("faults")
    @classmethod
    def _known_faults(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in FAULTS:
                raise ValueError(f"no fault is named {name}; {closest(name)}")
        return names


class SimulatedOrganization(OrganizationCard):
    """One simulated organisation with everything that it serves. A document that is ``None`` is answered with 404."""

    metadata: Document | None = None
    smart: Document | None = None
    openid: Document | None = None
    jwks: Document | None = None
    resources: tuple[Document, ...] = ()

    @model_validator(mode="after")
    def _resources_have_names(self) -> SimulatedOrganization:
        identities: set[tuple[str, str]] = set()
        for resource in self.resources:
            kind, identity = resource.get("resourceType"), resource.get("id")
            if not isinstance(kind, str) or not isinstance(identity, str):
                raise ValueError("every sample resource needs a resourceType and an id")
            if (kind, identity) in identities:
                raise ValueError(f"two sample resources are {kind}/{identity}")
            identities.add((kind, identity))
        return self


def load_organizations(directory: Path | None = None) -> tuple[SimulatedOrganization, ...]:
    """The organisations of a folder, by default the shipped ones, in order of their ids.

    :raises DocumentError: a file is missing, too large, not JSON or YAML, or does not say what it must.
    :raises InterlockError: there is no such folder, or it holds no organisation.
    """
    folder = directory if directory is not None else data_dir("samples") / "organizations"
    if not folder.is_dir():
        raise InterlockError("there is no folder of organisations", location=Location(file=str(folder)))
    homes = sorted(path.parent for path in folder.glob("*/organization.yaml"))
    if not homes:
        raise InterlockError(
            "no organisation is here",
            location=Location(file=str(folder)),
            remedy="give each a folder with organization.yaml",
        )
    return tuple(_load(home) for home in homes)


def _load(home: Path) -> SimulatedOrganization:
    document = load_yaml(home / "organization.yaml")
    card = model_from_yaml(OrganizationCard, document)
    if card.id != home.name:
        raise DocumentError(
            f"the id {card.id!r} is not the folder's name {home.name!r}",
            location=document.location(("id",)),
            remedy="rename one of them",
        )
    if card.listen and not (home / "metadata.json").is_file():
        raise DocumentError(
            "an organisation that listens needs a capability statement",
            location=Location(file=str(home / "metadata.json")),
            remedy="write metadata.json, or set listen: false",
        )
    documents = {
        "metadata": _optional_json(home / "metadata.json"),
        "smart": _optional_json(home / "smart-configuration.json"),
        "openid": _optional_json(home / "openid-configuration.json"),
        "jwks": _optional_json(home / "jwks.json"),
        "resources": tuple(
            resource for path in sorted((home / "resources").glob("*.json")) for resource in _resources(read_json(path))
        ),
    }
    try:
        return SimulatedOrganization.model_validate({**card.model_dump(), **documents})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise DocumentError(plain(problem), location=Location(file=str(home))) from error


def _optional_json(path: Path) -> Document | None:
    return read_json(path) if path.is_file() else None


def read_json(path: Path) -> Document:
    """Read one JSON object.

    :raises DocumentError: unreadable, larger than :data:`MAX_DOCUMENT_BYTES`, not JSON or not an object.
    """
    value = parse_json(read_bytes(path, MAX_DOCUMENT_BYTES), str(path), max_nodes=MAX_NODES)
    if not isinstance(value, dict):
        raise DocumentError("expected a JSON object", location=Location(file=str(path)))
    return value


def _resources(document: Document) -> list[Document]:
    if document.get("resourceType") != "Bundle":
        return [document]
    return [entry["resource"] for entry in document.get("entry", []) if isinstance(entry.get("resource"), dict)]
