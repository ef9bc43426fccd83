"""Answering many cells of a table at once: question by question, as another organisation did, or as is proposed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.widgets import DataTable

from interlock.model import words
from interlock.model.base import Status
from interlock.model.choices import Choice, choices_of
from interlock.model.errors import InterlockError
from interlock.model.response import Response
from interlock.model.text import plain
from interlock.tui.keys import key_of
from interlock.tui.page import text
from interlock.tui.screens.section import AskText, Pick, Section
from interlock.tui.state import Answer

if TYPE_CHECKING:
    from interlock.usecases.answer import Raw
    from interlock.usecases.questions import Asked

#: One cell: a question's id and an organisation's.
Cell = tuple[str, str]


class AnsweringMany(Section):
    """A page on which a key answers the highlighted cell, or every marked one, as one step for each question."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: Mapping[Cell, Asked] = {}
        self._columns: Sequence[str] = ()
        self._marked: set[Cell] = set()

    @property
    @abstractmethod
    def _chosen(self) -> list[Asked]:
        """What a key is for: the marked cells, or the highlighted one."""

    @on(DataTable.CellSelected)
    @work(group="matrix", exclusive=True, description="answer")
    async def _answer(self) -> None:
        """Answer the highlighted cell, or the marked ones, one question after the other."""
        chosen: dict[str, list[Asked]] = {}
        for asked in self._chosen:
            chosen.setdefault(asked.item.id, []).append(asked)
        for number, cells in enumerate(chosen.values(), 1):
            item = cells[0].item
            choices = {f"{choice.kind}:{choice.value}": choice for choice in choices_of(item)}
            whose = self.state.name_of(cells[0].scope) if len(cells) == 1 else f"{len(cells)} organisations"
            which = f"{number} of {len(chosen)}: " if len(chosen) > 1 else ""
            lines = [(key, text(choice.label)) for key, choice in choices.items()]
            title = f"{which}{plain(item.text, 300)} ({plain(whose, 80)})"
            taken = await self.answer_to(Pick(title, lines))
            if taken is None or not await self._choose(cells, choices[taken]):
                return

    async def _choose(self, chosen: list[Asked], choice: Choice) -> bool:
        """Take a choice for these cells of one question; false when what had to be typed was cancelled."""
        item = chosen[0].item
        exempt = partial(self._one, raw=None, status=Status.NOT_APPLICABLE)
        if choice.kind == "typed":
            ask = AskText("The answer", item.text, check=lambda typed: self._made(chosen, typed))
            given = await self.answer_to(ask)
            if given is None:
                return False
            self._give(chosen, partial(self._one, raw=given))
        elif choice.value == Status.NOT_APPLICABLE.value:
            check = lambda reason: exempt(chosen[0], reason=reason)  # noqa: E731
            given = await self.answer_to(AskText("Why does this not apply?", item.text, check=check))
            if given is None:
                return False
            self._give(chosen, partial(exempt, reason=given))
        elif choice.kind == "status":
            self._give(chosen, partial(self._one, raw=None, status=Status.UNKNOWN))
        else:
            several = item.type.value == "multi_choice"
            self._give(chosen, partial(self._one, raw=[choice.value] if several else choice.value))
        return True

    def _made(self, chosen: list[Asked], typed: str) -> None:
        for asked in chosen:
            self._one(asked, raw=typed)

    def _one(
        self, asked: Asked, *, raw: Raw | None, status: Status = Status.ANSWERED, reason: str | None = None
    ) -> Response | None:
        """The answer of one cell; what was said beside an earlier answer stays only where it is the same."""
        from interlock.usecases.answer import make_response

        return make_response(asked.item, raw, status=status, reason=reason, by=self.interlock.author)

    def _give(self, chosen: list[Asked], make: Callable[[Asked], Response | None]) -> None:
        """Answer all of these, as one step."""
        try:
            made = [(asked, make(asked)) for asked in chosen]
        except InterlockError as error:
            self.notify(plain(error, 400), severity="warning", markup=False)
            return
        answers = [
            Answer(asked.scope, asked.item.id, response, asked.response)
            for asked, response in made
            if response is not None or asked.response is not None
        ]
        if not answers:
            return
        over = sum(answer.before is not None for answer in answers)
        self._marked.clear()  # marks are for one key: the next question begins without
        self.interlock.answer(*answers)
        if over:
            told = f"{words.count(over, 'answer')} {'was' if over == 1 else 'were'} there before"
            self.notify(f"{told}, with evidence and note: {key_of('app.undo')} brings back what was.", markup=False)

    def action_unknown(self) -> None:
        """Say that the answers are not known yet."""
        self._give(self._chosen, partial(self._one, raw=None, status=Status.UNKNOWN))

    def action_take_back(self) -> None:
        """Make the questions open again."""
        self._give(self._chosen, lambda _: None)

    def action_same_as(self) -> None:
        """Fill the marked cells as another organisation answered; its evidence and notes stay its own."""
        chosen = self._chosen
        others = [org for org in self._columns if any(asked.scope != org for asked in chosen)]
        if not chosen or not others:
            self.notify("There is no other organisation to take answers from.")
            return
        lines = [(org, text(self.state.name_of(org))) for org in others]
        self.ask(Pick("Answer as which organisation did?", lines), lambda org: self._fill(chosen, org))

    def _fill(self, chosen: list[Asked], source: str) -> None:
        taken = [
            asked
            for asked in chosen
            if asked.scope != source
            and (given := self._asked.get((asked.item.id, source))) is not None
            and given.status in {Status.ANSWERED, Status.NOT_APPLICABLE}
        ]
        if not taken:
            self.notify(f"{plain(self.state.name_of(source), 80)} answered none of these.", markup=False)
            return

        def same(asked: Asked) -> Response | None:
            given = self._asked[asked.item.id, source].response
            assert given is not None  # or it would not be among what is taken
            value = list(given.value) if isinstance(given.value, tuple) else given.value
            return self._one(asked, raw=value, status=given.status, reason=given.reason)

        self._give(taken, same)

    def action_confirm(self) -> None:
        """Take over what is proposed for every organisation, in the marked cells or wherever nobody answered."""
        from interlock.usecases.answer import confirmed, proposal_at

        inputs = self.state.inputs
        if inputs is None:
            return
        among = self._chosen if self._marked else list(self._asked.values())
        proposed = [asked for asked in among if proposal_at(inputs, asked.scope, asked.item) is not None]
        answers = [
            Answer(change.scope, change.item, change.response, change.before)
            for asked in proposed
            for change in confirmed(inputs, asked.item, [asked.scope], self.interlock.author)
        ]
        if answers:
            self.interlock.answer(*answers)
        else:
            self.notify("Nothing is proposed here that somebody has not answered already.")
