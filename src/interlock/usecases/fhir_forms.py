"""Questionnaires and answers as FHIR R4 forms: written for other tools, and taken back as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from interlock.content.answer import MAX_STRING, MAX_TEXT, MAX_URL, parse_answer
from interlock.content.visibility import hidden
from interlock.documents.files import read_bytes
from interlock.documents.visible import to_json
from interlock.fhir.forms import names
from interlock.fhir.forms.enablement import condition_words, sides, untold_conditions
from interlock.fhir.forms.questionnaire import questionnaire_resource
from interlock.fhir.forms.reading import (
    MAX_BYTES,
    Given,
    Header,
    Json,
    Record,
    parse_resource,
    read_answers,
    read_header,
)
from interlock.fhir.forms.response import Subject, response_resource
from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.forms import FormChange, FormImport, StoredAnswer
from interlock.model.questionnaire import Item, ItemType, Questionnaire, Response
from interlock.model.text import plain
from interlock.usecases.answer import make_response
from interlock.usecases.load import Inputs
from interlock.usecases.questions import Asked
from interlock.workspace.atomic import write_atomically
from interlock.workspace.journal import Change
from interlock.workspace.responses import Saved
from interlock.workspace.store import Workspace

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


def write_forms(export: FormExport, directory: Path) -> tuple[Path, ...]:
    """Write an export's files, each atomically; returns their paths.

    :raises WorkspaceError: the folder cannot be written.
    """
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
        try:
            value = None if response.value is None else parse_answer(item, response.value)
        except InterlockError as error:
            left.append(Left(subject.scope, item_id, f"what is stored is no answer to it: {error.message}"))
            continue
        usable[item_id] = response.model_copy(update={"value": value})
    return usable


#: Files of one import.
MAX_FILES = 2_000


class FormsRefusedError(InterlockError):
    """Nothing was imported: ``problems`` holds every reason, each with file and JSON pointer."""

    def __init__(self, problems: Sequence[DocumentError]) -> None:
        count = words.count(len(problems), "problem")
        super().__init__(f"nothing was imported: {count}", remedy="correct the documents, or leave these answers out")
        self.problems = tuple(problems)


@dataclass
class _Reading:
    """What was read so far."""

    org: str | None
    any_version: bool
    now: datetime
    answers: dict[tuple[str, str], tuple[Response, str]] = field(default_factory=dict)
    covered: dict[tuple[str, str], None] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)


def plan_import(
    inputs: Inputs,
    files: Sequence[Path],
    *,
    org: str | None = None,
    any_version: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
) -> FormImport:
    """What importing these files would change; nothing is written.

    :param org: whose answers these are, where the documents do not say (other renderers leave the subject out).
    :param any_version: accept answers to another version of a questionnaire; each is validated all the same.
    :param now: the time of answers that bring none.
    :raises InterlockError: there is no such organisation, or too many files.
    :raises DocumentError: a file cannot be read.
    :raises FormsRefusedError: an answer cannot be taken, with all reasons.
    """
    if org is not None:
        inputs.organization(org)
    if len(files) > MAX_FILES:
        raise InterlockError(f"more than {MAX_FILES:,} files", remedy="import them in several goes")
    reading = _Reading(org, any_version, (now or datetime.now(UTC)).replace(microsecond=0))
    for path in files:
        _read_file(inputs, path, reading)
    if reading.problems:
        raise FormsRefusedError(reading.problems)
    changes = tuple(_changes(inputs, reading))
    return FormImport(
        files=tuple(str(path) for path in files),
        dry_run=dry_run,
        changes=changes,
        unchanged=len(reading.answers) - len(changes),
        kept=tuple(
            StoredAnswer(scope=scope, item=item)
            for scope, item in reading.covered
            if (scope, item) not in reading.answers and item in inputs.answers(scope)
        ),
        remarks=tuple(reading.remarks),
    )


def apply_import(workspace: Workspace, planned: FormImport) -> Saved:
    """Save the changes: all of them or none.

    :raises WorkspaceError: the folder is locked, read-only or full, or somebody else answered one meanwhile.
    """
    changes = [Change(change.scope, change.item, change.after, change.before) for change in planned.changes]
    return workspace.save_responses(changes) if changes else Saved()


def answer_words(item: Item, response: Response | None) -> str:
    """A response as one line: the answer, and what stands beside it."""
    if response is None:
        return "no answer"
    parts = [Asked("", "", item, response).shown_answer()]
    if response.status is Status.NOT_APPLICABLE:
        parts[0] += f": {response.reason}"
    if response.evidence is not Evidence.ASSERTED:
        parts.append(words.EVIDENCE[response.evidence].phrase)
    if response.link:
        parts.append(f"evidence {response.link}")
    if response.note:
        parts.append(f"note: {response.note}")
    return "; ".join(parts)


def _read_file(inputs: Inputs, path: Path, reading: _Reading) -> None:
    try:
        resource = parse_resource(read_bytes(path, MAX_BYTES), str(path))
        header = read_header(resource, str(path))
        questionnaire = _questionnaire(inputs, header, path, reading)
        scopes = _scopes(inputs, header, questionnaire, path, reading)
    except DocumentError as error:
        reading.problems.append(error)
        return
    for item in questionnaire.questions():
        scope = scopes[names.per_organization(item)]
        if scope is not None:
            reading.covered[(scope, item.id)] = None
    _read_answers(inputs, resource, header, questionnaire, scopes, path, reading)


def _questionnaire(inputs: Inputs, header: Header, path: Path, reading: _Reading) -> Questionnaire:
    location = Location(file=str(path), pointer="/questionnaire")
    known = {names.canonical(questionnaire): questionnaire for questionnaire in inputs.content.questionnaires}
    questionnaire = known.get(header.url)
    if questionnaire is None:
        ids = words.listed([questionnaire.id for questionnaire in known.values()])
        raise DocumentError(
            f"no questionnaire of this workspace has the address {plain(header.url, 200)!r}",
            location=location,
            remedy=f"questionnaires: {ids}; their addresses start with {names.BASE}/Questionnaire/",
        )
    if header.version is None:
        reading.remarks[f"{path.name} does not say which version of {questionnaire.id} it answers"] = None
    elif header.version != questionnaire.version:
        said = f"answers version {plain(header.version, 40)} of {questionnaire.id}, and this workspace asks "
        said += f"version {questionnaire.version}"
        if not reading.any_version:
            remedy = "export the form again; --any-version takes the answers that still fit"
            raise DocumentError(f"the document {said}", location=location, remedy=remedy)
        reading.remarks[f"{path.name} {said}"] = None
    return questionnaire


def _scopes(
    inputs: Inputs, header: Header, questionnaire: Questionnaire, path: Path, reading: _Reading
) -> Mapping[bool, str | None]:
    """Whose answers the document holds: under ``True`` those asked per organisation, under ``False`` the product's.

    A response with a subject holds that subject's answers only; one without may hold both.
    """
    location = Location(file=str(path), pointer="/subject/identifier/value")
    if header.org is not None:
        if reading.org not in (None, header.org):
            raise DocumentError(
                f"the document is about {plain(header.org, 80)!r}, not about {reading.org!r}",
                location=location,
                remedy="leave --org out, or correct the subject",
            )
        known = [organization.id for organization in inputs.organizations]
        if header.org not in known:
            raise DocumentError(
                f"there is no organisation {plain(header.org, 80)!r}",
                location=location,
                remedy=f"organisations: {words.listed(known) or 'none yet'}",
            )
        return {True: header.org, False: None}
    if header.product is not None:
        if header.product != inputs.settings.product:
            raise DocumentError(
                f"the document is about the product {plain(header.product, 80)!r}, "
                f"and this workspace assesses {inputs.settings.product!r}",
                location=location,
                remedy="import it into that product's workspace, or correct the subject",
            )
        return {True: None, False: "product"}
    asks_organizations = any(names.per_organization(item) for item in questionnaire.questions())
    if asks_organizations and reading.org is None:
        raise DocumentError(
            f"{questionnaire.id} is asked for each organisation, and the document does not say which this is",
            location=Location(file=str(path), pointer="/subject"),
            remedy="say --org ID",
        )
    return {True: reading.org, False: "product"}


def _read_answers(
    inputs: Inputs,
    resource: Json,
    header: Header,
    questionnaire: Questionnaire,
    scopes: Mapping[bool, str | None],
    path: Path,
    reading: _Reading,
) -> None:
    for given in read_answers(resource, questionnaire, str(path)):
        try:
            if isinstance(given, DocumentError):
                raise given
            location = Location(file=str(path), pointer=given.pointer)
            scope = scopes[names.per_organization(given.item)]
            if scope is None:
                asked, about = (
                    ("for each organisation", "the product")
                    if header.org is None
                    else (
                        "once for the product",
                        header.org,
                    )
                )
                raise DocumentError(
                    f"{given.item.id} is asked {asked}, and the document is about {about}",
                    location=location,
                    remedy="give it in the response of that subject",
                )
            response = _response(given, inputs.answers(scope).get(given.item.id), header, location, reading)
            earlier, where = reading.answers.get((scope, given.item.id), (response, ""))
            if earlier.said != response.said:
                raise DocumentError(
                    f"{given.item.id} is answered otherwise in {where}", location=location, remedy="keep one"
                )
            reading.answers[(scope, given.item.id)] = (response, str(path))
        except DocumentError as error:
            reading.problems.append(error)


def _response(given: Given, stored: Response | None, header: Header, location: Location, reading: _Reading) -> Response:
    """The response as it will be stored.

    A document without a record of ours says nothing of note and evidence: with the same answer both stay; with another
    one the note stays, and the evidence, which supported the earlier answer, does not.
    """
    record = given.record
    if record is None:
        note = stored.note if stored else None
        record = Record(note=note, reason=stored.reason if stored else None, at=header.authored)
    try:
        response = make_response(
            given.item,
            [str(value) for value in given.values]
            if given.item.type is ItemType.MULTI_CHOICE
            else next(iter(given.values), None),
            status=given.status,
            evidence=record.evidence,
            note=record.note or None,
            reason=record.reason,
            link=record.link or None,
            now=record.at or reading.now,
        )
    except InterlockError as error:
        raise DocumentError(error.message, location=location, remedy=error.remedy) from error
    assert response is not None
    if given.record is not None:
        return response.model_copy(update={"reason": record.reason or None})
    if stored and (response.status, response.value) == (stored.status, stored.value):
        return stored
    if stored and (stored.evidence is not Evidence.ASSERTED or stored.link):
        reading.remarks[f"{given.item.id} has another answer, and the document brings no evidence for it"] = None
    return response


def _changes(inputs: Inputs, reading: _Reading) -> Iterator[FormChange]:
    fresh = [
        (scope, item, inputs.answers(scope).get(item), response)
        for (scope, item), (response, _) in reading.answers.items()
    ]
    fresh = [change for change in fresh if change[2] is None or change[2].said != change[3].said]
    answers = {scope: dict(inputs.answers(scope)) for scope in ("product", *(scope for scope, *_ in fresh))}
    for scope, item, _, response in fresh:
        answers[scope][item] = response
    after = replace(inputs, product=answers["product"], by_org=answers)
    not_asked = {scope: hidden(after.visible(scope)) for scope in answers}
    for scope, item, before, response in fresh:
        yield FormChange(
            scope=scope,
            item=item,
            text=inputs.content.items[item].text,
            kind="changed" if before else "new",
            before=before,
            after=response,
            hidden=item in not_asked[scope],
        )
