"""Hazards as data: what may happen to a patient, what is to keep it from happening, and how far that is in place.

Severity and detectability are judgements for the team to set. No likelihood is given anywhere: it depends on the
organisation and has to be measured there (docs/hazards.md).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AliasChoices, Field, model_validator

from interlock.model.base import Evidence, IsoDay, Model, Reference, Versioned
from interlock.model.rule import RuleId

HazardId = Annotated[str, Field(pattern=r"^HZ-\d{2,3}$")]
#: 1 none · 2 minor · 3 short harm or loss of trust · 4 serious · 5 death or lasting harm possible.
HazardSeverity = Annotated[int, Field(ge=1, le=5, strict=True)]
_Line = Annotated[str, Field(min_length=1, max_length=400)]
_Name = Annotated[str, Field(min_length=1, max_length=120)]
#: A field of the contract: ``failures.truncated``; ``endpoints[].authentication`` is that of every endpoint.
ContractPath = Annotated[str, Field(pattern=r"^[a-z_]+(\[\])?(\.[a-z_]+(\[\])?)*$")]
#: Most hazards whose figures a workspace sets.
MAX_FIGURES = 500


class Detectability(StrEnum):
    """How likely users notice in time without the controls, the best first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    VERY_LOW = "very_low"

    @property
    def rank(self) -> int:
        """0 for high … 3 for very low."""
        return list(Detectability).index(self)


class HazardSource(Model):
    """Where a hazard is described, and how much of it was read when.

    :ivar seen: ``page``: the text itself; ``abstract``; ``summary``: what others wrote of it; ``title``: no more.
    """

    title: _Line
    url: str
    read: IsoDay
    seen: Literal["page", "abstract", "summary", "title"]

    @property
    def reference(self) -> Reference:
        """The same as a citation."""
        return Reference(title=self.title, url=self.url)


class HazardControls(Model):
    """What may keep it from happening: in the design, in people's work, and by watching."""

    design: _Line
    workflow: _Line | None = None
    monitoring: _Line


class Hazard(Model):
    """One hazard.

    :ivar family: what goes wrong, in a few words; hazards of a family stand together.
    :ivar sequence, harmed: how it comes to harm, and whose.
    :ivar arises: to which products it can happen, in words, where ``applies`` (CEL of product scope) says it; without
        both it can happen to any.
    :ivar contract: the fields of the contract that say what is done against it.
    :ivar rules, patterns: what is judged of it: a gap, or a pattern that holds, leaves it open.
    :ivar observation: the test or observation that shows whether the controls work, in words.
    :ivar tests: tests of an exported contract that try it: ``tests/test_failures.py::test_…[truncated]``.
    :ivar checks: checks of a probe that look at it.
    :ivar sources: names in ``sources.yaml`` beside the hazards.
    :ivar judgement: what of it nobody else has written, in words; required without a source.
    """

    id: HazardId
    title: _Name
    family: _Name
    sequence: _Line
    harmed: _Name
    severity: HazardSeverity
    detectability: Detectability
    arises: _Line | None = None
    applies: Annotated[str, Field(max_length=2_000)] | None = None
    controls: HazardControls
    contract: tuple[ContractPath, ...] = ()
    rules: tuple[RuleId, ...] = ()
    patterns: tuple[str, ...] = ()
    observation: _Line
    tests: tuple[_Line, ...] = ()
    checks: tuple[_Name, ...] = ()
    sources: tuple[_Name, ...] = ()
    judgement: _Line | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.arises is None) is not (self.applies is None):
            raise ValueError("arises says in words what applies says in CEL: write both, or neither")
        if not self.sources and self.judgement is None:
            raise ValueError("a hazard without sources says in judgement that it is ours")
        if not self.contract and not self.rules:
            raise ValueError(
                "name the contract's fields or the rules that hold it: without both it is never controlled"
            )
        return self


class HazardFigures(Model):
    """A team's own figures of one hazard, in place of ours: whose, since when and why."""

    severity: HazardSeverity | None = None
    detectability: Detectability | None = None
    by: _Name
    date: IsoDay
    reason: _Line | None = None

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.severity is None and self.detectability is None:
            raise ValueError("write severity (1 to 5), detectability (high, medium, low, very_low), or both")
        return self


class HazardFile(Versioned):
    """``hazards.yaml`` of a workspace: the figures that the team sets itself."""

    hazards: Annotated[dict[HazardId, HazardFigures], Field(max_length=MAX_FIGURES)] = {}


HazardStatus = Literal["open", "not_known", "controlled", "does_not_arise"]


class HazardControl(Model):
    """One thing that holds a hazard, and how far it does.

    :ivar kind: a rule, a pattern, or a field of the contract; ``id`` is its id, or the field's path.
    :ivar outcome: ``held``, ``open``, ``not_known``, or ``not_applicable`` where somebody said so with a reason.
    :ivar says: the rule's or pattern's title; of a field what it says, or whose elements lack it.
    :ivar at: where it is open, or not known where it is open nowhere: organisations' ids; empty for the product.
    :ivar evidence: the weakest that it holds by; none unless it holds.
    """

    kind: Literal["rule", "pattern", "contract"]
    id: str
    outcome: Literal["held", "open", "not_known", "not_applicable"]
    says: str = ""
    at: tuple[str, ...] = ()
    evidence: Evidence | None = None


class HazardState(Model):
    """One hazard at one product: whether it can arise, what holds it and what does not.

    :ivar hazard: as the content has it; ``severity`` and ``detectability`` here are the team's where it set them.
    :ivar figures: the team's own figures; none where they are ours.
    :ivar applies: whether it can arise here; none while that is not known.
    :ivar because: why it does not arise, or why that is not known.
    """

    hazard: Hazard
    status: HazardStatus = Field(validation_alias=AliasChoices("status", "standing"))  # as it was once called
    severity: HazardSeverity
    detectability: Detectability
    figures: HazardFigures | None = None
    applies: bool | None = True
    because: str = ""
    controls: tuple[HazardControl, ...] = ()
    sources: tuple[HazardSource, ...] = ()

    def of(self, outcome: str) -> tuple[HazardControl, ...]:
        """Its controls with this outcome."""
        return tuple(control for control in self.controls if control.outcome == outcome)

    @property
    def evidence(self) -> Evidence | None:
        """The weakest evidence that holds it; none where nothing does."""
        held = [control.evidence for control in self.of("held") if control.evidence is not None]
        return min(held, key=lambda evidence: evidence.rank, default=None)
