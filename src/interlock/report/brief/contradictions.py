"""Where answers and observations disagree: one entry for all organisations at which both sides are the same."""

from __future__ import annotations

from collections import defaultdict

from interlock.model import words
from interlock.report.brief.gaps import NAMED
from interlock.report.elements import Shown
from interlock.report.sections.context import Context
from interlock.report.sections.contradictions import build_contradictions


def build_contradictions_brief(context: Context) -> Shown:
    """Both sides once, with the places; of what was read the evidence where it is of one place alone."""
    alike: dict[tuple[str, str, str], list[Shown]] = defaultdict(list)
    for row in build_contradictions(context)["rows"]:
        alike[row["question"], row["answered"], row["observed"]].append(row)
    rows = []
    for group in alike.values():
        organizations_listed = words.listed([row["where"].label for row in group], NAMED)
        rows.append(
            group[0] | {"places": organizations_listed, "evidence": group[0]["evidence"] if len(group) == 1 else ""}
        )
    return {"rows": tuple(rows)}
