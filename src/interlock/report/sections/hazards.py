"""Hazards: what may happen to a patient, what controls it, and which test would show that it does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from interlock.model import words
from interlock.model.hazard import Detectability, HazardControl, HazardState, HazardStatus
from interlock.model.language import N_, _
from interlock.report import safe
from interlock.report.elements import Link, Mark, Shown, Tone
from interlock.report.sections.context import UNDECIDED, Context, Section
from interlock.report.sections.summary import question

#: Open and unknown hazards that a brief report has a row for.
BRIEF_ROWS = 24
#: Organisations and answers that are named of one control.
_NAMED, _ANSWERS = 4, 3
_GRAVEST = 5
_TONES: Mapping[str, Tone] = {
    "open": "bad",
    "not_known": "unknown",
    "controlled": "good",
    "held": "good",
    "does_not_arise": "neutral",
    "not_applicable": "neutral",
}
JUDGEMENT = N_(
    "Severity and detectability are before controls and are judgement, Interlock’s own unless somebody is named. There "
    "is no likelihood, which is measured at each organisation, and no residual risk, which is the safety officer’s."
)
_CONTROLLED = N_(
    "Controlled says that each control is decided, and on what evidence; whether it works, its test tells."
)


def build_hazards(context: Context) -> Shown:
    """Every hazard of the catalogue, open ones first; in a brief report those open or unknown, and the rest counted."""
    states = context.assessment.hazards
    status = Counter(state.status for state in states)
    told = [state for state in states if state.status in {"open", "not_known"}]
    controlled = [state for state in states if state.status == "controlled"]
    return {
        "lead": _lead(states, status),
        "hidden": _hidden(hidden := _gravest(states)),
        "hidden_at": tuple(
            Link(label=state.hazard.id, anchor=context.leads("hazards", safe.anchor("hazard", state.hazard.id)))
            for state in hidden
        ),
        "notes": tuple(
            filter(
                None,
                (
                    _(JUDGEMENT),
                    _(_CONTROLLED),
                    "" if context.brief else _("The figures that somebody of the team has set are in hazards.yaml."),
                    "" if context.brief else _read(*told, *controlled),
                ),
            )
        ),
        "brief": context.brief,
        "groups": tuple(_groups(context, told[:BRIEF_ROWS])) if context.brief else (),
        "rest": _rest(context, told, controlled),
        "entries": () if context.brief else tuple(_entry(context, state) for state in told),
        "controlled": () if context.brief else tuple(_entry(context, state) for state in controlled),
        "absent": () if context.brief else _absent(states),
    }


def _lead(states: Sequence[HazardState], status: Counter[HazardStatus]) -> str:
    if not states:
        return _("This assessment was made without a catalogue of hazards.")
    absent = status["does_not_arise"]
    own = sum(state.figures is not None for state in states)
    lead = words.counted(
        status["open"],
        "Of %(hazards)s of an AI product in an EHR, %(number)s is open, %(not_known)s not known and "
        "%(controlled)s controlled%(absent)s.",
        "Of %(hazards)s of an AI product in an EHR, %(number)s are open, %(not_known)s not known and "
        "%(controlled)s controlled%(absent)s.",
        hazards=words.count(len(states), "hazard"),
        not_known=words.number(status["not_known"]),
        controlled=words.number(status["controlled"]),
        absent=f"; {_('%(number)s cannot arise here', number=words.number(absent))}" if absent else "",
    )
    if not own:
        return lead
    return f"{lead} {_('The team set the figures of %(number)s of them.', number=words.number(own))}"


def _gravest(states: Sequence[HazardState]) -> list[HazardState]:
    """Those that may kill and that nobody notices without a control: where an alarm or a drill is worth most."""
    return [
        state
        for state in states
        if state.severity == _GRAVEST and state.detectability is Detectability.VERY_LOW and state.applies is not False
    ]


def _hidden(gravest: Sequence[HazardState]) -> str:
    worst = "; ".join(safe.name(state.hazard.title) for state in gravest)
    if not worst:
        return ""
    return _("Gravest, and hardest to notice: %(worst)s. An alarm or a drill for these comes first.", worst=worst)


def _rest(context: Context, told: Sequence[HazardState], controlled: Sequence[HazardState]) -> str:
    """What a brief report counts instead of telling it."""
    if not context.brief:
        return ""
    grades = Counter(state.evidence for state in controlled)
    by = [f"{number:,} {words.HELD[grade]}" for grade, number in grades.most_common() if grade is not None]
    parts = (
        [_("%(told)s more are open or not known.", told=words.number(len(told) - BRIEF_ROWS))]
        if len(told) > BRIEF_ROWS
        else []
    )
    if controlled:
        parts.append(_("Of those controlled, by the weakest of what holds each: %(by)s.", by=words.listed(by, 3)))
    return " ".join(
        [*parts, _("The HTML and Markdown reports and the workbook have each with its controls and tests.")]
    )


def _groups(context: Context, told: Sequence[HazardState]) -> Iterator[Shown]:
    """Hazards by how bad they are, those of which the same is missing in one row."""
    by_harm: dict[int, dict[str, list[HazardState]]] = defaultdict(lambda: defaultdict(list))
    for state in told:
        missing = state.of("open") or state.of("not_known")
        lines = [_missing(context, control) for control in missing] or [_because(state)]
        more = [_("And %(number)s more.", number=words.number(len(lines) - 1))] if len(lines) > 1 else []
        by_harm[state.severity][" ".join([lines[0], *more])].append(state)
    for severity, rows in sorted(by_harm.items(), reverse=True):
        yield {
            "harm": words.capital(words.HARM[severity]),
            "rows": tuple(
                {
                    "marks": tuple(
                        (_mark(state.status), safe.name(state.hazard.title), safe.anchor("hazard", state.hazard.id))
                        for state in states
                    ),
                    "missing": missing,
                }
                for missing, states in rows.items()
            ),
        }


def _missing(context: Context, control: HazardControl) -> str:
    """What a control lacks, in one line of words."""
    line = _line(context, control)
    where = words.listed([link.label for link in line["where"]], 2)
    return f"{line['text'].removesuffix('.')}: {where}." if where else line["text"]


def _entry(context: Context, state: HazardState) -> Shown:
    hazard = state.hazard
    own, open_at = state.figures, [org for control in state.controls for org in control.at]
    return {
        "anchor": safe.anchor("hazard", hazard.id),
        "id": hazard.id,
        "title": safe.name(hazard.title),
        "family": words.capital(safe.text(hazard.family)),
        "status": _mark(state.status),
        "evidence": words.HELD[state.evidence] if state.status == "controlled" and state.evidence else "",
        "because": _because(state),
        "sequence": words.sentence(safe.text(hazard.sequence)),
        "harmed": words.sentence(safe.text(hazard.harmed)),
        "rank": state.severity,
        "harm": words.HARM[state.severity],
        "detectability": state.detectability.value.replace("_", " "),
        "figures": _("set by %(by)s, %(date)s", by=safe.text(own.by, 120), date=safe.day(own.date))
        if own
        else _("judgement of Interlock"),
        "set": own is not None,
        "reason": words.sentence(safe.text(own.reason, 400)) if own and own.reason else "",
        "controls": tuple(
            (kind, words.sentence(safe.text(said))) for kind, said in hazard.controls if said is not None
        ),
        "about": tuple(
            dict.fromkeys(context.organization_name(org) for org in open_at if org in context.organizations)
        ),
        "holds": tuple(_line(context, control) for control in state.controls),
        "observation": words.sentence(safe.text(hazard.observation)),
        "tests": tuple(safe.text(test, 200) for test in hazard.tests),
        "checks": words.listed(list(hazard.checks), 6),
        "sources": state.sources,
        "cites": context.book.cite_all(source.reference for source in state.sources),
        "read": _read(state),
        "judgement": words.sentence(safe.text(hazard.judgement)) if hazard.judgement else "",
    }


def _read(*states: HazardState) -> str:
    """How much of the sources was read, where it was not the text itself; of each once."""
    short = dict.fromkeys(
        _("%(one)s: %(seen)s alone", one=safe.text(source.title, 120), seen=source.seen)
        for state in states
        for source in state.sources
        if source.seen != "page"
    )
    return words.sentence(_("Read of %(short)s", short="; ".join(short))) if short else ""


def _absent(states: Sequence[HazardState]) -> tuple[Shown, ...]:
    """Hazards that cannot arise here, once for each reason."""
    why: dict[str, list[Shown]] = {}
    for state in states:
        if state.status == "does_not_arise":
            row = {"id": state.hazard.id, "title": safe.name(state.hazard.title)}
            why.setdefault(_because(state), []).append(row)
    return tuple({"because": because, "rows": tuple(rows)} for because, rows in why.items())


def _because(state: HazardState) -> str:
    return words.capital(words.sentence(safe.text(state.because, 300))) if state.because else ""


def _mark(outcome: str) -> Mark:
    return Mark.of(words.HAZARD[outcome], _TONES[outcome])


def _line(context: Context, control: HazardControl) -> Shown:
    """One control: how far it holds, in words, where, and where the report has it."""
    mark = _mark(control.outcome)
    if control.kind == "contract":
        path = ", ".join(part.removesuffix("[]").replace("_", " ") for part in control.id.split("."))
        said = f"“{safe.text(control.says, 200)}”" if control.outcome == "held" and control.says else ""
        text = _(
            "The workflow contract, %(path)s: %(said)s",
            path=path,
            said=said or safe.text(control.says, 200) or _("stated"),
        )
        part = safe.anchor("contract", control.id.partition(".")[0]) if control.outcome == "held" else ""
        anchor = context.leads("contract", part)
        return {
            "mark": mark,
            "text": words.sentence(text),
            "id": Link(label=control.id, anchor=anchor),
            "where": (),
            "owner": "",
        }
    where = tuple(_subject(context, name) for name in control.at[:_NAMED])
    if len(control.at) > _NAMED:
        where = (Link(label=_("at %(how_many)s", how_many=context.how_many(len(control.at)))),)
    if control.kind == "pattern":
        anchor = safe.anchor("pattern", control.id) if "patterns" in context.shown else ""
        text = words.sentence(safe.text(control.says, 200))
        return {"mark": mark, "text": text, "id": Link(label=control.id, anchor=anchor), "where": where, "owner": ""}
    return _of_rule(context, control, mark, where)


def _of_rule(context: Context, control: HazardControl, mark: Mark, where: tuple[Link, ...]) -> Shown:
    rule = context.rule(control.id)
    link = context.rule_link(control.id)
    text = words.sentence(safe.text(control.says, 200))
    if rule is not None and control.outcome != "open":
        text = question(rule) if control.outcome != "held" or not (answers := _answers(context, control)) else answers
    owner = words.OWNER[rule.remediation.owner].title if rule is not None and control.outcome == "open" else ""
    return {"mark": mark, "text": text, "id": link, "where": where, "owner": owner}


def _answers(context: Context, control: HazardControl) -> str:
    """The answers by which a rule about the product is met; empty of one about organisations."""
    finding = context.findings.get(control.id)
    if finding is None or finding.outcome in UNDECIDED:
        return ""
    read = list(context.answers_read(finding))[:_ANSWERS]
    return " ".join(f"{safe.text(answer.text, 200)} {words.sentence(safe.text(answer.said, 200))}" for answer in read)


def _subject(context: Context, name: str) -> Link:
    vendor = name.removeprefix("vendor:")
    return (
        Link(label=_("%(vendor)s (vendor)", vendor=words.vendor(vendor)))
        if vendor != name
        else context.organization_link(name)
    )


SECTION = Section("hazards", "Hazards", build_hazards, late=True)
