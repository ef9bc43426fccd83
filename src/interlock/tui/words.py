"""The words and marks by which states are shown, so that every screen says the same thing the same way.

Every mark stands beside its word; a style only supports it.
"""

from __future__ import annotations

from typing import NamedTuple

from interlock.model.assessment import OrgStanding, Score
from interlock.model.base import CheckOutcome, Evidence, Gate, Owner, Severity, Status, VerdictValue

OK, WARN, BAD, DIM, PRIMARY, ACCENT = "$success", "$warning", "$error", "$text-muted", "$primary", "$accent"


class Mark(NamedTuple):
    """A one-cell glyph, the word for it and a style that names a theme's colour."""

    glyph: str
    word: str
    style: str


STATUS: dict[Status, Mark] = {
    Status.ANSWERED: Mark("●", "answered", OK),
    Status.UNKNOWN: Mark("?", "not known", WARN),
    Status.NOT_APPLICABLE: Mark("–", "does not apply", DIM),
    Status.UNANSWERED: Mark("○", "open", DIM),
}

OBSERVED: dict[str, Mark] = {
    "observed": Mark("●", "observed", OK),
    "partial": Mark("◐", "partly observed", WARN),
    "not_observed": Mark("○", "not observed", WARN),
    "never_probed": Mark("·", "never probed", DIM),
}

CHECKS: dict[CheckOutcome, Mark] = {
    CheckOutcome.PASS: Mark("✓", "pass", OK),
    CheckOutcome.WARN: Mark("!", "warning", WARN),
    CheckOutcome.FAIL: Mark("✗", "fail", BAD),
    CheckOutcome.ERROR: Mark("✗", "error", BAD),
    CheckOutcome.NOT_OBSERVED: Mark("○", "not observed", DIM),
    CheckOutcome.NOT_APPLICABLE: Mark("–", "does not apply", DIM),
}

SEVERITY: dict[Severity, Mark] = {
    Severity.CRITICAL: Mark("◆", "critical", BAD),
    Severity.HIGH: Mark("▲", "high", BAD),
    Severity.MEDIUM: Mark("■", "medium", WARN),
    Severity.LOW: Mark("▪", "low", DIM),
}

FIT: dict[str, Mark] = {
    "supported": Mark("✓", "supported", OK),
    "missing": Mark("✗", "missing", BAD),
    "undeclared": Mark("~", "undeclared", WARN),
    "not_observed": Mark("?", "not observed", DIM),
}

EVIDENCE: dict[Evidence, str] = {
    Evidence.ASSERTED: "asserted",
    Evidence.DOCUMENTED: "documented",
    Evidence.OBSERVED: "observed",
}

#: What each kind of evidence means, for the person who chooses one.
EVIDENCE_HELP: dict[Evidence, str] = {
    Evidence.ASSERTED: "we say so",
    Evidence.DOCUMENTED: "it is written down somewhere",
    Evidence.OBSERVED: "we saw it",
}

OWNER: dict[Owner, str] = {Owner.US: "us", Owner.VENDOR: "the vendor", Owner.ORG: "the organisation"}

VERDICT: dict[VerdictValue, str] = {
    VerdictValue.PRODUCT_FIRST: "Product first",
    VerdictValue.PROVE_OUTSIDE_EHR: "Prove it outside the EHR",
    VerdictValue.DEFINE_CONTRACT: "Define the contract",
    VerdictValue.MAP_AUTH: "Map the auth path",
    VerdictValue.INTEGRATE: "Integrate",
}


def own_verdict(standing: OrgStanding) -> str:
    """An organisation's own verdict, with a question mark when something undecided there argues for an earlier one."""
    return VERDICT[standing.verdict] + (" ?" if standing.verdict_provisional else "")


def stage_word(stage: Gate | None) -> str:
    """The stage's word; before the first gate there is none."""
    return stage.value if stage else "before design"


def stage_mark(stage: Gate | None) -> str:
    """Gates passed of the four, as four cells: ``■■□□``."""
    passed = 0 if stage is None else stage.rank + 1
    return "■" * passed + "□" * (len(Gate) - passed)


def stage_sentence(standing: OrgStanding) -> str:
    """The stage, and what it would be if the unknowns held: ``sandbox; pilot if the unknowns hold``."""
    best = standing.stage_if_unknowns_hold
    words = stage_word(standing.stage)
    return words if best == standing.stage else f"{words}; {stage_word(best)} if the unknowns hold"


def interval_words(score: Score) -> str:
    """``62 to 88``, or one number when nothing is unknown."""
    low, high = round(score.interval.low), round(score.interval.high)
    return f"{low}" if low == high else f"{low} to {high}"


def shorter(title: str) -> str:
    """A title of something to find out, without the words that its question mark says already."""
    short = title.removeprefix("Find out whether this holds: ")
    return title if short == title else f"Find out: {short}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 gap``, ``2 gaps``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
