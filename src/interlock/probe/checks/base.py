"""A check's registration and its input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args

from interlock.model.base import Reference, Severity, maker
from interlock.model.facts import (
    CapabilityFacts,
    CorsFacts,
    Facts,
    JwksFacts,
    OpenIdFacts,
    SmartFacts,
    TlsFacts,
    UdapFacts,
)
from interlock.model.observation import CheckEvidence
from interlock.model.sample import DataFacts
from interlock.probe.checks.results import NOT_HTTPS, NeedError, Result, not_applicable, not_observed
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
Needs = Literal[
    "metadata",
    "smart",
    "openid",
    "jwks",
    "udap",
    "cds",
    "chain",
    "versions",
    "contract",
    "active",
    "sample",
    "origin",
    "drift",
    "strict",
]

_NEEDS: tuple[Needs | None, ...] = (None, *get_args(Needs))

#: What a pass rests on: documents and answers by the purpose of their request, and what shows in all of them.
Seen = (
    Purpose
    | Literal[
        "base",  # a base URL that can be asked
        "request",  # the base was asked for a document
        "answer",  # and answered
        "endpoints",  # addresses of the authorization server, in either document
        "tls",  # a handshake with the base
        "versions",  # TLS versions were tried
        "anonymous",  # a read or a count without a token was answered
        "data",  # a sample was taken
    ]
)

#: Requests of which an answer is looked at, not a document.
_ANSWERS = frozenset(
    {"token-negative", "refresh", "cors-token", "cors-fhir", "cors-authorize", "cors-smart", "cors-metadata"}
)
_ANONYMOUS: tuple[Purpose, ...] = ("anonymous-read", "anonymous-count")

#: The strongest word of the sources for what a check asks; what they leave open is our judgement, and what the user's
#: own workflow contract asks for is neither.
Level = Literal["SHALL", "SHOULD", "MAY", "contract", "judgement"]


_evidence = maker(CheckEvidence)


@dataclass(frozen=True)
class CheckInput:
    """Everything that checks may look at: the base URL, the facts, and the recorded exchanges by purpose.

    What many checks look at is worked out once.

    :ivar contract: the workflow contract, and ``fit`` its comparison with the facts, when there is one.
    :ivar active: requests beyond GET were allowed.
    :ivar strict: documents are to be read by a strict reader too.
    :ivar user_agent: how the program named itself to the server; empty where that is not known.
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
    user_agent: str = ""
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
        """The base's TLS facts, for a check that needs ``chain`` or ``versions``."""
        return given(self.facts.tls)

    @property
    def cors(self) -> CorsFacts:
        """The answers to requests with an origin, for a check that needs ``origin``."""
        return given(self.facts.cors)

    @property
    def sample(self) -> DataFacts:
        """What the sample showed, for a check that needs ``sample``."""
        return given(self.facts.data)

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

    @property
    def names_keys(self) -> bool:
        """Whether a document says where the server's keys are."""
        return any(facts is not None and facts.jwks_uri is not None for facts in (self.facts.smart, self.facts.openid))

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
            evidence = self._evidence[purpose, pointer] = _evidence({"url": url, "pointer": pointer})
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

    @cached_property
    def seen(self) -> frozenset[Seen]:
        """Everything that was seen of what a pass may rest on."""
        facts = self.facts
        answered = {purpose for purpose in self.exchanges if self._answered(purpose)}
        known: dict[Seen, object] = {
            "base": self.base,
            "request": self.at_base,
            "answer": answered.intersection(_AT_BASE),
            "endpoints": facts.smart is not None,
            "tls": facts.tls is not None,
            "versions": facts.tls is not None and facts.tls.versions,
            "anonymous": answered.intersection(_ANONYMOUS),
            "data": facts.data is not None,
        }
        read = {purpose for purpose in self.exchanges if self.has(purpose)}
        return frozenset({name for name, value in known.items() if value} | (read - _ANSWERS) | (answered & _ANSWERS))

    def _answered(self, purpose: Purpose) -> bool:
        exchange = self.exchanges.get(purpose)
        return exchange is not None and any(record.status is not None for record in exchange.records)

    def broken(self, purpose: Purpose) -> str:
        """What a server positively answers where a document belongs that anybody may read, as a sentence; else nothing.

        A request without an answer, and one that puts off (429), say nothing.
        """
        exchange = self.exchanges.get(purpose)
        if exchange is None or exchange.failure is not None or exchange.reading in {"document", "rate_limited"}:
            return ""
        return exchange.detail

    def media_type(self, purpose: Purpose) -> str:
        """The media type that a document came with, in lower case, without parameters; nothing when there is none."""
        return (self.exchanges[purpose].record.content_type or "").partition(";")[0].strip().lower()

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


def given(facts: _F | None) -> _F:
    """What a check declared to need.

    :raises LookupError: the check did not declare to need it.
    """
    if facts is None:
        raise LookupError("a check looked at facts that it did not declare to need")
    return facts


Run = Callable[[CheckInput], Result]


@dataclass(frozen=True, slots=True, eq=False)
class CheckSpec:
    """One registered check.

    :ivar rows: rows of ``docs/requirements.md`` that it rests on.
    :ivar rests_on: what must have been seen for a pass, besides ``needs``; a pass without it becomes ``not_observed``.
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
    rests_on: frozenset[Seen]
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
    rests_on: Iterable[Seen] = (),
    at: str = "",
    level: Level = "judgement",
) -> Callable[[Run], Run]:
    """Register a check. ``at`` is where it looks: ``metadata``, or ``metadata#/rest`` for an element of it.

    :raises ValueError: there is such an id, the check cites nothing and claims a specification's level all the same, or
        nothing says what its pass rests on.
    """
    if check_id in CHECKS:
        raise ValueError(f"check ids are not unique: {check_id}")
    if not cites and level != "judgement":
        raise ValueError(f"{check_id} cites no source; it is a judgement, or cites one")
    rests = frozenset(rests_on)
    if not rests and needs in {None, "contract", "active", "strict"}:
        raise ValueError(f"{check_id} does not say what a pass rests on")
    purpose, _, pointer = at.partition("#")
    position = (cast(Purpose, purpose), pointer) if at else None

    def register(run: Run) -> Run:
        CHECKS[check_id] = CheckSpec(check_id, title, severity, cites, tuple(rows), needs, rests, position, level, run)
        return run

    return register


def _unmet(probed: CheckInput, needs: Needs | None) -> Result | None:
    """The result of a check that has not what it needs to look at; none when it has, or needs nothing."""
    match needs:
        case "contract" if probed.contract is None or probed.fit is None:
            return not_applicable("there is no workflow contract to compare with")
        case "active" if not probed.active:
            return not_applicable("looked at by an active probe only (--active)")
        case "sample" if probed.facts.data is None:
            return not_applicable("looked at with credentials and --sample only")
        case "origin" if probed.facts.cors is None:
            return not_applicable("no browser client's origin was given (--origin)")
        case "strict" if not probed.strict:
            return not_applicable("read strictly on request only (--strict)")
        case "drift" if probed.drift is None:
            return not_applicable("there is no earlier observation to compare with")
        case "chain" if probed.facts.tls is None or not probed.facts.tls.chain:
            https = probed.base.startswith("https://")
            return not_observed("the certificate chain was not looked at") if https else NOT_HTTPS
        case "versions" if not probed.base.startswith("https://"):
            return NOT_HTTPS
        case "versions" if probed.facts.tls is None or not probed.facts.tls.versions:
            return not_observed("the TLS versions were not tried")
        case None | "contract" | "active" | "sample" | "origin" | "drift" | "strict" | "chain" | "versions":
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
        case "jwks" if not asked and probed.names_keys:
            return not_observed("the key set was not asked for", probed.at("smart", "/jwks_uri"))
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
