"""What a skeleton is: files that are made of the resolved contract alone, each saying what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from interlock.model import words
from interlock.model.facts import FhirRelease
from interlock.model.resolved import ResolvedContract, ResolvedNeed, ResolvedOrganization


class Skeleton(NamedTuple):
    """One kind of file for engineers.

    :ivar path: the file, or a pattern for several: ``profiles/*.json``.
    :ivar build: the files by their path in the folder, with ``/``; none where the contract gives no occasion. Pure: the
        same resolved contract gives the same text. It raises
        :class:`~interlock.fhir.validation.InvalidDocumentError` alone.
    """

    path: str
    build: Callable[[ResolvedContract], Mapping[str, str]]


class RestsOn(NamedTuple):
    """What a file knows, what it assumes and what it leaves open, each as sentences that say from where."""

    known: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    def as_data(self) -> dict[str, list[str]]:
        """For JSON."""
        return {"known": list(self.known), "assumed": list(self.assumed), "open": list(self.open)}

    def lines(self) -> Iterator[str]:
        """For comments and pages: ``Known: …``, each sentence on a line of its own."""
        for name, sentences in zip(("Known", "Assumed", "Open"), self, strict=True):
            yield from (f"{name}: {sentence}" for sentence in sentences)


def of_contract(resolved: ResolvedContract) -> str:
    """Which text of the contract a file is made of."""
    return f"contract.yaml version {resolved.contract.version}, text {resolved.contract_hash[:12]}"


def of_server(org: ResolvedOrganization, release: FhirRelease) -> RestsOn:
    """What is known of an organisation's server, and from where; ``release`` is the contract's."""
    if org.server is None:
        return RestsOn(open=(f"{org.name} was not observed: interlock probe --org {org.id}",))
    open_ = []
    if org.server.fhir_release not in {None, release}:
        open_.append(f"the server is of {org.server.fhir_release}, and the contract of {release}")
    if org.server.capabilities is None and org.server.token is None:
        absent = "it answered that it has none" if org.server.smart_absent else "none was seen"
        open_.append(f"its SMART configuration: {absent}")
    source = f"the simulated hospital {org.simulated}" if org.simulated else org.server.base_url
    known = f"what {source} said on {org.server.date} (observation {org.server.sha256[:12]})"
    return RestsOn(known=(known,), open=tuple(open_))


def named(need: ResolvedNeed) -> str:
    """``Observation (Vital signs)``: a need in words."""
    return need.need.resource + (f" ({need.need.purpose})" if need.need.purpose else "")


def not_offered(org: ResolvedOrganization) -> tuple[str, ...]:
    """What required needs ask for and the server was seen to leave out, a sentence a need."""
    told = []
    for need in org.needs:
        missing = [match for match in need.open if match.outcome == "missing" and not match.optional]
        names = [match.name for match in missing if match.kind == "resource"] or [match.name for match in missing]
        if names:
            told.append(f"{named(need)}: the server offers no {words.listed(names)}")
    return tuple(told)
