"""Words and numbers of the report: one place where a value becomes what a person reads."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from interlock.documents.text import paragraph, plain
from interlock.model.base import GapClass, Gate, Grade, Owner, RuleOutcome, Scope, Severity, VerdictValue
from interlock.model.readiness import Interval, OrgReadiness, Verdict
from interlock.model.rule import Effort, LeadTime
from interlock.report.models import Mark

NAME_LIMIT = 120
MESSAGE_LIMIT = 600
#: A lone surrogate cannot be written as UTF-8, and the two noncharacters are not XML.
_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")

SEVERITY = {
    Severity.CRITICAL: Mark(symbol="◆", label="Critical", tone="bad"),
    Severity.HIGH: Mark(symbol="▲", label="High", tone="warn"),
    Severity.MEDIUM: Mark(symbol="●", label="Medium", tone="neutral"),
    Severity.LOW: Mark(symbol="○", label="Low", tone="neutral"),
}
GAP_CLASS = {
    GapClass.PRODUCT_BLOCKER: "Product blocker",
    GapClass.INTEGRATION_BLOCKER: "Integration blocker",
    GapClass.GAP: "Gap",
    GapClass.ADVICE: "Advice",
}
GATE = {Gate.DESIGN: "Design", Gate.SANDBOX: "Sandbox", Gate.PILOT: "Pilot", Gate.PRODUCTION: "Production"}
OWNER = {Owner.US: "Product team", Owner.VENDOR: "EHR vendor", Owner.ORG: "Organisation"}
SCOPE = {Scope.PRODUCT: "Product", Scope.VENDOR: "Per vendor", Scope.ORG: "Per organisation"}
VERDICT = {
    VerdictValue.PRODUCT_FIRST: "Product first",
    VerdictValue.PROVE_OUTSIDE_EHR: "Prove it outside the EHR first",
    VerdictValue.DEFINE_CONTRACT: "Define the workflow contract",
    VerdictValue.MAP_AUTH: "Map the auth surface",
    VerdictValue.INTEGRATE: "Integrate",
}
GRADE = {
    Grade.REGULATION: "Regulation",
    Grade.VENDOR: "Vendor documentation",
    Grade.LITERATURE: "Published literature",
    Grade.JUDGEMENT: "Judgement",
}
OUTCOME = {
    RuleOutcome.MET: Mark(symbol="✓", label="Met", tone="good"),
    RuleOutcome.GAP: Mark(symbol="✕", label="Open", tone="bad"),
    RuleOutcome.UNKNOWN: Mark(symbol="?", label="Undecided", tone="unknown"),
    RuleOutcome.NOT_APPLICABLE: Mark(symbol="·", label="Not applicable", tone="neutral"),
    RuleOutcome.ERROR: Mark(symbol="?", label="Could not be evaluated", tone="unknown"),
}
_VENDORS = {
    "epic": "Epic",
    "oracle": "Oracle Health",
    "cerner": "Oracle Health",
    "meditech": "MEDITECH",
    "athena": "athenahealth",
    "athenahealth": "athenahealth",
    "other": "Other vendor",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def own_verdict(readiness: OrgReadiness) -> str:
    """An organisation's own verdict; says when something undecided there argues for an earlier one."""
    return VERDICT[readiness.verdict] + (" (provisional)" if readiness.verdict_provisional else "")


def product_verdict(verdict: Verdict) -> str:
    """The product's verdict; says when something undecided argues for an earlier one."""
    return VERDICT[verdict.value] + (" (provisional)" if verdict.provisional else "")


def text(value: object, limit: int = MESSAGE_LIMIT) -> str:
    """One safe line (``documents.text.plain``) that every medium can encode."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", plain(value, limit))


def name(value: object) -> str:
    """A name or title: one line, at most :data:`NAME_LIMIT` characters."""
    return text(value, NAME_LIMIT)


def paragraphs(value: object | None, limit: int = 2000) -> tuple[str, ...]:
    """Paragraphs of a longer text, split at blank lines, each one line."""
    if value is None:
        return ()
    whole = _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", paragraph(value, limit))
    return tuple(plain(part, limit) for part in re.split(r"\n\s*\n", whole) if part.strip())


def vendor(value: str) -> str:
    """A vendor's usual name."""
    return _VENDORS.get(value, name(value.replace("-", " ").title()))


def anchor(*parts: str) -> str:
    """An element id: ASCII letters, digits and hyphens."""
    return "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part).strip("-").lower() for part in parts if part)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 gap``, ``2 gaps``, ``1,200 gaps``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def listing(words: Sequence[str], limit: int = 8) -> str:
    """``a, b and c``; beyond ``limit`` the rest is counted, never silently dropped."""
    shown = list(words[:limit])
    if len(words) > limit:
        return f"{', '.join(shown)} and {len(words) - limit} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def share(value: float) -> str:
    """A share in [0, 1] as a percentage that never rounds a remainder away."""
    if not math.isfinite(value):
        return "not known"
    if 0 < value < 0.01:
        return "under 1%"
    if 0.99 < value < 1:
        return "over 99%"
    return f"{round(value * 100)}%"


def number(value: float) -> str:
    """At most one decimal, and none that is zero."""
    if not math.isfinite(value):
        return "not known"
    rounded = round(value, 1)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"


def interval(value: Interval) -> str:
    """``39–69``; one decimal where whole numbers would hide that the ends differ."""
    low, high = round(value.low), round(value.high)
    if high > low:
        return f"{low}–{high}"
    if value.high - value.low > 0.05:
        return f"{value.low:.1f}–{value.high:.1f}"
    return f"{low}"


def days(value: float) -> str:
    """Working days, rounded up: a finish is never shown early."""
    if not math.isfinite(value):
        return "not known"
    whole = math.ceil(round(value, 6))
    return count(whole, "working day")


def effort(value: Effort | None, *, unit: bool = True) -> str:
    """``2 person-days (1–5)``, or ``2 (1–5)`` under a heading that names the unit."""
    if value is None:
        return "none estimated" if unit else "–"
    word = "" if not unit else " person-day" if value.expected == 1 else " person-days"
    return f"{number(value.expected)}{word} ({number(value.low)}–{number(value.high)})"


def lead_time(value: LeadTime | None, *, spread: bool = True) -> str:
    """``10 days (3–30)``, or without the range."""
    if value is None:
        return "none"
    unit = "working day" if value.unit == "working_days" else "day"
    expected = f"{number(value.expected)} {unit}{'' if value.expected == 1 else 's'}"
    return f"{expected} ({number(value.low)}–{number(value.high)})" if spread else expected


def spread(value: LeadTime) -> str:
    """``3–30``: the lowest and the highest estimate."""
    return f"{number(value.low)}–{number(value.high)}"


def parse_day(value: str | None) -> date | None:
    """The calendar date at the start of an ISO 8601 string, or none."""
    try:
        return date.fromisoformat((value or "")[:10])
    except ValueError:
        return None


def day(value: str | None) -> str:
    """``12 Mar 2026``; text that is no date is shown as it is."""
    parsed = parse_day(value)
    return f"{parsed.day} {_MONTHS[parsed.month - 1]} {parsed.year}" if parsed else text(value or "", 40)


def moment(value: str | None) -> str:
    """``12 Mar 2026, 14:03 UTC``, or the date alone when no time was given."""
    if not value or "T" not in value or parse_day(value) is None:
        return day(value)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return text(value, 40)
    zone = parsed.strftime("%Z") if parsed.tzinfo else ""
    return f"{day(value)}, {parsed:%H:%M} {zone}".rstrip()


def month(value: date) -> str:
    """``Mar 2026``."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def sentence(value: str) -> str:
    """Ends with a full stop unless it already ends a sentence."""
    stripped = value.rstrip()
    return stripped if not stripped or stripped[-1] in ".!?…:" else stripped + "."


def capital(value: str) -> str:
    """First letter in upper case, the rest as it is."""
    return value[:1].upper() + value[1:]


def without_lead(message: str, lead: str) -> str:
    """A message that starts with "Name: " without it, for places that already name the subject."""
    cut = message.removeprefix(f"{lead}: ")
    return capital(cut) if cut.strip() else message


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order of first appearance."""
    return tuple(dict.fromkeys(values))
