"""The contract as a Markdown page that a clinical owner can read and sign; undecided points say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from interlock.contract.scopes import needed_scopes
from interlock.documents.markdown import escape
from interlock.model.contract import WorkflowContract
from interlock.model.contract_page import UNDECIDED, Cell, Part, contract_parts
from interlock.model.resolved import ResolvedContract
from interlock.model.text import plain

_MARKED = re.compile(rf"\b{UNDECIDED}\b")


def workflow_page(resolved: ResolvedContract) -> Mapping[str, str]:
    """``workflow-contract.md``."""
    return {"workflow-contract.md": workflow_markdown(resolved.contract, resolved.product)}


def workflow_markdown(contract: WorkflowContract, product: str) -> str:
    """The whole page, ending in the table that is signed."""
    return "\n".join(_page(contract, product)) + "\n"


def _page(contract: WorkflowContract, product: str) -> Iterator[str]:
    yield f"# Workflow contract: {_md(product)}"
    yield ""
    yield f"{_md(contract.title)} · version {_md(contract.version)} · FHIR {contract.fhir_release}"
    yield ""
    yield "Known: contract.yaml, of which this is the whole. Open: every *undecided*. Nothing is assumed."
    scopes = {mode: needed_scopes(contract, mode) for mode in contract.launch.modes}
    for part in contract_parts(contract, scopes):
        yield from _table(part) if part.columns else _list(part)
    yield from ("", f"The hash of this text, for approvals: `{contract.hash}`")
    yield from _table(
        Part(title="Agreed by", columns=("Organisation", "Clinical owner", "Date"), rows=(((" ",), (" ",), (" ",)),))
    )


def _list(part: Part) -> Iterator[str]:
    yield from ("", f"## {part.title}", "")
    yield from (f"- **{_md(label[0])}:** {_shown(lines)}" for label, lines in part.rows)


def _table(part: Part) -> Iterator[str]:
    yield from ("", f"## {part.title}", "")
    if not part.rows:
        yield "*None.*"
        return
    yield f"| {' | '.join(part.columns)} |"
    yield "|" + "---|" * len(part.columns)
    yield from (f"| {' | '.join(map(_shown, row))} |" for row in part.rows)


def _shown(lines: Cell | Sequence[str]) -> str:
    """The lines of a cell in one; what is undecided stands out."""
    return _MARKED.sub(f"*{UNDECIDED}*", "; ".join(map(_md, lines)))


def _md(text: str) -> str:
    """Text that a file's author chose, safe in Markdown, tables included."""
    return escape(plain(text, 600))
