"""Method, limits and words: how the numbers come about, what the report cannot say, and what it was made with."""

from __future__ import annotations

from interlock.model import words
from interlock.model.language import ENGLISH, N_, _, current
from interlock.report import safe
from interlock.report.elements import Shown, pairs
from interlock.report.sections.context import Context, Section

LIMITS = (
    N_(
        "Answers are what the team said. Unless their evidence is a document or an observation, nobody has "
        "verified them."
    ),
    N_(
        "A probe sees what an endpoint says to a stranger, from one place at one time. A server may do less "
        "than its statement lists, or more."
    ),
    N_("What was not observed is not judged, and a pass says only what was looked at."),
    N_(
        "Efforts and lead times that name no source are our judgement. A range rests on them, on the "
        "simulated order of work and on what is unknown; it is a forecast and no commitment."
    ),
    N_(
        "Severity and detectability of hazards are judgement, and no likelihood is estimated: this is "
        "material for a safety case, and none by itself."
    ),
    N_(
        "The report is no certification, and no legal, regulatory or clinical advice. It says nothing about "
        "how well the product’s model predicts."
    ),
    N_("The hashes in it tell that something changed. They prove no author."),
)
#: Words of the report and what they mean; those of gates, evidence and outcomes as everywhere.
GLOSSARY = {
    N_("Blocker"): N_("A gap that stops the product (product blocker) or one organisation (integration blocker)."),
    N_("Cap"): N_("The most that a score can be while a blocker is open, or a requirement undecided."),
    N_("Contract"): N_(
        "The workflow contract: what the product reads, writes and does when something fails, as agreed."
    ),
    N_("Critical"): N_("A task is critical in a simulated run when a later end of it would have made the whole later."),
    N_("Fit"): N_("The contract held against what an organisation’s statement declares."),
    N_("Gap"): N_("A rule that does not hold, by what was answered, observed or written in the contract."),
    N_("Gate"): N_("A point that the work passes in order: design, sandbox, pilot, production."),
    N_("Lead time"): N_("How long others take once they are asked, in working days unless it says otherwise."),
    N_("Not observed"): N_("We could not look, or did not. It never means that something is missing."),
    N_("Observation"): N_("What a probe saw at an organisation’s own endpoints: requests, answers, checks."),
    N_("P10, P50, P80, P90"): N_("The day by which that many of 100 simulated runs have finished."),
    N_("Root cause"): N_("A gap that every path to what waits for it runs through."),
    N_("Stage"): N_("The highest gate that an organisation has passed."),
    N_("Undecided"): N_(
        "A rule that an answer or an observation is lacking for; it is counted neither as held nor as open."
    ),
    N_("Verdict"): N_(
        "What to do first: the product, proof outside the EHR, the contract, the auth surface, or integration."
    ),
}


def made_with(context: Context) -> dict[str, str]:
    """What this report was computed from, for who wants the same numbers again."""
    assessment, plan = context.assessment, context.assessment.plan
    return {
        _("Judged as of"): safe.day(assessment.as_of),
        _("Rules"): safe.text(", ".join(f"{name} {version}" for name, version in assessment.rulesets.items())),
        _("Questions"): safe.text(
            ", ".join(f"{name} {version}" for name, version in assessment.questionnaires.items())
        ),
        _("Content, SHA-256"): assessment.content_hash,
        _("Contract, SHA-256"): assessment.contract_hash,
        _("Simulated runs, seed"): f"{plan.runs:,}, {plan.seed}",
        _("To verify"): _("interlock verify FILE holds this file against the workspace (docs/verify.md)."),
    }


def build_method(context: Context) -> Shown:
    """A few sentences on each number of this report."""
    plan = context.assessment.plan
    notes = (
        {
            "anchor": "method-evidence",
            "title": _("Two kinds of evidence"),
            "text": (
                _(
                    "Findings rest on what the team answered and on what the organisations’ own FHIR and "
                    "SMART endpoints showed. Each rule is a written condition over these; it is met, open, "
                    "or undecided when an answer or an observation that it needs is not there. Undecided is "
                    "never counted as open. An answer that an observation contradicts is shown with both "
                    "sides and is not replaced."
                )
            ),
        },
        {
            "anchor": "method-score",
            "title": _("Score"),
            "text": (
                _(
                    "Every applicable finding has a weight by severity: critical 10, high 7.5, medium 5, low "
                    "2.5. The lower end of a score is what is verified so far; the upper end is the best "
                    "case, with everything that is undecided turning out well. Completeness is one minus the "
                    "distance between the two. Confidence weighs each decided finding by its evidence: an "
                    "answer 0.5, a document 0.75, an observation 1. What does not apply leaves the sum, "
                    "needs a reason, and its share is printed."
                )
            ),
        },
        {
            "anchor": "method-stage",
            "title": _("Stage and caps"),
            "text": (
                _(
                    "The stage of an organisation is the highest gate, of design, sandbox, pilot and "
                    "production, whose requirements all hold, with evidence that the gate accepts; an "
                    "average never decides it. An open product blocker caps every score at 39, an open "
                    "integration blocker that organisation’s; one that nobody has decided caps the low end. "
                    "The product is scored once. Organisations are counted by stage and never averaged."
                )
            ),
        },
        {
            "anchor": "method-verdict",
            "title": _("Verdict and recommendation"),
            "text": (
                _(
                    "A requirement may name the verdict that its open gap argues for, in this order: the product "
                    "first, proof outside the EHR, the contract, the auth surface; without one it is to integrate. "
                    "The verdict is the product’s or, when every organisation is held back, the earliest of theirs. "
                    "It is not decided while something undecided could lead to an earlier one. What is recommended "
                    "at an organisation follows from the verdict, from what is open or undecided there up to the "
                    "target gate, and from whether its endpoints were observed."
                )
            ),
        },
        {
            "anchor": "method-not-observed",
            "title": _("Not observed"),
            "text": (
                _(
                    "An endpoint that could not be reached lowers confidence and adds a task to find out. It "
                    "creates no gap about what its owner publishes. In the contract’s table, “missing” means "
                    "that a statement was read and leaves the need out of what it lists; “undeclared” that "
                    "it was read and does not say; “not observed” that it was not read."
                )
            ),
        },
        {
            "anchor": "method-plan",
            "title": _("Plan"),
            "text": (
                _(
                    "Each task has a lowest, expected and highest estimate. The schedule is simulated "
                    "%(runs)s times with seed %(seed)s, starting %(start)s, each task starting when all that "
                    "it waits for is done. P50, P80 and P90 are the dates by which half, four fifths and "
                    "nine tenths of the runs have finished. Every lead time names its source and a grade; "
                    "where there is none, the grade is judgement. Days are working days, Monday to Friday, "
                    "unless a lead time says otherwise. Root causes are the immediate dominators of the gap "
                    "graph: every path to the gates named runs through them.",
                    runs=words.number(plan.runs),
                    seed=plan.seed,
                    start=safe.day(plan.start),
                )
            ),
        },
    )
    return {
        "notes": (*notes, *_inputs(context), *_translated()),
        "limits": tuple(map(_, LIMITS)),
        "glossary": pairs({_(term): _(meaning) for term, meaning in GLOSSARY.items()}),
        "made_with": pairs(made_with(context)),
    }


def _inputs(context: Context) -> tuple[Shown, ...]:
    """Which file has which figure of the plan, and how the others are counted."""
    plan = context.assessment.plan
    written = _(
        "Person-days and lead times are those of the rule or the routine task, shipped with Interlock, unless a row "
        "names another source. What is begun, done or due, and by whom, is written in tasks.yaml; of an answer that is "
        "owed, with that answer in responses. People, holidays and change freezes are in interlock.yaml; contacts, "
        "settings and access windows of an organisation in its file, orgs/ID.yaml. A task is accepted when what its "
        "rule asks for is answered or observed, or when it is recorded as done with what it names."
    )
    freezes = " ".join(words.sentence(safe.text(each)) for each in plan.freezes)
    told = [_("Change freezes: %(freezes)s", freezes=freezes)] if freezes else []
    counted = _(
        "Shares are shares of the simulated runs: those in which a task is critical, a date waits for our people’s "
        "work, or an unknown turns out to be a gap. The days of a task are its median start and end over the runs, "
        "moved behind the stated days that it waits for. What a thing saves or adds is the P80 with it less the P80 "
        "without it; how far a thing drives the dates, the P80 of the fifth of the runs in which it went worst less "
        "that in which it went best. The work of a week is the mean of the runs."
    )
    return (
        {
            "anchor": "method-inputs",
            "title": _("Where the plan’s figures are written"),
            "text": " ".join([written, *told]),
        },
        {"anchor": "method-counted", "title": _("How the plan’s other figures are counted"), "text": counted},
    )


def _translated() -> tuple[Shown, ...]:
    """What a reader of a translation should know: what of it is English, and why. Nothing of an English report."""
    language = current()
    if language is ENGLISH:
        return ()
    says = _(
        "The fixed words of this report are a translation. Questions, rules, hazards and routine tasks, what the "
        "checks of a probe saw, and what verdict, score and plan say are in English."
    )
    return ({"anchor": "method-language", "title": _("Language"), "text": " ".join([says, *language.told])},)


SECTION = Section("method", "Method", build_method, appendix=True)
