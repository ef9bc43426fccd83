"""A check's registration, its input and its result; and the forms of words that messages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, cast, get_args

from interlock.fhir.tolerant import storable
from interlock.model import words
from interlock.model.base import CheckOutcome, Reference, Severity
from interlock.model.observation import (
    CapabilityFacts,
    CheckEvidence,
    Facts,
    JwksFacts,
    OpenIdFacts,
    SmartFacts,
    TlsFacts,
    UdapFacts,
)
from interlock.model.text import plain
from interlock.probe.transport.addresses import origin
from interlock.probe.transport.exchange import DOCUMENT_NAMES, Exchange, Purpose, Reading

if TYPE_CHECKING:
    from interlock.fhir.capability import Statement
    from interlock.model.contract import ContractFit, WorkflowContract
    from interlock.model.drift import Drift

_F = TypeVar("_F")

#: Why nothing can be said of a list that a SMART configuration does not publish.
_UNLISTED = {
    "capabilities": "the capabilities are not listed",
    "grant_types_supported": "grant_types_supported is not declared",
    "scopes_supported": "scopes_supported is not listed",
}

_AT_BASE: tuple[Purpose, ...] = ("metadata", "smart", "smart-root")

#: The document, or the user's own part, without which a check has nothing to look at.
Needs = Literal["metadata", "smart", "openid", "jwks", "udap", "cds", "chain", "contract", "active", "drift", "strict"]

_NEEDS: tuple[Needs | None, ...] = (None, *get_args(Needs))

#: The strongest word of the sources for what a check asks; what they leave open is our judgement, and what the user's
#: own workflow contract asks for is neither.
Level = Literal["SHALL", "SHOULD", "MAY", "contract", "judgement"]


@dataclass(frozen=True)
class CheckInput:
    """Everything that checks may look at: the base URL, the facts, and the recorded exchanges by purpose.

    What many checks look at is worked out once.

    :ivar contract: the workflow contract, and ``fit`` its comparison with the facts, when there is one.
    :ivar active: requests beyond GET were allowed.
    :ivar strict: documents are to be read by a strict reader too.
    :ivar drift: the comparison with the last observation, when there is one.
    :ivar now: the moment of the probe, which ages are counted to.
    """

    base: str
    facts: Facts
    exchanges: Mapping[Purpose, Exchange]
    contract: WorkflowContract | None = None
    fit: ContractFit | None = None
    active: bool = False
    strict: bool = False
    drift: Drift | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _evidence: dict[tuple[Purpose, str], CheckEvidence] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def capability(self) -> CapabilityFacts:
        """The statement's facts, for a check that needs ``metadata``."""
        return given(self.facts.capability)

    @cached_property
    def smart(self) -> SmartFacts:
        """The SMART facts; without them a check ends here, with a ``NeedError``."""
        if self.facts.smart is None:
            raise NeedError(unseen(self, "smart"))
        return self.facts.smart

    @property
    def openid(self) -> OpenIdFacts:
        """The discovery document's facts, for a check that needs ``openid``."""
        return given(self.facts.openid)

    @property
    def jwks(self) -> JwksFacts:
        """The key set's facts, for a check that needs ``jwks``."""
        return given(self.facts.jwks)

    @property
    def udap(self) -> UdapFacts:
        """The UDAP metadata's facts, for a check that needs ``udap``."""
        return given(self.facts.udap)

    @property
    def tls(self) -> TlsFacts:
        """The base's TLS facts, for a check that needs ``chain``."""
        return given(self.facts.tls)

    @cached_property
    def statement(self) -> Statement:
        """The statement itself, for a check that needs ``metadata``."""
        return cast("Statement", given(self.document("metadata")))

    @cached_property
    def profiles(self) -> list[str]:
        """Every profile that the statement declares for a type, for a check that needs ``metadata``."""
        return [profile for resource in self.capability.resources.values() for profile in resource.profiles]

    @cached_property
    def at_base(self) -> tuple[Exchange, ...]:
        """What the base itself was asked for: the statement and the SMART configuration, where it may be."""
        return tuple(self.exchanges[purpose] for purpose in _AT_BASE if purpose in self.exchanges)

    @cached_property
    def signs_on(self) -> bool:
        """Whether the server claims to identify users, with ID tokens that its keys sign."""
        return self.facts.smart is not None and "sso-openid-connect" in (self.facts.smart.capabilities or ())

    def document(self, purpose: Purpose) -> Any:
        """The document itself, or none: of a statement what is read from it, of anything else the JSON value."""
        exchange = self.exchanges.get(purpose)
        return exchange.document if exchange is not None else None

    def reading(self, purpose: Purpose) -> Reading | None:
        """How the answer reads, or none when the document was not asked for."""
        exchange = self.exchanges.get(purpose)
        return exchange.reading if exchange is not None else None

    def has(self, purpose: Purpose) -> bool:
        """Whether the document was seen."""
        return self.reading(purpose) == "document"

    def is_absent(self, purpose: Purpose) -> bool:
        """Whether the document is positively not there."""
        return self.reading(purpose) == "absent"

    def at(self, purpose: Purpose, pointer: str = "") -> CheckEvidence:
        """Evidence: a JSON pointer into a document that was asked for."""
        evidence = self._evidence.get((purpose, pointer))
        if evidence is None:
            url = self.exchanges[purpose].url if purpose in self.exchanges else self.base
            evidence = self._evidence[purpose, pointer] = CheckEvidence.trusted(url=url, pointer=pointer)
        return evidence

    def at_each(self, purpose: Purpose, pointers: Iterable[str]) -> tuple[CheckEvidence, ...]:
        """Evidence: several elements of a document that was asked for."""
        return tuple([self.at(purpose, pointer) for pointer in pointers])

    def at_fields(self, purpose: Purpose, names: Iterable[str]) -> tuple[CheckEvidence, ...]:
        """Evidence: fields at the top of a document that was asked for."""
        return self.at_each(purpose, [f"/{name}" for name in names])

    def at_exchanges(self, exchanges: Iterable[Exchange]) -> tuple[CheckEvidence, ...]:
        """Evidence: whole answers."""
        return tuple(self.at(exchange.purpose) for exchange in exchanges)

    def why_unseen(self, purpose: Purpose) -> str:
        """Why a document was not seen, as one sentence."""
        exchange = self.exchanges.get(purpose)
        return exchange.detail if exchange is not None else f"the {DOCUMENT_NAMES[purpose]} was not asked for"

    @cached_property
    def lacking(self) -> dict[Needs | None, Result | None]:
        """The result of checks that need something which is not there; none of checks that can look."""
        return {needs: _unmet(self, needs) for needs in _NEEDS}

    def require(self, needs: Needs) -> None:
        """Ends a check here that has not what it needs to look at.

        :raises NeedError: with the check's result.
        """
        if result := self.lacking[needs]:
            raise NeedError(result)

    def listed(self, field: Literal["capabilities", "grant_types_supported", "scopes_supported"]) -> tuple[str, ...]:
        """A list of the SMART configuration; ends a check here when it is not published, which says nothing.

        :raises NeedError: with the check's result.
        """
        values: tuple[str, ...] | None = getattr(self.smart, field)
        if values is None:
            raise NeedError(not_observed(_UNLISTED[field], self.at("smart", f"/{field}")))
        return values


class NeedError(Exception):
    """Ends a check that has not what it needs to look at; its one argument is the check's result."""


def given(facts: _F | None) -> _F:
    """What a check declared to need.

    :raises LookupError: the check did not declare to need it.
    """
    if facts is None:
        raise LookupError("a check looked at facts that it did not declare to need")
    return facts


class Result(NamedTuple):
    """The result of a check: outcome, a sentence without a full stop, and the evidence for it."""

    outcome: CheckOutcome
    message: str
    evidence: tuple[CheckEvidence, ...] = ()


#: Looking a member up in its enumeration is a call in Python 3.11, and there are a hundred results a target.
_PASS, _WARN, _FAIL = CheckOutcome.PASS, CheckOutcome.WARN, CheckOutcome.FAIL
_NOT_OBSERVED, _NOT_APPLICABLE = CheckOutcome.NOT_OBSERVED, CheckOutcome.NOT_APPLICABLE


def passed(message: str, *evidence: CheckEvidence) -> Result:
    """The server does what the source asks for."""
    return Result(_PASS, message, evidence)


def warned(message: str, *evidence: CheckEvidence) -> Result:
    """Something that the source recommends, or that makes an integration harder, without breaking a requirement."""
    return Result(_WARN, message, evidence)


def failed(message: str, *evidence: CheckEvidence) -> Result:
    """Something that the source requires, observed not to hold."""
    return Result(_FAIL, message, evidence)


def not_observed(reason: str, *evidence: CheckEvidence) -> Result:
    """Nothing can be said; the reason follows."""
    return Result(_NOT_OBSERVED, f"Not observed: {reason}", evidence)


def not_applicable(reason: str, *evidence: CheckEvidence) -> Result:
    """The check asks nothing of this server."""
    return Result(_NOT_APPLICABLE, f"Not applicable: {reason}", evidence)


NOT_HTTPS = not_applicable("the base URL is not https (see NET-005)")

Run = Callable[[CheckInput], Result]


@dataclass(frozen=True, slots=True, eq=False)
class CheckSpec:
    """One registered check.

    :ivar rows: rows of ``docs/requirements.md`` that it rests on.
    :ivar at: where it looks, as purpose and JSON pointer: the evidence of its results that name no other.
    :ivar level: the strongest word of the sources; ``judgement`` when no specification asks for this, which findings
        then say. A judgement may cite what it rests on.
    """

    id: str
    title: str
    severity: Severity
    references: tuple[Reference, ...]
    rows: tuple[str, ...]
    needs: Needs | None
    at: tuple[Purpose, str] | None
    level: Level
    run: Run

    @property
    def family(self) -> str:
        """The code that its id begins with."""
        return self.id.partition("-")[0]


#: Every check by its id, as the files of the families register them.
CHECKS: dict[str, CheckSpec] = {}


def check(
    check_id: str,
    title: str,
    severity: Severity,
    *cites: Reference,
    rows: Iterable[str] = (),
    needs: Needs | None = None,
    at: str = "",
    level: Level = "judgement",
) -> Callable[[Run], Run]:
    """Register a check. ``at`` is where it looks: ``metadata``, or ``metadata#/rest`` for an element of it.

    :raises ValueError: there is such an id, or the check cites nothing and claims a specification's level all the same.
    """
    if check_id in CHECKS:
        raise ValueError(f"check ids are not unique: {check_id}")
    if not cites and level != "judgement":
        raise ValueError(f"{check_id} cites no source; it is a judgement, or cites one")
    purpose, _, pointer = at.partition("#")
    position = (cast(Purpose, purpose), pointer) if at else None

    def register(run: Run) -> Run:
        CHECKS[check_id] = CheckSpec(check_id, title, severity, cites, tuple(rows), needs, position, level, run)
        return run

    return register


def _unmet(probed: CheckInput, needs: Needs | None) -> Result | None:
    """The result of a check that has not what it needs to look at; none when it has, or needs nothing."""
    match needs:
        case "contract" if probed.contract is None or probed.fit is None:
            return not_applicable("there is no workflow contract to compare with")
        case "active" if not probed.active:
            return not_applicable("looked at by an active probe only (--active)")
        case "strict" if not probed.strict:
            return not_applicable("read strictly on request only (--strict)")
        case "drift" if probed.drift is None:
            return not_applicable("there is no earlier observation to compare with")
        case "chain" if probed.facts.tls is None or not probed.facts.tls.chain:
            https = probed.base.startswith("https://")
            return not_observed("the certificate chain was not looked at") if https else NOT_HTTPS
        case None | "contract" | "active" | "drift" | "strict" | "chain":
            return None
    asked = needs in probed.exchanges
    match needs:
        case _ if probed.has(needs):
            return None
        case "udap" if probed.is_absent("udap"):
            return not_applicable("the server has no UDAP, and says so as it should, with 404", probed.at("udap"))
        case "udap" if not asked:
            return not_observed("the UDAP document was not asked for")
        case "cds" if not asked:
            return not_applicable("no CDS service of the product was named")
        case "smart" if probed.is_absent("smart"):
            return not_applicable("the server publishes no SMART configuration (see SMART-001)", probed.at("smart"))
        case "openid" | "jwks" if not asked and probed.is_absent("smart"):
            return not_applicable("the server publishes no SMART configuration (see SMART-001)")
        case "openid" | "jwks" if not asked and not probed.has("smart"):
            return not_observed(f"the SMART configuration was not seen ({probed.why_unseen('smart')})")
        case "jwks" if not asked:
            return not_applicable("the server advertises no keys of its own (jwks_uri)", probed.at("smart"))
        case "openid" if not asked and probed.signs_on:
            return not_observed("the SMART configuration names no issuer to ask", probed.at("smart", "/issuer"))
        case "openid" if not asked:
            return not_applicable("the server does not list sso-openid-connect", probed.at("smart", "/capabilities"))
        case _:
            return unseen(probed, needs)


def unseen(probed: CheckInput, purpose: Purpose) -> Result:
    """The result of a check whose document was asked for and not seen, or not asked for."""
    return not_observed(probed.why_unseen(purpose), probed.at(purpose))


def host_of(url: str) -> str:
    """The host of an address, or nothing when it has none."""
    address = origin(url)
    return address.host if address else ""


def capitalized(text: str) -> str:
    """The same text beginning with a capital, unless it begins with a host's name or an address."""
    first = text.partition(" ")[0].rstrip(":.,;")
    if first == "localhost" or "." in first or ":" in first:
        return text
    return words.capital(text)


def first_of(notes: Sequence[str]) -> str:
    """The first of several notes, and how many more there are."""
    return capitalized(notes[0]) + (f" (and {len(notes) - 1} more)" if len(notes) > 1 else "")


def quoted(value: object, limit: int = 100) -> str:
    """A server-chosen value in a message: one line, bounded, in quotation marks."""
    return f"“{plain(storable(str(value)[: limit * 8]), limit)}”"


def quoted_list(values: Iterable[object], limit: int = 5) -> str:
    """Server-chosen values in a message: each quoted; what is beyond ``limit`` is only counted."""
    values = list(values)
    quotes = [quoted(value, 60) for value in values[:limit]]
    return words.listed(quotes + [""] * (len(values) - limit), limit)


def clauses(texts: Sequence[str], limit: int = 5) -> str:
    """Several statements in one message, each of which may hold commas: ``a, b; c; d and 3 more``."""
    more = f" and {len(texts) - limit:,} more" if len(texts) > limit else ""
    return "; ".join(texts[:limit]) + more
