"""Questionnaires and answers as FHIR R4 forms for other tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from interlock.content.answer import MAX_STRING, MAX_TEXT, MAX_URL, parse_answer
from interlock.content.visibility import hidden
from interlock.documents.visible import to_json
from interlock.fhir.forms.enablement import condition_words, sides, untold_conditions
from interlock.fhir.forms.questionnaire import questionnaire_resource
from interlock.fhir.forms.response import Subject, response_resource
from interlock.fhir.validation import require_valid
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import ItemType
from interlock.model.response import Response
from interlock.usecases.load import Inputs
from interlock.workspace.atomic import write_atomically

#: Longest answers in characters, by type.
MAX_LENGTHS = {ItemType.STRING: MAX_STRING, ItemType.TEXT: MAX_TEXT, ItemType.URL: MAX_URL}


@dataclass(frozen=True)
class Left:
    """A stored answer that no form holds, and why, in words that follow "because"."""

    scope: str
    item: str
    reason: str


@dataclass(frozen=True)
class FormExport:
    """The files of an export, what they leave out, and what the forms cannot tell.

    :ivar files: file name → bytes; the same workspace gives the same bytes.
    :ivar left: stored answers that are in none of the files.
    :ivar always_asked: questions whose condition a form cannot hold, each with its condition: forms always ask them.
    """

    files: Mapping[str, bytes]
    left: tuple[Left, ...]
    always_asked: tuple[tuple[str, str], ...]


def export_forms(inputs: Inputs, org: str | None = None) -> FormExport:
    """One ``Questionnaire`` a questionnaire, one ``QuestionnaireResponse`` for each whom it asks.

    :param org: only what is asked of this organisation, and its answers.
    :raises InterlockError: there is no such organisation.
    """
    organizations = [inputs.organization(org)] if org is not None else list(inputs.organizations)
    subjects = [Subject(organization.name, organization.id) for organization in organizations]
    if org is None:
        subjects.insert(0, Subject(inputs.settings.product))
    files: dict[str, bytes] = {}
    left: list[Left] = []
    always_asked: dict[str, str] = {}
    answers = {subject: _usable(inputs, subject, left) for subject in subjects}
    not_asked = {subject: hidden(inputs.visible(subject.scope)) for subject in subjects}
    for questionnaire in inputs.content.questionnaires:
        asked = {per_organization for item in questionnaire.items for per_organization in sides(item)}
        asked_of = [subject for subject in subjects if subject.per_organization in asked]
        if org is not None and not asked_of:
            continue
        resource = questionnaire_resource(questionnaire, inputs.content.items, MAX_LENGTHS)
        files[f"Questionnaire-{questionnaire.id}.json"] = to_json(resource).encode()
        always_asked |= {item.id: condition_words(item) for item, _ in untold_conditions(questionnaire)}
        for subject in asked_of:
            form = response_resource(questionnaire, answers[subject], subject, not_asked[subject])
            files[f"QuestionnaireResponse-{questionnaire.id}.{subject.scope}.json"] = to_json(form.resource).encode()
            left += [Left(subject.scope, dropped.item, dropped.reason) for dropped in form.dropped]
    return FormExport(files, tuple(left), tuple(always_asked.items()))


def require_valid_forms(files: Mapping[str, bytes]) -> None:
    """Look at forms before any of them is written; files of other kinds are passed over.

    :raises InvalidDocumentError: one is not valid FHIR R4.
    """
    for name, content in files.items():
        if name.endswith(".json"):
            require_valid(json.loads(content), "R4", name)


def write_forms(export: FormExport, directory: Path) -> tuple[Path, ...]:
    """Write an export's files, each atomically; returns their paths.

    :raises InvalidDocumentError: one is not valid FHIR, and nothing was written.
    :raises WorkspaceError: the folder cannot be written.
    """
    require_valid_forms(export.files)
    for name, content in export.files.items():
        write_atomically(directory / name, content)
    return tuple(directory / name for name in export.files)


def _usable(inputs: Inputs, subject: Subject, left: list[Left]) -> dict[str, Response]:
    """The subject's stored answers that their questions can have; the others are noted in ``left``."""
    usable = {}
    for item_id, response in inputs.answers(subject.scope).items():
        item = inputs.content.items.get(item_id)
        if item is None:
            left.append(Left(subject.scope, item_id, "no questionnaire has this question"))
            continue
        if subject.per_organization not in sides(item):
            where = "for each organisation" if subject.org is None else "once for the product"
            left.append(Left(subject.scope, item_id, f"it is asked {where}"))
            continue
        if response.agreed_status is not response.status:
            left.append(Left(subject.scope, item_id, "several people answered it differently"))
            continue
        try:
            value = None if response.value is None else parse_answer(item, response.value)
        except InterlockError as error:
            left.append(Left(subject.scope, item_id, f"what is stored is no answer to it: {error.message}"))
            continue
        usable[item_id] = response.model_copy(update={"value": value})
    return usable
