"""Answers that documents bring, set beside ours: what is new, the same or different, and saved whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from interlock.content.answer import MAX_TEXT
from interlock.content.visibility import hidden
from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.evidence import MAX_NAME
from interlock.model.forms import ChangeKind, FormChange, FormImport, StoredAnswer, Take
from interlock.model.questionnaire import Item
from interlock.model.response import MAX_OTHERS, Response
from interlock.model.text import wrong_with_line
from interlock.usecases.load import Inputs
from interlock.usecases.questions import Asked
from interlock.workspace.journal import Change
from interlock.workspace.responses import Saved
from interlock.workspace.store import Workspace

#: Files of one import.
MAX_FILES = 2_000
#: By how much the day may be ahead where somebody answers: time zones reach from UTC-12 to UTC+14.
_AHEAD = timedelta(hours=14)

Key = tuple[str, str]


class FormsRefusedError(InterlockError):
    """Nothing was imported: ``problems`` holds every reason, each with file and where in it."""

    def __init__(self, problems: Sequence[DocumentError]) -> None:
        count = words.count(len(problems), "problem")
        super().__init__(f"nothing was imported: {count}", remedy="correct the documents, or leave these answers out")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Brought:
    """An answer that a document brings.

    :ivar where: the document and the place in it.
    :ivar own_word: its author says it of his own organisation: where ours differs both stand until somebody settles it.
    """

    response: Response
    where: Location
    own_word: bool = False


@dataclass
class Reading:
    """What was read of the documents so far.

    :ivar org: whose answers these are, where a document does not say.
    :ivar by: who answered, where a document does not say.
    :ivar now: the time of answers that bring none.
    :ivar answers: by scope and question.
    :ivar covered: scopes and questions of the documents' forms.
    """

    org: str | None
    any_version: bool
    now: datetime
    by: str | None = None
    answers: dict[Key, Brought] = field(default_factory=dict)
    covered: dict[Key, None] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)
    remarks: dict[str, None] = field(default_factory=dict)

    def add(self, scope: str, item: Item, brought: Brought) -> None:
        """Take one answer.

        :raises DocumentError: another one of these documents answers the question otherwise.
        """
        earlier = self.answers.setdefault((scope, item.id), brought)
        if earlier.response.said != brought.response.said:
            message = f"{item.id} is answered otherwise in {earlier.where.file}"
            raise DocumentError(message, location=brought.where, remedy="keep one")

    def check_time(self, time: datetime, where: Location) -> None:
        """Make sure that nobody answered tomorrow.

        :raises DocumentError: the time is in the future everywhere on earth.
        """
        if time.astimezone(UTC).replace(tzinfo=None) > self.now.astimezone(UTC).replace(tzinfo=None) + _AHEAD:
            day = words.iso_day(time.date().isoformat())
            raise DocumentError(f"{day} is in the future", location=where, remedy="write the day of the answer")


def start(
    inputs: Inputs,
    files: Sequence[Path],
    *,
    org: str | None = None,
    any_version: bool = False,
    by: str | None = None,
    now: datetime | None = None,
) -> Reading:
    """Nothing read yet.

    :raises InterlockError: there is no such organisation, or too many files.
    """
    if org is not None:
        inputs.organization(org)
    if by is not None and (wrong := wrong_with_line(by, MAX_NAME)) is not None:
        raise InterlockError(f"the author {wrong}", remedy='give a name on one line, such as --as "Ada Lake"')
    if len(files) > MAX_FILES:
        raise InterlockError(f"more than {MAX_FILES:,} files", remedy="import them in several goes")
    return Reading(org, any_version, (now or datetime.now(UTC)).replace(microsecond=0), by)


def compare(inputs: Inputs, files: Sequence[Path], reading: Reading, *, take: Take | None, dry_run: bool) -> FormImport:
    """What saving these answers would change.

    :param take: whose answer stays where an organisation's own word differs from what is stored; otherwise both stand.
    :raises FormsRefusedError: an answer cannot be taken, with all reasons.
    """
    told: list[FormChange] = []
    for (scope, item_id), brought in reading.answers.items():
        before = inputs.answers(scope).get(item_id)
        try:
            kind, after = _settled(before, brought, take)
        except DocumentError as error:
            reading.problems.append(error)
            continue
        had_evidence = before is not None and (before.evidence is not Evidence.ASSERTED or bool(before.documents))
        if kind == "older":
            reading.remarks[f"{item_id}: what {brought.response.by} said later is stored, and stays"] = None
        if kind == "changed" and had_evidence and after.evidence is Evidence.ASSERTED and not after.documents:
            reading.remarks[f"{item_id} has another answer, and the document brings no evidence for it"] = None
        told.append(
            FormChange(
                scope=scope,
                item=item_id,
                text=inputs.content.items[item_id].text,
                kind=kind,
                before=before,
                theirs=brought.response,
                after=after,
            )
        )
    if reading.problems:
        raise FormsRefusedError(reading.problems)
    told = list(_with_hidden(inputs, told))
    return FormImport(
        files=tuple(str(path) for path in files),
        dry_run=dry_run,
        changes=tuple(change for change in told if _is_written(change)),
        others=tuple(change for change in told if not _is_written(change)),
        unchanged=sum(change.kind == "same" for change in told),
        kept=tuple(
            StoredAnswer(scope=scope, item=item)
            for scope, item in reading.covered
            if (scope, item) not in reading.answers and item in inputs.answers(scope)
        ),
        remarks=tuple(reading.remarks),
    )


def _is_written(change: FormChange) -> bool:
    return change.after != change.before


def _with_hidden(inputs: Inputs, told: Sequence[FormChange]) -> Iterator[FormChange]:
    """The changes, each with whether its question is asked once all of them are saved."""
    answers = {scope: dict(inputs.answers(scope)) for scope in ("product", *(change.scope for change in told))}
    for change in filter(_is_written, told):
        answers[change.scope][change.item] = change.after
    after = replace(inputs, product=answers["product"], by_org=answers)
    not_asked = {scope: hidden(after.visible(scope)) for scope in answers}
    return (change.model_copy(update={"hidden": change.item in not_asked[change.scope]}) for change in told)


def _settled(stored: Response | None, brought: Brought, take: Take | None) -> tuple[ChangeKind, Response]:
    """How an answer compares with the stored one, and what is stored then: the stored one itself where nothing changes.

    :raises DocumentError: what is noted on both sides is too long for one answer.
    """
    theirs = brought.response
    if stored is None:
        return "new", theirs
    if not brought.own_word:
        return _of_a_form(stored, theirs, brought.where)
    if (stored.status, stored.value) == (theirs.status, theirs.value) and stored.by in {None, theirs.by}:
        if stored.by == theirs.by:
            return "same", stored
        return "confirmed", stored.but(by=theirs.by, at=theirs.at, note=_notes(stored, theirs, brought.where))
    earlier = next((answer for answer in stored.answers if answer.by == theirs.by), None)
    if earlier is not None and earlier.at is not None and theirs.at is not None and theirs.at < earlier.at:
        return "older", stored
    is_open = not stored.others and stored.status in {Status.UNANSWERED, Status.UNKNOWN}
    if is_open or (take == "theirs" and not _agree(stored, theirs)):
        after = theirs.but(note=_notes(stored, theirs, brought.where))
        return ("new" if stored.status is Status.UNANSWERED else "changed"), after
    both = _both(stored, theirs, brought.where)
    if _agree(stored, theirs):
        return ("same" if both is stored else "confirmed"), both
    if stored.by == theirs.by:
        return "changed", both
    return "differs", stored if take == "ours" else both


def _agree(stored: Response, theirs: Response) -> bool:
    """Whether nobody who is stored says otherwise."""
    return all((answer.status, answer.value) == (theirs.status, theirs.value) for answer in stored.answers)


def _both(stored: Response, theirs: Response, where: Location) -> Response:
    """The stored answer with another author's beside it."""
    both = stored.beside(theirs)
    if len(both.others) > MAX_OTHERS:
        message = f"more than {MAX_OTHERS} others answered this"
        raise DocumentError(message, location=where, remedy="settle it first: interlock answer ID --keep AUTHOR")
    return both


def _of_a_form(stored: Response, theirs: Response, where: Location) -> tuple[ChangeKind, Response]:
    """The same for a form that is nobody's own word: what it says takes the place of what its author said before."""
    after = theirs.but(
        by=theirs.by or stored.by,
        assignee=theirs.assignee or stored.assignee,
        due=theirs.due or stored.due,
        others=stored.others,
    )
    if stored.said == after.said:
        return "same", stored
    if stored.by not in {None, after.by} and not _agree(stored, theirs):
        return "differs", _both(stored, theirs, where)
    return "changed", after


def _notes(stored: Response, theirs: Response, where: Location) -> str | None:
    """What is noted on both sides: a note of ours stays when the answer beside it is theirs."""
    notes = dict.fromkeys(note for note in (stored.note, theirs.note) if note)
    joined = "\n".join(notes)
    if len(joined) > MAX_TEXT:
        raise DocumentError(
            f"with what is noted already this comment is longer than {MAX_TEXT:,} characters",
            location=where,
            remedy="shorten one of them",
        )
    return joined or None


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
    parts += [f"evidence {record.name}" for record in response.documents]
    if response.note:
        parts.append(f"note: {response.note}")
    return "; ".join(parts)
