"""The catalogue of rehearsal checks out of YAML: ``rulesets/rehearsal/<family>.yaml``, one file a family."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from interlock.documents.yaml import YamlDocument, load_yaml, model_from_yaml
from interlock.model.errors import DocumentError, Location
from interlock.model.rehearsal import LETTERS, RehearsalCheck, RehearsalFamily

#: The folder of the catalogue below ``rulesets``.
REHEARSAL = "rehearsal"


@dataclass
class CatalogueFiles:
    """What the files of the catalogue say. Only what is valid is in it; ``problems`` has the rest.

    :ivar places: the document and position of each check, by its id.
    """

    checks: dict[str, RehearsalCheck] = field(default_factory=dict)
    lines: dict[str, tuple[YamlDocument, int]] = field(default_factory=dict)
    problems: list[DocumentError] = field(default_factory=list)

    def location(self, check: str, *path: str | int) -> Location:
        """Where one of a check's keys stands."""
        document, number = self.lines[check]
        return document.location(("checks", number, *path))


def read_catalogue(directory: Path) -> CatalogueFiles:
    """Read a folder's checks in the order of the families; what is wrong is collected. No folder: no checks."""
    read = CatalogueFiles()
    for path in sorted(directory.glob("*.yaml"), key=lambda path: [*LETTERS, path.stem].index(path.stem)):
        try:
            document = load_yaml(path)
            told = model_from_yaml(RehearsalFamily, document)
        except DocumentError as error:
            read.problems.append(error)
            continue
        if told.family != path.stem:
            message = f"the family {told.family!r} and the file name differ"
            read.problems.append(DocumentError(message, location=document.location(("family",))))
        for number, check in enumerate(told.checks):
            where = document.location(("checks", number, "id"))
            if check.id in read.checks:
                read.problems.append(DocumentError(f"{check.id} is used twice", location=where))
            elif check.family != told.family:
                message = f"{check.id} is of the family {check.family!r}, not {told.family!r}"
                read.problems.append(DocumentError(message, location=where))
            else:
                read.checks[check.id], read.lines[check.id] = check, (document, number)
    return read


def load_catalogue(directory: Path) -> tuple[RehearsalCheck, ...]:
    """The catalogue, families in order, by number within one.

    :raises DocumentError: a file that is none, an id that is used twice or stands in another family's file.
    """
    read = read_catalogue(directory)
    if read.problems:
        raise read.problems[0]
    return tuple(read.checks.values())
