"""A check's registration, its input and its result; and the forms of words that messages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

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
from interlock.probe.transport.exchange import DOCUMENT_NAMES, Exchange, Purpose, Reading

if TYPE_CHECKING:
    from interlock.fhir.capability import Statement
    from interlock.model.contract import ContractFit, WorkflowContract
    from interlock.model.drift import Drift

_F = TypeVar("_F")

#: Readings of an answer that came with HTTP 200 and is not the document.
INSTEAD: frozenset[Reading] = frozenset(
    {
        "html",
        "operation_outcome",
        "bundle",
        "other_resource",
        "unrelated",
        "empty_object",
        "not_an_object",
        "empty",
        "not_json",
    }
)

_AT_BASE: tuple[Purpose, ...] = ("metadata", "smart", "smart-root")

#: The document, or the user's own part, without which a check has nothing to look at.
Needs = Literal["metadata", "smart", "openid", "jwks", "udap", "cds", "chain", "contract", "active", "drift"]

#: The strongest word of the sources for what a check asks; what they leave open is our judgement, and what the user's
#: own workflow contract asks for is neither.
Level = Literal["SHALL", "SHOULD", "MAY", "contract", "judgement"]


@dataclass(frozen=True)
class CheckInput:
    """Everything that checks may look at: the base URL, the facts, and the recorded exchanges by purpose.

    What many checks look at is worked out once.

    :ivar contract: the workflow contract, and ``fit`` its comparison with the facts, when there is one.
    :ivar active: requests beyond GET were allowed.
    :ivar drift: the comparison with the last observation, when there is one.
    :ivar now: the moment of the probe, which ages are counted to.
    """

    base: str
    facts: Facts
    exchanges: Mapping[Purpose, Exchange]
    contract: WorkflowContract | None = None
    fit: ContractFit | None = None
    active: bool = False
    drift: Drift | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _evidence: dict[tuple[Purpose, str], CheckEvidence] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def capability(self) -> CapabilityFacts:
        """The statement's facts, for a check that needs ``metadata``."""
        return given(self.facts.capability)

    @cached_property
    def smart(self) -> SmartFacts:
        """The SMART facts, for a check that needs ``smart``."""
        return given(self.facts.smart)

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
        statement: Statement = given(self.document("metadata"))
        return statement

    @cached_property
    def at_base(self) -> tuple[Exchange, ...]:
        """What the base itself was asked for: the statement and the SMART configuration, where it may be."""
        return tuple(self.exchanges[purpose] for purpose in _AT_BASE if purpose in self.exchanges)

    @cached_property
    def answered(self) -> bool:
        """Whether the base gave any answer."""
        return any(record.status is not None for exchange in self.at_base for record in exchange.records)

    @cached_property
    def profiles(self) -> tuple[str, ...]:
        """Every profile that the statement declares for a type, for a check that needs ``metadata``."""
        return tuple(profile for resource in self.capability.resources.values() for profile in resource.profiles)

    @cached_property
    def signs_on(self) -> bool:
        """Whether the server claims to identify users, with ID tokens that its keys sign."""
        smart = self.facts.smart
        return smart is not None and "sso-openid-connect" in (smart.capabilities or ())

    def document(self, purpose: Purpose) -> Any:
        """The document itself, or none: of a statement what is read from it, of anything else the JSON value."""
        exchange = self.exchanges.get(purpose)
        return exchange.document if exchange is not None else None

    def has(self, purpose: Purpose) -> bool:
        """Whether the document was seen."""
        exchange = self.exchanges.get(purpose)
        return exchange is not None and exchange.reading == "document"

    def is_absent(self, purpose: Purpose) -> bool:
        """Whether the document is positively not there."""
        exchange = self.exchanges.get(purpose)
        return exchange is not None and exchange.reading == "absent"

    def at(self, purpose: Purpose, pointer: str = "") -> CheckEvidence:
        """Evidence: a JSON pointer into a document that was asked for."""
        evidence = self._evidence.get((purpose, pointer))
        if evidence is None:
            exchange = self.exchanges.get(purpose)
            url = exchange.url if exchange is not None else self.base
            evidence = self._evidence[purpose, pointer] = CheckEvidence.trusted(url=url, pointer=pointer)
        return evidence

    def at_fields(self, purpose: Purpose, names: Iterable[str]) -> tuple[CheckEvidence, ...]:
        """Evidence: fields at the top of a document that was asked for."""
        return tuple(self.at(purpose, f"/{name}") for name in names)

    def at_exchanges(self, exchanges: Iterable[Exchange]) -> tuple[CheckEvidence, ...]:
        """Evidence: whole answers."""
        return tuple(self.at(exchange.purpose) for exchange in exchanges)

    def why_unseen(self, purpose: Purpose) -> str:
        """Why a document was not seen, as one sentence."""
        exchange = self.exchanges.get(purpose)
        if exchange is None:
            return f"the {DOCUMENT_NAMES[purpose]} was not asked for"
        return exchange.detail


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


Run = Callable[[CheckInput], Result]


@dataclass(frozen=True, slots=True, eq=False)
class CheckSpec:
    """One registered check.

    :ivar rows: rows of ``docs/requirements.md`` that it rests on.
    :ivar level: the strongest word of the sources; ``judgement`` when no specification asks for this, which findings
        then say. A judgement may cite what it rests on.
    """

    id: str
    title: str
    severity: Severity
    family: str
    references: tuple[Reference, ...]
    rows: tuple[str, ...]
    needs: Needs | None
    level: Level
    run: Run

    @property
    def judgement(self) -> bool:
        """Whether no specification asks for this."""
        return self.level == "judgement"


class Family:
    """The checks whose ids begin with one code, in the order of their definition; a large family has several themes."""

    def __init__(self, code: str, *themes: Family) -> None:
        self.code = code
        self.checks: list[CheckSpec] = [check for theme in themes for check in theme.checks]

    def check(
        self,
        number: int,
        title: str,
        severity: Severity,
        *cites: Reference,
        rows: Iterable[str] = (),
        needs: Needs | None = None,
        level: Level = "judgement",
    ) -> Callable[[Run], Run]:
        """Register a check as ``CODE-NNN``.

        :raises ValueError: it cites nothing and claims a specification's level all the same.
        """
        if not cites and level != "judgement":
            raise ValueError(f"{self.code}-{number:03d} cites no source; it is a judgement, or cites one")

        def register(run: Run) -> Run:
            spec = CheckSpec(
                f"{self.code}-{number:03d}", title, severity, self.code, cites, tuple(rows), needs, level, run
            )
            self.checks.append(spec)
            return run

        return register


def unmet(probed: CheckInput, needs: Needs | None) -> Result | None:
    """The result of a check whose document was not seen; none when it was, or when the check needs none."""
    if needs is None:
        return None
    if needs == "contract":
        return None if probed.contract is not None and probed.fit is not None else _NO_CONTRACT
    if needs == "active":
        return None if probed.active else _PASSIVE
    if needs == "drift":
        return None if probed.drift is not None else _FIRST
    if needs == "chain":
        return None if probed.facts.tls is not None and probed.facts.tls.chain else _no_chain(probed)
    if probed.has(needs):
        return None
    if needs in {"udap", "cds"}:
        return _aside(probed, needs)
    if needs == "smart" and probed.is_absent("smart"):
        return not_applicable("the server publishes no SMART configuration (see SMART-001)", probed.at("smart"))
    if needs in {"openid", "jwks"} and needs not in probed.exchanges:
        return _not_advertised(probed, needs)
    return unseen(probed, needs)


def unseen(probed: CheckInput, purpose: Purpose) -> Result:
    """The result of a check whose document was asked for and not seen, or not asked for."""
    return not_observed(probed.why_unseen(purpose), probed.at(purpose))


_NO_CONTRACT = not_applicable("there is no workflow contract to compare with")
_PASSIVE = not_applicable("looked at by an active probe only (--active)")
_FIRST = not_applicable("there is no earlier observation to compare with")


def _no_chain(probed: CheckInput) -> Result:
    if not probed.base.startswith("https://"):
        return not_applicable("the base URL is not https (see NET-005)")
    return not_observed("the certificate chain was not looked at")


def _aside(probed: CheckInput, needs: Needs) -> Result:
    """Documents that a quick probe does not ask for."""
    if needs == "udap" and probed.is_absent("udap"):
        return not_applicable("the server has no UDAP, and says so as it should, with 404", probed.at("udap"))
    if needs == "udap" and "udap" not in probed.exchanges:
        return not_observed("the UDAP document was not asked for")
    if needs == "cds" and "cds" not in probed.exchanges:
        return not_applicable("no CDS service of the product was named")
    return unseen(probed, "udap" if needs == "udap" else "cds")


def _not_advertised(probed: CheckInput, needs: Needs) -> Result:
    if not probed.has("smart"):
        if probed.is_absent("smart"):
            return not_applicable("the server publishes no SMART configuration (see SMART-001)")
        return not_observed(f"the SMART configuration was not seen ({probed.why_unseen('smart')})")
    if needs == "jwks":
        return not_applicable("the server advertises no keys of its own (jwks_uri)", probed.at("smart"))
    if probed.signs_on:
        return not_observed("the SMART configuration names no issuer to ask", probed.at("smart", "/issuer"))
    return not_applicable("the server does not list sso-openid-connect", probed.at("smart", "/capabilities"))


def capitalized(text: str) -> str:
    """The same text beginning with a capital, unless it begins with a host's name or an address."""
    first = text.partition(" ")[0].rstrip(":.,;")
    if first == "localhost" or "." in first or ":" in first:
        return text
    return words.capital(text)


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
