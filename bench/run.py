"""Speed, measured as ratios within one run, so that a slow machine slows both sides. Ends with 1 if a limit is broken.

Each row is measured alternately with its base, and the best of all repetitions counts: noise only ever adds time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Row:
    """One measurement: seconds of the thing and of its base; the limit is on thing / base."""

    name: str
    seconds: float
    base_name: str
    base_seconds: float
    limit: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.base_seconds

    @property
    def holds(self) -> bool:
        return self.ratio <= self.limit


def best_of(repeats: int, *actions: Callable[[], object]) -> tuple[float, ...]:
    """Best time of each action in seconds, run in turns so that they see the same machine."""
    best = [float("inf")] * len(actions)
    for _ in range(repeats):
        for index, action in enumerate(actions):
            start = time.perf_counter()
            action()
            best[index] = min(best[index], time.perf_counter() - start)
    return tuple(best)


def command(*arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def help_text() -> Row:
    """`interlock --help` against a bare Typer program with two commands: at most 2.5 times."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        ours, base = best_of(15, command("-m", "interlock", "--help"), command(str(bare), "--help"))
    return Row("interlock --help", ours, "bare Typer --help", base, 2.5)


def rescoring() -> Row:
    """Findings and scores of 50 organisations against evaluating one rule's condition for each in a plain loop."""
    from interlock.model.base import Status
    from interlock.model.questionnaire import Response
    from interlock.usecases.assess import judge
    from interlock.usecases.initialize import initialize
    from interlock.usecases.load import Inputs, load_inputs

    with tempfile.TemporaryDirectory() as folder:
        inputs = load_inputs(initialize(Path(folder) / "ws", "sepsis"))
    first = inputs.organizations[0]
    fifty = tuple(first.model_copy(update={"id": f"org-{n}"}) for n in range(50))
    large = Inputs(
        inputs.settings,
        inputs.content,
        fifty,
        inputs.product,
        {org.id: inputs.answers(first.id) for org in fifty},
        inputs.contract,
        {},
    )
    item = next(iter(inputs.product))
    changed = large.with_response("product", item, Response(status=Status.UNKNOWN))
    one = Inputs(*(getattr(inputs, name) for name in ("settings", "content")), (first,), *(
        (inputs.product, {first.id: inputs.answers(first.id)}, inputs.contract, {})
    ))  # fmt: skip
    fifty_s, one_s = best_of(5, lambda: judge(changed), lambda: judge(one))
    return Row("judging 50 organisations", fifty_s, "judging one, 50 times", one_s * 50, 1.0)


def main() -> int:
    rows = [help_text(), rescoring()]
    print(f"{'what':<28} {'seconds':>9}   {'base':<24} {'seconds':>9} {'ratio':>7} {'limit':>7}")
    for row in rows:
        mark = "" if row.holds else "  over the limit"
        print(
            f"{row.name:<28} {row.seconds:>9.3f}   {row.base_name:<24} {row.base_seconds:>9.3f} "
            f"{row.ratio:>7.2f} {row.limit:>7.2f}{mark}"
        )
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
