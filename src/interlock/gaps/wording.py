"""Small pieces of plain English that several modules of this room need."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.documents.text import plain
from interlock.model.base import Gate, RuleOutcome, VerdictValue
from interlock.model.finding import Finding

VERDICT_WORDS = {
    VerdictValue.PRODUCT_FIRST: "product first",
    VerdictValue.PROVE_OUTSIDE_EHR: "prove it outside the EHR",
    VerdictValue.DEFINE_CONTRACT: "define the workflow contract",
    VerdictValue.MAP_AUTH: "map the auth surface",
    VerdictValue.INTEGRATE: "integrate",
}


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 gap``, ``3 gaps``, ``1,200 gaps``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], limit: int = 3) -> str:
    """``A``, ``A and B``, ``A, B and C``, ``A, B, C and 2 more``; empty for no names."""
    shown = [plain(name, 120) for name in names[:limit]]
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def gate_words(gate: Gate) -> str:
    """``sandbox gate``."""
    return f"{gate.value} gate"


def days(number: float) -> str:
    """``1 working day``, ``12.5 working days``."""
    return f"{number:,.1f}".removesuffix(".0") + (" working day" if number == 1 else " working days")


def first_sentence(text: str) -> str:
    """The first sentence of a longer text, with its full stop; at most 240 characters."""
    sentence, stop, _ = plain(text, 2_000).partition(". ")
    return plain(sentence + ("." if stop else ""), 240)


def statement(finding: Finding) -> str:
    """What a finding says about its subject: the rule's message for a gap, what is missing while undecided.

    The rule's message claims a gap. An unknown is never "no", so an undecided finding is never shown with it.
    """
    if finding.outcome not in {RuleOutcome.UNKNOWN, RuleOutcome.ERROR}:
        return plain(finding.message, 500)
    prefix = "could not be evaluated" if finding.outcome is RuleOutcome.ERROR else "not decided yet"
    return f"{prefix}; {plain(finding.detail, 400) if finding.detail else _what_is_missing(finding)}"


def _what_is_missing(finding: Finding) -> str:
    parts = []
    if finding.missing_answers:
        parts.append(f"no answer to {listed(finding.missing_answers)}")
    if finding.missing_facts:
        parts.append(f"{listed(finding.missing_facts)} not observed")
    return " and ".join(parts) or "what it reads is not known"
