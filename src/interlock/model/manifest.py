"""What a report says of its own making, and what holding it against a workspace showed. Published as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from interlock.model.base import IsoDate, Model, Slug
from interlock.model.language import ENGLISH

#: Stands for the hash of a report's text while that hash is being computed.
NO_HASH = "0" * 64
#: The name of the hash in a manifest, which no other key of a report has.
HASH_KEY = "sha256_of_report"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, Field(max_length=300)]


class Manifest(Model):
    """What a report was made of: it stands in the report, for ``interlock verify``.

    A digest is the first 16 hexadecimal digits of the SHA-256 of a thing's JSON. Nothing here proves who wrote it.

    :ivar form: the report's format.
    :ivar recipient: the organisation that it is for alone; then nothing here is of another.
    :ivar page: the file's name, where it is a page of a site; none of a report in one file.
    :ivar sections: those that were asked for; none means all that the format has.
    :ivar language: of its fixed words.
    :ivar own_templates: whether it was made with templates of its writer's own.
    :ivar made, as_of: the day on it, and the day that it judges by.
    :ivar workspace, product: what the workspace and the product are called.
    :ivar versions: of the ruleset and of each questionnaire; ``content``: digests of the questions and rules in use.
    :ivar parts: ``settings``, ``contract``, ``tasks``, ``hazards``, ``milestone``, ``answers product``, ``observation
        product``, and for each organisation that it shows ``organisation ID``, ``answers ID``, ``observation ID`` →
        name of an entry → digest.
    :ivar sha256_of_report: of the report's text with zeros in the place of this (docs/verify.md).
    """

    schema_version: Literal["1"] = "1"
    form: Annotated[str, Field(pattern=r"^[a-z]{2,8}$")]
    recipient: Slug | None = None
    page: Annotated[str, Field(pattern=r"^[a-z]{1,40}\.html$")] | None = Field(
        default=None, exclude_if=lambda page: page is None
    )
    sections: Annotated[tuple[_Name, ...], Field(max_length=100)] | None = None
    own_templates: bool = False
    language: Annotated[str, Field(max_length=40)] = ENGLISH.tag
    interlock: _Name
    made: IsoDate
    as_of: IsoDate
    runs: Annotated[int, Field(ge=0, le=200_000)]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    workspace: _Name
    product: _Name
    versions: Annotated[dict[_Name, _Name], Field(max_length=1_000)]
    content: Annotated[dict[_Name, Digest], Field(max_length=1_000)]
    parts: Annotated[dict[_Name, Annotated[dict[_Name, Digest], Field(max_length=20_000)]], Field(max_length=10_000)]
    sha256_of_report: Sha256 = NO_HASH

    @property
    def entries(self) -> frozenset[tuple[str, str, str]]:
        """Part, name and digest of everything that it was made of."""
        return frozenset(
            (part, name, digest) for part, entries in self.parts.items() for name, digest in entries.items()
        )


#: matches: made again, the workspace gives the same report. agrees: its hashes agree, and it cannot be made again here.
#: retold: they agree, and made again it has other words. changed: the workspace is not as it was. other_content: made
#: by other questions, rules or another version. edited: the report's text is not as it was written. other_workspace:
#: made of another. unedited: as it was written; there is no workspace to hold it against.
Found = Literal["matches", "agrees", "retold", "changed", "other_content", "edited", "other_workspace", "unedited"]


class Difference(Model):
    """One part that differs between a report and a workspace.

    :ivar what: the part and what became of it, in words.
    :ivar added, changed, gone: names of the entries since the report was made.
    """

    what: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Verification(Model):
    """``interlock verify FILE --format json``.

    :ivar found: the gravest of what was found; ``sentence`` says it.
    :ivar edited: whether the report's text is not as it was written.
    :ivar content: what differs in version, questions or rules, in words; ``differences`` in the workspace.
    """

    schema_version: Literal["1"] = "1"
    file: str
    form: str
    found: Found
    sentence: str
    recipient: str | None
    made: IsoDate
    edited: bool
    content: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
