"""Answers from the workbooks that organisations fill in: each with its author and day, all taken or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from interlock.documents.xlsx import Workbook, read_workbook
from interlock.model import words
from interlock.model.errors import DocumentError, Location
from interlock.model.forms import FormImport, Take
from interlock.model.sheet import LAYOUT, QUESTIONS, RECORD, SCHEMA
from interlock.model.text import plain
from interlock.usecases.form_import import Reading, compare, start
from interlock.usecases.load import Inputs
from interlock.usecases.sheet import Asked, asked_of_organizations, fingerprint
from interlock.usecases.sheet_lines import RETURN, SheetLines


def plan_sheet_import(
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
    """What importing these workbooks would change; nothing is written.

    :param org: the organisation that all of them have to be of.
    :param any_version: take what still fits of a sheet whose questions are others by now.
    :param by: who answered, where a sheet does not say.
    :param take: whose answer stays where theirs differs from what is stored.
    :raises InterlockError: there is no such organisation, or too many files.
    :raises FormsRefusedError: a file cannot be read, or an answer cannot be taken, with all reasons.
    """
    reading = start(inputs, files, org=org, any_version=any_version, by=by, now=now)
    questions = asked_of_organizations(inputs.content)
    for path in files:
        try:
            book = read_workbook(path, {QUESTIONS, RECORD})
            scope = _organization(inputs, book, questions, path, reading)
            SheetLines(book, questions, path, reading).read(scope)
        except DocumentError as error:
            reading.problems.append(error)
    return compare(inputs, files, reading, take=take, dry_run=dry_run)


def _organization(inputs: Inputs, book: Workbook, questions: Mapping[str, Asked], path: Path, reading: Reading) -> str:
    """Whose answers a sheet holds, once its record fits this workspace.

    :raises DocumentError: it is no sheet of ours, of another product, organisation or version.
    """
    cells = book.sheets.get(RECORD, {})
    record = {
        str(key.value): str(cells[row, 2].value) if (row, 2) in cells else ""
        for (row, column), key in cells.items()
        if column == 1
    }

    def refuse(message: str, remedy: str) -> DocumentError:
        return DocumentError(message, location=Location(file=str(path), pointer=RECORD), remedy=remedy)

    if record.get("schema") != SCHEMA:
        raise refuse("this workbook is no sheet of questions: its record is missing", RETURN)
    if record.get("layout") != LAYOUT:
        raise refuse("this sheet was written by another version of Interlock", "export it again")
    product, org = record.get("product", ""), record.get("organization", "")
    if product.removeprefix("'") != inputs.settings.product.removeprefix("'"):
        raise refuse(
            f"this sheet is about the product {plain(product, 80)!r}, "
            f"and this workspace assesses {plain(inputs.settings.product, 80)!r}",
            "import it into that product's workspace",
        )
    if reading.org not in (None, org):
        raise refuse(f"this sheet is of {plain(org, 80)!r}, not of {reading.org!r}", "leave --org out")
    known = [organization.id for organization in inputs.organizations]
    if org not in known:
        raise refuse(f"there is no organisation {plain(org, 80)!r}", f"organisations: {words.listed(known) or 'none'}")
    if record.get("version", "").rpartition("-")[2] != fingerprint(questions):
        versions = {entry.questionnaire.id: entry.questionnaire.version for entry in questions.values()}
        others = [
            f"version {plain(record[f'questionnaire {name}'], 40)} of {name}, and this workspace asks version {version}"
            for name, version in versions.items()
            if record.get(f"questionnaire {name}", version) != version
        ]
        said = f"this sheet asks {words.listed(others)}" if others else "this sheet's questions are other ones by now"
        if not reading.any_version:
            raise refuse(said, "export it again; --any-version takes the answers that still fit")
        reading.remarks[f"{path.name}: {said}"] = None
    return org
