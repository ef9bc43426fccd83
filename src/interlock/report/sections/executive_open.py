"""What is in the way, what is not known, and clinical safety, as the page that an executive decides from tells it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from interlock.model import words
from interlock.model.base import Evidence, GapClass, Gate, Owner, RuleOutcome, Scope, Severity
from interlock.model.finding import Finding
from interlock.model.language import N_, _
from interlock.plan.go import LAUNCH
from interlock.report import safe
from interlock.report.elements import Pair, Shown
from interlock.report.sections.context import BLOCKERS, FEW, UNDECIDED, Context
from interlock.report.sections.executive_sums import between_days
from interlock.report.sections.executive_words import board

#: So many things in the way are told.
TOLD = 3
_NAMED = 3
_LINE = 320
#: The decision after the trial outside the EHR: while it is to come, so is the trial.
OUTSIDE = "us.decide-outside"
#: The choice of its place, its measure and its pass mark.
_CHOICE = "us.outside-choice"
#: Gates at which the product begins to be used on patients: one that is met is told apart from one that has begun.
BEGINS = {Gate.PILOT, Gate.PRODUCTION}
_SAFETY_OPEN = N_("Not agreed: the workflow contract says nothing of it.")


def named(context: Context, names: Iterable[str]) -> str:
    """Where, by name; many are counted, and the table above has what is recommended at each."""
    each = list(dict.fromkeys(names))
    others = [name for name in context.names.values() if name not in each]
    if len(each) <= _NAMED:
        return words.listed(each)
    if len(others) == 1:
        return _("every organisation but %(others)s", others=others[0])
    return words.listed(each) if len(each) <= FEW else _("%(each)s organisations", each=words.number(len(each)))


def blocking(context: Context) -> Iterator[Finding]:
    """Open blockers up to the target gate."""
    for finding in context.in_order(context.assessment.findings):
        rule = context.assessment.rules[finding.rule]
        if finding.outcome is RuleOutcome.GAP and rule.gap_class in BLOCKERS and context.needed(rule):
            yield finding


def argued(context: Context) -> list[str]:
    """Rules whose open gaps argue for the verdict, in its own order; advice only argues and is not among them."""
    rules = context.assessment.rules
    reasons = (context.findings[reason.key].rule for reason in context.assessment.verdict.reasons)
    return [rule for rule in dict.fromkeys(reasons) if rules[rule].gap_class is not GapClass.ADVICE]


def put_first(context: Context) -> list[str]:
    """Rules that the next step is about, though they do not argue for the verdict: little is left before a start."""
    if argued(context):
        return []
    things = (thing for thing in context.assessment.plan.first if thing.argues and thing.kind == "gap")
    return list(dict.fromkeys(key.partition("@")[0] for thing in things for key in thing.keys))


def in_the_way(context: Context) -> Iterator[Shown]:
    """The three to take up first: what the verdict rests on, then the product's own blockers, the worst, the widest."""
    reasons = (context.findings[reason.key] for reason in context.assessment.verdict.reasons)
    at: dict[str, list[Finding]] = defaultdict(list)
    for finding in {finding.key: finding for finding in (*reasons, *blocking(context))}.values():
        at[finding.rule].append(finding)
    rules, verdict, held = context.assessment.rules, argued(context), put_first(context)
    ranked = sorted(
        (rule for rule in at if rules[rule].gap_class is not GapClass.ADVICE),
        key=lambda rule: (
            verdict.index(rule) if rule in verdict else len(verdict),
            rule not in held,
            rules[rule].gap_class is not GapClass.PRODUCT_BLOCKER,
            rules[rule].severity.rank,
            -len(at[rule]),
            -max((context.nodes[f.key].blocks for f in at[rule] if f.key in context.nodes), default=0),
            rule,
        ),
    )
    for rule in ranked[:TOLD]:
        ends = [context.tasks[finding.key].ends for finding in at[rule] if finding.key in context.tasks]
        yield {
            "title": words.sentence(board(safe.name(rules[rule].title))),
            "where": words.capital(_where(context, at[rule])),
            "owner": words.OWNER[rules[rule].remediation.owner].phrase,
            "when": between_days(context, [day for day in ends if day]),
            "known": words.listed(sorted({_known_by(context, finding) for finding in at[rule]}), 2),
        }


def all_blockers(context: Context, told: int) -> str:
    """How many blockers are open up to the target gate, by what they are about; empty where all of them are told.

    :param told: how many are told by name.
    """
    counted: dict[str, int] = defaultdict(int)
    orgs: dict[str, int] = defaultdict(int)
    for finding in blocking(context):
        subject = finding.subject
        (orgs if subject.scope is Scope.ORG else counted)[context.subject_link(subject).label] += 1
    number = sum(counted.values()) + sum(orgs.values())
    if number <= told:
        return ""
    parts = [f"{label} {words.number(each)}" for label, each in counted.items()]
    most = sorted(orgs, key=lambda label: (-orgs[label], label))
    parts += [f"{label} {words.number(orgs[label])}" for label in most[:FEW]]
    if rest := most[FEW:]:
        parts.append(f"{words.count(len(rest), 'other')} {words.number(sum(orgs[label] for label in rest))}")
    return _(
        "Open in all, up to the %(gate)s: %(blockers)s (%(parts)s), each told in the report.",
        gate=words.gate(context.assessment.target_gate),
        blockers=words.count(number, "blocker"),
        parts="; ".join(parts),
    )


def no_blocker(context: Context) -> str:
    """What is said where no blocker is open: how many nobody has decided, or what is left."""
    gate = words.gate(context.assessment.target_gate)
    if _may_block(context):
        return _("No blocker is known up to the %(gate)s; what is not known may be one.", gate=gate)
    others = any(task.decided_by is not Owner.US for task in context.assessment.plan.decisions)
    if not context.names:
        return _("No blocker is open up to the %(gate)s.", gate=gate)
    if others:
        return _("No blocker is open up to the %(gate)s; what is left is work, and approvals of others.", gate=gate)
    return _("No blocker is open up to the %(gate)s; what is left is work.", gate=gate)


def _where(context: Context, findings: Sequence[Finding]) -> str:
    """The product, the vendors and the organisations that findings are about, each once."""
    labels = dict.fromkeys((context.subject_link(f.subject).label, f.subject.scope is Scope.ORG) for f in findings)
    orgs = [label for label, is_org in labels if is_org]
    told = orgs if len(orgs) <= _NAMED else [named(context, orgs)]
    return words.listed([*(label for label, is_org in labels if not is_org), *told])


def _known_by(context: Context, finding: Finding) -> str:
    if finding.evidence is Evidence.OBSERVED:
        told = context.assessment.rehearsal
        tried = {row.item for row in told.settled} if told else set[str]()
        if any(answer.item in tried for answer in context.answers_read(finding)):
            return _("seen in a rehearsal")
        return _("seen on the server")
    answered = any(name.startswith(("responses.", "value.")) for name in finding.reads)
    return _("the team's answer, not verified") if answered else _("what the workspace records")


def unknown(context: Context) -> Iterator[str]:
    """What nobody knows, what it would change, and what is not judged at all."""
    assessment = context.assessment
    undecided = sum(assessment.totals.findings.get(outcome, 0) for outcome in UNDECIDED)
    if not undecided:
        yield _("Nothing that was asked or checked is undecided.")
    else:
        yield words.counted(
            undecided,
            "%(number)s point could not be judged, because an answer or a check of a server is missing.",
            "%(number)s points could not be judged, because answers or checks of servers are missing.",
        )
        if may_block := _may_block(context):
            yield words.counted(
                may_block,
                "%(number)s of them is a blocker of the %(gate)s if it turns out badly.",
                "%(number)s of them are blockers of the %(gate)s if they turn out badly.",
                gate=words.gate(assessment.target_gate),
            )
        yield (
            _("By this report's rules the first step stays; which organisation is first, dates and cost may change.")
            if assessment.verdict.settled
            else _("What comes next, dates and cost may change with them.")
        )
    yield _("Not judged here: how often an output is wrong or missing.")


def _may_block(context: Context) -> int:
    """How many undecided findings hold the target gate up if they turn out badly."""
    undecided = (each.rule for each in context.assessment.findings if each.outcome in UNDECIDED)
    rules = (context.assessment.rules[rule] for rule in undecided)
    return sum(rule.gap_class in BLOCKERS and context.needed(rule) for rule in rules)


def safety(context: Context, first: str = "") -> tuple[Pair, ...]:
    """Whether it reaches patients, who reviews an output, and what happens when one is wrong (from the contract).

    :param first: what the page says is to be done first; what it names is not named again.
    """
    contract = context.assessment.contract
    today = [Pair(term=_("On patients today"), value=_on_patients(context))]
    if open_now := _open_now(context, first):
        today.append(Pair(term=_("Seen to be wrong in a rehearsal"), value=open_now))
    if trial_ahead(context):
        today.append(Pair(term=_("The trial outside the EHR"), value=_trial(context)))
    if contract is None:
        nothing = _("There is no workflow contract yet, so nothing of it is agreed.")
        return (*today, Pair(term=_("Review and wrong outputs"), value=nothing))
    review, wrong = contract.review, contract.output_is_wrong
    undecided, signs = _(_SAFETY_OPEN), ""
    if review.required and review.role and review.timeout:
        late = _("If nobody does: “%(timeout)s”", timeout=review.timeout.removesuffix("."))
        signs = f"{words.sentence(review.role)} {late}"
    elif review.required and review.role:
        signs = _(
            "Not fully agreed: %(role)s is named, and not how long an output may wait", role=safe.name(review.role)
        )
    elif review.required is False:
        signs = _("Nobody reviews an output before it enters the record; the contract says that none is required")
    steps = [step for step in (wrong.withdraw or wrong.correct, wrong.notify) if step]
    if not signs and not steps:
        return (*today, Pair(term=_("Review and wrong outputs"), value=undecided))
    later = trial_ahead(context)
    told = [
        (
            _("Later, in the EHR: who reviews an output") if later else _("Who reviews an output"),
            words.sentence(safe.text(signs or undecided, _LINE)),
        ),
        (
            _("Later, in the EHR: when an output is wrong") if later else _("When an output is wrong"),
            safe.text(" ".join(map(words.sentence, steps)), _LINE) if steps else undecided,
        ),
    ]
    off = contract.safeguards.off_switch or undecided
    told.append(
        (
            _("Later, in the EHR: who switches it off") if later else _("Who switches it off"),
            words.sentence(safe.text(off, _LINE)),
        )
    )
    return (*today, *(Pair(term=term, value=value) for term, value in told))


def _open_now(context: Context, first: str) -> str:
    """What was seen to be wrong with the product itself and is critical, by name; empty where nothing was."""
    rules = context.assessment.rules
    titles_seen = [
        safe.name(rules[finding.rule].title)
        for finding in blocking(context)
        if finding.subject.scope is Scope.PRODUCT
        and finding.evidence is Evidence.OBSERVED
        and rules[finding.rule].severity is Severity.CRITICAL
    ]
    if not titles_seen:
        return ""
    gate = words.gate(context.assessment.target_gate)
    if all(title in first for title in titles_seen):
        return words.counted(
            len(titles_seen),
            "What is named under “First”. The %(gate)s waits until it is closed and tried again.",
            "The %(number)s faults named under “First”. The %(gate)s waits until they are closed and tried again.",
            gate=gate,
        )
    return words.counted(
        len(titles_seen),
        "%(titles)s. The %(gate)s waits until it is closed and tried again.",
        "%(titles)s. The %(gate)s waits until they are closed and tried again.",
        titles=words.listed([f"“{title}”" for title in titles_seen], TOLD),
        gate=gate,
    )


def launched(context: Context) -> list[str]:
    """Ids of the organisations at which a launch is recorded."""
    tasks = context.assessment.plan.tasks
    return [task.org for task in tasks if task.org and task.id.partition("@")[0] == LAUNCH and task.is_done]


def _on_patients(context: Context) -> str:
    """Where a launch is recorded."""
    names = [context.organization_name(org) for org in launched(context)]
    if names:
        return _("In use at %(places)s.", places=named(context, names))
    return _("In use nowhere, by the team's own record.")


def trial_ahead(context: Context) -> bool:
    """Whether the plan has a trial outside the EHR that is not over: it is no launch, and it meets real patients."""
    tasks = context.assessment.plan.tasks
    return any(task.id == OUTSIDE and task.chance is None and not task.is_done for task in tasks)


def _trial(context: Context) -> str:
    """What a trial outside the EHR does with patients' data, and what has to be settled before it begins."""
    told = _(
        "It shows outputs on real cases to staff, as a list, a message or a page. Nothing is shown before the privacy "
        "office of its place, and the review board where it is research, have agreed."
    )
    choice = next((task for task in context.assessment.plan.left if task.id == _CHOICE), None)
    if choice is None:
        return f"{told} {_('Who answers for it, reviews an output and stops it stands where its choice is recorded.')}"
    chosen = _(
        "Not chosen yet, and to be chosen before: where it runs, which clinician answers for it, who reviews an output "
        "there, what becomes of a wrong one, and what stops it (%(owner)s, about %(when)s).",
        owner=words.OWNER[choice.owner].phrase,
        when=between_days(context, [choice.ends] if choice.ends else []),
    )
    return f"{told} {chosen}"
