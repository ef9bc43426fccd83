"""What an import of FHIR forms does to a workspace's answers."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model
from interlock.model.questionnaire import Response


class FormChange(Model):
    """One answer that the import brings.

    :ivar scope: ``product`` or the organisation's id.
    :ivar hidden: the question is not asked, given the other answers; the answer is stored and counts for nothing yet.
    """

    scope: str
    item: str
    text: str
    kind: Literal["new", "changed"]
    before: Response | None = None
    after: Response
    hidden: bool = False


class StoredAnswer(Model):
    """An answer of the workspace, by scope and question."""

    scope: str
    item: str


class FormImport(Model):
    """``interlock import fhir --format json``.

    :ivar unchanged: how many answers of the documents are stored already.
    :ivar kept: stored answers to the same questionnaires that the documents do not hold; they stay as they are.
    :ivar remarks: what a person should know, one sentence each.
    """

    schema_version: Literal["1"] = "1"
    files: tuple[str, ...]
    dry_run: bool
    changes: tuple[FormChange, ...]
    unchanged: int
    kept: tuple[StoredAnswer, ...]
    remarks: tuple[str, ...]
