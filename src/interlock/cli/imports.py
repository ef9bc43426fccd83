"""What an import of organisations did, for a reader."""

from __future__ import annotations

from collections import Counter

from interlock.cli.output import say, show_table
from interlock.model import words
from interlock.model.fleet import ImportResult

_ROWS = 40


def show_import(result: ImportResult) -> None:
    """The organisations as a table on stdout; counts, and what was dropped and why, on stderr."""
    if result.added:
        show_table(
            [
                ("Id", {"ratio": 2}),
                ("Name", {"ratio": 3}),
                ("Vendor", {"no_wrap": True}),
                ("FHIR base URL", {"ratio": 4}),
            ],
            [(org.id, org.name, words.vendor(org.vendor), org.fhir_base_url) for org in result.added[:_ROWS]],
        )
        if len(result.added) > _ROWS:
            say(f"… and {len(result.added) - _ROWS:,} more; --format json lists them all")
    verb = "Added" if result.saved else "Would add"
    say(f"{verb} {words.count(len(result.added), 'organisation')}.")
    say(
        f"The file lists {words.count(result.listed, 'address', 'addresses')}: {result.distinct:,} different base URLs."
    )
    if result.picked != result.distinct:
        say(f"{result.picked:,} of them were picked.")
    if result.known:
        known = words.listed(sorted(result.known.values()), 5)
        say(f"{words.count(len(result.known), 'base URL')} known already and left as it is: {known}")
    if result.left_out:
        say(f"{result.left_out:,} left out by --limit.")
    repaired = Counter(repair for org in result.added for repair in org.repairs)
    if repaired:
        say("Cleaned: " + ", ".join(f"{repair} ({count:,})" for repair, count in repaired.most_common()))
    if result.dropped:
        say(f"Dropped {words.count(len(result.dropped), 'address', 'addresses')}:")
        reasons = Counter(dropped.reason for dropped in result.dropped)
        for reason, count in reasons.most_common():
            first = next(dropped for dropped in result.dropped if dropped.reason == reason)
            where = (
                f"{first.location}: {first.address}"
                if first.address
                else f"{first.location}, {first.name or 'no name'}"
            )
            say(f"  {count:,}  {reason}, like {where}")
