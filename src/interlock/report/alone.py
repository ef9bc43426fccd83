"""One organisation's part of an assessment: what is its own, its vendor's and the product's, with its own dates."""

from __future__ import annotations

from collections import Counter

from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Scope
from interlock.model.finding import Finding
from interlock.model.plan import Plan
from interlock.plan.ground import ground


def alone(assessment: Assessment, org: str) -> Assessment:
    """The assessment as one organisation may read it: nothing of any other is in it.

    The verdict is the organisation's own. Its finish is its own in the plan of all, so the team's time that others take
    is in it. What is summed over all organisations (what to do first, drivers, unknowns, shared sandboxes) is left out
    but where it is this one's alone.

    :param org: the id of one of the assessment's organisations.
    """
    (organization,) = (entry for entry in assessment.organizations if entry.id == org)
    readiness = assessment.readiness_of(org)

    def concerns(finding: Finding) -> bool:
        of = {Scope.PRODUCT: finding.subject.id, Scope.VENDOR: organization.vendor, Scope.ORG: org}
        return finding.subject.id == of[finding.subject.scope]

    findings = tuple(filter(concerns, assessment.findings))
    keys = {finding.key for finding in findings}
    nodes = tuple(
        node.model_copy(update={"orgs": (org,)} if node.orgs else {})
        for node in assessment.graph.nodes
        if node.key in keys
    )
    graph = assessment.graph
    within = tuple(edge for edge in graph.edges if {edge.before, edge.after} <= keys)
    reduced = tuple(edge for edge in graph.reduced if {edge.before, edge.after} <= keys)
    waves = tuple(kept for wave in graph.waves if (kept := tuple(key for key in wave if key in keys)))
    verdict = assessment.verdict
    settled = readiness.verdict is readiness.latest_verdict
    told = verdict.model_copy(
        update={
            "value": readiness.verdict,
            "latest": readiness.latest_verdict,
            "headline": f"{words.verdict(readiness.verdict, readiness.latest_verdict)}: {readiness.because}.",
            "counterfactual": "",
            "organizations": "",
            "reasons": tuple(reason for reason in verdict.reasons if reason.key in keys),
            "undecided": tuple(reason for reason in verdict.undecided if reason.key in keys and not settled),
            "changes": tuple(c for c in verdict.changes if all(a.org in {None, org} for a in c.answers)),
        }
    )
    plan = _plan(assessment.plan, org, organization.vendor)
    plan = plan.model_copy(update={"ground": ground(plan, told, (readiness,), (organization,))})
    return assessment.model_copy(
        update={
            "organizations": (organization,),
            "contract": assessment.contract.alone(org) if assessment.contract else None,
            "readiness": (readiness,),
            "findings": findings,
            "fit": tuple(fit for fit in assessment.fit if fit.org == org),
            "contradictions": tuple(c for c in assessment.contradictions if c.org in {None, org}),
            "graph": graph.model_copy(
                update={"nodes": nodes, "edges": within, "reduced": reduced, "root_causes": (), "waves": waves}
            ),
            "verdict": told,
            "plan": plan,
            "totals": assessment.totals.model_copy(
                update={
                    "organizations": 1,
                    "observed": int(readiness.observed == "observed"),
                    "findings": dict(Counter(finding.outcome for finding in findings)),
                }
            ),
            "patterns": (),
            "answers": tuple(answer for answer in assessment.answers if answer.scope in {"product", org}),
        }
    )


def _plan(plan: Plan, org: str, vendor: str) -> Plan:
    """The plan's tasks and dates of one organisation."""
    (forecast,) = (entry for entry in plan.orgs if entry.org == org)

    def concerns(task_id: str, at: str | None) -> bool:
        other_vendor = "@vendor:" in task_id and not task_id.endswith(f"@vendor:{vendor}")
        return at in {None, org} and not other_vendor

    tasks = tuple(task for task in plan.tasks if concerns(task.id, task.org))
    known = {task.id for task in tasks}
    return plan.model_copy(
        update={
            "finish": forecast.finish,
            "if_no_gaps": forecast.if_no_gaps,
            "if_all_gaps": forecast.if_all_gaps,
            "most_likely": "",
            "most_likely_date": "",
            "most_likely_days": forecast.most_likely_days,
            "probability_of_most_likely": forecast.probability_of_most_likely,
            "orgs": (forecast.model_copy(update={"waits": {}}),),
            "outlook": tuple(line for line in plan.outlook if line.org == org),
            "load": (),
            "freezes": (),
            "tasks": tuple(t.model_copy(update={"after": tuple(a for a in t.after if a in known)}) for t in tasks),
            "first": tuple(
                thing.model_copy(update={"together_p80_date": ""}) for thing in plan.first if set(thing.orgs) == {org}
            ),
            "apart": tuple(thing for thing in plan.apart if set(thing.orgs) == {org}),
            "drivers": (),
            "unknowns": tuple(thing for thing in plan.unknowns if thing.key.endswith(f"@{org}")),
            "sandbox": None,
            "notes": (),
            "chances": tuple(chance for chance in plan.chances if chance.org == org),
        }
    )
