"""Hazards out of YAML: ``rulesets/hazards/<HAZARD-ID>.yaml`` one each, and what they rest on in ``sources.yaml``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from interlock.content.ruleset_files import MAX_FILES, SetFiles, read_documents
from interlock.documents.names import did_you_mean
from interlock.documents.yaml import YamlDocument, load_yaml, model_from_yaml
from interlock.model.base import Model
from interlock.model.errors import DocumentError, Location
from interlock.model.hazard import Hazard, HazardSource

#: The folder of hazards below ``rulesets``, and the file in it that is no hazard.
HAZARDS = "hazards"
SOURCES_FILE = "sources.yaml"


class _SourcesFile(Model):
    sources: dict[str, HazardSource]


@dataclass
class HazardFiles:
    """What the files of one folder say. Only what is valid is in it; ``read.problems`` has the rest."""

    read: SetFiles
    sources: Mapping[str, HazardSource] = field(default_factory=dict)
    sources_document: YamlDocument | None = None

    @property
    def hazards(self) -> Mapping[str, Hazard]:
        """Hazards by id."""
        return self.read.hazards


@dataclass(frozen=True)
class Hazards:
    """The catalogue of hazards in use, in id order, with everything that they rest on."""

    hazards: tuple[Hazard, ...]
    sources: Mapping[str, HazardSource]


def read_hazards(directory: Path) -> HazardFiles:
    """Read a folder's hazards; what is wrong is collected. No folder: no hazards."""
    paths = sorted(path for path in directory.glob("*.yaml") if path.name != SOURCES_FILE)[:MAX_FILES]
    files = HazardFiles(read_documents(directory, HAZARDS, paths, Hazard, lambda read: read.hazards))
    if (directory / SOURCES_FILE).is_file():
        try:
            files.sources_document = load_yaml(directory / SOURCES_FILE)
            files.sources = model_from_yaml(_SourcesFile, files.sources_document).sources
        except DocumentError as error:
            files.read.problems.append(error)
    return files


def unknown_sources(files: HazardFiles, known: Collection[str]) -> Iterator[tuple[str, Location]]:
    """What a folder's hazards name as a source and nobody wrote down, and where."""
    for hazard in files.hazards.values():
        for number, name in enumerate(hazard.sources):
            if name not in known:
                yield name, files.read.sources[hazard.id].location(("sources", number))


def load_hazards(directories: Sequence[Path]) -> Hazards:
    """The hazards in some folders; of two with one id, and of two sources, that of the later folder counts.

    :raises DocumentError: a file that is no hazard, a file name that differs from the id, an id used twice, a
        source that nobody wrote down, or a condition that is not CEL (with a caret).
    """
    hazards: dict[str, Hazard] = {}
    sources: dict[str, HazardSource] = {}
    for directory in directories:
        files = read_hazards(directory)
        if files.read.problems:
            raise files.read.problems[0]
        hazards |= files.hazards
        sources |= files.sources
        for name, location in unknown_sources(files, sources):
            raise DocumentError(
                f"there is no source {name!r}{did_you_mean(name, sources)}",
                location=location,
                remedy=f"add it to {directory / SOURCES_FILE}, with its address and the day on which it was read",
            )
    return Hazards(tuple(hazards[name] for name in sorted(hazards)), sources)
