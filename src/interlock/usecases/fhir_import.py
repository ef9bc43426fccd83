"""Answers from FHIR R4 forms: taken back as a whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from interlock.documents.files import read_bytes
from interlock.fhir.forms import names
from interlock.fhir.forms.reader import Json
from interlock.fhir.forms.reading import MAX_BYTES, Given, Header, parse_resource, read_answers, read_header
from interlock.fhir.forms.record import Record
from interlock.model import words
from interlock.model.base import Status
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.forms import FormImport, Take
from interlock.model.questionnaire import ItemType, Questionnaire
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.usecases.answer import make_response
from interlock.usecases.form_import import Brought, Reading, compare, start
from interlock.usecases.load import Inputs
from interlock.usecases.sheet import FORM_PREFIX, as_questionnaire, asked_of_organizations, fingerprint


def plan_import(
    inputs: Inputs,
    files: Sequence[Path],
    *,
    org: str | None = None,
    any_version: bool = False,
    by: str | None = None,
    take: Take | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> FormImport:
    """What importing these files would change; nothing is written.

    :param org: whose answers these are, where the documents do not say (other renderers leave the subject out).
    :param any_version: accept answers to another version of a questionnaire; each is validated all the same.
    :param by: who answered, where the documents do not say.
    :param take: whose answer stays where one with an author differs from what is stored.
    :param now: the time of answers that bring none.
    :raises InterlockError: there is no such organisation, or too many files.
    :raises FormsRefusedError: a file cannot be read, or an answer cannot be taken, with all reasons.
    """
    reading = start(inputs, files, org=org, any_version=any_version, by=by, now=now)
    for path in files:
        _read_file(inputs, path, reading)
    return compare(inputs, files, reading, take=take, dry_run=dry_run)


def _read_file(inputs: Inputs, path: Path, reading: Reading) -> None:
    try:
        resource = parse_resource(read_bytes(path, MAX_BYTES), str(path))
        header = _addressed(inputs, read_header(resource, str(path)), path, reading)
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


def _questionnaire(inputs: Inputs, header: Header, path: Path, reading: Reading) -> Questionnaire:
    location = Location(file=str(path), pointer="/questionnaire")
    known = {names.canonical(questionnaire): questionnaire for questionnaire in inputs.content.questionnaires}
    questionnaire = known.get(header.url)
    if (org := mailed_to(header.url)) is not None:
        questions = asked_of_organizations(inputs.content)
        questionnaire = as_questionnaire(questions, org, fingerprint(questions))
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


def _addressed(inputs: Inputs, header: Header, path: Path, reading: Reading) -> Header:
    """The header with what a form that was mailed to an organisation says by its address, and with who answered.

    :raises DocumentError: it was mailed to somebody else, or does not say who answered.
    """
    if header.author is None:
        header = replace(header, author=reading.by)
    if header.author is not None and header.authored is not None:
        reading.check_time(header.authored, Location(file=str(path), pointer="/authored"))
    org = mailed_to(header.url)
    if org is None:
        return header
    if org not in {organization.id for organization in inputs.organizations}:
        raise DocumentError(
            f"the form was made for {plain(org, 80)!r}, which is no organisation of this workspace",
            location=Location(file=str(path), pointer="/questionnaire"),
            remedy="import it where that organisation is",
        )
    if header.org not in (None, org):
        raise DocumentError(
            f"the form was made for {org!r}, and the document is about {plain(header.org, 80)!r}",
            location=Location(file=str(path), pointer="/subject/identifier/value"),
            remedy="mail each organisation a form of its own",
        )
    if header.author is None:
        raise DocumentError(
            "the document does not say who answered",
            location=Location(file=str(path), pointer="/author"),
            remedy="say --as NAME",
        )
    return replace(header, org=org, version=header.version.rpartition("-")[2] if header.version else None)


def mailed_to(url: str) -> str | None:
    """The organisation to which the form of this address was mailed; none for one of the questionnaires."""
    start_of = f"{names.BASE}/Questionnaire/{FORM_PREFIX}"
    return url.removeprefix(start_of) if url.startswith(start_of) else None


def _scopes(
    inputs: Inputs, header: Header, questionnaire: Questionnaire, path: Path, reading: Reading
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
    reading: Reading,
) -> None:
    mailed = mailed_to(header.url) is not None
    for given in read_answers(resource, questionnaire, str(path), mailed=mailed):
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
            reading.add(scope, given.item, Brought(response, location, own_word=header.author is not None))
        except DocumentError as error:
            reading.problems.append(error)


def _response(given: Given, stored: Response | None, header: Header, location: Location, reading: Reading) -> Response:
    """The response as it will be stored.

    A document without a record of ours says nothing of note and evidence: with the same answer both stay; with another
    one the note stays, and the evidence, which supported the earlier answer, does not. Of somebody's own word only what
    the document says is taken.
    """
    record = given.record
    if record is not None and record.at is not None and header.author is not None:
        reading.check_time(record.at, location)
    if record is None and header.author is not None:
        reason = given.comment if given.status is Status.NOT_APPLICABLE else None
        record = Record(note=None if reason else given.comment, reason=reason, at=header.authored)
    elif record is None:
        note = stored.note if stored else None
        record = Record(note=note, reason=stored.reason if stored else None, at=header.authored)
    for document in record.documents:
        if (wrong := document.dated_ahead(reading.now.date())) is not None:
            raise DocumentError(wrong, location=location, remedy="give the day that it is of")
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
            link=record.documents[0].link if record.documents else None,
            documents=record.documents,
            by=record.by or header.author,
            assignee=record.assignee,
            due=record.due,
            now=record.at or reading.now,
        )
    except InterlockError as error:
        raise DocumentError(error.message, location=location, remedy=error.remedy) from error
    assert response is not None
    if given.record is not None:
        return response.model_copy(update={"reason": record.reason or None})
    if header.author is None and stored and (response.status, response.value) == (stored.status, stored.value):
        return stored
    return response
