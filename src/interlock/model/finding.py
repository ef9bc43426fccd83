"""What a rule concluded about one subject."""

from __future__ import annotations

from typing import NamedTuple

from interlock.model.base import Evidence, Model, RuleOutcome, Scope


class Subject(Model):
    """The product (``id`` empty), a vendor, or an organisation: whom a finding is about."""

    scope: Scope
    id: str = ""

    def __str__(self) -> str:
        if self.scope is Scope.PRODUCT:
            return "product"
        return f"vendor:{self.id}" if self.scope is Scope.VENDOR else self.id


PRODUCT = Subject(scope=Scope.PRODUCT)


class Conclusion(NamedTuple):
    """A rule's conclusion without its subject: the same for all subjects with the same facts and answers.

    The fields are those of :class:`Finding`.
    """

    outcome: RuleOutcome
    value: float | None = None
    evidence: Evidence | None = None
    missing_answers: tuple[str, ...] = ()
    missing_facts: tuple[str, ...] = ()
    detail: str | None = None


class Finding(Model):
    """One rule, one subject, one outcome. The rule's own texts stay with the rule.

    :ivar key: ``AUTH-003`` for the product, ``AUTH-003@vendor:epic``, ``AUTH-003@riverside``.
    :ivar message: the rule's message with its fields filled in.
    :ivar value: v in [0, 1] when decided (met or gap), else none.
    :ivar evidence: what the decision rests on; none while undecided.
    :ivar reads: dotted names that the condition reads (``responses.auth.jwks``, ``probe.smart``).
    :ivar missing_answers: item ids whose answer would help to decide.
    :ivar missing_facts: dotted probe names that were not observed.
    :ivar detail: why it is undecided, not applicable, or in error; for a person.
    """

    key: str
    rule: str
    subject: Subject
    outcome: RuleOutcome
    message: str
    value: float | None = None
    evidence: Evidence | None = None
    reads: tuple[str, ...] = ()
    missing_answers: tuple[str, ...] = ()
    missing_facts: tuple[str, ...] = ()
    detail: str | None = None


class Contradiction(Model):
    """An answer that an observation contradicts: both sides, and never a silent replacement."""

    item: str
    org: str | None
    answered: str
    observed: str
    evidence: str


def finding_key(rule: str, subject: Subject) -> str:
    """The finding's key: the rule's id, with ``@subject`` outside product scope."""
    return rule if subject.scope is Scope.PRODUCT else f"{rule}@{subject}"
