"""One edition of US Core: what its server's capability statement and its profiles ask for."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, get_args

import msgspec

from interlock.fhir.tables.files import BindingStrength, Row, TableFile, read
from interlock.fhir.tables.unknown import Unknown, unknown

UsCoreEdition = Literal["3.1.1", "4.0.0", "5.0.1", "6.1.0", "7.0.0", "8.0.0"]
EDITIONS: tuple[UsCoreEdition, ...] = get_args(UsCoreEdition)
#: Where its canonical addresses begin, and those of its profiles.
BASE = "http://hl7.org/fhir/us/core/"
PROFILES = f"{BASE}StructureDefinition/"

#: Strength of a requirement; empty where the edition states none.
Verb = Literal["SHALL", "SHOULD", "MAY", ""]

_SLICE = re.compile(r":[^.]+")


class ProfileElement(Row, frozen=True):
    """An element that a profile asks for: mandatory, must-support or flagged as a USCDI requirement.

    :ivar id: element id: ``Observation.category:VSCat.coding``.
    :ivar maximum: none for ``*``.
    :ivar mandatory: ``if-parent``: wherever the element above it, which is optional, is present.
    :ivar uscdi: flagged as a requirement of USCDI alone, for which certified systems answer.
    :ivar pattern: fixed value or pattern, ``system#code`` for codes.
    :ivar value_set: of its binding, canonical address.
    """

    id: str
    minimum: int
    maximum: int | None
    mandatory: Literal["yes", "if-parent", "no"]
    must_support: bool
    uscdi: bool
    types: tuple[str, ...] = ()
    must_support_types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    must_support_targets: tuple[str, ...] = ()
    pattern: str = ""
    strength: BindingStrength | Literal[""] = ""
    value_set: str = ""

    @property
    def path(self) -> str:
        """As ``Release.element`` takes it, without the names of slices."""
        return _SLICE.sub("", self.id)

    @property
    def slice(self) -> str:
        """Name of the slice that it is; empty when it is none, or belongs to one."""
        return self.id.rpartition(".")[2].partition(":")[2]


class Addition(Row, frozen=True):
    """What Inferno tests of a profile beyond its structure, from the guide's list of additional USCDI requirements.

    :ivar value: value that the element has; empty for any.
    """

    path: str
    value: str
    kind: Literal["element", "extension", "slice"]


class Profile(Row, frozen=True):
    """A profile of the edition.

    :ivar base: the profile or type that it constrains; empty for one from another guide.
    :ivar declared: whether the server's capability statement lists it, with this verb.
    :ivar status: ``external`` for a profile of another guide.
    """

    id: str
    url: str
    version: str
    resource: str
    base: str
    declared: bool
    verb: Verb
    status: str
    elements: tuple[ProfileElement, ...] = ()
    additions: tuple[Addition, ...] = ()

    @property
    def mandatory(self) -> tuple[ProfileElement, ...]:
        """Elements that every resource of the profile has."""
        return tuple(element for element in self.elements if element.mandatory == "yes")

    @property
    def must_support(self) -> tuple[ProfileElement, ...]:
        """Elements that a server has to be able to give, and a client to take."""
        return tuple(element for element in self.elements if element.must_support)


class RequiredParameter(Row, frozen=True):
    """A search parameter that the edition names for a type.

    :ivar verb: for the parameter alone; it may well be required in combinations.
    :ivar multiple_or, multiple_and: for several values in one, and for the parameter given several times.
    :ivar comparators, chains: each with its verb.
    """

    code: str
    type: str
    verb: Verb
    multiple_or: Verb = ""
    multiple_and: Verb = ""
    comparators: dict[str, Verb] = {}
    chains: dict[str, Verb] = {}
    definition: str = ""


class Combination(Row, frozen=True):
    """Search parameters that are to be supported together."""

    parameters: tuple[str, ...]
    verb: Verb


class RequiredOperation(Row, frozen=True):
    """An operation that is to be supported, by its name without ``$`` and its definition."""

    name: str
    definition: str
    verb: Verb


class ResourceRequirements(msgspec.Struct, frozen=True):
    """What a server that follows the edition supports of one resource type (``rest.resource`` of its statement).

    :ivar interactions: code → verb; ``includes``, ``rev_includes`` and ``reference_policies`` likewise.
    """

    verb: Verb
    interactions: dict[str, Verb] = {}
    parameters: tuple[RequiredParameter, ...] = ()
    combinations: tuple[Combination, ...] = ()
    includes: dict[str, Verb] = {}
    rev_includes: dict[str, Verb] = {}
    reference_policies: dict[str, Verb] = {}
    operations: tuple[RequiredOperation, ...] = ()


class RequiredScope(Row, frozen=True):
    """A scope that a server is to support; ``scope`` lacks its ``patient/``, ``user/`` or ``system/``.

    :ivar level: for a whole resource type, or granular, for one category.
    :ivar verb: ``example``: named in the edition, but not required.
    :ivar as_published: the category as the page has it where that address is malformed.
    """

    level: Literal["resource", "granular"]
    resource: str
    scope: str
    verb: Verb | Literal["example"]
    category: str = ""
    as_published: str = ""


class SmartRequirement(Row, frozen=True):
    """What the edition asks of a server's SMART App Launch, beyond that guide or again."""

    kind: Literal["capability", "capability-set", "scope-context", "service", "well-known"]
    value: str
    verb: Verb | Literal["conditional"]
    section: str
    condition: str = ""


class UsCore(TableFile, frozen=True):
    """One edition of US Core.

    :ivar system: interactions of the system, formats, guides and the like → verb.
    :ivar resources: by resource type; profiles by id.
    """

    edition: UsCoreEdition
    system: dict[str, Verb]
    resources: dict[str, ResourceRequirements]
    profiles: dict[str, Profile]
    scopes: tuple[RequiredScope, ...]
    smart: tuple[SmartRequirement, ...]

    def profile(self, name: str) -> Profile | Unknown:
        """A profile by its canonical address, with or without version, or by its id."""
        profile = self.profiles.get(name.partition("|")[0].rpartition("/")[2])
        if profile is not None and name.partition("|")[0] in {profile.url, profile.id}:
            return profile
        return unknown(
            "profile", name, [known.url for known in self.profiles.values()] if "/" in name else self.profiles
        )

    def profiles_of(self, resource: str) -> tuple[Profile, ...]:
        """The profiles on a resource type."""
        return tuple(profile for profile in self.profiles.values() if profile.resource == resource)


@cache
def us_core(edition: UsCoreEdition) -> UsCore:
    """The tables of an edition. The first call reads its file, about 3 ms; later ones get the same object."""
    return read(f"us-core-{edition}", UsCore)


@cache
def derived_profiles(url: str) -> frozenset[str]:
    """Addresses of the profiles of any edition that build on a profile, one step down: who meets them meets it."""
    editions = (us_core(edition) for edition in EDITIONS)
    return frozenset(profile.url for tables in editions for profile in tables.profiles.values() if profile.base == url)


def edition_unknown(edition: str) -> Unknown | None:
    """What is wrong with an edition's number; nothing when the tables have it."""
    return None if edition in EDITIONS else unknown("edition", edition, EDITIONS)
