"""What a report is made of, as digests: the manifest that stands in it, and that ``interlock verify`` makes again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from interlock import __version__
from interlock.documents.files import read_bytes
from interlock.model.assessment import Assessment
from interlock.model.language import ENGLISH
from interlock.model.manifest import Manifest
from interlock.usecases.load import Content, Inputs
from interlock.workspace.history import milestones
from interlock.workspace.store import MAX_RECORD_BYTES, Workspace

#: Hexadecimal digits of a digest: enough to tell that something changed; the report's own hash is whole.
_DIGITS = 16
SETTINGS, CONTRACT, TASKS, HAZARDS, MILESTONE = "settings", "contract", "tasks", "hazards", "milestone"
PRODUCT, REHEARSAL = "answers product", "observation product"


def manifest_of(
    inputs: Inputs,
    assessment: Assessment,
    *,
    made: str,
    sections: Sequence[str] | None = None,
    own_templates: bool = False,
    language: str = ENGLISH.tag,
) -> Manifest:
    """The manifest of a JSON report, without the hash of its text; that of another format differs in its ``form``.

    :param inputs: what the assessment was made of: for one recipient only what that may read.
    :param made: the day on the report.
    """
    plan = assessment.plan
    return Manifest(
        form="json",
        recipient=inputs.recipient,
        sections=None if sections is None else tuple(sections),
        own_templates=own_templates,
        language=language,
        interlock=__version__,
        made=made,
        as_of=assessment.as_of,
        runs=plan.runs,
        seed=plan.seed,
        workspace=inputs.settings.name,
        product=inputs.settings.product,
        versions={"ruleset": assessment.ruleset, **assessment.questionnaires},
        content=dict(content_digests(inputs.content)),
        parts=parts_of(inputs),
    )


@lru_cache(maxsize=8)
def content_digests(content: Content) -> Mapping[str, str]:
    """Digests of each questionnaire, of each set of rules by its prefix, of routine tasks and of patterns."""
    ruleset = content.ruleset
    families: dict[str, list[BaseModel]] = {}
    for rule in ruleset.rules:
        families.setdefault(f"rules {rule.id.partition('-')[0]}", []).append(rule)
    return {
        **{f"questionnaire {questionnaire.id}": _digest(questionnaire) for questionnaire in content.questionnaires},
        **{name: _digest_of_all(rules) for name, rules in families.items()},
        "routine tasks": _digest_of_all(ruleset.tasks),
        "weights and gates": _digest(ruleset, leave_out={"rules", "tasks", "title", "sets", "version"}),
        "patterns": _digest_of_all(content.patterns.patterns),
        "hazards": _digest_of_all(content.hazards.catalogue.hazards),
    }


def content_hash(content: Content) -> str:
    """SHA-256 over all of :func:`content_digests`."""
    told = json.dumps(dict(content_digests(content)), sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def parts_of(inputs: Inputs) -> dict[str, dict[str, str]]:
    """Digests of everything that a workspace says, as :class:`~interlock.model.manifest.Manifest` has them."""
    parts = {
        SETTINGS: _fields(inputs.settings),
        CONTRACT: {} if inputs.contract is None else _fields(inputs.contract),
        TASKS: _each(inputs.tasks),
        HAZARDS: _each(inputs.figures),
        PRODUCT: _each(inputs.product),
        REHEARSAL: {} if inputs.rehearsal is None else {str(inputs.rehearsal.started): _digest(inputs.rehearsal)},
    }
    for organization in inputs.organizations:
        org, observation = organization.id, inputs.observations.get(organization.id)
        parts[f"organisation {org}"] = _fields(organization)
        parts[f"answers {org}"] = _each(inputs.answers(org))
        parts[f"observation {org}"] = {} if observation is None else {str(observation.started): _digest(observation)}
    parts[MILESTONE] = _milestone(inputs)
    return {part: entries for part, entries in parts.items() if entries}


def _milestone(inputs: Inputs) -> dict[str, str]:
    """The milestone that a report of all organisations compares with: the last one."""
    workspace = Workspace(inputs.root)
    known = milestones(workspace)[-1:] if inputs.recipient is None else ()
    read = {last.path.stem: read_bytes(last.path, MAX_RECORD_BYTES, within=workspace.root) for last in known}
    return {name: hashlib.sha256(content).hexdigest()[:_DIGITS] for name, content in read.items()}


def _each(models: Mapping[str, BaseModel]) -> dict[str, str]:
    return {name: _digest(model) for name, model in sorted(models.items())}


def _fields(model: BaseModel) -> dict[str, str]:
    data: dict[str, Any] = model.model_dump(mode="json")
    return {name: _hash(json.dumps(value, sort_keys=True)) for name, value in sorted(data.items())}


def _digest(model: BaseModel, *, leave_out: set[str] | None = None) -> str:
    return _hash(_told(model, leave_out))


def _digest_of_all(models: Iterable[BaseModel]) -> str:
    return _hash("\n".join(map(_told, models)))


def _told(model: BaseModel, leave_out: set[str] | None = None) -> str:
    """A model as JSON; half of a character, which UTF-8 cannot hold, as an escape."""
    try:
        return model.model_dump_json(exclude_defaults=True, exclude=leave_out)
    except PydanticSerializationError:
        return json.dumps(model.model_dump(mode="json", exclude_defaults=True, exclude=leave_out))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
