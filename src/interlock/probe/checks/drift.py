"""DRIFT: what changed since the last observation of the organisation. Judged once there is one to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from interlock.documents.text import plain
from interlock.model.base import Severity
from interlock.probe.checks.base import CheckInput, Family, Result, failed, passed, warned

if TYPE_CHECKING:
    from interlock.model.drift import Drift, DriftChange

FAMILY = Family("DRIFT")


def _drift(probed: CheckInput) -> Drift:
    if probed.drift is None:
        raise LookupError("a check looked at a comparison that it did not declare to need")
    return probed.drift


def _listed(changes: Sequence[DriftChange]) -> str:
    more = f" and {len(changes) - 4} more" if len(changes) > 4 else ""
    return "; ".join(plain(one.summary(), 160) for one in changes[:4]) + more


def _since(drift: Drift) -> str:
    return f"since {drift.before:%Y-%m-%d %H:%M} UTC"


@FAMILY.check(
    1, "Nothing that the contract uses was taken away since the last observation", Severity.HIGH, needs="drift"
)
def broken(probed: CheckInput) -> Result:
    """What was seen before, is positively gone or worse now, and is used by the contract."""
    drift = _drift(probed)
    found = [one for one in drift.changes if one.rank == "contract_broken"]
    if found:
        return failed(f"{_listed(found)}, {_since(drift)}")
    return passed(f"Nothing {_since(drift)}")


@FAMILY.check(2, "Nothing that the contract uses changed since the last observation", Severity.MEDIUM, needs="drift")
def changed(probed: CheckInput) -> Result:
    """Addresses, releases and the like: still there, and no longer what they were."""
    drift = _drift(probed)
    found = [one for one in drift.changes if one.rank == "contract_changed"]
    if found:
        return warned(f"{_listed(found)}, {_since(drift)}")
    return passed(f"Nothing {_since(drift)}")


@FAMILY.check(3, "Nothing else was taken away since the last observation", Severity.LOW, needs="drift")
def removed(probed: CheckInput) -> Result:
    """What the contract does not use, or nobody can say: without a contract everything is here."""
    drift = _drift(probed)
    found = [one for one in drift.changes if one.rank == "removed"]
    if found:
        return warned(f"{_listed(found)}, {_since(drift)}")
    return passed(f"Nothing {_since(drift)}")
