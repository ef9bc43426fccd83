"""Where search parameters look: every path of the table is an element of some release, by FHIR's own tables."""

from __future__ import annotations

import pytest

from interlock.fhir.tables import release
from interlock.fhir.tables.elements import Element
from interlock.model.facts import FhirRelease
from interlock.sandbox import declared
from interlock.sandbox.organizations import load_organizations
from interlock.sandbox.parameters import _OF_TYPE, paths_of

pytestmark = pytest.mark.fast

LISTENING = {entry.id: entry for entry in load_organizations() if entry.listen}
RELEASES: tuple[FhirRelease, ...] = ("DSTU2", "STU3", "R4", "R4B", "R5")


def is_element(name: FhirRelease, path: str) -> bool:
    return isinstance(release(name).element(path), Element)


@pytest.mark.parametrize("entry", _OF_TYPE)
def test_a_path_of_one_type_is_an_element_of_some_release(entry: str) -> None:
    kind, _, parameter = entry.partition(".")
    for path in paths_of(kind, parameter):
        assert any(is_element(name, f"{kind}.{path}") for name in RELEASES), path


@pytest.mark.parametrize("name", LISTENING)
def test_every_declared_parameter_looks_at_an_element_of_its_type(name: str) -> None:
    organization = LISTENING[name]
    for kind, entry in declared.read(organization.metadata).types.items():
        for parameter in entry.parameters.keys() - {"_sort", "_summary", "_elements"}:
            paths = [f"{kind}.{path}" for path in paths_of(kind, parameter)]
            assert any(is_element(organization.release, path) for path in paths), (kind, parameter, paths)
