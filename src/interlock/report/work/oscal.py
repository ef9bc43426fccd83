"""Open gaps as an OSCAL Plan of Action and Milestones (NIST OSCAL 1.2.2, POA&M model, JSON).

An open gap is a risk with the status ``open``, something undecided one with the status ``investigating``; each has an
item, the observation that it rests on, and a remediation of which every step is a task with its dependencies. The
milestones are the forecasts: each organisation's range, or its P80 date where a single date has ground. A risk has a
deadline where the team stated a day for it, or else where a single date has ground; a step has its days in the plan.

Identifiers are version 5 UUIDs of the keys, so the same gap keeps its identifier from one document to the next; the
document's own changes with its content, as the model demands.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from interlock.documents.markdown import escape
from interlock.documents.visible import to_json
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Evidence, RuleOutcome
from interlock.model.errors import InterlockError
from interlock.model.forecast import Quantiles
from interlock.model.gap_graph import GapNode
from interlock.model.plan import FIND_OUT, PlanTask
from interlock.report import estimates, safe
from interlock.report.sections.context import Context
from interlock.report.sections.summary import question
from interlock.report.work.items import found

OSCAL_VERSION = "1.2.2"
#: Names below are made of this one; a random UUID, drawn once.
_NAMESPACE = uuid.UUID("6f2a3f0e-0c54-4b8e-9d0b-0f6f6c1f8a57")
_NS = f"urn:uuid:{_NAMESPACE}"
_METHOD = {Evidence.ASSERTED: "INTERVIEW", Evidence.DOCUMENTED: "EXAMINE", Evidence.OBSERVED: "TEST"}


def render(assessment: Assessment, *, now: datetime, version: str) -> str:
    """The document as JSON text, ending in one line feed; the same assessment and time give the same bytes.

    :raises InterlockError: nothing is open or undecided; the model demands at least one item.
    :param now: time zone aware; stands as ``last-modified``.
    :param version: the version of the program, for the tool's component.
    """
    if not assessment.graph.nodes:
        raise InterlockError(
            "nothing is open or undecided, so there is no plan of action to write",
            remedy="interlock score shows where things stand",
        )
    context, nodes = Context(assessment, {}, ()), assessment.graph.nodes
    body = {
        "metadata": {
            "title": f"{_line(assessment.product)}: plan of action and milestones",
            "last-modified": now.isoformat(timespec="seconds"),
            "version": now.strftime("%Y-%m-%d"),
            "oscal-version": OSCAL_VERSION,
            "parties": [{"uuid": _id("party", "us"), "type": "organization", "name": safe.name(assessment.name)}],
        },
        "system-id": {"identifier-type": "http://ietf.org/rfc/rfc4122", "id": _id("system", assessment.product)},
        "local-definitions": {"components": _components(assessment, version)},
        "observations": [_observation(context, node, now) for node in nodes],
        "risks": [_risk(context, node) for node in nodes],
        "poam-items": [
            {
                "uuid": _id("item", node.key),
                "title": _title(node),
                "description": _text(assessment.rules[node.rule].remediation.text, 1500),
                "props": [_prop("key", node.key)],
                "related-observations": [{"observation-uuid": _id("observation", node.key)}],
                "related-risks": [{"risk-uuid": _id("risk", node.key)}],
            }
            for node in nodes
        ],
    }
    content = json.dumps(body, sort_keys=True, ensure_ascii=False)
    return to_json({"plan-of-action-and-milestones": {"uuid": _id("poam", content), **body}})


def _id(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(names)))


def _components(assessment: Assessment, version: str) -> list[dict[str, Any]]:
    def component(key: str, kind: str, title: str, description: str, props: list[dict[str, str]]) -> dict[str, Any]:
        fields = {"uuid": _id("component", key), "type": kind, "title": title, "description": description}
        return {**fields, **({"props": props} if props else {}), "status": {"state": "operational"}}

    return [
        component("tool", "software", "Interlock", "Made this document.", [_prop("version", version, ours=False)]),
        component("product", "this-system", _line(assessment.product), "The product that is to be integrated.", []),
        *(
            component(
                f"org:{org.id}",
                "interconnection",
                _line(org.name),
                "An organisation’s EHR.",
                [_prop("vendor", words.vendor(org.vendor))],
            )
            for org in assessment.organizations
        ),
    ]


def _prop(name: str, value: str, *, ours: bool = True) -> dict[str, str]:
    return {"name": name, **({"ns": _NS} if ours else {}), "value": value}


def _origin() -> dict[str, Any]:
    return {"actors": [{"type": "tool", "actor-uuid": _id("component", "tool")}]}


def _subjects(context: Context, node: GapNode) -> list[dict[str, str]]:
    concerned = [(f"org:{org}", context.names[org]) for org in node.orgs] if node.subject.id else []
    return [
        {"subject-uuid": _id("component", key), "type": "component", "title": _line(name)}
        for key, name in concerned or [("product", context.assessment.product)]
    ]


def _title(node: GapNode) -> str:
    return _line(node.title if node.kind == "gap" else question(node))


def _said(context: Context, node: GapNode) -> str:
    """What was found; of something undecided only why it is, never the gap as a fact."""
    return escape(found(context, node)) or _title(node)


def _observation(context: Context, node: GapNode, now: datetime) -> dict[str, Any]:
    evidence = context.findings[node.key].evidence
    readiness = context.readiness.get(node.subject.id)
    # When the organisation was last observed; for what nobody observed, when this was written.
    collected = datetime.fromisoformat(readiness.observed_at) if readiness and readiness.observed_at else now
    return {
        "uuid": _id("observation", node.key),
        "title": _title(node),
        "description": _said(context, node),
        "methods": [_METHOD[evidence] if evidence else "UNKNOWN"],
        "types": ["finding"],
        "origins": [_origin()],
        "subjects": _subjects(context, node),
        "collected": collected.isoformat(timespec="seconds"),
    }


def _risk(context: Context, node: GapNode) -> dict[str, Any]:
    rule = context.assessment.rules[node.rule]
    risk = {
        "uuid": _id("risk", node.key),
        "title": _title(node),
        "description": _said(context, node),
        "statement": _text(words.sentence(rule.why)),
        "props": [
            _prop("rule", node.rule),
            _prop("class", node.gap_class.value),
            _prop("gate", node.gate.value),
            *(_prop("statement", source) for source in rule.source),
        ],
        "links": [
            {"href": address, "rel": "reference", "text": _line(cite.title)}
            for cite in rule.references
            if (address := safe.web_address(cite.url))
        ],
        "status": "open" if node.outcome is RuleOutcome.GAP else "investigating",
        "origins": [_origin()],
        "characterizations": [
            {"origin": _origin(), "facets": [{"name": "severity", "system": _NS, "value": node.severity.value}]}
        ],
        "remediations": [_remediation(context, node)],
        "related-observations": [{"observation-uuid": _id("observation", node.key)}],
        "deadline": _deadline(context, node),
    }
    return {key: value for key, value in risk.items() if value}


def _task(context: Context, node: GapNode) -> PlanTask | None:
    """The task that closes a gap, or finds out about one."""
    return context.tasks.get(node.key) or context.tasks.get(f"{FIND_OUT}{node.key}")


def _deadline(context: Context, node: GapNode) -> str:
    """The end of the day by which it is to be done; empty where nobody stated one and no single date has ground."""
    task, ground = _task(context, node), context.assessment.plan.ground
    day = (task.due or (task.latest if ground.firm else None)) if task else None
    return f"{day}T23:59:59+00:00" if day else ""


def _remediation(context: Context, node: GapNode) -> dict[str, Any]:
    rule, task = context.assessment.rules[node.rule], _task(context, node)
    step: dict[str, Any] = {
        "uuid": _id("task", node.key),
        "type": "action",
        "title": _title(node),
        "description": _text(rule.remediation.text, 1500),
        "props": [
            _prop("owner", rule.remediation.owner.value),
            _prop("effort", estimates.effort(task.effort if task else rule.remediation.effort)),
            _prop("lead-time", estimates.lead_time(task.lead_time if task else rule.remediation.lead_time)),
        ],
    }
    if task and task.starts and task.ends and context.assessment.plan.ground.dated:
        days = {"start": f"{task.starts}T00:00:00+00:00", "end": f"{task.latest or task.ends}T23:59:59+00:00"}
        step["timing"] = {"within-date-range": days}
    before = sorted(context.waiting.pred.get(node.key, ()))
    if before:
        step["dependencies"] = [{"task-uuid": _id("task", key)} for key in before]
    return {
        "uuid": _id("remediation", node.key),
        "lifecycle": "planned",
        "title": _title(node),
        "description": _text(rule.remediation.text, 1500),
        "tasks": [step, *_milestones(context, node)],
    }


def _milestones(context: Context, node: GapNode) -> list[dict[str, Any]]:
    plan = context.assessment.plan
    gate = words.GATE[plan.target_gate].phrase
    level = "P80" if plan.ground.firm else "P10 to P90"
    return [
        {
            "uuid": _id("milestone", node.key, forecast.org),
            "type": "milestone",
            "title": f"{_line(context.names[forecast.org])} passes the {gate} gate ({level})",
            "timing": _timing(forecast.finish, plan.ground.firm),
        }
        for forecast in plan.orgs
        if forecast.org in node.orgs
    ]


def _timing(finish: Quantiles, firm: bool) -> dict[str, Any]:
    """One day where a single date has ground; else the range."""
    first, last = (f"{day}T00:00:00+00:00" for day in (finish.first_date, finish.p90_date))
    if firm:
        return {"on-date": {"date": f"{finish.p80_date}T00:00:00+00:00"}}
    return {"within-date-range": {"start": first, "end": last}}


def _line(value: str) -> str:
    """OSCAL's titles are one line of Markdown."""
    return escape(safe.name(value))


def _text(value: str, limit: int = safe.MESSAGE_LIMIT) -> str:
    """OSCAL's descriptions are Markdown: what is quoted stays text."""
    return escape(safe.text(value, limit))
