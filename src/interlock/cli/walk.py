"""``interlock assess --plain``: the questions one after the other in plain lines, answered by number and letter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from interlock.cli.output import blank, show_error, show_paragraph
from interlock.model import words
from interlock.model.base import Evidence, Status
from interlock.model.choices import Choice, choices_of
from interlock.model.errors import InterlockError
from interlock.model.questionnaire import ItemType
from interlock.model.text import plain
from interlock.usecases.answer import Raw, record_answer
from interlock.usecases.judge import judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.questions import Asked, questions
from interlock.usecases.revise import Given, revised

if TYPE_CHECKING:
    from interlock.workspace.store import Workspace

#: Longest line that is read, in characters: more than any answer may have.
_LONGEST = 100_000
#: Where somebody is: scope and question.
Position = tuple[str, str]

_HELP = """
A number takes that answer; several numbers with spaces between where several answers are possible.
u  unknown: it becomes something to find out
x  it does not apply; you are asked why
n  a note beside the answer
e  the evidence for the answer: asserted, documented or observed
d  takes the answer back
h  what a good answer is, and why it is asked
s  goes on to the next question; Enter alone goes on to the next one without an answer
b  goes back to the question that you came from
w  whose questions: the product's or an organisation's
q  ends; everything is saved already
"""


class _InputEndError(Exception):
    """Nothing more is typed."""


def walk(workspace: Workspace, author: str) -> None:
    """Ask every question of a workspace, in reading order, beginning with the first without an answer.

    Each answer is saved before the next question. It ends with ``q``, or where nothing more can be read.

    :raises InterlockError: the workspace cannot be read.
    """
    Walk(workspace, author).run()


class Walk:
    """Where one is in the questions, and what the letters do there."""

    def __init__(self, workspace: Workspace, author: str) -> None:
        self._workspace, self._author = workspace, author
        self._inputs: Inputs = load_inputs(workspace)
        self._came_from: list[Position] = []
        self._at: Position | None = None
        self._shown: Asked | None = None

    def run(self) -> None:
        """Ask until somebody ends it."""
        asked = self._all()
        still_open = sum(question.status is Status.UNANSWERED for question in asked)
        _tell(f"{self._inputs.settings.product}: {words.count(len(asked), 'question')}, {still_open} not answered.")
        _tell("A number takes an answer. Enter goes on, ? lists the letters, q ends.")
        try:
            self._go(self._next_open())
            while self._at is not None:
                self._ask()
            _tell("Every question has an answer.")
        except (_InputEndError, KeyboardInterrupt):
            blank()
        _tell("Everything is saved. " + self._where_it_stands())

    # -- where ----------------------------------------------------------------------------------------------------

    def _all(self) -> list[Asked]:
        scopes = ("product", *(org.id for org in self._inputs.organizations))
        return [asked for scope in scopes for asked in questions(self._inputs, scope)]

    def _next_open(self) -> Position | None:
        asked = self._all()
        positions = [(question.scope, question.item.id) for question in asked]
        start = positions.index(self._at) + 1 if self._at in positions else 0
        order = [*range(start, len(asked)), *range(start)]
        return next((positions[index] for index in order if asked[index].status is Status.UNANSWERED), None)

    def _go(self, position: Position | None) -> None:
        if self._at is not None and self._at != position:
            self._came_from.append(self._at)
        self._at = position

    def _whose(self, scope: str) -> str:
        return self._inputs.settings.product if scope == "product" else self._inputs.organization(scope).name

    # -- one question ---------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        """Show the question and do what is typed, until another one is shown."""
        asked = next((entry for entry in self._all() if (entry.scope, entry.item.id) == self._at), None)
        if asked is None:  # an answer elsewhere hid it
            self._go(self._next_open())
            return
        choices = choices_of(asked.item)
        if asked != self._shown:  # after a help or a mistake, the question need not be heard again
            self._show(asked, choices)
            self._shown = asked
        try:
            self._do(_read("Your answer: "), asked, choices)
        except InterlockError as error:
            show_error(error)
            self._inputs = load_inputs(self._workspace)

    def _show(self, asked: Asked, choices: Sequence[Choice]) -> None:
        here = [entry for entry in self._all() if entry.scope == asked.scope]
        number = next(index for index, entry in enumerate(here, 1) if entry.item.id == asked.item.id)
        blank()
        _tell(f"{self._whose(asked.scope)}. {asked.area}. Question {number} of {len(here)}.")
        _tell(asked.text)
        several = " Several are possible." if asked.item.type is ItemType.MULTI_CHOICE else ""
        for number, choice in enumerate(choices, 1):
            _tell(choice.label, f"{number}. ")
        response = asked.response
        if response is not None:
            by = f", said by {response.by}" if response.by else ""
            _tell(f"The answer now: {asked.shown_answer()}, {words.EVIDENCE[response.evidence].phrase}{by}.{several}")
            if response.note:
                _tell(f"Note: {response.note}")
        else:
            _tell(f"There is no answer yet.{several}")

    def _do(self, typed: str, asked: Asked, choices: Sequence[Choice]) -> None:
        letters: dict[str, Callable[[], object]] = {
            "": lambda: self._go(self._next_open()),
            "s": lambda: self._step(asked),
            "b": self._back,
            "u": lambda: self._save(asked, Given(status=Status.UNKNOWN)),
            "x": lambda: self._exempt(asked),
            "n": lambda: self._save(asked, Given(note=_read("The note: ")), stay=True),
            "e": lambda: self._evidence(asked),
            "d": lambda: self._save(asked, Given(status=Status.UNANSWERED), stay=True),
            "h": lambda: self._explain(asked),
            "w": self._choose_scope,
            "?": lambda: _tell_lines(_HELP),
        }
        if typed == "q":
            raise _InputEndError
        if typed in letters:
            letters[typed]()
            return
        numbers = typed.replace(",", " ").split()
        if not all(number.isascii() and number.isdigit() and 0 < int(number[:4]) <= len(choices) for number in numbers):
            _tell(f"Type a number from 1 to {len(choices)}, or a letter; ? lists the letters.")
            return
        taken = [choices[int(number) - 1] for number in dict.fromkeys(numbers)]
        if len(taken) > 1 and not all(choice.kind == "value" for choice in taken):
            _tell("These do not go together: type one number.")
        elif taken[0].kind == "typed":
            self._save(asked, Given(value=_read("Type it: ")))
        elif taken[0].value == Status.NOT_APPLICABLE.value:
            self._exempt(asked)
        elif taken[0].kind == "status":
            self._save(asked, Given(status=Status.UNKNOWN))
        elif len(taken) > 1 and asked.item.type is not ItemType.MULTI_CHOICE:
            _tell("This question takes one answer: type one number.")
        else:
            values = [choice.value for choice in taken]
            several: Raw = values if asked.item.type is ItemType.MULTI_CHOICE else values[0]
            self._save(asked, Given(value=several))

    def _step(self, asked: Asked) -> None:
        positions = [(entry.scope, entry.item.id) for entry in self._all()]
        index = positions.index((asked.scope, asked.item.id)) + 1
        if index < len(positions):
            self._go(positions[index])
        else:
            _tell("This is the last question.")

    def _back(self) -> None:
        if self._came_from:
            self._at = self._came_from.pop()
        else:
            _tell("This is where you began.")

    def _exempt(self, asked: Asked) -> None:
        if asked.item.na == "never":
            _tell("This question always applies. u says that its answer is not known yet.")
            return
        self._save(asked, Given(status=Status.NOT_APPLICABLE, reason=_read("Why does it not apply? ")))

    def _evidence(self, asked: Asked) -> None:
        if asked.response is None:
            _tell("Answer first: evidence stands beside an answer.")
            return
        kinds = list(Evidence)
        for number, kind in enumerate(kinds, 1):
            _tell(f"{words.EVIDENCE[kind].phrase}: {words.EVIDENCE_MEANS[kind]}", f"{number}. ")
        typed = _read("Which evidence? ")
        if typed in {str(number) for number in range(1, len(kinds) + 1)}:
            self._save(asked, Given(evidence=kinds[int(typed) - 1]), stay=True)

    def _explain(self, asked: Asked) -> None:
        for said in (asked.item.help, asked.item.why and f"Why it is asked: {asked.item.why}"):
            if said:
                _tell(said)
        _tell(f"Its id is {asked.item.id}.")

    def _choose_scope(self) -> None:
        scopes = ["product", *(org.id for org in self._inputs.organizations)]
        for number, scope in enumerate(scopes, 1):
            still_open = sum(entry.status is Status.UNANSWERED for entry in questions(self._inputs, scope))
            _tell(f"{self._whose(scope)}, {still_open} not answered", f"{number}. ")
        typed = _read("Whose questions? ")
        if typed.isascii() and typed.isdigit() and 0 < int(typed[:6]) <= len(scopes):
            scope = scopes[int(typed) - 1]
            entries = questions(self._inputs, scope)
            first = next((entry for entry in entries if entry.status is Status.UNANSWERED), next(iter(entries), None))
            if first is not None:
                self._go((scope, first.item.id))

    # -- saving ---------------------------------------------------------------------------------------------------

    def _save(self, asked: Asked, given: Given, *, stay: bool = False) -> None:
        """Save what was said, tell what it did, and go on to the next question without an answer."""
        response = revised(asked.item, asked.response, given, self._author)
        org = None if asked.scope == "product" else asked.scope
        record_answer(self._workspace, self._inputs.content, asked.item.id, response, org, before=asked.response)
        self._inputs = load_inputs(self._workspace)
        _tell("Saved. " + self._where_it_stands())
        if not stay:
            self._go(self._next_open())

    def _where_it_stands(self) -> str:
        judged = judge(self._inputs)
        interval = judged.product_score.interval
        verdict = words.verdict(judged.verdict.value, judged.verdict.latest)
        return f"Score of the product: {words.interval(interval.low, interval.high)}. Verdict: {plain(verdict)}."


def _tell(text: str, mark: str = "") -> None:
    show_paragraph(text, mark)


def _tell_lines(text: str) -> None:
    for line in text.strip().splitlines():
        _tell(line)


def _read(prompt: str) -> str:
    """One line as it was typed, without white space around it.

    :raises _InputEndError: nothing more can be read.
    """
    sys.stdout.write(prompt)
    sys.stdout.flush()
    typed = sys.stdin.readline(_LONGEST)
    if not typed:
        raise _InputEndError
    return typed.strip()
