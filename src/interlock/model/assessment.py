"""The assessment: the frozen result that screens, commands and reports show, and nothing else."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from interlock.model.annex import Annex
from interlock.model.base import Gate, Model, Status
from interlock.model.content import ContentChange
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.diff import Since
from interlock.model.finding import Contradiction, Finding
from interlock.model.gap_graph import GapGraph
from interlock.model.hazard import HazardState
from interlock.model.manifest import Manifest
from interlock.model.organization import Organization
from interlock.model.pattern import PatternMatch
from interlock.model.plan import Plan
from interlock.model.readiness import OrgReadiness, Score, Totals, Verdict
from interlock.model.rehearsal import RehearsalTold
from interlock.model.response import Response
from interlock.model.rule import Rule


class GivenAnswer(Model):
    """One answer that was given, and where: to ``product`` or an organisation's id.

    :ivar text: the question.
    :ivar said: the answer in words; everybody's where several people differ.
    :ivar counts_as: its status as it is judged: an answer that says unknown is one; older reports have none.
    """

    item: str
    scope: str
    text: str
    said: str
    response: Response
    counts_as: Status | None = None

    @property
    def status(self) -> Status:
        """As what it counts, so that all who count answers count alike."""
        return self.counts_as or self.response.status


class Assessment(Model):
    """Everything that is shown, and nothing that is stored except in a milestone. Same inputs, same bytes.

    :ivar recipient: the organisation that it is for alone; none where it is of all, for the product team.
    :ivar as_of: ISO 8601, the day that the assessment is of.
    :ivar ruleset: id and version of the ruleset in use; ``rulesets`` has every set that it is composed of.
    :ivar shipped_ruleset: id and version of the ruleset that Interlock ships, which ``content_changes`` differ from.
    :ivar contract: the workflow contract; none where there is none yet. ``contract_hash`` is that of its whole text,
        which approvals are of, where an organisation sees its own part.
    :ivar hazards: what may happen to a patient and how far it is held, open ones first.
    :ivar content_hash: SHA-256 over the digests of all questions, rules, tasks, patterns and hazards in use.
    :ivar rehearsal: what the product did when simulated hospitals launched it; none where it was never rehearsed.
    :ivar since, annex, manifest: in a report alone, what changed since the last milestone, the evidence beside it and
        what it was made of.
    :ivar content_changes: how the workspace's questions and rules differ from the shipped ones, blockers first.
    """

    schema_version: Literal["3"] = "3"
    recipient: str | None = Field(default=None, exclude_if=lambda recipient: recipient is None)
    as_of: str = ""
    name: str
    product: str
    description: str | None
    target_gate: Gate
    ruleset: str
    rulesets: dict[str, str] = {}
    shipped_ruleset: str = ""
    content_hash: str = ""
    content_changes: tuple[ContentChange, ...] = ()
    questionnaires: dict[str, str]
    organizations: tuple[Organization, ...]
    contract: WorkflowContract | None = None
    contract_hash: str = ""
    rules: dict[str, Rule]
    findings: tuple[Finding, ...]
    fit: tuple[ContractFit, ...]
    contradictions: tuple[Contradiction, ...]
    product_score: Score
    readiness: tuple[OrgReadiness, ...]
    graph: GapGraph
    verdict: Verdict
    plan: Plan
    totals: Totals
    patterns: tuple[PatternMatch, ...] = ()
    hazards: tuple[HazardState, ...] = ()
    rehearsal: RehearsalTold | None = Field(default=None, exclude_if=lambda rehearsal: rehearsal is None)
    answers: tuple[GivenAnswer, ...] = ()
    since: Since | None = Field(default=None, exclude_if=lambda since: since is None)
    annex: Annex | None = Field(default=None, exclude_if=lambda annex: annex is None)
    manifest: Manifest | None = Field(default=None, exclude_if=lambda manifest: manifest is None)

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, data: Any) -> Any:
        """A milestone of version 1 says ``standings`` and ``standing`` task; one of version 2 a provisional verdict."""
        if isinstance(data, dict) and data.get("schema_version", "1") == "1" and "standings" in data:
            changed = {key: value for key, value in data.items() if key != "standings"}
            changed |= {"schema_version": "2", "readiness": data["standings"]}
            plan = data.get("plan")
            if isinstance(plan, dict) and isinstance(plan.get("tasks"), list):
                changed["plan"] = plan | {"tasks": [_renamed(task) for task in plan["tasks"]]}
            data = changed
        if not isinstance(data, dict) or data.get("schema_version") != "2":
            return data
        readiness = data.get("readiness")
        return data | {
            "schema_version": "3",
            "verdict": _between(data.get("verdict"), "value", "provisional", "latest"),
            "readiness": [
                _between(own, "verdict", "verdict_provisional", "latest_verdict")
                | {"recommendation": "not_yet", "because": "recorded before there were recommendations"}
                for own in (readiness if isinstance(readiness, list | tuple) else ())
            ],
        }

    def readiness_of(self, org: str) -> OrgReadiness:
        """How far an organisation is; raises :class:`KeyError` when there is none."""
        for readiness in self.readiness:
            if readiness.org == org:
                return readiness
        raise KeyError(org)


def _between(fields: Any, value: str, provisional: str, latest: str) -> dict[str, Any]:
    """A verdict that was provisional was the latest one possible; the earliest was not recorded."""
    if not isinstance(fields, dict):
        return {}
    kept = {key: entry for key, entry in fields.items() if key != provisional}
    if "changes" in kept:
        kept["changes"] = [change | {"latest": change.get("verdict")} for change in kept["changes"]]
    earliest = "product_first" if fields.get(provisional) else fields.get(value)
    return kept | {value: earliest, latest: fields.get(value)}


def _renamed(task: Any) -> Any:
    return task | {"kind": "routine"} if isinstance(task, dict) and task.get("kind") == "standing" else task
