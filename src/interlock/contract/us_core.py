"""A need whose profile is US Core's, against what the statement declares of that type in that edition."""

from __future__ import annotations

from typing import NamedTuple

from interlock.fhir.tables.us_core import EDITIONS, PROFILES, us_core
from interlock.model.contract import Need
from interlock.model.us_core import UsCoreFacts


class TypeFit(NamedTuple):
    """One resource type in one edition of US Core, as a statement declares it.

    :ivar named: whether the profile names the edition; if not, it is the statement's: claimed, or closest.
    :ivar exists: whether the edition has the profile: a name may be of another edition, or of none.
    :ivar absent: the whole type is left out.
    :ivar missing, undeclared: requirements of the type, as :class:`~interlock.model.us_core.UsCoreFacts` writes them.
    """

    edition: str
    named: bool
    exists: bool
    absent: bool
    missing: tuple[str, ...]
    undeclared: tuple[str, ...]


def fit_to_us_core(need: Need, facts: UsCoreFacts | None) -> TypeFit | None:
    """How far a statement declares what US Core requires of a need's type; none where its profile is not US Core's.

    ``facts`` are none where no statement of R4 was seen: then nothing can be said. What the need itself asks for is
    :mod:`interlock.contract.match`'s matter; this tells what else comes with the profile.
    """
    url, _, version = (need.profile or "").partition("|")
    if facts is None or not url.startswith(PROFILES):
        return None
    edition = next((edition for edition in EDITIONS if edition == (version or facts.closest)), None)
    if edition is None:
        return None
    begins = tuple(f"{need.resource}{mark}" for mark in ".?/")
    profile = url.rpartition("/")[2]

    def of_type(labels: list[str]) -> tuple[str, ...]:
        return tuple(label for label in labels if label == profile or label.startswith(begins))

    return TypeFit(
        edition,
        bool(version),
        profile in us_core(edition).profiles,
        need.resource in facts.types_of(edition),
        of_type(facts.missing_of(edition)),
        of_type(facts.undeclared_of(edition)),
    )
