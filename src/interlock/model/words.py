"""Every label and form of words that a person reads: what a value is called, and how numbers, lists and dates are said.

The terminal, the screens and the reports style these words and never choose others. Ids stand beside them. A report
in another language has them in that language (:mod:`interlock.model.language`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from interlock.model.base import (
    CheckOutcome,
    Evidence,
    EvidenceKind,
    GapClass,
    Gate,
    Grade,
    Owner,
    ProductKind,
    Recommendation,
    RuleOutcome,
    Severity,
    Status,
    TaskState,
    VerdictValue,
)
from interlock.model.language import N_, NN_, Said, _, current, ngettext


def capital(text: str) -> str:
    """The first letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Word:
    """What one value is called inside a sentence, and the one-cell glyph that may stand beside the word.

    :ivar title_in_english: the label before it is translated.
    """

    english: str
    glyph: str = ""
    title_in_english: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title_in_english", capital(self.english.removeprefix("the ")))

    @property
    def phrase(self) -> str:
        """The word as it stands in a sentence."""
        return _(self.english)

    @property
    def title(self) -> str:
        """The same as a label, without its article: ``Map the auth surface``, ``Product team``."""
        return _(self.title_in_english)


VERDICT: Mapping[VerdictValue, Word] = {
    VerdictValue.PRODUCT_FIRST: Word("product first"),
    VerdictValue.PROVE_OUTSIDE_EHR: Word("prove it outside the EHR"),
    VerdictValue.DEFINE_CONTRACT: Word("define the contract"),
    VerdictValue.MAP_AUTH: Word("map the auth surface"),
    VerdictValue.INTEGRATE: Word("integrate"),
}
RECOMMENDATION: Mapping[Recommendation, Word] = {
    Recommendation.START: Word("start"),
    Recommendation.WAIT_FOR: Word("wait for others"),
    Recommendation.MAP_FIRST: Word("map first"),
    Recommendation.NOT_YET: Word("not yet"),
    Recommendation.COULD_NOT_LOOK: Word("could not look"),
}
SEVERITY: Mapping[Severity, Word] = {
    Severity.CRITICAL: Word("critical", "◆"),
    Severity.HIGH: Word("high", "▲"),
    Severity.MEDIUM: Word("medium", "■"),
    Severity.LOW: Word("low", "▪"),
}
GAP_CLASS: Mapping[GapClass, Word] = {
    GapClass.PRODUCT_BLOCKER: Word("product blocker"),
    GapClass.INTEGRATION_BLOCKER: Word("integration blocker"),
    GapClass.GAP: Word("gap"),
    GapClass.ADVICE: Word("advice"),
}
GATE: Mapping[Gate, Word] = {
    Gate.DESIGN: Word("design"),
    Gate.SANDBOX: Word("sandbox"),
    Gate.PILOT: Word("pilot"),
    Gate.PRODUCTION: Word("production"),
}
STATUS: Mapping[Status, Word] = {
    Status.ANSWERED: Word("answered", "●"),
    Status.UNKNOWN: Word("unknown", "?"),
    Status.NOT_APPLICABLE: Word("not applicable", "–"),
    Status.UNANSWERED: Word("not answered", "○"),
}
CHECK: Mapping[CheckOutcome, Word] = {
    CheckOutcome.PASS: Word("pass", "✓"),
    CheckOutcome.WARN: Word("warning", "!"),
    CheckOutcome.FAIL: Word("fail", "✗"),
    CheckOutcome.ERROR: Word("error", "✗"),
    CheckOutcome.NOT_OBSERVED: Word("not observed", "○"),
    CheckOutcome.NOT_APPLICABLE: Word("not applicable", "–"),
}
RULE: Mapping[RuleOutcome, Word] = {
    RuleOutcome.MET: Word("met", "✓"),
    RuleOutcome.GAP: Word("open", "✗"),
    RuleOutcome.UNKNOWN: Word("undecided", "?"),
    RuleOutcome.NOT_APPLICABLE: Word("not applicable", "–"),
    RuleOutcome.ERROR: Word("could not be evaluated", "?"),
}
#: What was seen of an organisation.
OBSERVED: Mapping[str, Word] = {
    "observed": Word("observed", "●"),
    "partial": Word("partly observed", "◐"),
    "not_observed": Word("not observed", "○"),
    "never_probed": Word("never probed", "·"),
}
#: How one need of the contract fits an organisation.
FIT: Mapping[str, Word] = {
    "supported": Word("supported", "✓"),
    "missing": Word("missing", "✗"),
    "undeclared": Word("undeclared", "~"),
    "restricted": Word("listed with a restriction", "◐"),
    "not_fhir": Word("no FHIR name", "!"),
    "not_observed": Word("not observed", "?"),
}
#: What a check of a rehearsal showed.
REHEARSAL: Mapping[str, Word] = {
    "held": Word("held", "✓"),
    "broke": Word("broke", "✗"),
    "not_reached": Word("not reached", "?"),
    "needs_hook": Word("needs you", "+"),
    "not_applicable": Word("does not apply", "–"),
    "inconclusive": Word("inconclusive", "~"),
}
#: The same with a number of checks: of one, of several.
REHEARSAL_COUNTED: Mapping[str, tuple[str, str]] = {
    "broke": NN_("%(number)s broke", "%(number)s broke"),
    "not_reached": NN_("%(number)s was not reached", "%(number)s were not reached"),
    "needs_hook": NN_("%(number)s needs you", "%(number)s need you"),
    "not_applicable": NN_("%(number)s does not apply", "%(number)s do not apply"),
    "inconclusive": NN_("%(number)s is inconclusive", "%(number)s are inconclusive"),
}
#: What each family of a rehearsal's checks looks at.
REHEARSAL_FAMILY: Mapping[str, Word] = {
    "launch": Word("launch"),
    "authorization-request": Word("authorization request"),
    "callback": Word("the answer to it"),
    "token-request": Word("token request"),
    "token-answer": Word("the answer to that"),
    "fhir": Word("reading FHIR"),
    "writes": Word("writing FHIR"),
    "sessions": Word("sessions"),
    "endpoints": Word("the product's endpoints"),
    "redirects": Word("return addresses"),
    "backend": Word("backend services"),
    "logs": Word("logs"),
}
#: What a check of a rehearsal needs.
REHEARSAL_MEANS: Mapping[str, str] = Said(
    {
        "http": "plain HTTP",
        "browser": "a browser with scripts",
        "hook": "a hook of yours",
        "person": "a person who looks",
    }
)
#: How far a hazard, or one control of it, holds.
HAZARD: Mapping[str, Word] = {
    "open": Word("open", "✗"),
    "not_known": Word("not known", "?"),
    "controlled": Word("controlled", "✓"),
    "does_not_arise": Word("does not arise", "–"),
    "held": Word("holds", "✓"),
    "not_applicable": Word("not applicable", "–"),
}
#: How bad what a hazard leads to may be.
HARM: Mapping[int, str] = Said(
    {
        1: "no harm",
        2: "minor harm",
        3: "short harm or loss of trust",
        4: "serious harm",
        5: "death or lasting harm",
    }
)
#: What a hazard's control holds by.
HELD: Mapping[Evidence, str] = Said(
    {
        Evidence.ASSERTED: "on the team’s word",
        Evidence.DOCUMENTED: "as documented",
        Evidence.OBSERVED: "as observed",
    }
)
#: A file that is generated where people may edit it.
GENERATED: Mapping[str, str] = Said(
    {
        "new": "not there yet",
        "renewed": "older than the contract",
        "same": "up to date",
        "kept": "edited since, and kept",
        "beside": "the one beside it was edited, and kept",
        "orphan": "no longer generated; remove it if nobody needs it",
    }
)
#: A setting of the workflow contract at one organisation.
SETTING: Mapping[str, Word] = {
    "missing": Word("without a value", "✗"),
    "mistyped": Word("of another type", "✗"),
    "unknown": Word("not in the contract", "✗"),
    "universal": Word("the same everywhere by the contract, and set here", "✗"),
    "defaulted": Word("only the default", "~"),
    "own": Word("set here", "✓"),
    "default": Word("the default, everywhere", "✓"),
}
#: What each type of a setting wants.
SETTING_TYPE: Mapping[str, str] = Said(
    {
        "boolean": "true or false",
        "integer": "a whole number",
        "number": "a number",
        "string": "a text (numbers in quotes)",
        "list": "a list of texts (numbers in quotes)",
        "url": "an address with scheme and host",
    }
)
#: How much a way in (a launch mode) is shown by what an organisation publishes; nothing of it was tried.
AUTH_PATH: Mapping[str, Word] = {
    "possible": Word("declared", "✓"),
    "not_offered": Word("not listed", "✗"),
    "cannot_tell": Word("unknown", "?"),
}
_UNWRITTEN = (
    ", so what rests on it is unknown. It says what starts the product, what it reads and writes, and what happens "
    "when something fails: write it in an editor, beside the answers (interlock contract lint says what is open)."
)
#: Why rules that read the contract are unknown, by whether there is a file; what it is for, and how it is filled.
UNWRITTEN_CONTRACT: Mapping[bool, str] = {
    True: f"contract.yaml still holds only what init wrote{_UNWRITTEN}",
    False: f"There is no contract.yaml (interlock init writes one with examples into a new folder){_UNWRITTEN}",
}
#: What a change between two observations means for the contract, the most important first.
DRIFT: Mapping[str, Word] = {
    "contract_broken": Word("breaks contract", "✗"),
    "contract_changed": Word("contract uses it", "!"),
    "removed": Word("gone or worse", "–"),
    "changed": Word("changed", "~"),
    "added": Word("new or better", "+"),
}
PRODUCT_KIND: Mapping[ProductKind, Word] = {
    ProductKind.CHART_APP: Word("an app in the chart"),
    ProductKind.VIEWER: Word("a viewer of images, waveforms or documents"),
    ProductKind.BACKEND_SERVICE: Word("a back-end service without a screen of its own"),
    ProductKind.PATIENT_APP: Word("an app for patients"),
    ProductKind.STAFF_APP: Word("an app for staff outside the chart"),
}
EVIDENCE: Mapping[Evidence, Word] = {
    Evidence.ASSERTED: Word("asserted"),
    Evidence.DOCUMENTED: Word("documented"),
    Evidence.OBSERVED: Word("observed"),
}
EVIDENCE_KIND: Mapping[EvidenceKind, Word] = {
    EvidenceKind.DOCUMENT: Word("document"),
    EvidenceKind.TEST_REPORT: Word("test report"),
    EvidenceKind.AGREEMENT: Word("agreement"),
    EvidenceKind.CONFIGURATION: Word("configuration"),
    EvidenceKind.RECORDING: Word("recording"),
    EvidenceKind.TICKET: Word("ticket"),
}
#: What each kind of evidence means, for the person who chooses one.
EVIDENCE_MEANS: Mapping[Evidence, str] = Said(
    {
        Evidence.ASSERTED: "we say so",
        Evidence.DOCUMENTED: "it is written down somewhere",
        Evidence.OBSERVED: "we saw it",
    }
)
OWNER: Mapping[Owner, Word] = {
    Owner.US: Word("the product team"),
    Owner.VENDOR: Word("the EHR vendor"),
    Owner.ORG: Word("the organisation"),
}
_PERSONS: Mapping[Owner, str] = {
    Owner.US: N_("%(number)s of the product team"),
    Owner.VENDOR: N_("%(number)s at each EHR vendor"),
    Owner.ORG: N_("%(number)s at each organisation"),
}
GRADE: Mapping[Grade, Word] = {
    Grade.REGULATION: Word("regulation"),
    Grade.VENDOR: Word("vendor documentation"),
    Grade.LITERATURE: Word("published literature"),
    Grade.HISTORY: Word("own history"),
    Grade.JUDGEMENT: Word("judgement"),
}
#: What makes a plan's range wide.
CAUSE: Mapping[str, Word] = {
    "unknowns": Word("whether what is unknown is a gap, and how long that takes"),
    "gaps": Word("how long known gaps take to close"),
    "discoveries": Word("how long answers take"),
    "evidence": Word("how long evidence takes"),
    "us": Word("how long routine tasks of the product team take"),
    "vendor": Word("how long routine tasks of EHR vendors take"),
    "org": Word("how long routine tasks of organisations take"),
}
#: What kind of work a task of the plan is.
TASK: Mapping[str, Word] = {
    "gap": Word("gap", "■"),
    "discovery": Word("to find out", "?"),
    "evidence": Word("evidence", "▪"),
    "routine": Word("routine task", "·"),
}
#: What passing a gate means for the people who wait for it.
GATE_MEANS: Mapping[Gate, str] = Said(
    {
        Gate.DESIGN: "what is to be built is settled on paper",
        Gate.SANDBOX: "the integration can be tried against this organisation's test environment",
        Gate.PILOT: "the pilot unit has begun to use it on patients",
        Gate.PRODUCTION: "every unit that is to use it does",
    }
)
_TO_BE: Mapping[Evidence, str] = {
    Evidence.ASSERTED: N_("%(number)s to be asserted"),
    Evidence.DOCUMENTED: N_("%(number)s to be documented"),
    Evidence.OBSERVED: N_("%(number)s to be observed"),
}
#: What happens on the day on which a gate is passed, as the head of a column of dates.
GATE_DAY: Mapping[Gate, str] = Said(
    {
        Gate.DESIGN: "Settled on paper",
        Gate.SANDBOX: "Can be tried there",
        Gate.PILOT: "Pilot unit begins",
        Gate.PRODUCTION: "In use throughout",
    }
)
#: What begins at organisations at which it is not recommended to start, after a semicolon.
ELSEWHERE = N_(
    "elsewhere only asking, mapping, registration and the reviews that take lead time begin now, and nothing is built "
    "or launched before what is open there is closed"
)
#: How to read the tasks of the next weeks.
WEEKS_MEAN = N_(
    "“From” and “by” are no duration: from the day on which half of the simulated runs have begun it, or the first on "
    "which it can begin after the days that were stated; by the day that somebody stated, or else by which four of "
    "five runs have it done. The day to act on is the one after “by”. Each task stands in the week of its first day; "
    "what is under way stands in the first. “Before its turn” is no want of people: the list of our work keeps its "
    "order, and what is ready waits in it for some ten working days even where one of us is free. Person-days are "
    "means. What only a gap that is yet to be found would bring is left "
    "out. A bad answer to a question makes it a gap. A gap whose answer stays “no” is closed by a decision: the "
    "contract no longer needs it, or the organisation is left out."
)
#: How to read the list of first things.
FIRST_MEANS = N_(
    "First what the verdict (whether to integrate now) hangs on, if anything does, then what saves most working days "
    "for a day of work (for anything at least a quarter of a day is reckoned). What one saves are the working days "
    "that come off the day by which four of five simulated runs are through (the P80), added up over the organisations "
    "that it moves. They are told as if it were done already, which is the most that hurrying it can bring. Each is "
    "judged with all above it done, so a number may be larger further down. Where no days of "
    "work are told, others do the work and only the waiting is estimated."
)
#: How to read the rule for a launch.
GO_MEANS = N_("The pilot unit begins only if all of this holds on the day:")
#: How to read the list of unknowns.
UNKNOWNS_MEAN = N_("The days that a bad answer adds are added up over the organisations that it moves, as above.")
#: How far a routine task has come.
TASK_STATE: Mapping[TaskState, Word] = {
    TaskState.NOT_BEGUN: Word("not begun", "○"),
    TaskState.BEGUN: Word("begun", "◐"),
    TaskState.DONE: Word("done", "●"),
}
#: What the rules of a family are about, in the order of the questionnaires.
AREA: Mapping[str, str] = Said(
    {
        "BND": "Product or integration",
        "WF": "Workflow contract",
        "AUTH": "Auth surface",
        "PROD": "Behaviour in production",
        "END": "The product’s own endpoints",
        "DEL": "Delivery and test path",
        "ORG": "Each organisation",
        "FIT": "Fit of the contract",
        "PRB": "What the endpoints showed",
    }
)
OTHER_AREA = N_("Rules of one vendor, and others")
_VENDORS = {
    "epic": "Epic",
    "oracle": "Oracle Health",
    "cerner": "Oracle Health",
    "meditech": "MEDITECH",
    "athena": "athenahealth",
    "athenahealth": "athenahealth",
    "other": N_("another vendor"),
}


def vendor(value: str) -> str:
    """A vendor's usual name; one that is not known is shown as it was written, each word with a capital."""
    return _(_VENDORS["other"]) if value == "other" else _VENDORS.get(value, value.replace("-", " ").title())


def area(rule_id: str) -> str:
    """What a rule is about, by its family."""
    family = rule_id.partition("-")[0]
    return AREA[family] if family in AREA else _(OTHER_AREA)


def verdict(earliest: VerdictValue, latest: VerdictValue) -> str:
    """``Integrate``; ``Not decided: product first … integrate`` while something undecided could change it."""
    if earliest is latest:
        return verdict_label(earliest, latest)
    return _("Not decided: %(first)s … %(last)s", first=VERDICT[earliest].phrase, last=VERDICT[latest].phrase)


def verdict_label(earliest: VerdictValue, latest: VerdictValue) -> str:
    """``Integrate``, or ``Not decided``, above a headline that says between what."""
    return VERDICT[latest].title if earliest is latest else _("Not decided")


def stage(value: Gate | None) -> str:
    """The stage that an organisation has reached; before the first gate there is none."""
    return GATE[value].phrase if value else _("before design")


def met_up_to(value: Gate | None) -> str:
    """``requirements met up to the pilot gate``: a stage in full, where the word could be read as how far work is."""
    if value is None:
        return _("requirements of the %(gate)s open", gate=gate(Gate.DESIGN))
    return _("requirements met up to the %(gate)s", gate=gate(value))


def gate(value: Gate) -> str:
    """``sandbox gate``."""
    return _("%(name)s gate", name=GATE[value].phrase)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """``1 gap``, ``2 gaps``, ``1,200 gaps``."""
    return counted(number, f"%(number)s {singular}", f"%(number)s {plural or singular + 's'}")


def counted(value: int, singular: str, plural: str, /, **values: object) -> str:
    """A whole sentence in the form that goes with a number, which stands in it as ``%(number)s``."""
    return ngettext(singular, plural, value, number=number(value), **values)


def rehearsed(counts: Mapping[str, int]) -> str:
    """``18 of 24 checks held; 3 broke; 3 need you``: number of checks by outcome, in the order of the outcomes."""
    held, total = counts.get("held", 0), sum(counts.values())
    told = [counted(total, "%(held)s of %(number)s check held", "%(held)s of %(number)s checks held", held=held)]
    told += [counted(counts[name], *forms) for name, forms in REHEARSAL_COUNTED.items() if counts.get(name)]
    return "; ".join(told)


#: Where product.yaml names each hook of a rehearsal; the others have a key of their own.
_IN_ACTIONS = ("write", "withdraw", "job", "switch_off")


def hooks(missing: Mapping[str, int]) -> str:
    """``7 checks need you to name more in product.yaml: actions.write opens 4, log opens 3``; empty where none does."""
    if not missing:
        return ""
    opened = [
        _("%(key)s opens %(number)s", key=f"actions.{hook}" if hook in _IN_ACTIONS else hook, number=number(checks))
        for hook, checks in missing.items()
    ]
    return counted(
        sum(missing.values()),
        "%(number)s check needs you to name more in product.yaml: %(opened)s",
        "%(number)s checks need you to name more in product.yaml: %(opened)s",
        opened=", ".join(opened),
    )


def agree(number: int, singular: str, plural: str) -> str:
    """The form of a word that goes with a number: ``agree(2, "is", "are")`` is ``are``."""
    return ngettext(singular, plural, number)


def listed(names: Sequence[str], limit: int = 8, last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``; beyond ``limit`` the rest is counted: ``a, b and 3 more``.

    :param last: ``and`` or ``or``.
    """
    if len(names) > limit:
        return _("%(names)s and %(number)s more", names=", ".join(names[:limit]), number=number(len(names) - limit))
    if len(names) < 2:
        return "".join(names)
    first = ", ".join(names[:-1])
    if last == "or":
        return _("%(first)s or %(last)s", first=first, last=names[-1])
    return _("%(first)s and %(last)s", first=first, last=names[-1])


def and_others(name: str, others: int) -> str:
    """``Riverside Clinic``, or ``Riverside Clinic and 2 others``."""
    if not (name and others):
        return name
    return counted(others, "%(name)s and %(number)s other", "%(name)s and %(number)s others", name=name)


def in_the_way(open_: int, undecided: int, wanted: Mapping[Evidence, int]) -> str:
    """What keeps a gate from holding: ``2 open, 3 undecided and 5 to be observed``."""
    counts = [(open_, N_("%(number)s open")), (undecided, N_("%(number)s undecided"))]
    counts += [(count, _TO_BE[evidence]) for evidence, count in wanted.items()]
    return listed([_(phrase, number=number(count)) for count, phrase in counts if count])


def number(value: float) -> str:
    """At most one decimal, and none that is zero: ``12.5``, ``1,200``."""
    if not math.isfinite(value):
        return _("not known")
    rounded = round(value, 1)
    return current().decimal(rounded, 0 if rounded == int(rounded) else 1)


def share(value: float) -> str:
    """A share in [0, 1] as a percentage that never rounds a remainder away: ``35%``, ``under 1%``."""
    if not math.isfinite(value):
        return _("not known")
    if 0 < value < 0.01:
        return _("under %(share)s", share=_("%(number)s%%", number=1))
    if 0.99 < value < 1:
        return _("over %(share)s", share=_("%(number)s%%", number=99))
    return _("%(number)s%%", number=round(value * 100))


def interval(low: float, high: float) -> str:
    """``39 to 69``, or one number; a decimal where whole numbers would hide that the ends differ."""
    if round(high) > round(low):
        return between(f"{round(low)}", f"{round(high)}")
    if high - low > 0.05:
        return between(current().decimal(low, 1), current().decimal(high, 1))
    return f"{round(low)}"


def between(low: str, high: str) -> str:
    """From one value to another: ``3 to 30``."""
    return _("%(low)s to %(high)s", low=low, high=high)


def days(value: float) -> str:
    """``1 working day``, ``2.5 working days``; from ten on whole ones: nobody plans tenths of a day in weeks."""
    return measured(float(round(value)) if 10 <= abs(value) < math.inf else value, "working day")


def person_days(value: float) -> str:
    """``1 person-day``, ``2.5 person-days``."""
    return measured(value, "person-day")


def measured(value: float, unit: str) -> str:
    """An amount with its unit: ``1 day``, ``12.5 days``."""
    if not math.isfinite(value):
        return number(value)
    shown = round(value, 1)  # what is shown as 1 is one
    return ngettext(f"%(number)s {unit}", f"%(number)s {unit}s", shown, number=number(value))


def p80s(orgs: int) -> str:
    """What savings are measured in, the same everywhere: the P80 of one finish, or those of all organisations."""
    return _("the P80") if orgs < 2 else _("the organisations' P80s, added up")


def persons(value: float, owner: Owner) -> str:
    """``2 of the product team``, ``0.5 at each EHR vendor``: everybody but the team has people of his own."""
    return _(_PERSONS[owner], number=number(value))


def day(value: date) -> str:
    """``7 Mar 2028``."""
    return current().day(value)


def moment(value: datetime) -> str:
    """``7 Mar 2028, 14:03 UTC``."""
    there = value.astimezone(UTC) if value.tzinfo else value
    return _("%(day)s, %(time)s", day=day(there), time=f"{there:%H:%M}{' UTC' if value.tzinfo else ''}")


def span(first: str, last: str) -> str:
    """Two dates of our data as a range: ``7 Mar 2028 to 2 Jun 2028``; one where they are the same."""
    return iso_day(first) if first == last else between(iso_day(first), iso_day(last))


def months(first: str, last: str) -> str:
    """The months of two dates of our data: ``Mar to Jun 2028``, ``Dec 2027 to Jan 2028``, ``Mar 2028``."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    if (start.year, start.month) == (end.year, end.month):
        return month(end)
    return between(current().month(start, year=start.year != end.year), month(end))


def nothing_left(value: Gate) -> str:
    """What is said in the place of a date when a plan has no task left."""
    return _("Nothing is left to do before the %(gate)s, as far as is known.", gate=gate(value))


def month(value: date) -> str:
    """``Mar 2028``."""
    return current().month(value)


def iso_day(value: str) -> str:
    """A date of our data (``2028-03-07``) as prose; what is no date stays as it is."""
    try:
        return day(date.fromisoformat(value[:10]))
    except ValueError:
        return value


def sentence(text: str) -> str:
    """The text with a full stop, unless it already ends a sentence."""
    bare = text.rstrip()
    return bare if bare.rstrip("”")[-1:] in {"", *".!?…:"} else bare + "."


#: A note on the dates of a report for one organisation.
DATES_ALONE = (
    "For whom: these dates are computed for this organisation alone, as if the product team had nothing else to do. "
    "Other work of the team can only make them later."
)


def report_for(organization: str | None) -> str:
    """Who may read a report: one organisation, by its name, or the product team."""
    if organization:
        return _("%(organization)s alone", organization=organization)
    return _("All organisations: for the product team")
