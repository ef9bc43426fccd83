"""What a sample showed, on a terminal: counts of each input, never a value."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from interlock.cli.output import cell_text, console, make_table
from interlock.model.sample import DataFacts, InputSample
from interlock.model.text import plain

_UNINTERESTING = "http://terminology.hl7.org/CodeSystem/"


def show_sample(data: DataFacts) -> None:
    """Print a table of the contract's inputs: how many were seen, which required fields lack, which codes occur."""
    out = console()
    token = data.token
    if token is not None and token.outcome != "given":
        said = {"issued": "issued", "refused": "refused", "failed": "not issued", "not_sent": "not asked for"}
        why = f": {plain(token.reason, 300)}" if token.reason else ""
        out.print(Text(f"Token {said[token.outcome]}{why}" + (f" ({data.method})" if data.method != "none" else "")))
    if all(sample.outcome == "not_asked" for sample in data.inputs):
        return
    table = make_table(
        [
            ("Input", {"ratio": 2, "min_width": 24}),
            ("Seen", {"justify": "right", "no_wrap": True}),
            ("Required fields", {"ratio": 3}),
            ("Statuses and code systems", {"ratio": 4}),
        ]
    )
    for sample in data.inputs:
        count = str(sample.count) if sample.outcome == "sampled" else "–"
        table.add_row(*map(cell_text, (sample.name, count, _fields(sample), ", ".join(_codes(sample)))))
    out.print(table)


def _fields(sample: InputSample) -> str:
    if sample.outcome != "sampled":
        return sample.reason or sample.outcome.replace("_", " ")
    lacking = [f"{path} in {there} of {sample.count}" for path, there in sample.fields.items() if there < sample.count]
    fields = ", ".join(lacking) or ("all there" if sample.fields else "none asked for")
    return f"{fields}; {sample.reason}" if sample.reason else fields


def _codes(sample: InputSample) -> Iterator[str]:
    """Statuses, then the code systems that say something; FHIR's own are in the JSON."""
    yield from (f"{status} {count}" for status, count in sample.statuses.items())
    for system, count in sample.systems.items():
        if not system.startswith(_UNINTERESTING):
            yield f"{plain(system.partition('://')[2] or system, 80)} {count}"
