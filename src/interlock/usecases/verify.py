"""Holding a report against a workspace: is its text as it was written, and is it what the workspace says now?

First the hash of the file, then the digests of what it shows, and where all agree the report is made again, with its
own day, seed and runs, and compared whole: a text that was changed together with its hash is told.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import cast, get_args

from interlock import __version__
from interlock.documents.files import read_bytes
from interlock.model import words
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.language import ENGLISH
from interlock.model.manifest import Difference, Found, Manifest, Verification
from interlock.model.text import plain
from interlock.report import seal
from interlock.usecases.assess import assess
from interlock.usecases.load import Inputs
from interlock.usecases.manifest import (
    CONTRACT,
    HAZARDS,
    MILESTONE,
    PRODUCT,
    REHEARSAL,
    SETTINGS,
    TASKS,
    content_digests,
    parts_of,
)
from interlock.usecases.recipient import for_recipient
from interlock.usecases.report import Format, write_report
from interlock.usecases.site import site_pages

#: Names of entries that a sentence has.
_NAMED = 3


def verify(file: Path, inputs: Inputs | None) -> Verification:
    """What a report is worth here.

    :param inputs: those of the workspace; none where there is none to hold it against.
    :raises DocumentError: it cannot be read, or is no report of ours; with the file.
    """
    content = read_bytes(file, seal.MAX_BYTES)
    try:
        manifest, edited = seal.read(content)
    except DocumentError as error:
        raise DocumentError(error.message, location=Location(file=str(file)), remedy=error.remedy) from error

    def says(outcome: Found, sentence: str, **more: tuple[str, ...] | tuple[Difference, ...]) -> Verification:
        return Verification(
            file=str(file), form=manifest.form, recipient=manifest.recipient, made=manifest.made,
            edited=edited, found="edited" if edited and outcome != "other_workspace" else outcome,
            sentence=f"{_EDITED} {sentence}" if edited else sentence, **more,
        )  # fmt: skip

    if inputs is None:
        return says("unedited", "" if edited else _UNEDITED)
    known = {organization.id for organization in inputs.organizations}
    if manifest.recipient is not None and manifest.recipient not in known:
        who = plain(manifest.recipient, 63)
        return says("other_workspace", f"It is of another workspace: there is no organisation {who} here.")
    narrowed = inputs if manifest.recipient is None else for_recipient(inputs, manifest.recipient)
    parts = parts_of(narrowed)
    if _is_of_another(manifest, narrowed, parts):
        told = f"“{plain(manifest.workspace, 80)}”, about {plain(manifest.product, 80)}"
        return says("other_workspace", f"It is of another workspace, {told}: almost nothing in it is of this one.")
    other = tuple(_other_content(manifest, narrowed))
    changed = tuple(_differences(manifest, narrowed, parts))
    if other:
        sentence = f"It was made by other content or another version: {'; '.join(other)}."
        sentence += f" And {_since(changed)}" if changed else ""
        return says("other_content", sentence, content=other, differences=changed)
    if changed:
        return says("changed", words.capital(_since(changed)), differences=changed)
    if edited:
        return says("edited", "What it was made of is what this workspace says.")
    return says(*_made_again(content, manifest, narrowed))


_EDITED = (
    "The file is not as Interlock wrote it: it was edited, or saved anew by another program. Ask for the file as it "
    "was sent, or write the report again."
)
_UNEDITED = (
    "The file is as Interlock wrote it, as far as its hash tells: a hash proves no author. There is no workspace here "
    "to hold it against; name one with -w DIR."
)


def _is_of_another(manifest: Manifest, inputs: Inputs, parts: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a report is called otherwise, and less than half of what it was made of is here."""
    if (manifest.workspace, manifest.product) == (inputs.settings.name, inputs.settings.product):
        return False
    entries = manifest.entries
    here = sum(parts.get(part, {}).get(name) == digest for part, name, digest in entries)
    return 2 * here <= len(entries)


def _other_content(manifest: Manifest, inputs: Inputs) -> Iterator[str]:
    """In what version, questions and rules differ, in words."""
    if manifest.interlock != __version__:
        yield f"Interlock {plain(manifest.interlock, 40)} there, {__version__} here"
    content = inputs.content
    versions = {
        "ruleset": content.name,
        **{questionnaire.id: questionnaire.version for questionnaire in content.questionnaires},
    }
    for name in sorted({*versions, *manifest.versions}):
        there, here = manifest.versions.get(name), versions.get(name)
        if there != here:
            yield f"{plain(name, 60)} {plain(there or 'none', 60)} there, {plain(here or 'none', 60)} here"
    digests = content_digests(content)
    differ = [name for name in {**digests, **manifest.content} if digests.get(name) != manifest.content.get(name)]
    if differ:
        named = words.listed([plain(name, 60) for name in sorted(differ)], 6)
        yield f"other questions or rules in {named}"


def _differences(manifest: Manifest, inputs: Inputs, parts: Mapping[str, Mapping[str, str]]) -> Iterator[Difference]:
    """What the workspace says otherwise than when the report was made, part by part."""
    names = {organization.id: organization.name for organization in inputs.organizations}
    gone = {part.partition(" ")[2] for part in manifest.parts if part.startswith("organisation ")} - names.keys()
    new = {org for org in names if f"organisation {org}" not in manifest.parts}
    for orgs, change in ((sorted(gone), "no longer here"), (sorted(new), "not in the report")):
        if orgs:
            told = words.count(len(orgs), "organisation")
            listed = words.listed([plain(names.get(org, org), 60) for org in orgs], _NAMED)
            yield Difference(what=f"{told} {words.agree(len(orgs), 'is', 'are')} {change}: {listed}")
    for part in dict.fromkeys((*manifest.parts, *parts)):
        kind, _, org = part.partition(" ")
        if org in gone | new:
            continue
        before, now = manifest.parts.get(part, {}), parts.get(part, {})
        added, left = tuple(now.keys() - before.keys()), tuple(before.keys() - now.keys())
        changed = tuple(name for name in before.keys() & now.keys() if before[name] != now[name])
        if not (added or left or changed):
            continue
        where = "the product" if part in {PRODUCT, REHEARSAL} else plain(names.get(org, org), 80)
        if kind == "observation":
            days = [words.iso_day(plain(max(entries), 40)) if entries else "none" for entries in (before, now)]
            again = f"the observation of {where} is another one: {days[0]} in the report, {days[1]} here"
            change = f"{again}, with other content" if changed else again
        else:
            entries = [*sorted(changed), *sorted(added), *sorted(left)]
            counts = ((len(changed), "changed"), (len(added), "new"), (len(left), "gone"))
            count = ", ".join(f"{number:,} {word}" for number, word in counts if number)
            told = words.listed([_entry(inputs, kind, name) for name in entries], _NAMED)
            change = f"{_PARTS.get(part, _PARTS.get(kind, '{}')).format(where)}: {count} ({told})"
        yield Difference(what=change, added=_told(added), changed=_told(changed), gone=_told(left))


_PARTS = {
    SETTINGS: "settings of the workspace",
    CONTRACT: "parts of the workflow contract",
    TASKS: "routine tasks",
    MILESTONE: "the milestone that it compares with",
    HAZARDS: "the team’s own figures of hazards",
    "organisation": "what {}’s file says",
    "answers": "answers of {}",
}


def _told(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(plain(name, 120) for name in names))


def _entry(inputs: Inputs, kind: str, name: str) -> str:
    """One entry for a reader: a question by its text."""
    items = inputs.content.items
    if kind == "answers" and name in items:
        return f"“{plain(items[name].text, 100)}”"
    return plain(name, 80).replace("_", " ")


def _since(differences: tuple[Difference, ...]) -> str:
    said = "; ".join(difference.what for difference in differences[:8])
    more = f"; and {len(differences) - 8} more parts" if len(differences) > 8 else ""
    return f"the workspace has changed since: {said}{more}."


def _made_again(content: bytes, manifest: Manifest, inputs: Inputs) -> tuple[Found, str]:
    """Whether the workspace gives the same report, byte for byte."""
    agrees = "Its hash and those of all that it shows agree with this workspace"
    if manifest.own_templates or manifest.form not in get_args(Format):
        return "agrees", f"{agrees}. It is not made again here, because its templates are its writer’s own."
    if manifest.language != ENGLISH.tag:
        return "agrees", f"{agrees}. It is not made again here, because its words are a translation."
    try:
        again = _again(manifest, inputs)
    except InterlockError as error:
        return "agrees", f"{agrees}. It could not be made again to compare its words: {error.message}."
    if seal.same_text(again, content):
        return "matches", f"It matches: {agrees[0].lower()}{agrees[1:]}, and made again it is the same."
    return (
        "retold",
        f"{agrees}, and yet, made again, the report has other words: somebody changed them and the hash too, or it was "
        "written on a machine with other fonts or libraries. Believe the report that you write yourself.",
    )


def _again(manifest: Manifest, inputs: Inputs) -> bytes:
    """The report that the workspace gives with a manifest's day, seed and runs: a file, or a page of a site.

    :raises InterlockError: it cannot be made here, or its site has no such page.
    """
    assessment = assess(inputs, today=date.fromisoformat(manifest.as_of), runs=manifest.runs, seed=manifest.seed)
    if manifest.page is not None:
        page = site_pages(assessment, inputs, manifest.made, language=ENGLISH).get(manifest.page)
        if page is None:
            raise InterlockError("a site of this workspace has no such page")
        return page.encode()
    form = cast(Format, manifest.form)
    with tempfile.TemporaryDirectory() as folder:
        write_report(
            assessment,
            inputs,
            Path(folder),
            (form,),
            sections=manifest.sections,
            made=manifest.made,
            language=ENGLISH,
        )
        return Path(folder, f"report.{form}").read_bytes()
