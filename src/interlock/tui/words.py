"""The words and marks by which states are shown, so that every screen says the same thing the same way.

Every mark stands beside its word; a style only supports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from interlock.model.base import CheckOutcome, Evidence, Gate, Owner, Severity, Status, VerdictValue
from interlock.model.readiness import Interval, OrgReadiness, Score

if TYPE_CHECKING:
    from interlock.usecases.next import NextQuestion

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


def own_verdict(readiness: OrgReadiness) -> str:
    """An organisation's own verdict, with a question mark when something undecided there argues for an earlier one."""
    return VERDICT[readiness.verdict] + (" ?" if readiness.verdict_provisional else "")


def stage_word(stage: Gate | None) -> str:
    """The stage's word; before the first gate there is none."""
    return stage.value if stage else "before design"


def stage_mark(stage: Gate | None) -> str:
    """Gates passed of the four, as four cells: ``■■□□``."""
    passed = 0 if stage is None else stage.rank + 1
    return "■" * passed + "□" * (len(Gate) - passed)


def stage_sentence(readiness: OrgReadiness) -> str:
    """The stage, and what it would be if the unknowns held: ``sandbox; pilot if the unknowns hold``."""
    best = readiness.stage_if_unknowns_hold
    words = stage_word(readiness.stage)
    return words if best == readiness.stage else f"{words}; {stage_word(best)} if the unknowns hold"


def interval_words(score: Score) -> str:
    """``62 to 88``, or one number when nothing is unknown."""
    return interval_text(score.interval)


def interval_text(interval: Interval) -> str:
    """The same of an interval alone."""
    low, high = round(interval.low), round(interval.high)
    return f"{low}" if low == high else f"{low} to {high}"


def worth_words(question: NextQuestion, names: Mapping[str, str]) -> str:
    """Why a question is worth answering: ``decides the sandbox gate of Harborview; settles 3.7 points``."""
    gates: dict[Gate, list[str]] = {}
    for stake in question.gates:
        gates.setdefault(stake.gate, []).append(names.get(stake.org, stake.org))
    parts = [
        f"decides the {gate.value} gate of {orgs[0] if len(orgs) == 1 else counted(len(orgs), 'organisation')}"
        for gate, orgs in gates.items()
    ]
    if round(question.points, 1):
        parts.append(f"settles {question.points:.1f} {'point' if question.points == 1 else 'points'}")
    if question.rules:
        waiting = "1 rule waits" if len(question.rules) == 1 else f"{len(question.rules)} rules wait"
        parts.append(f"{waiting} for it")
    return "; ".join(parts) or "no rule waits for it"


def shorter(title: str) -> str:
    """A title of something to find out, without the words that its question mark says already."""
    short = title.removeprefix("Find out whether this holds: ")
    return title if short == title else f"Find out: {short}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 gap``, ``2 gaps``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
