"""Method: how the numbers come about."""

from __future__ import annotations

from interlock.report import safe
from interlock.report.elements import Shown
from interlock.report.sections.context import Context, Section


def build_method(context: Context) -> Shown:
    """A few sentences on each number of this report."""
    plan = context.assessment.plan
    notes = (
        {
            "title": "Two kinds of evidence",
            "text": (
                "Findings rest on what the team answered and on what the organisations’ own FHIR and SMART "
                "endpoints showed. Each rule is a written condition over these; it is met, open, or undecided when "
                "an answer or an observation that it needs is not there. Undecided is never counted as open. An "
                "answer that an observation contradicts is shown with both sides and is not replaced."
            ),
        },
        {
            "title": "Score",
            "text": (
                "Every applicable finding has a weight by severity: critical 10, high 7.5, medium 5, low 2.5. The "
                "lower end of a score is what is verified so far; the upper end is the best case, with everything "
                "that is undecided turning out well. Completeness is one minus the distance between the two. "
                "Confidence weighs each decided finding by its evidence: an answer 0.5, a document 0.75, an "
                "observation 1. What does not apply leaves the sum, needs a reason, and its share is printed."
            ),
        },
        {
            "title": "Stage and caps",
            "text": (
                "The stage of an organisation is the highest gate, of design, sandbox, pilot and production, whose "
                "requirements all hold, with evidence that the gate accepts; an average never decides it. An open "
                "product blocker caps every score at 39, an open integration blocker that organisation’s; one that "
                "nobody has decided caps the low end. The product is scored once. Organisations are counted by stage "
                "and never averaged."
            ),
        },
        {
            "title": "Not observed",
            "text": (
                "An endpoint that could not be reached lowers confidence and adds a task to find out. It creates no "
                "gap about what its owner publishes. In the contract’s table, “missing” means that a statement was "
                "read and leaves the need out of what it lists; “undeclared” that it was read and does not say; “not "
                "observed” that it was not read."
            ),
        },
        {
            "title": "Plan",
            "text": (
                f"Each task has a lowest, expected and highest estimate. The schedule is simulated {plan.runs:,} "
                f"times with seed {plan.seed}, starting {safe.day(plan.start)}, each task starting when all that it "
                "waits for is done. P50, P80 and P90 are the dates by which half, four fifths and nine tenths of "
                "the runs have finished. Every lead time names its source and a grade; where there is none, the "
                "grade is judgement. Days are working days, Monday to Friday, unless a lead time says otherwise. "
                "Root causes are the immediate dominators of the gap graph: every path to the gates named runs "
                "through them."
            ),
        },
    )
    return {"notes": notes}


SECTION = Section("method", "Method", build_method, appendix=True)
