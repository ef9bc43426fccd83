"""Open gaps as an OSCAL Plan of Action and Milestones (NIST OSCAL 1.2.2, POA&M model, JSON).

An open gap is a risk with the status ``open``, something undecided one with the status ``investigating``; each has an
item, the observation that it rests on, and a remediation of which every step is a task with its dependencies. The
milestones are the forecasts: each organisation's P80 date, which is what to commit to.

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
from interlock.model.gap_graph import GapNode
from interlock.model.plan import PlanTask
from interlock.report import estimates, safe
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
    body = _body(assessment, now, version)
    content = json.dumps(body, sort_keys=True, ensure_ascii=False)
    document = {"plan-of-action-and-milestones": {"uuid": _id("poam", content), **body}}
    return to_json(document)


def _id(*names: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(names)))


def _body(assessment: Assessment, now: datetime, version: str) -> dict[str, Any]:
    tasks = {task.id: task for task in assessment.plan.tasks}
    nodes = assessment.graph.nodes
    return {
        "metadata": {
            "title": f"{_line(assessment.product)}: plan of action and milestones",
            "last-modified": now.isoformat(timespec="seconds"),
            "version": now.strftime("%Y-%m-%d"),
            "oscal-version": OSCAL_VERSION,
            "parties": [{"uuid": _id("party", "us"), "type": "organization", "name": safe.name(assessment.name)}],
        },
        "system-id": {"identifier-type": "http://ietf.org/rfc/rfc4122", "id": _id("system", assessment.product)},
        "local-definitions": {"components": _components(assessment, version)},
        "observations": [_observation(assessment, node, now) for node in nodes],
        "risks": [_risk(assessment, node, tasks) for node in nodes],
        "poam-items": [_entry(assessment, node) for node in nodes],
    }


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


def _subjects(assessment: Assessment, node: GapNode) -> list[dict[str, str]]:
    names = {org.id: _line(org.name) for org in assessment.organizations}
    concerned = [org for org in node.orgs if org in names] if node.subject.id else []
    if not concerned:
        return [{"subject-uuid": _id("component", "product"), "type": "component", "title": _line(assessment.product)}]
    return [
        {"subject-uuid": _id("component", f"org:{org}"), "type": "component", "title": names[org]} for org in concerned
    ]


def _title(node: GapNode) -> str:
    return _line(node.title if node.kind == "gap" else question(node.title))


def _said(assessment: Assessment, node: GapNode) -> str:
    """What was found; of something undecided only why it is, never the gap as a fact."""
    return escape(found(assessment, node)) or _title(node)


def _observation(assessment: Assessment, node: GapNode, now: datetime) -> dict[str, Any]:
    finding = next((finding for finding in assessment.findings if finding.key == node.key), None)
    method = _METHOD[finding.evidence] if finding and finding.evidence else "UNKNOWN"
    return {
        "uuid": _id("observation", node.key),
        "title": _title(node),
        "description": _said(assessment, node),
        "methods": [method],
        "types": ["finding"],
        "origins": [_origin()],
        "subjects": _subjects(assessment, node),
        "collected": _collected(assessment, node, now),
    }


def _collected(assessment: Assessment, node: GapNode, now: datetime) -> str:
    """When the organisation was last observed; for what nobody observed, when this was written."""
    observed_at = [s.observed_at for s in assessment.readiness if s.org == node.subject.id and s.observed_at]
    if not observed_at:
        return now.isoformat(timespec="seconds")
    return datetime.fromisoformat(observed_at[0].replace("Z", "+00:00")).isoformat(timespec="seconds")


def _risk(assessment: Assessment, node: GapNode, tasks: dict[str, PlanTask]) -> dict[str, Any]:
    rule = assessment.rules[node.rule]
    risk = {
        "uuid": _id("risk", node.key),
        "title": _title(node),
        "description": _said(assessment, node),
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
        "remediations": [_remediation(assessment, node, tasks)],
        "related-observations": [{"observation-uuid": _id("observation", node.key)}],
    }
    return {key: value for key, value in risk.items() if value}


def _remediation(assessment: Assessment, node: GapNode, tasks: dict[str, PlanTask]) -> dict[str, Any]:
    rule, task = assessment.rules[node.rule], tasks.get(node.key)
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
    known = {other.key for other in assessment.graph.nodes}
    before = sorted(edge.before for edge in assessment.graph.reduced if edge.after == node.key and edge.before in known)
    if before:
        step["dependencies"] = [{"task-uuid": _id("task", key)} for key in before]
    return {
        "uuid": _id("remediation", node.key),
        "lifecycle": "planned",
        "title": _title(node),
        "description": _text(rule.remediation.text, 1500),
        "tasks": [step, *_milestones(assessment, node)],
    }


def _milestones(assessment: Assessment, node: GapNode) -> list[dict[str, Any]]:
    names = {org.id: _line(org.name) for org in assessment.organizations}
    gate = words.GATE[assessment.plan.target_gate].phrase
    return [
        {
            "uuid": _id("milestone", node.key, forecast.org),
            "type": "milestone",
            "title": f"{names[forecast.org]} passes the {gate} gate (P80)",
            "timing": {"on-date": {"date": f"{forecast.finish.p80_date}T00:00:00+00:00"}},
        }
        for forecast in assessment.plan.orgs
        if forecast.org in node.orgs and forecast.org in names
    ]


def _entry(assessment: Assessment, node: GapNode) -> dict[str, Any]:
    return {
        "uuid": _id("item", node.key),
        "title": _title(node),
        "description": _text(assessment.rules[node.rule].remediation.text, 1500),
        "props": [_prop("key", node.key)],
        "related-observations": [{"observation-uuid": _id("observation", node.key)}],
        "related-risks": [{"risk-uuid": _id("risk", node.key)}],
    }


def _line(value: str) -> str:
    """OSCAL's titles are one line of Markdown."""
    return escape(safe.name(value))


def _text(value: str, limit: int = safe.MESSAGE_LIMIT) -> str:
    """OSCAL's descriptions are Markdown: what is quoted stays text."""
    return escape(safe.text(value, limit))
