"""Simulated organisations with their documents: those that are shipped, or any that a test makes.

``samples/organizations`` holds a folder for each, named by its id: ``organization.yaml`` and, when it listens,
``metadata.json``, optionally ``smart-configuration.json``, ``openid-configuration.json``, ``jwks.json`` and
``resources/*.json`` (Bundles). ``{base}`` in any string is the organisation's FHIR base
URL and is filled in when the document is served.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from interlock.documents.resources import data_dir
from interlock.documents.yaml import load_yaml
from interlock.model.base import Model, Slug
from interlock.model.facts import FhirRelease
from interlock.sandbox.people import population

#: A JSON object, as :func:`json.loads` returns it.
Document = dict[str, Any]

_FILES = {
    "metadata": "metadata.json",
    "smart": "smart-configuration.json",
    "openid": "openid-configuration.json",
    "jwks": "jwks.json",
}


class SimulatedOrganization(Model):
    """One simulated organisation with everything that it serves. A document that is ``None`` is answered with 404.

    :ivar listen: false for the one that cannot be reached; it has an address on which nothing answers.
    :ivar faults: names of the faults that it has on every request (see :mod:`interlock.sandbox.faults`).
    :ivar cors: whether discovery documents may be read from any origin.
    :ivar registered_origins: origins for which the token endpoint and the FHIR API allow cross-origin requests.
    :ivar lenient: whether searches leave out parameters that are not understood, when the client does not say.
    :ivar writes_return: what a write answers with, when the client does not say (``Prefer: return=…``).
    :ivar requests_per_minute: how many FHIR requests one client may make; no limit when it is none.
    """

    id: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    vendor: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] = "other"
    release: FhirRelease = "R4"
    listen: bool = True
    faults: tuple[str, ...] = ()
    cors: bool = True
    registered_origins: tuple[str, ...] = ()
    lenient: bool = False
    writes_return: Literal["minimal", "representation", "OperationOutcome"] = "minimal"
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = None
    description: str = ""
    metadata: Document | None = None
    smart: Document | None = None
    openid: Document | None = None
    jwks: Document | None = None
    resources: tuple[Document, ...] = ()


def load_organizations(*, canaries: bool = False) -> tuple[SimulatedOrganization, ...]:
    """The shipped organisations in order of their ids, with their people.

    :param canaries: put a text of its own into each record of :mod:`interlock.sandbox.people`.
    """
    cards = sorted((data_dir("samples") / "organizations").glob("*/organization.yaml"))
    return tuple(_load(card.parent, canaries) for card in cards)


def _load(home: Path, canaries: bool) -> SimulatedOrganization:
    documents = {name: _json(home / file) for name, file in _FILES.items() if (home / file).is_file()}
    bundles = [_json(file) for file in sorted((home / "resources").glob("*.json"))]
    resources = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    card = load_yaml(home / "organization.yaml").data
    people = population(home.name, canaries=canaries)
    return SimulatedOrganization.model_validate({**card, **documents, "resources": (*resources, *people)})


def _json(file: Path) -> Document:
    document: Document = json.loads(file.read_text("utf-8"))
    return document
