"""Patterns as data: named combinations of facts that earlier integrations ran into, and where they hold (S44)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from interlock.model.base import Model, Owner, Reference
from interlock.model.questionnaire import ItemId
from interlock.model.rule import RuleTest, StatementId

PatternId = Annotated[str, Field(pattern=r"^PAT-\d{3}$")]
#: ``org``: looked for at each organisation. ``fleet``: looked for once, over all of them.
PatternScope = Literal["org", "fleet"]
#: ``undecided`` when something that the pattern reads is not known: never the same as ``not_matched``.
PatternOutcome = Literal["matched", "not_matched", "undecided"]


#: The name that a fleet pattern gives to one of its conditions of each organisation.
ConditionName = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]


class Pattern(Model):
    """One pattern: a rule across organisations that neither scores nor blocks, and says what several facts point to.

    ``gap_when`` is CEL, as in a rule. ``where`` belongs to fleet scope: conditions that are asked of each organisation,
    by name, as a rule of org scope would ask them. ``gap_when`` reads ``anywhere.<name>`` and ``everywhere.<name>``,
    and ``concerns`` is the name of the one that says which organisations to name; without it none is named. ``means``
    is what it usually turns out to be, ``action`` what to do.
    """

    id: PatternId
    title: Annotated[str, Field(min_length=1)]
    scope: PatternScope
    where: dict[ConditionName, str] = {}
    gap_when: str
    concerns: ConditionName | None = None
    message: Annotated[str, Field(min_length=1)]
    means: Annotated[str, Field(min_length=1)]
    action: Annotated[str, Field(min_length=1)]
    owner: Owner
    source: Annotated[tuple[StatementId, ...], Field(min_length=1)]
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    tests: Annotated[tuple[RuleTest, ...], Field(min_length=1)]

    @property
    def messages(self) -> tuple[str, ...]:
        """Its only message; a rule may have two."""
        return (self.message,)

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, value: Any) -> Any:
        if isinstance(value, dict) and "when" in value:
            raise ValueError(
                "when is called gap_when; what it asks of organisations with orgs.exists(o, …) or orgs.all(o, …) is a "
                "condition in where, without o, and is read as anywhere.<name> or everywhere.<name>; concerns is such "
                "a name; tests expect gap, met or unknown (docs/patterns.md)"
            )
        return value

    @model_validator(mode="after")
    def _conditions_fit_scope(self) -> Pattern:
        if self.scope != "fleet" and (self.where or self.concerns):
            raise ValueError("only a pattern of fleet scope has where and concerns")
        if self.concerns is not None and self.concerns not in self.where:
            raise ValueError(f"concerns names {self.concerns!r}, which is no condition of where")
        return self


class PatternMatch(Model):
    """One pattern on everything that is known, with its own texts, so that it can be shown alone.

    :ivar outcome: ``matched`` where it holds anywhere; else ``undecided`` where anything could still make it hold.
    :ivar orgs: ids of the organisations where it holds, or that a fleet pattern names; in the workspace's order.
    :ivar messages: one for each of ``orgs`` in org scope; one in fleet scope; none unless matched.
    :ivar undecided_orgs: ids of organisations of which too little is known.
    :ivar detail: what is not known, for a person; none when everything is decided.
    :ivar missing_answers: item ids whose answer would help to decide.
    :ivar missing_facts: dotted probe names that were not observed.
    """

    pattern: PatternId
    title: str
    scope: PatternScope
    outcome: PatternOutcome
    orgs: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    undecided_orgs: tuple[str, ...] = ()
    detail: str | None = None
    missing_answers: tuple[ItemId, ...] = ()
    missing_facts: tuple[str, ...] = ()
    means: str
    action: str
    owner: Owner
    source: tuple[StatementId, ...]
    references: tuple[Reference, ...]


class Hosts(Model):
    """Lower-case host names, without port, of what an organisation's documents name; none where they name nothing."""

    base: str | None = None
    implementation: str | None = None
    issuer: str | None = None
    authorization: str | None = None
    token: str | None = None


class Peers(Model):
    """Ids of other organisations with the same value, by what is the same; in the workspace's order.

    ``client_id`` and ``private_key`` compare the names of the environment variables, the only thing a workspace holds.
    """

    base_url: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    client_id: tuple[str, ...] = ()
    private_key: tuple[str, ...] = ()
    issuer: tuple[str, ...] = ()


class VendorGroup(Model):
    """The organisations of the same vendor, this one included; of vendor ``other`` this one alone.

    :ivar observed: how many of them were observed, in whole or in part.
    :ivar versions: distinct ``software.version`` values that their statements give, sorted.
    """

    members: int = 1
    observed: int = 0
    versions: tuple[str, ...] = ()


class Site(Model):
    """Facts derived about an organisation for patterns: its hosts, and what it shares with others.

    :ivar observed: outcome of the last probe, or ``never_probed``.
    :ivar metadata: what the answer at ``/metadata`` turned out to be (``document``, ``html``, ``unauthorized`` …).
    :ivar implementation: ``implementation.url`` against the base that was probed: ``same``, ``without_tenant`` (a
        leading part of it), ``other_path`` on the same host, or ``other_host``.
    :ivar writes_without_interaction: resource types with a write scope in ``scopes_supported`` and no write in the
        statement of the same probe; none unless both were seen.
    :ivar overrides: names of the contract's settings that this organisation sets.
    :ivar same: organisations of the same kind of environment that share something with it.
    :ivar across: organisations of the other kind (production against the rest) that share something with it.
    """

    observed: Literal["observed", "partial", "not_observed", "never_probed"]
    metadata: str | None = None
    hosts: Hosts = Hosts()
    implementation: Literal["same", "without_tenant", "other_path", "other_host"] | None = None
    writes_without_interaction: tuple[str, ...] | None = None
    overrides: tuple[str, ...] = ()
    same: Peers = Peers()
    across: Peers = Peers()
    vendor_group: VendorGroup = VendorGroup()
