"""Speed of the pattern library: every pattern on fifty observed organisations."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from judging import ORGANIZATIONS, fleet
from measuring import Measured, best_of

if TYPE_CHECKING:
    from interlock.model.observation import Observation


def all_patterns() -> Measured:
    """Every pattern, 50 organisations with observations; compiled before. The base is judging every rule anew."""
    from interlock.usecases.judge import Judge, judge_of

    inputs = fleet(ORGANIZATIONS)
    seen = _observation()
    observations = {
        org.id: seen.model_copy(update={"target": seen.target.model_copy(update={"org": org.id})})
        for org in inputs.organizations
    }
    inputs = replace(inputs, observations=observations)
    content = inputs.content
    known, patterns = judge_of(content).rule_inputs(inputs), content.patterns
    patterns.match(known)
    seconds, base = best_of(
        5,
        lambda: patterns.match(known),
        lambda: Judge(content.questionnaires, content.ruleset).judge(inputs),
        clock=time.process_time,
    )
    name = f"{len(patterns.patterns)} patterns, {ORGANIZATIONS} orgs"
    return Measured(name, seconds, "judging anew", base, 0.25, 0.025)


def _observation() -> Observation:
    from interlock.documents.resources import data_dir
    from interlock.fhir import capability, smart
    from interlock.model.facts import Facts
    from interlock.model.observation import Observation, Target

    folder = data_dir("samples") / "organizations" / "riverside"
    base = "https://ehr.riverside.example/fhir"
    documents = [json.loads((folder / name).read_text()) for name in ("metadata.json", "smart-configuration.json")]
    return Observation(
        target=Target(base_url=base),
        started=datetime(2026, 11, 1, tzinfo=UTC),
        elapsed_ms=1.0,
        outcome="observed",
        facts=Facts(capability=capability.parse(documents[0]), smart=smart.parse(documents[1], base)),
    )
