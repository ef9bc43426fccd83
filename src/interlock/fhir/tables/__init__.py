"""FHIR's own tables: elements, search parameters, codes; US Core, SMART and ONC (g)(10) (docs/fhir-tables.md).

Nothing is read before it is asked for; a name that a specification does not have is ``Unknown``, never an error.
"""

from interlock.fhir.tables.differences import Difference, differences
from interlock.fhir.tables.elements import Binding, Element
from interlock.fhir.tables.files import Invariant, VoidState
from interlock.fhir.tables.release import Release, release
from interlock.fhir.tables.search import SearchName, SearchParameter
from interlock.fhir.tables.smart import OncG10, Smart, onc_g10, smart
from interlock.fhir.tables.unknown import Unknown
from interlock.fhir.tables.us_core import UsCore, us_core

__all__ = [
    "Binding",
    "Difference",
    "Element",
    "Invariant",
    "OncG10",
    "Release",
    "SearchName",
    "SearchParameter",
    "Smart",
    "Unknown",
    "UsCore",
    "VoidState",
    "differences",
    "onc_g10",
    "release",
    "smart",
    "us_core",
]
