"""Speed, measured as ratios within one run, so that a slow machine slows both sides. Ends with 1 if a limit is broken.

Each row is measured alternately with its base, and the best of all repetitions counts: noise only ever adds time.
"""

from __future__ import annotations

import sys

import commands
import hospitals
import probing
import reading_tables
import rehearsing
from judging import all_new, one_more_answer, one_more_answer_of_many
from matching import all_patterns
from planning import (
    fifty_organizations,
    graph_of_fifty,
    large_graph,
    large_graph_ordered,
    levelled,
    levelled_what_ifs,
    planned,
    simulated,
    what_ifs,
)
from redacting import hostile_text

import tui


def main() -> int:
    judging = (all_new, one_more_answer, one_more_answer_of_many, all_patterns, hostile_text)
    graphs = (graph_of_fifty, large_graph, large_graph_ordered)
    scoping = (*graphs, simulated, planned, levelled, fifty_organizations, what_ifs, levelled_what_ifs)
    serving = (*probing.rows(), *hospitals.rows())
    rows = [
        *commands.rows(),
        *(measure() for measure in (*judging, *scoping)),
        *reading_tables.rows(),
        *serving,
        *rehearsing.rows(),
        *tui.rows(),
    ]
    print(f"{'what':<28} {'seconds':>9}   {'base':<24} {'seconds':>9} {'ratio':>7} {'limit':>7}")
    for row in rows:
        mark = "" if row.holds else "  over the limit"
        if row.at_most is not None:
            mark += f"  ({'under' if row.seconds < row.at_most else 'OVER'} {row.at_most:g} s)"
        print(
            f"{row.name:<28} {row.seconds:>9.3f}   {row.base_name:<24} {row.base_seconds:>9.3f} "
            f"{row.ratio:>7.2f} {row.limit:>7.2f}{mark}"
        )
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
