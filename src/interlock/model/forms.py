"""What an import of forms, in FHIR or as a workbook, does to a workspace's answers."""

from __future__ import annotations

from typing import Literal

from interlock.model.base import Model
from interlock.model.response import Response

#: How an answer of a document compares with ours: there was none; another one takes its place; the same, and now with
#: its author's name; the same; another one, which stands against ours; one that its author has changed since.
ChangeKind = Literal["new", "changed", "confirmed", "same", "differs", "older"]
#: Whose answer stays where an organisation's own word differs from what is stored.
Take = Literal["theirs", "ours"]


class FormChange(Model):
    """One answer that the import brings.

    :ivar scope: ``product`` or the organisation's id.
    :ivar before: what is stored.
    :ivar theirs: what the document says.
    :ivar after: what is stored then.
    :ivar hidden: the question is not asked, given the other answers; the answer is stored and counts for nothing yet.
    """

    scope: str
    item: str
    text: str
    kind: ChangeKind
    before: Response | None = None
    theirs: Response
    after: Response
    hidden: bool = False


class StoredAnswer(Model):
    """An answer of the workspace, by scope and question."""

    scope: str
    item: str


class FormImport(Model):
    """``interlock import fhir --format json``, and ``import sheet``.

    :ivar changes: what is written.
    :ivar others: answers of the documents that change nothing.
    :ivar unchanged: how many answers of the documents are stored already.
    :ivar kept: stored answers to the same questionnaires that the documents do not hold; they stay as they are.
    :ivar remarks: what a person should know, one sentence each.
    """

    schema_version: Literal["1"] = "1"
    files: tuple[str, ...]
    dry_run: bool
    changes: tuple[FormChange, ...]
    others: tuple[FormChange, ...] = ()
    unchanged: int
    kept: tuple[StoredAnswer, ...]
    remarks: tuple[str, ...]
