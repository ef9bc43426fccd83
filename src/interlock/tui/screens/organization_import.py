"""Adding organisations that a directory of endpoints lists: searched by their words, one or all on one base."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from interlock.model import words
from interlock.model.errors import InterlockError
from interlock.model.text import plain
from interlock.tui.page import DIM, line
from interlock.tui.screens.search import Entry, Search
from interlock.tui.screens.section import AskText, Confirm, Section
from interlock.tui.undo import Step
from interlock.tui.work import in_thread

if TYPE_CHECKING:
    from interlock.fhir.directory.listed import Base, ListedOrganization

#: Most organisations on one base that are offered together.
_TOGETHER = 50


async def import_from_directory(section: Section) -> None:
    """Ask for a directory and add what is chosen from it, one after the other, until the list is closed."""
    from interlock.usecases.directories import read_directory_file

    typed = await section.answer_to(
        AskText(
            "Which directory?",
            "A file: a FHIR Bundle of Endpoints as vendors publish it, a CSV, or an address a line.",
            placeholder="epic-r4.json",
            check=readable_file,
        )
    )
    if typed is None:
        return
    section.notify("Reading the directory…")
    try:
        directory = await in_thread(lambda: read_directory_file(Path(typed).expanduser()))
    except InterlockError as error:
        section.notify(plain(error, 400), title="Not read", severity="error", markup=False)
        return
    listed = directory.organizations
    entries = [_entry(str(index), organization) for index, organization in enumerate(listed)]
    while entries:
        search = Search("Add which?", "a name, a vendor or a host", entries, enter="adds it")
        number = await section.answer_to(search)
        if number is None:
            return
        chosen = listed[int(number)]
        gone = {number}
        base = await _add(section, [chosen])
        if base is not None and base.shared_by > 1:
            others = [
                (str(at), entry) for at, entry in enumerate(listed) if base in entry.bases and entry is not chosen
            ]
            if await _add_others(section, base, [entry for _, entry in others]):
                gone |= {key for key, _ in others}
        entries = [entry for entry in entries if entry.key not in gone]


async def _add(section: Section, chosen: Sequence[ListedOrganization]) -> Base | None:
    """Add these, apart from those that are here already, as one step; the base of the first that was added."""
    from interlock.usecases.organizations import add_listed

    workspace = section.interlock.workspace
    try:
        added, known = await in_thread(add_listed, workspace, chosen)
    except InterlockError as error:
        section.notify(plain(error, 400), title="Not added", severity="error", markup=False)
        return None
    if known:
        names = words.listed([plain(org.name, 80) for org in known], 4)
        section.notify(f"Here already: {names}.", severity="warning", markup=False)
    if not added:
        return None
    told = plain(added[0].org.name, 80) if len(added) == 1 else words.count(len(added), "organisation")
    section.interlock.changed(Step(f"adding {told}", files=tuple(each.change for each in added)))
    base = added[0].base
    section.notify(f"{base.url} ({added[0].org.environment}).", title=f"Added {told}", markup=False)
    section.interlock.action_reload()
    return base


async def _add_others(section: Section, base: Base, others: Sequence[ListedOrganization]) -> bool:
    """Offer those that are reached at the same base: one probe looks at all of them. Whether they were added."""
    if not 1 <= len(others) <= _TOGETHER:
        section.notify(f"{words.count(base.shared_by, 'listed organisation')} share this base.", markup=False)
        return False
    names = words.listed([plain(other.name or base.url, 60) for other in others], 8)
    which = words.count(len(others), "other organisation")
    dialog = Confirm(
        f"Add the {which} on this base?",
        f"{base.url} is shared: {names}. Each has its own answers; one probe looks at all of them.",
        (("all", "Add them"), ("one", "This one alone")),
    )
    return await section.answer_to(dialog) == "all" and await _add(section, others) is not None


def readable_file(typed: str) -> None:
    """:raises InterlockError: there is no such file."""
    if not Path(typed).expanduser().is_file():
        raise InterlockError(f"there is no file {plain(typed, 200)!r}", remedy="give its path, such as ~/epic-r4.json")


def _entry(key: str, listed: ListedOrganization) -> Entry:
    hosts = " ".join(base.url for base in listed.bases)
    searched = " ".join((listed.name, *listed.aliases, *listed.vendors, hosts)).casefold()
    return Entry(key, searched, partial(_listed, listed))


def _listed(listed: ListedOrganization) -> Content:
    base = listed.bases[0]
    more = f", {words.count(len(listed.bases), 'base')}" if len(listed.bases) > 1 else ""
    shared = f", shared by {base.shared_by}" if base.shared_by > 1 else ""
    aside = f"  {plain(listed.vendor or 'vendor not named', 40)}, {base.release or 'release not named'}{more}{shared}"
    return line((plain(listed.name or base.url, 100), "bold"), (aside, DIM))
