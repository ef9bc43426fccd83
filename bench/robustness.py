"""How often the truth lies in what is said while answers are missing, and how wide that is. Ends with 1 if it does not.

The samples, with their simulated organisations probed, are taken for the truth. A share of their answers is hidden, by
chance or what matters most first, and what is said then is compared with what is said of the whole.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from interlock.cli.main import run
from interlock.model.base import Gate
from interlock.usecases.initialize import initialize, templates
from interlock.usecases.judge import Judgement, judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.next_questions import next_questions
from interlock.usecases.opening import open_workspace

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
DRAWS = 20
SEED = 20261130
PAGE = Path(__file__).resolve().parent.parent / "docs" / "scoring.md"
BEGIN, END = "<!-- how often the truth lies in what is said -->", "<!-- end of how often -->"

Known = list[tuple[str, str]]


class Said(NamedTuple):
    """A range that is said of one thing: what kind of thing, from where to where."""

    kind: str
    low: float
    high: float


class Line(NamedTuple):
    """One line of the table: the share of truths inside, and the mean width, by kind."""

    hidden: str
    inside: dict[str, float]
    width: dict[str, float]


def said(judged: Judgement) -> list[Said]:
    """Every range that is said, always in the same order."""

    def stage(gate: Gate | None) -> int:
        return -1 if gate is None else gate.rank

    score, verdict = judged.product_score.interval, judged.verdict
    ranges = [Said("verdict", verdict.value.rank, verdict.latest.rank), Said("score", score.low, score.high)]
    for own in judged.readiness:
        ranges.append(Said("stage", stage(own.stage), stage(own.stage_if_unknowns_hold)))
        ranges.append(Said("score", own.score.interval.low, own.score.interval.high))
    return ranges


def truths() -> Iterator[Inputs]:
    """Every sample but the blank one, with what its simulated organisations show."""
    for template in templates():
        if template == "blank":
            continue
        with TemporaryDirectory() as folder:
            workspace = initialize(Path(folder) / template, template)
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                run(["probe", "--all", "--workspace", str(workspace.root)])
            yield load_inputs(open_workspace(workspace.root))


def without(inputs: Inputs, hidden: Known) -> Inputs:
    """The same with some answers never given."""
    gone = set(hidden)
    return replace(
        inputs,
        product={item: answer for item, answer in inputs.product.items() if ("product", item) not in gone},
        by_org={
            org: {item: answer for item, answer in answers.items() if (org, item) not in gone}
            for org, answers in inputs.by_org.items()
        },
    )


def measured(inputs: Inputs) -> Iterator[tuple[str, list[tuple[Said, Said]]]]:
    """What was hidden, in words; and every range said then, beside the truth."""
    known: Known = [("product", item) for item in inputs.product]
    known += [(org, item) for org, answers in inputs.by_org.items() for item in answers]
    truth, chance = said(judge(inputs)), random.Random(SEED)
    ranked = next_questions(without(inputs, known), limit=len(known)).questions
    hardest = [(question.scope, question.item) for question in ranked if (question.scope, question.item) in known]
    hardest += [entry for entry in known if entry not in set(hardest)]
    for share in SHARES:
        count = round(share * len(known))
        draws = [chance.sample(known, count) for _ in range(DRAWS)] if share < 1 else [known]
        for hidden in draws:
            told = said(judge(without(inputs, hidden)))
            yield f"{share:.0%} by chance" if share < 1 else "all", list(zip(told, truth, strict=True))
        if share < 1:
            told = said(judge(without(inputs, hardest[:count])))
            yield f"{share:.0%}, what matters most", list(zip(told, truth, strict=True))


def table() -> list[Line]:
    """All samples together."""
    pairs: dict[str, list[tuple[Said, Said]]] = {}
    for inputs in truths():
        for hidden, compared in measured(inputs):
            pairs.setdefault(hidden, []).extend(compared)
    lines = []
    for hidden, compared in pairs.items():
        inside, width = {}, {}
        for kind in ("verdict", "stage", "score"):
            own = [(told, truth) for told, truth in compared if told.kind == kind]
            inside[kind] = fmean(told.low <= truth.low and truth.high <= told.high for told, truth in own)
            width[kind] = fmean(told.high - told.low for told, _ in own)
        lines.append(Line(hidden, inside, width))
    return lines


def as_markdown(lines: list[Line]) -> str:
    """The table of docs/scoring.md."""
    widths = {"verdict": "steps", "stage": "gates", "score": "points"}
    rows = [["answers hidden", *(f"{kind}: inside, {unit} wide" for kind, unit in widths.items())], ["---"] * 4]
    rows += [
        [line.hidden, *(f"{line.inside[kind]:.0%}, {line.width[kind]:.{int(kind != 'score')}f}" for kind in widths)]
        for line in lines
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    """Print the table; with ``--write`` put it into docs/scoring.md."""
    lines = table()
    shown = as_markdown(lines)
    print(shown)
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    if "--write" in sys.argv[1:] and rest:
        PAGE.write_text(f"{before}{BEGIN}\n\n{shown}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0 if all(share == 1 for line in lines for share in line.inside.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
