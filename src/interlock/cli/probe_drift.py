"""What changed since the last observation, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock.cli.output import console, say, show_table
from interlock.model import words
from interlock.model.drift import ChangeRank, Drift, DriftChange
from interlock.model.text import plain

#: Changes that a table shows; JSON has all.
SHOWN = 40
_STYLES: dict[ChangeRank, str] = {"contract_broken": "bold red", "contract_changed": "yellow", "removed": ""}


def show_drifts(drifts: Mapping[str, Drift], *, table: bool, ranked: bool) -> None:
    """One line for each organisation at which something changed; with ``ranked``, its changes too.

    In a table's output they follow it on stdout; otherwise they go to stderr, for stdout holds data.
    """
    from rich.text import Text

    changed = [drift for drift in drifts.values() if drift.changes]
    out = console(stderr=not table)
    for drift in changed:
        out.print(Text(summary(drift)))
        if ranked:
            removed = [change for change in drift.changes if change.rank == "removed"]
            for change in [*drift.concerns_contract, *removed][:SHOWN]:
                rank = words.DRIFT[change.rank].phrase
                out.print(Text(f"  {rank}: {plain(change.summary(), 300)}", _STYLES.get(change.rank, "")))
    if changed and not ranked:
        say(f"What changed: interlock diff --org {changed[0].org}")


def summary(drift: Drift) -> str:
    """``riverside: 3 changes since 22 Nov 2026, 12:00 UTC, 1 of what the contract uses``."""
    used = len(drift.concerns_contract)
    changes = words.count(len(drift.changes), "change")
    concerns = f", {used} of what the contract uses" if used else ", none of what the contract uses"
    tail = concerns if drift.ranked_by else ""
    return f"{plain(drift.org or drift.base_url, 60)}: {changes} since {words.moment(drift.before)}{tail}"


def show_drift(drift: Drift) -> None:
    """Print one comparison: what changed, the most important first, then what was not compared."""
    out = console()
    out.print(f"{plain(drift.org or drift.base_url, 80)}: {words.moment(drift.before)} → {words.moment(drift.after)}")
    if not drift.changes:
        out.print("Nothing changed.")
    else:
        _table(drift.changes[:SHOWN])
        if len(drift.changes) > SHOWN:
            say(f"The first {SHOWN} of {len(drift.changes)} are shown; --format json has all.")
    for note in drift.not_compared[:10]:
        say(f"Not compared: {plain(note, 200)}")
    if drift.ranked_by is None:
        say("There is no contract here, so the changes are not ranked by what it uses.")


def _table(changes: Sequence[DriftChange]) -> None:
    from rich.text import Text

    show_table(
        [("Rank", {"no_wrap": True}), ("What", {"ratio": 3}), ("Used by", {"ratio": 2})],
        [
            (Text(words.DRIFT[change.rank].phrase, _STYLES.get(change.rank, "")), change.summary(), change.uses or "")
            for change in changes
        ],
    )
