"""How far a capability statement declares what the editions of US Core require of a server."""

from __future__ import annotations

from interlock.model import words
from interlock.model.base import Model
from interlock.model.text import plain


class EditionFacts(Model):
    """What one edition requires of a server's statement (each SHALL), and how much of it is not declared.

    :ivar required: number of requirements; those of an optional type count where the type is declared.
    :ivar lacking: the statement gives a list and leaves it out, or leaves out the whole type.
    :ivar undeclared: the statement gives no list in which it would stand.
    :ivar other_versions: profiles that are declared in the version of another edition only.
    :ivar combinations: of parameters each of which is declared; hardly any statement speaks of combinations.
    """

    required: int
    lacking: int = 0
    undeclared: int = 0
    other_versions: int = 0
    combinations: int = 0

    @property
    def supported(self) -> int:
        """Number of requirements that the statement declares."""
        return self.required - self.lacking - self.undeclared - self.other_versions - self.combinations

    @property
    def whole(self) -> bool:
        """Whether the statement declares all of it, combinations apart."""
        return not (self.lacking or self.undeclared or self.other_versions)


class UsCoreFacts(Model):
    """US Core in a capability statement of R4. Nothing here was tried: it is what the document declares.

    A requirement is written ``Goal.read``, ``Goal?patient``, ``Goal?patient&target-date``,
    ``Goal?_revinclude=Provenance:target``, ``DocumentReference/$docref``, ``format json``, or as a profile's id; it
    leads to the editions that have it.

    :ivar claimed: edition → where it is named: ``instantiates``, ``implementationGuide``, ``supportedProfile``,
        ``meta``. Numbers that no edition has here are kept too.
    :ivar named: whether US Core is named at all, with or without an edition.
    :ivar unknown_profiles: addresses under US Core in ``supportedProfile`` that no edition has, at most ten.
    :ivar possible: editions that have every profile that is declared without a version; empty when none is.
    :ivar closest: the newest edition claimed, else the possible one of which the statement lacks least, the newest of
        equals.
    :ivar types: resource types that are left out, with all that is required of them.
    :ivar missing: what else a list leaves out; ``undeclared``: what no list could have.
    """

    claimed: dict[str, tuple[str, ...]] = {}
    named: bool = False
    unknown_profiles: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    closest: str
    editions: dict[str, EditionFacts]
    types: dict[str, tuple[str, ...]] = {}
    missing: dict[str, tuple[str, ...]] = {}
    undeclared: dict[str, tuple[str, ...]] = {}

    @property
    def compared(self) -> tuple[str, ...]:
        """The editions that are claimed and known here, else the closest one."""
        return tuple(number for number in self.claimed if number in self.editions) or (self.closest,)

    def types_of(self, edition: str) -> list[str]:
        """Types of the edition that are left out."""
        return [label for label, editions in self.types.items() if edition in editions]

    def missing_of(self, edition: str) -> list[str]:
        """What else lists leave out that the edition requires."""
        return [label for label, editions in self.missing.items() if edition in editions]

    def undeclared_of(self, edition: str) -> list[str]:
        """What the edition requires and no list could have."""
        return [label for label, editions in self.undeclared.items() if edition in editions]

    def summary(self) -> str:
        """Which edition the server meets as declared, in one line; numbers of editions differ by optional types."""
        numbers = words.listed([plain(number, 20) for number in self.claimed])
        said = [f"claims {numbers}" if numbers else "names no edition" if self.named else "does not name US Core"]
        whole = [number for number, edition in self.editions.items() if edition.whole]
        met = f"fully meets {words.listed(whole)}" if whole else "meets no edition whole"
        said.append(f"going by what it declares, it {met}")
        for number in self.compared:
            if number not in whole:
                name = number if number in self.claimed else f"the closest edition, {number}"
                said.append(f"of {name}, {self.distance(number)}")
        note = "; an optional type's requirements count once it is declared" if len(said) > 2 else ""
        return "; ".join(said) + note

    def distance(self, number: str) -> str:
        """``208 of 212 requirements are declared, 4 are missing: …`` for an edition not met whole; the parts add up."""
        edition = self.editions[number]
        groups: dict[str, list[str]] = {}
        for label in self.missing_of(number):
            groups.setdefault(_kind(label), []).append(label)
        parts = []
        if types := self.types_of(number):
            of_types = edition.lacking - sum(map(len, groups.values()))
            kinds = words.count(len(types), "type")
            parts.append(f"{of_types} by leaving out {kinds} ({words.listed(types)})")
        parts += [
            f"{words.count(len(names), kind, plural)} ({words.listed(names, 4)})"
            for kind, plural in _KINDS.items()
            if (names := groups.get(kind))
        ]
        spoken_of = edition.required - edition.combinations
        said = [f"{edition.supported} of {spoken_of} requirements are declared"]
        if edition.lacking:
            missing = f"{edition.lacking} {words.agree(edition.lacking, 'is', 'are')} missing"
            said.append(missing + (f": {', '.join(parts)}" if parts else ""))
        if edition.undeclared:
            said.append(f"{edition.undeclared} more {words.agree(edition.undeclared, 'is', 'are')} not said either way")
        if edition.other_versions:
            said.append(f"{words.count(edition.other_versions, 'profile')} in another version")
        return ", ".join(said)


#: Kinds of requirements that are no types, each with its plural.
_KINDS = {
    "interaction": "interactions",
    "search": "searches",
    "operation": "operations",
    "profile": "profiles",
    "line of the whole statement": "lines of the whole statement",
}


def _kind(label: str) -> str:
    """The kind of a requirement, by the form of its label."""
    if " " in label:
        return "line of the whole statement"
    return next(
        (kind for mark, kind in (("?", "search"), ("/", "operation"), (".", "interaction")) if mark in label), "profile"
    )


class CertificationFacts(Model):
    """A SMART configuration against ONC's criterion (g)(10) and US Core's granular scopes (docs/fhir-tables.md).

    :ivar edition: of US Core, claimed or closest; ``smart_version``: as the document shows it.
    :ivar required: number of capabilities that the two launches require with these; ``missing`` of them are not listed.
    :ivar undeclared: the same where capabilities are not published.
    :ivar granular_listed: scopes without their level, of types that the statement declares; ``granular_unlisted``:
        those not listed, which says nothing about whether they are granted.
    """

    edition: str
    smart_version: str
    required: int
    missing: tuple[str, ...] = ()
    undeclared: tuple[str, ...] = ()
    granular_listed: tuple[str, ...] = ()
    granular_unlisted: tuple[str, ...] = ()

    def summary(self) -> str:
        """What is listed of what certification asks for, in one line."""
        if self.undeclared:
            said = f"capabilities undeclared, {self.required} required"
        else:
            said = f"{self.required - len(self.missing)} of {self.required} capabilities"
        if number := len(self.granular_listed) + len(self.granular_unlisted):
            said += f", {len(self.granular_listed)} of {number} granular scopes listed"
        return f"{said} (US Core {self.edition}, SMART {self.smart_version})"
