"""DRIFT: what changed since the last observation of the organisation. Judged once there is one to compare with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from interlock.model import words
from interlock.model.base import Severity
from interlock.model.text import plain
from interlock.probe.checks.base import CheckInput, check, given
from interlock.probe.checks.results import Result, clauses, failed, passed, warned

if TYPE_CHECKING:
    from interlock.model.drift import ChangeRank


def _compared(probed: CheckInput, rank: ChangeRank, result: Callable[[str], Result]) -> Result:
    """A result that names the changes of one rank, or a pass without any."""
    drift = given(probed.drift)
    changes = [plain(change.summary(), 160) for change in drift.changes if change.rank == rank]
    since = f"since {words.moment(drift.before)}"
    return result(f"{clauses(changes, 4)}, {since}") if changes else passed(f"Nothing {since}")


@check(
    "DRIFT-001",
    "Nothing that the contract uses was taken away since the last observation",
    Severity.HIGH,
    needs="drift",
)
def broken(probed: CheckInput) -> Result:
    """What was seen before, is positively gone or worse now, and is used by the contract."""
    return _compared(probed, "contract_broken", failed)


@check("DRIFT-002", "Nothing that the contract uses changed since the last observation", Severity.MEDIUM, needs="drift")
def changed(probed: CheckInput) -> Result:
    """Addresses, releases and the like: still there, and no longer what they were."""
    return _compared(probed, "contract_changed", warned)


@check("DRIFT-003", "Nothing else was taken away since the last observation", Severity.LOW, needs="drift")
def removed(probed: CheckInput) -> Result:
    """What the contract does not use, or nobody can say: without a contract everything is here."""
    return _compared(probed, "removed", warned)
