"""The answers of a workspace: saved one by one, never over somebody else's, and never lost."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from interlock.documents.files import inside, read_bytes
from interlock.documents.yaml import MAX_BYTES, YamlDocument, load_yaml, model_from_yaml, parse_yaml
from interlock.model.errors import DocumentError, InterlockError, Location, WorkspaceError
from interlock.model.text import plain
from interlock.workspace.atomic import locked, write_atomically
from interlock.workspace.edit import edit_entries

if TYPE_CHECKING:
    from interlock.model.response import Response
    from interlock.workspace.journal import Change, KeptAnswer


class Folder:
    """A folder that somebody else may have filled: nothing is read or written outside of it, whatever links it holds.

    :ivar root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """The real path of a file or folder of it.

        :raises DocumentError: it would be outside; names the link that leads there.
        """
        return inside(self.root, self.root / name)

    def output(self, folder: Path) -> Path:
        """The folder to write output into: inside the workspace no link may lead out of it.

        :raises DocumentError: a link in the workspace leads out of it.
        """
        named, root = (Path(os.path.normpath(path.absolute())) for path in (folder, self.root))
        if root == named or root in named.parents:
            inside(self.root, folder)
        return folder

    def files(self, folder: str, pattern: str) -> tuple[Path, ...]:
        """The files of one folder of it, sorted by name.

        :raises DocumentError: the folder is outside.
        """
        self.path(folder)
        return tuple(sorted((self.root / folder).glob(pattern)))

    def has(self, name: str) -> bool:
        """Whether there is anything of this name: a link that leads nowhere is told when it is read."""
        return os.path.lexists(self.root / name)

    def load(self, name: str) -> YamlDocument:
        """A YAML file.

        :raises DocumentError: it is missing, outside, or not valid YAML.
        """
        return load_yaml(self.root / name, within=self.root)


PRODUCT = "product"
_SCOPE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Saved:
    """Side effects of a save: answers that went in late, and answers that were dropped.

    :ivar recovered: questions whose answers could not be saved earlier and went in now.
    :ivar settled: answers that stood against somebody else's, and are dropped now that the question is answered anew.
    """

    recovered: tuple[str, ...] = ()
    settled: tuple[KeptAnswer, ...] = ()


class DisputedError(WorkspaceError):
    """Somebody else answered the same question meanwhile: theirs stays in the file, and ours is kept beside it."""

    def __init__(self, file: Path, change: Change, theirs: Response | None, *, is_kept: bool = True) -> None:
        org = "" if change.scope == PRODUCT else f" --org {change.scope}"
        choose = f"choose with: interlock answer {change.item}{org} --keep mine (or theirs); or answer again"
        super().__init__(
            f"not saved: {change.item} was answered by somebody else meanwhile: {said(theirs)}; "
            f"your answer {said(change.response)} {'is kept beside it' if is_kept else 'could not be kept'}",
            location=Location(file=str(file)),
            remedy=choose if is_kept else "answer again",
        )


class ResponseFiles(Folder):
    """The files ``responses/product.yaml`` and ``responses/<org>.yaml`` of a workspace."""

    def responses(self, scope: str) -> dict[str, Response]:
        """Responses of ``product`` or of one organisation; empty when the file is not there."""
        name = _responses_file(scope)
        return parse_responses(self.load(name)) if self.has(name) else {}

    def save_response(self, scope: str, item: str, response: Response | None, *, before: Response | None) -> Saved:
        """Save one answer (``None`` removes it), together with any answers that could not be saved earlier.

        When the save fails the answer is kept in the journal, and the error says so.

        :param before: what its writer had read there, or none: whatever else the file holds now is somebody's answer.
        :raises DisputedError: the file holds another answer by now. It stays, and this one is kept beside it.
        :raises WorkspaceError: the folder is locked, read-only or full.
        :raises DocumentError: the responses file is broken.
        """
        from interlock.workspace import journal

        change = journal.Change(scope, item, response, before)

        def refuse(change: Change, theirs: Response | None) -> DisputedError:
            is_kept = journal.keep(self.root, change, disputed=True) is not None
            return DisputedError(self.root / _responses_file(scope), change, theirs, is_kept=is_kept)

        try:
            return self._save([change], refuse)
        except DisputedError:
            raise
        except (WorkspaceError, DocumentError) as error:
            path = journal.keep(self.root, change)
            if path is None:
                raise
            note = f"{error.message}; the answer to {item} is kept in {path} and goes in with the next save"
            raise type(error)(note, location=error.location, remedy=error.remedy) from error

    def save_responses(self, changes: Sequence[Change]) -> Saved:
        """Save several answers: all of them, or none when one cannot be saved or was answered by somebody else.

        Answers that could not be saved earlier go in first, as with :meth:`save_response`.

        :raises WorkspaceError: the folder is locked, read-only or full, or somebody else answered one meanwhile.
        :raises DocumentError: a responses file is broken.
        """

        def refuse(change: Change, theirs: Response | None) -> WorkspaceError:
            return WorkspaceError(
                f"nothing was saved: {change.item} was answered by somebody else meanwhile: {said(theirs)}",
                location=Location(file=str(self.root / _responses_file(change.scope))),
                remedy="do it again, now that you know",
            )

        return self._save(changes, refuse)

    def _save(self, changes: Sequence[Change], refuse: Callable[[Change, Response | None], WorkspaceError]) -> Saved:
        """Save answers, all or none; ``refuse`` makes the error about one that somebody else answered meanwhile."""
        from interlock.workspace import journal

        with locked(self.root):
            entries = journal.kept(self.root)
            recovered = self._recover(entries, changes)
            for change, theirs in self._contradicted(changes, entries):
                raise refuse(change, theirs)
            written: list[tuple[Path, bytes | None]] = []
            try:
                for scope in dict.fromkeys(change.scope for change in changes):
                    path = self.root / _responses_file(scope)
                    before = read_bytes(path, MAX_BYTES, within=self.root) if path.exists() else None
                    self._put(scope, {change.item: change.response for change in changes if change.scope == scope})
                    written.append((path, before))
            except (WorkspaceError, DocumentError):
                for path, before in written:
                    path.unlink() if before is None else write_atomically(path, before, within=self.root)
                raise
        keys = {change.key for change in changes}
        superseded = [entry for entry in entries if entry.key in keys]
        journal.settle(self.root, dropped=superseded)
        return Saved(recovered, tuple(entry for entry in superseded if entry.disputed))

    def _contradicted(
        self, changes: Sequence[Change], entries: Sequence[KeptAnswer]
    ) -> Iterator[tuple[Change, Response | None]]:
        """The changes to questions that somebody else answered meanwhile, with that answer.

        What a writer had read may be an earlier answer of the same user that is still waiting to be saved.
        """
        stored = {scope: self.responses(scope) for scope in {change.scope for change in changes}}
        for change in changes:
            theirs = latest = stored[change.scope].get(change.item)
            for entry in entries:
                earlier = entry.change()
                if earlier and earlier.key == change.key and not entry.disputed and _same(latest, earlier.before):
                    latest = earlier.response
            expected = ((theirs, change.before), (theirs, change.response), (latest, change.before))
            if not any(starmap(_same, expected)):
                yield change, theirs

    def _recover(self, entries: Sequence[KeptAnswer], changes: Sequence[Change]) -> tuple[str, ...]:
        """Save what could not be saved earlier, but what ``changes`` answer anew; what cannot be saved stays kept.

        An answer that somebody else's stands against by now is disputed from here on.
        """
        keys = {change.key for change in changes}
        waiting: dict[str, list[tuple[KeptAnswer, Change]]] = {}
        for entry in entries:
            change = entry.change()
            if change is not None and not entry.disputed and change.key not in keys:
                waiting.setdefault(change.scope, []).append((entry, change))
        recovered: list[str] = []
        for scope, kept in waiting.items():
            try:
                recovered += self._recover_scope(scope, kept)
            except WorkspaceError:
                continue
            except DocumentError:  # one of them cannot be written as it is; it shall not stop the others
                for answer in kept:
                    with contextlib.suppress(WorkspaceError, DocumentError):
                        recovered += self._recover_scope(scope, [answer])
        return tuple(recovered)

    def _recover_scope(self, scope: str, kept: Sequence[tuple[KeptAnswer, Change]]) -> list[str]:
        from interlock.workspace import journal

        stored: dict[str, Response | None] = {**self.responses(scope)}
        answers: dict[str, Response | None] = {}
        done, against = [], []
        for entry, change in kept:
            there = stored.get(change.item)
            if not _same(there, change.response):
                if not _same(there, change.before):
                    against.append(entry)
                    continue
                stored[change.item] = answers[change.item] = change.response
            done.append(entry)
        if answers:
            self._put(scope, answers)
        journal.settle(self.root, dropped=done, disputed=against)
        return list(answers)

    def disputed(self) -> dict[tuple[str, str], KeptAnswer]:
        """The last answer of ours to every question (scope, item) to which the file holds somebody else's."""
        from interlock.workspace import journal

        return {entry.key: entry for entry in journal.kept(self.root) if entry.disputed}

    def disputes(self) -> dict[tuple[str, str], InterlockError]:
        """The error to show for every disputed question, by scope and item.

        :raises DocumentError: a responses file is broken.
        """
        errors: dict[tuple[str, str], InterlockError] = {}
        for (scope, item), entry in self.disputed().items():
            change = entry.change()
            if change is not None:
                file = self.root / _responses_file(scope)
                errors[scope, item] = DisputedError(file, change, self.responses(scope).get(item))
        return errors

    def choose(self, scope: str, item: str, keep: Literal["mine", "theirs"]) -> Change:
        """Decide between our answer and somebody else's; returns what the file holds now, and held before.

        :raises WorkspaceError: there is nothing to decide, our answer is no longer a valid one, or it cannot be saved.
        """
        from interlock.workspace import journal

        entry = self.disputed().get((scope, item))
        if entry is None:
            raise WorkspaceError(f"nobody else's answer to {item} stands against yours", remedy="answer it as usual")
        stored = self.responses(scope).get(item)
        if keep == "theirs":
            journal.settle(self.root, dropped=[kept for kept in journal.kept(self.root) if kept.key == entry.key])
            return journal.Change(scope, item, stored, stored)
        change = entry.change()
        if change is None:
            raise WorkspaceError(f"your answer to {item} is no longer a valid one", remedy="answer it again")
        self.save_response(scope, item, change.response, before=stored)
        return journal.Change(scope, item, change.response, stored)

    def _put(self, scope: str, changes: Mapping[str, Response | None]) -> None:
        name = _responses_file(scope)
        written = {item: None if response is None else _written(response) for item, response in changes.items()}
        edit_entries(
            self.root / name, self.root, "answers", written, lambda text: parse_responses(parse_yaml(text, name))
        )


def _responses_file(scope: str) -> str:
    """The name of a scope's file of responses.

    :raises WorkspaceError: no organisation has such an id.
    """
    if not _SCOPE.fullmatch(scope):
        raise WorkspaceError(f"there is no organisation {plain(scope, 80)!r}", remedy="interlock org list shows them")
    return f"responses/{scope}.yaml"


def said(response: Response | None) -> str:
    """An answer with its author and time, for a sentence; everybody's where several people answered."""
    from interlock.model import words

    if response is None:
        return "no answer"
    if response.others:
        return "; ".join(said(answer) for answer in response.answers)
    from interlock.model.base import Status

    note = f" with the note '{plain(response.note, 120)}'" if response.note else ""
    who = f" by {plain(response.by, 80)}" if response.by else ""
    when = f" ({words.moment(response.at)})" if response.at else ""
    if response.status is Status.ANSWERED:
        answer = ", ".join(response.value) if isinstance(response.value, tuple) else str(response.value)
    else:
        answer = words.STATUS[response.status].phrase
    return f"'{plain(answer, 120)}'{note}{who}{when}"


def _written(response: Response) -> dict[str, Any]:
    """An answer as its file holds it: lists only where something is in them."""
    data = response.model_dump(mode="json", exclude_none=True)
    others = [_written(other) for other in response.others]
    kept = {key: value for key, value in data.items() if value != []}
    return kept | ({"others": others} if others else {})


def _same(left: Response | None, right: Response | None) -> bool:
    """Whether two answers say the same; when they were given does not matter."""
    return left is right or (left is not None and right is not None and left.said == right.said)


def parse_responses(document: YamlDocument) -> dict[str, Response]:
    """``answers:`` of a responses file.

    :raises DocumentError: anything but a map of item ids to responses, or evidence of a day to come, with the line.
    """
    from interlock.model.response import Response

    data: Any = document.data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise DocumentError("expected the key 'answers'", location=document.location())
    for key in data:
        if key not in {"answers", "note"}:
            raise DocumentError(
                f"unknown key {plain(key, 60)!r}",
                location=document.location((key,)),
                remedy="known keys: answers, note",
            )
    answers = data.get("answers") or {}
    if not isinstance(answers, dict):
        raise DocumentError("expected item ids and their answers", location=document.location(("answers",)))
    responses = {}
    for item, entry in answers.items():
        responses[item] = response = model_from_yaml(Response, document, entry, ("answers", item))
        for number, record in enumerate(response.documents):
            if (wrong := record.dated_ahead(date.today())) is not None:
                location = document.location(("answers", item, "documents", number, "date"))
                raise DocumentError(wrong, location=location, remedy="give the day that it is of")
    return responses
