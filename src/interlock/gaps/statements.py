"""The words of a finding: what it says about its subject, and what is missing while it is not decided."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.documents.text import plain
from interlock.model import words
from interlock.model.base import RuleOutcome
from interlock.model.finding import Finding


def listed(names: Sequence[str], limit: int = 3) -> str:
    """``A``, ``A and B``, ``A, B, C and 2 more``, of names that somebody else may have chosen."""
    return words.listed([plain(name, 120) for name in names], limit)


def statement(finding: Finding) -> str:
    """What a finding says about its subject: the rule's message for a gap, what is missing while undecided.

    The rule's message claims a gap. An unknown is never "no", so an undecided finding is never shown with it.
    """
    if finding.outcome not in {RuleOutcome.UNKNOWN, RuleOutcome.ERROR}:
        return plain(finding.message, 500)
    prefix = "could not be evaluated" if finding.outcome is RuleOutcome.ERROR else "not decided yet"
    return f"{prefix}; {plain(finding.detail, 400) if finding.detail else _what_is_missing(finding)}"


def _what_is_missing(finding: Finding) -> str:
    lacking = []
    if finding.missing_answers:
        lacking.append(f"no answer to {listed(finding.missing_answers)}")
    if finding.missing_facts:
        lacking.append(f"{listed(finding.missing_facts)} not observed")
    return " and ".join(lacking) or "what it reads is not known"


def first_sentence(text: str) -> str:
    """The first sentence of a longer text, with its full stop; at most 240 characters."""
    sentence, stop, _ = plain(text, 2_000).partition(". ")
    return plain(sentence + ("." if stop else ""), 240)
