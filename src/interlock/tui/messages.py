"""Messages with which workers tell the app what they did; only the app's handlers change its state.

A burst of progress becomes one repaint: a later message of the same kind replaces an earlier one that still waits.
Messages carry whole assessments: they are neither compared nor written out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from interlock.model.assessment import Assessment
    from interlock.model.diff import AssessmentDiff, BurnDown
    from interlock.model.drift import Drift
    from interlock.model.errors import InterlockError
    from interlock.model.observation import Observation
    from interlock.model.plan import WhatIf
    from interlock.tui.state import Answer, Key
    from interlock.tui.suppositions import Suppositions
    from interlock.usecases.judge import Judgement
    from interlock.usecases.load import Inputs
    from interlock.usecases.next import NextQuestions
    from interlock.usecases.probe import ProbeEvent


@dataclass(eq=False, repr=False)
class Loaded(Message):
    """The workspace was read. ``fingerprint`` says which files it was read from."""

    inputs: Inputs
    fingerprint: dict[str, tuple[int, int]]
    disputes: Mapping[Key, InterlockError]


@dataclass(eq=False, repr=False)
class LoadFailed(Message):
    """The workspace cannot be read; what was there before stays."""

    error: InterlockError


@dataclass(eq=False, repr=False)
class Judged(Message):
    """Findings and scores of the inputs with this revision."""

    revision: int
    judgement: Judgement

    def can_replace(self, message: Message) -> bool:
        """A later judgement makes an earlier one superfluous."""
        return isinstance(message, Judged) and message.revision >= self.revision


@dataclass(eq=False, repr=False)
class Ranked(Message):
    """The questions without an answer of the inputs with this revision, what settles most first."""

    revision: int
    worth: NextQuestions

    def can_replace(self, message: Message) -> bool:
        """A later order makes an earlier one superfluous."""
        return isinstance(message, Ranked) and message.revision >= self.revision


@dataclass(eq=False, repr=False)
class Assessed(Message):
    """The whole assessment of the inputs with this revision."""

    revision: int
    assessment: Assessment

    def can_replace(self, message: Message) -> bool:
        """A later assessment makes an earlier one superfluous."""
        return isinstance(message, Assessed) and message.revision >= self.revision


@dataclass(eq=False, repr=False)
class ComputeFailed(Message):
    """Judging or assessing stopped with an error for a person to read."""

    error: InterlockError


@dataclass(eq=False, repr=False)
class Saved(Message):
    """An answer is on disk. ``recovered`` names answers of an earlier session that went in with it."""

    answer: Answer
    recovered: tuple[str, ...] = ()


@dataclass(eq=False, repr=False)
class NotSaved(Message):
    """An answer could not be saved; it stays in memory."""

    answer: Answer
    error: InterlockError


@dataclass(eq=False, repr=False)
class Disputed(Message):
    """Somebody else answered the same question meanwhile: that answer stays, and ours is kept beside it."""

    answer: Answer
    error: InterlockError


@dataclass(eq=False, repr=False)
class SavingEnded(Message):
    """The queue of answers to save is empty, or saving stopped at an error."""


@dataclass(eq=False, repr=False)
class Probing(Message):
    """Something happened to a target of the probe."""

    event: ProbeEvent


@dataclass(eq=False, repr=False)
class Probed(Message):
    """An organisation was probed and the observation saved."""

    observation: Observation


@dataclass(eq=False, repr=False)
class ProbeEnded(Message):
    """The probe is over: finished, cancelled, or stopped by an error."""

    cancelled: bool = False
    error: InterlockError | None = None


class TerminalClosed(Message):
    """The terminal that the keys come from is gone."""


@dataclass(eq=False, repr=False)
class FilesChanged(Message):
    """Files of the workspace were changed by somebody else."""

    names: tuple[str, ...]

    def can_replace(self, message: Message) -> bool:
        """A later list of files contains an earlier one."""
        return isinstance(message, FilesChanged)


@dataclass(eq=False, repr=False)
class ExportStep(Message):
    """The report's next format is being made."""

    name: str


@dataclass(eq=False, repr=False)
class Exported(Message):
    """The report was written. ``skipped`` are formats that could not be made, and why."""

    written: tuple[Path, ...] = ()
    skipped: tuple[tuple[str, InterlockError], ...] = ()
    error: InterlockError | None = None


@dataclass(eq=False, repr=False)
class StateChanged(Message, bubble=False):
    """The app has another state; a section that is shown draws itself anew."""

    def can_replace(self, message: Message) -> bool:
        """Several changes in a row need one repaint."""
        return isinstance(message, StateChanged)


@dataclass(eq=False, repr=False)
class MilestoneSaved(Message):
    """The assessment was frozen, or why not."""

    path: Path | None = None
    error: InterlockError | None = None


@dataclass(eq=False, repr=False)
class Compared(Message):
    """What moved since a milestone, or why that cannot be said."""

    name: str
    diff: AssessmentDiff | None = None
    error: InterlockError | None = None


@dataclass(eq=False, repr=False)
class BurnedDown(Message):
    """The series of milestones up to now, or why it cannot be shown."""

    series: BurnDown | None = None
    error: InterlockError | None = None


@dataclass(eq=False, repr=False)
class Supposed(Message):
    """The plan's dates before and after the changes ``supposed``, or why they cannot be worked out."""

    supposed: Suppositions
    assessment: Assessment
    result: WhatIf | None = None
    error: InterlockError | None = None


@dataclass(eq=False, repr=False)
class Drifted(Message):
    """What changed at an organisation between its last two observations, or why that cannot be said."""

    org: str
    drift: Drift | None = None
    error: InterlockError | None = None
