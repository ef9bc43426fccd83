"""JSON Schemas of our files and of the commands' JSON, by name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from interlock.model.assessment import Assessment, GapGraph, Plan
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.diff import AssessmentDiff
from interlock.model.errors import InterlockError
from interlock.model.observation import Observation
from interlock.model.organization import Organization, Settings
from interlock.model.questionnaire import Questionnaire, Response
from interlock.model.rule import Rule
from interlock.usecases.score import ScoreResult

SCHEMAS: dict[str, tuple[type[BaseModel], str]] = {
    "assessment": (Assessment, "report.json and milestones"),
    "contract": (WorkflowContract, "contract.yaml"),
    "diff": (AssessmentDiff, "interlock diff --format json"),
    "fit": (ContractFit, "interlock contract check --format json, one entry"),
    "graph": (GapGraph, "the gap graph within an assessment"),
    "observation": (Observation, "interlock probe --format json, observations/"),
    "organization": (Organization, "orgs/ID.yaml"),
    "plan": (Plan, "interlock plan --format json"),
    "questionnaire": (Questionnaire, "questionnaires/*.yaml"),
    "response": (Response, "one answer within responses/*.yaml"),
    "rule": (Rule, "rulesets/*/*/ID.yaml"),
    "score": (ScoreResult, "interlock score --format json"),
    "settings": (Settings, "interlock.yaml"),
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of :data:`SCHEMAS`.

    :raises InterlockError: there is none by that name.
    """
    if name not in SCHEMAS:
        raise InterlockError(f"there is no schema {name!r}", remedy=f"schemas: {', '.join(SCHEMAS)}")
    schema = SCHEMAS[name][0].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
