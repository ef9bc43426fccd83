"""Everything an assessment is computed from, read once from a workspace and the shipped content."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from interlock.content.changes import ContentParts, content_changes
from interlock.content.hazards import HAZARDS, load_hazards
from interlock.content.kinds import denied_by
from interlock.content.questionnaires import load_questionnaires
from interlock.content.rehearsals import REHEARSAL, load_catalogue
from interlock.content.ruleset_files import PATTERNS
from interlock.content.rulesets import SetFolders, load_patterns, load_ruleset
from interlock.content.visibility import visible
from interlock.contract.match import match_contract
from interlock.documents.files import inside
from interlock.documents.names import closest
from interlock.documents.parsed import keep_parsed
from interlock.documents.resources import data_dir
from interlock.documents.timing import timed
from interlock.judge.hazards import HazardLibrary
from interlock.judge.patterns import PatternLibrary
from interlock.judge.rehearsed import Rehearsed, rehearsed
from interlock.model import words
from interlock.model.base import ProductKind, Scope
from interlock.model.content import ContentChange, ruleset_words
from interlock.model.contract import ContractFit, WorkflowContract
from interlock.model.errors import InterlockError
from interlock.model.hazard import HazardFigures
from interlock.model.observation import Observation
from interlock.model.organization import Organization, Settings
from interlock.model.product import Product
from interlock.model.questionnaire import Item, Questionnaire
from interlock.model.rehearsal import ProductObservation, RehearsalCheck
from interlock.model.response import Response
from interlock.model.routine import PastTask, TaskStatuses
from interlock.model.rule import Ruleset
from interlock.model.trust import Grant
from interlock.workspace.checkout import checkout_of, commit_of
from interlock.workspace.history import latest_observation, latest_rehearsal
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust


@dataclass(frozen=True, eq=False)
class Content:
    """The questions and rules that a workspace uses; loaded once, so two are the same only when they are one.

    :ivar rule_folders: those whose ``patterns`` and ``hazards`` count, ours first.
    :ivar hides: names of the shipped sets in whose place a folder of the workspace stands.
    :ivar read_as: the folders and files that it was read from.
    """

    questionnaires: tuple[Questionnaire, ...]
    ruleset: Ruleset
    rule_folders: tuple[Path, ...] = ()
    hides: tuple[str, ...] = ()
    read_as: tuple[object, ...] = ()

    def __reduce__(self) -> tuple[Callable[..., Content], tuple[object, ...]]:
        """It goes to another process without what is compiled, and is not read there again."""
        return _handed_over, (self.questionnaires, self.ruleset, self.rule_folders, self.hides, self.read_as)

    @cached_property
    def patterns(self) -> PatternLibrary:
        """The pattern library, read when it is first asked for.

        :raises DocumentError: a pattern's file is broken; with file, line and column.
        """
        folders = [root / PATTERNS for root in self.rule_folders]
        return PatternLibrary(load_patterns(folders), self.questionnaires)

    @cached_property
    def hazards(self) -> HazardLibrary:
        """The catalogue of hazards, read when it is first asked for.

        :raises DocumentError: a hazard's file is broken; with file, line and column.
        """
        return HazardLibrary(load_hazards([root / HAZARDS for root in self.rule_folders]), self.questionnaires)

    @cached_property
    def rehearsals(self) -> tuple[RehearsalCheck, ...]:
        """The catalogue of rehearsal checks, read when it is first asked for."""
        return load_catalogue(data_dir("rulesets") / REHEARSAL)

    @cached_property
    def changes(self) -> tuple[ContentChange, ...]:
        """How this content differs from the shipped one; nothing for the shipped one itself."""
        shipped = load_content(None)
        return () if self is shipped else content_changes(shipped.parts, self.parts)

    @property
    def name(self) -> str:
        """Id and version of the ruleset."""
        return f"{self.ruleset.id} {self.ruleset.version}"

    @property
    def words(self) -> str:
        """What is judged by, in words: never the shipped ruleset's name alone where something differs from it."""
        return ruleset_words(self.name, self.shipped_ruleset, self.changes)

    @property
    def shipped_ruleset(self) -> str:
        """Id and version of the ruleset that Interlock ships."""
        return load_content(None).name

    @property
    def parts(self) -> ContentParts:
        """What is compared with the shipped content."""
        hazards = self.hazards.catalogue.hazards
        return ContentParts(self.ruleset, self.questionnaires, self.patterns.patterns, hazards, hides=self.hides)

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Every question by its id, in reading order."""
        return {item.id: item for questionnaire in self.questionnaires for item in questionnaire.questions()}

    def item(self, item_id: str) -> Item:
        """One question.

        :raises InterlockError: there is none by that id; the message names the closest ones.
        """
        if item_id in self.items:
            return self.items[item_id]
        remedy = closest(item_id, self.items, "interlock questions lists them")
        raise InterlockError(f"there is no question {item_id!r}", remedy=remedy)


@dataclass(frozen=True)
class Inputs:
    """A frozen snapshot: the same inputs give the same assessment, byte for byte.

    :ivar tasks: how far the routine tasks have come.
    :ivar past: finished tasks of earlier work, whose durations count beside those of ``tasks``.
    :ivar rehearsal: the latest rehearsal of the product.
    :ivar product_version: of the product as it is now, where ``product.yaml`` states it.
    :ivar product_commit: of the checkout that it starts in, where that is not the workspace's own: a commit there may
        be one of the rehearsal itself.
    :ivar figures: the team's own figures of hazards.
    :ivar recipient: the organisation that may read all of it, where others were left out.
    :ivar root: the workspace's folder, where the logo of its reports lies.
    :ivar today: the day on which evidence has to hold.
    """

    settings: Settings
    content: Content
    organizations: tuple[Organization, ...]
    product: Mapping[str, Response]
    by_org: Mapping[str, Mapping[str, Response]]
    contract: WorkflowContract | None
    observations: Mapping[str, Observation]
    root: Path
    today: date = field(default_factory=date.today)
    tasks: TaskStatuses = field(default_factory=dict)
    past: tuple[PastTask, ...] = ()
    rehearsal: ProductObservation | None = None
    product_version: str | None = None
    product_commit: str | None = None
    figures: Mapping[str, HazardFigures] = field(default_factory=dict)
    recipient: str | None = None

    @property
    def written(self) -> WorkflowContract | None:
        """The contract, where it says something: nothing is concluded from a file that nobody has written in."""
        return None if self.contract is None or self.contract.says_nothing else self.contract

    @property
    def unwritten(self) -> str | None:
        """What to say for as long as nothing is written in the contract."""
        return None if self.written is not None else words.UNWRITTEN_CONTRACT[self.contract is not None]

    @property
    def reads_only(self) -> bool:
        """Whether the contract is known to write nothing: it names what it reads, and no output."""
        contract = self.contract
        return contract is not None and bool(contract.inputs) and not contract.outputs

    @cached_property
    def fits(self) -> Mapping[str, ContractFit]:
        """The contract against each organisation; empty while it is not written."""
        contract = self.written
        if contract is None:
            return {}
        return {org.id: match_contract(contract, org, self.observations.get(org.id)) for org in self.organizations}

    @cached_property
    def fit_to_fhir(self) -> ContractFit | None:
        """The contract against FHIR alone, which no organisation is needed for; none where there are some."""
        if self.written is None or self.organizations:
            return None
        return match_contract(self.written, Organization(id="nobody", name="Nobody"), None)

    @cached_property
    def rehearsed(self) -> Mapping[str, Rehearsed]:
        """What the latest rehearsal says of the product's questions, by id; the catalogue is read for that alone."""
        if self.rehearsal is None:
            return {}
        return rehearsed(
            self.content.rehearsals,
            self.content.items,
            self.rehearsal,
            self.today,
            self.product_version,
            self.product_commit,
        )

    @property
    def kind(self) -> ProductKind | None:
        """The kind of product, as far as it decides what is asked: none where the contract says otherwise."""
        kind = self.settings.kind
        if kind is not None and self.contract is not None and any(denied_by(self.contract, kind)):
            return None
        return kind

    def organization(self, org_id: str) -> Organization:
        """One organisation.

        :raises InterlockError: there is none by that id.
        """
        for org in self.organizations:
            if org.id == org_id:
                return org
        known = ", ".join(org.id for org in self.organizations) or "none yet"
        raise InterlockError(f"there is no organisation {org_id!r}", remedy=f"organisations: {known}")

    def visible(self, scope: str) -> Mapping[str, bool | None]:
        """For every question whether it is asked, given the answers of ``product`` or of one organisation."""
        asked = {name: answer for name, answer in self.product.items() if not self._of_org(name)}
        answers = {**(self.product if scope == "product" else asked), **self.answers(scope)}
        return visible(self.content.questionnaires, answers, self.kind)

    def _of_org(self, item: str) -> bool:
        """Whether the product's answer is a proposal, because the organisations are asked."""
        return item in self.content.items and self.content.items[item].scope is Scope.ORG

    def answers(self, scope: str) -> Mapping[str, Response]:
        """Responses of ``product`` or of one organisation's file."""
        return self.product if scope == "product" else self.by_org.get(scope, {})

    def with_response(self, scope: str, item: str, response: Response | None) -> Inputs:
        """A copy in which one answer is different; nothing is saved."""

        def changed(answers: Mapping[str, Response]) -> Mapping[str, Response]:
            kept = {key: value for key, value in answers.items() if key != item}
            return kept if response is None else kept | {item: response}

        if scope == "product":
            other = replace(self, product=changed(self.product))
        else:
            other = replace(self, by_org=dict(self.by_org) | {scope: changed(self.by_org.get(scope, {}))})
        for name in ("fits", "rehearsed"):  # no answer changes how the contract fits, or what the product did
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other

    def with_observation(self, org: str, observation: Observation) -> Inputs:
        """A copy in which one organisation was observed anew."""
        return replace(self, observations=dict(self.observations) | {org: observation})


@timed("load content")
def load_content(workspace: Workspace | None, ruleset: str = "core") -> Content:
    """Shipped questionnaires and ruleset, or a workspace's own where it has them.

    :raises DocumentError: a file of the content is broken; with file, line and column.
    """
    root = workspace.root if workspace else None
    questions = content_folders("questionnaires", root)
    folders = SetFolders(content_folders("rulesets", root))
    rules_at = folders.find(ruleset)
    if rules_at is None:
        known = ", ".join(name for name in folders.names() if name not in folders.packs())
        raise InterlockError(f"there is no ruleset {ruleset!r}", remedy=f"rulesets: {known}")
    read_as = questions, folders, rules_at, _fingerprint(root)
    return _HANDED_OVER[read_as] if read_as in _HANDED_OVER else _load_content(*read_as)


#: The content that another process has read, by what it was read from.
_HANDED_OVER: dict[tuple[object, ...], Content] = {}


def _handed_over(*parts: Any) -> Content:
    content = Content(*parts)
    _HANDED_OVER.clear()
    _HANDED_OVER[content.read_as] = content
    return content


def content_folders(kind: Literal["questionnaires", "rulesets"], root: Path | None) -> tuple[Path, ...]:
    """The shipped folder of questionnaires or rulesets, then the one of a workspace (or other folder) that has one.

    :raises DocumentError: the workspace's folder, or a file or folder in it, is a link that leads out of the workspace.
    """
    own = root / kind if root else None
    if root is None or own is None or not own.is_dir():
        return (data_dir(kind),)
    inside(root, own)
    for folder, folders, files in os.walk(own):
        for name in (*folders, *files):
            path = Path(folder, name)
            if path.is_symlink():
                inside(root, path)
    return (data_dir(kind), own)


@lru_cache(maxsize=8)
def _load_content(
    questions: tuple[Path, ...], folders: SetFolders, rules_at: Path, fingerprint: tuple[tuple[str, int, int], ...]
) -> Content:
    """``fingerprint`` only tells one state of a workspace's own files from another."""
    hides = set(SetFolders(folders.roots[:1]).names()) & set(SetFolders(folders.roots[1:]).names())
    content = Content(
        load_questionnaires(questions),
        load_ruleset(rules_at, folders),
        folders.roots,
        tuple(sorted(hides)),
        (questions, folders, rules_at, fingerprint),
    )
    keep_parsed()
    return content


def _fingerprint(root: Path | None) -> tuple[tuple[str, int, int], ...]:
    """Name, modification time (ns) and size (bytes) of every content file that a workspace has of its own."""
    if root is None:
        return ()
    paths = [*root.glob("questionnaires/*.yaml"), *root.glob("rulesets/**/*.yaml")]
    files = (path for path in paths if path.is_file())
    return tuple(sorted((str(path), (stat := path.stat()).st_mtime_ns, stat.st_size) for path in files))


@timed("read workspace")
def load_inputs(workspace: Workspace, org: str | None = None) -> Inputs:
    """Read a whole workspace.

    :param org: an organisation that has to be there, because what follows is about it alone.
    :raises DocumentError: any of its files is broken; with file, line and what was expected.
    :raises InterlockError: there is no such organisation.
    """
    content = workspace.read()
    observations = {
        org.id: observation
        for org in content.organizations
        if (observation := latest_observation(workspace, org.id)) is not None
    }
    product = workspace.product()
    inputs = Inputs(
        settings=content.settings,
        content=load_content(workspace, content.settings.ruleset),
        organizations=content.organizations,
        product=content.product,
        by_org=content.by_org,
        contract=workspace.contract(),
        observations=observations,
        root=workspace.root,
        tasks=content.tasks,
        rehearsal=latest_rehearsal(workspace),
        product_version=product.version if product is not None else None,
        product_commit=_commit(workspace, product),
        figures=workspace.hazard_figures(),
    )
    if org is not None:
        inputs.organization(org)
    return inputs


def _commit(workspace: Workspace, product: Product | None) -> str | None:
    """See :attr:`Inputs.product_commit`; nothing is read for a start command that is not allowed."""
    if product is None or product.start is None or product.start.folder is None:
        return None
    folder = workspace.root / product.start.folder
    top = checkout_of(folder)
    if top is None or workspace.root.resolve().is_relative_to(top):
        return None
    allowed = Grant(kind="command", command=product.start.told) in Trust(workspace.root).grants()
    return commit_of(folder) if allowed else None
