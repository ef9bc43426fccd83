"""JSON Schemas of our files and of the commands' JSON, by name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from interlock.content.ruleset_files import Header
from interlock.model.assessment import Assessment
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.diff import AssessmentDiff, BurnDown
from interlock.model.drift import Drift
from interlock.model.errors import InterlockError
from interlock.model.fleet import FleetSummary, ImportResult
from interlock.model.forms import FormImport
from interlock.model.gap_graph import GapGraph
from interlock.model.hazard import Hazard, HazardFile
from interlock.model.manifest import Manifest, Verification
from interlock.model.observation import Observation
from interlock.model.organization import Organization, Settings
from interlock.model.pattern import Pattern, PatternMatch
from interlock.model.plan import Plan, WhatIf
from interlock.model.product import Product
from interlock.model.questionnaire import Questionnaire
from interlock.model.rehearsal import ProductObservation, RehearsalFamily
from interlock.model.resolved import ResolvedContract
from interlock.model.response import Response
from interlock.model.routine import TaskList, TaskStatus
from interlock.model.rule import Rule
from interlock.model.trust import TrustReport
from interlock.usecases.checks import CheckList
from interlock.usecases.next_questions import NextQuestions
from interlock.usecases.owed import OwedAnswers
from interlock.usecases.score import ScoreResult

SCHEMAS: dict[str, tuple[type[BaseModel], str]] = {
    "assessment": (Assessment, "report.json and milestones"),
    "burndown": (BurnDown, "interlock milestone burndown --format json"),
    "checks": (CheckList, "interlock checks --format json"),
    "contract": (WorkflowContract, "contract.yaml"),
    "contract-lock": (ResolvedContract, "contract.lock.json of interlock contract export"),
    "diff": (AssessmentDiff, "interlock diff --format json"),
    "drift": (Drift, "interlock diff of observations --format json"),
    "fit": (ContractFit, "interlock contract check --format json, one entry"),
    "fleet-summary": (FleetSummary, "interlock fleet FILE --summary"),
    "form-import": (FormImport, "interlock import fhir, import sheet --format json"),
    "graph": (GapGraph, "the gap graph within an assessment"),
    "hazard": (Hazard, "rulesets/hazards/ID.yaml"),
    "hazards": (HazardFile, "hazards.yaml"),
    "import-result": (ImportResult, "interlock org import --format json"),
    "manifest": (Manifest, "the manifest within every report"),
    "next": (NextQuestions, "interlock next --format json"),
    "observation": (Observation, "interlock probe --format json, observations/"),
    "organization": (Organization, "orgs/ID.yaml"),
    "owed": (OwedAnswers, "interlock questions --owed --format json"),
    "pattern": (Pattern, "rulesets/patterns/ID.yaml"),
    "pattern-match": (PatternMatch, "interlock patterns --format json, one entry"),
    "plan": (Plan, "interlock plan --format json"),
    "product": (Product, "product.yaml"),
    "product-observation": (ProductObservation, "interlock rehearse --format json, observations/product/"),
    "questionnaire": (Questionnaire, "questionnaires/*.yaml"),
    "rehearsal": (RehearsalFamily, "rulesets/rehearsal/FAMILY.yaml"),
    "response": (Response, "one answer within responses/*.yaml"),
    "rule": (Rule, "rulesets/*/*/ID.yaml"),
    "ruleset": (Header, "rulesets/*/ruleset.yaml"),
    "score": (ScoreResult, "interlock score --format json"),
    "settings": (Settings, "interlock.yaml"),
    "task": (TaskStatus, "one task within tasks.yaml"),
    "tasks": (TaskList, "interlock task list --format json"),
    "trust": (TrustReport, "interlock trust --format json"),
    "verification": (Verification, "interlock verify --format json"),
    "what-if": (WhatIf, "interlock plan --what-if … --format json"),
}


def schema_of(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one of :data:`SCHEMAS`.

    :raises InterlockError: there is none by that name.
    """
    if name not in SCHEMAS:
        raise InterlockError(f"there is no schema {name!r}", remedy=f"schemas: {', '.join(SCHEMAS)}")
    schema = SCHEMAS[name][0].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
