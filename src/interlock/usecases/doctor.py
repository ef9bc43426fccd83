"""Is this machine ready? Every check says what is missing and what to do."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import ssl
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlock import __version__
from interlock.documents.files import read_bytes
from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.usecases.load import load_inputs
from interlock.workspace import journal
from interlock.workspace.atomic import LOCK_NAME, TEMPORARY
from interlock.workspace.store import Workspace


@dataclass(frozen=True)
class Finding:
    """One check of the machine. ``ok`` none means optional and absent."""

    name: str
    ok: bool | None
    detail: str
    remedy: str | None = None


def examine(start: Path) -> Iterator[Finding]:
    """Program, libraries, data and the workspace at ``start``."""
    yield Finding("interlock", True, __version__)
    yield Finding("python", True, sys.version.split()[0])
    yield Finding("openssl", True, ssl.OPENSSL_VERSION)
    yield _pdf()
    yield _optional("docx", "docx", "python-docx", "writes the report as a Word document")
    yield _optional("web", "textual_serve", "textual-serve", "serves the terminal UI to a browser")
    yield _strict()
    yield from _workspace(start)


def _optional(extra: str, module: str, distribution: str, purpose: str) -> Finding:
    try:
        installed = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        installed = False
    if not installed:
        return Finding(extra, None, f"not installed; {purpose}", f"pip install 'interlock[{extra}]'")
    return Finding(extra, True, f"{distribution} {importlib.metadata.version(distribution)}")


def _strict() -> Finding:
    """Whether strict validation tells a right document from a wrong one, on two that are read now."""
    from interlock.fhir.validation import validate

    right = validate({"resourceType": "Patient", "active": True}, "R4")
    wrong = validate({"resourceType": "Patient", "active": "yes"}, "R4")
    if right.unread is None and not right.problems and [problem.pointer for problem in wrong.problems] == ["/active"]:
        library = importlib.metadata.version("fhir.resources")
        return Finding("strict", True, f"fhir.resources {library} for STU3, R4 (as R4B), R4B and R5; tables for DSTU2")
    return Finding("strict", False, "strict validation does not tell right from wrong", "install interlock again")


def _pdf() -> Finding:
    from interlock.report.pdf import PdfProcess

    try:
        with PdfProcess() as process:
            process.submit("<!doctype html><html lang='en'><title>x</title><p>x", Path())()
    except InterlockError as error:
        return Finding("pdf", None, error.message, error.remedy)
    return Finding("pdf", True, f"weasyprint {importlib.metadata.version('weasyprint')}")


def _workspace(start: Path) -> Iterator[Finding]:
    try:
        workspace = Workspace.find(start)
    except InterlockError as error:
        yield Finding("workspace", None, error.message, error.remedy)
        return
    try:
        inputs = load_inputs(workspace)
    except InterlockError as error:
        yield Finding("workspace", False, str(error), error.remedy)
        return
    yield Finding(
        "workspace", True, f"{inputs.settings.name}, {words.count(len(inputs.organizations), 'organisation')}"
    )
    yield from _kept(workspace)
    yield from _ignored(workspace)


def _ignored(workspace: Workspace) -> Iterator[Finding]:
    """What git should leave out of a workspace that was made before ``init`` said so."""
    if not workspace.has(".git"):
        return
    try:
        lines = read_bytes(workspace.root / ".gitignore", 1_000_000, within=workspace.root).decode("utf-8", "replace")
    except InterlockError:
        lines = ""
    missing = [pattern for pattern in ("reports/", LOCK_NAME, TEMPORARY) if pattern not in lines.splitlines()]
    if missing:
        detail = f"git is not told to leave out: {words.listed(missing)}"
        yield Finding("gitignore", None, detail, "add these lines to .gitignore")


def _kept(workspace: Workspace) -> Iterator[Finding]:
    """Answers that are not in the workspace."""
    kept = journal.kept(workspace.root)
    spoilt = [entry for entry in kept if entry.change() is None]
    waiting = [entry for entry in kept if not entry.disputed and entry not in spoilt]
    disputed = [entry for entry in kept if entry.disputed and entry not in spoilt]
    file = journal.journal_path(workspace.root)
    if waiting:
        detail = f"answers wait to be saved: {_items(waiting)}"
        yield Finding("unsaved", False, detail, "save any answer; these go in with it")
    if disputed:
        detail = f"somebody else gave other answers than you: {_items(disputed)}"
        yield Finding("disputed", False, detail, "choose with: interlock answer ITEM --keep mine (or theirs)")
    if spoilt:
        detail = f"answers wait that are no longer valid: {_items(spoilt)}"
        yield Finding("unsaved", False, detail, f"answer them again; they are in {file}")
    lines = journal.unreadable(workspace.root)
    if lines:
        yield Finding("unsaved", False, f"lines that cannot be read: {lines}", f"look into {file}, or remove it")


def _items(entries: Sequence[journal.KeptAnswer]) -> str:
    return words.listed(
        [plain(entry.item if entry.scope == "product" else f"{entry.item} ({entry.scope})") for entry in entries]
    )
