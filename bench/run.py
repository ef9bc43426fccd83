"""Speed, measured as ratios within one run, so that a slow machine slows both sides. Ends with 1 if a limit is broken.

Each row is measured alternately with its base, and the best of all repetitions counts: noise only ever adds time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import probing
from judging import all_new, one_more_answer, one_more_answer_of_many
from matching import all_patterns
from measuring import Measured, best_of
from planning import (
    graph_of_fifty,
    large_graph,
    large_graph_ordered,
    levelled,
    levelled_what_ifs,
    planned,
    simulated,
    what_ifs,
)

BARE = """\
import typer
app = typer.Typer(rich_markup_mode=None)
@app.command()
def hello(name: str) -> None:
    print(name)
@app.command()
def bye(name: str) -> None:
    print(name)
app()
"""


def command(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def help_text() -> Measured:
    """`interlock --help` against a bare Typer program with two commands: at most 2.5 times."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        ours, base = best_of(15, command("-m", "interlock", "--help"), command(str(bare), "--help"))
    return Measured("interlock --help", ours, "bare Typer --help", base, 2.5)


def main() -> int:
    judging = (all_new, one_more_answer, one_more_answer_of_many, all_patterns)
    graphs = (graph_of_fifty, large_graph, large_graph_ordered)
    scoping = (*graphs, simulated, planned, levelled, what_ifs, levelled_what_ifs)
    rows = [help_text(), *(measure() for measure in (*judging, *scoping))]
    rows += probing.rows()
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
