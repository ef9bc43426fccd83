"""Proving that questionnaires, rules and patterns are sound: ours, or a user's own on top of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from pathlib import Path

from interlock.content.hazards import HAZARDS, read_hazards
from interlock.content.kinds import denied_by
from interlock.content.questionnaires import read_questionnaires
from interlock.content.rehearsals import REHEARSAL, read_catalogue
from interlock.content.ruleset_files import PATTERNS, read_patterns
from interlock.content.rulesets import CORE, SetFolders, read_ruleset
from interlock.content.visibility import denying
from interlock.contract.mistakes import mistakes
from interlock.contract.settings import match_settings
from interlock.contract.skeletons.failure_modes import exported_tests
from interlock.documents.names import closest, did_you_mean
from interlock.documents.resources import data_dir
from interlock.documents.yaml import model_from_yaml
from interlock.judge.lint import (
    LintProblem,
    from_error,
    in_order,
    lint_hazards,
    lint_patterns,
    lint_rehearsals,
    lint_ruleset,
    scalar_problems,
)
from interlock.model import words
from interlock.model.base import Scope, Status
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.organization import Organization
from interlock.model.questionnaire import Item, Questionnaire, every_item
from interlock.model.response import Response
from interlock.model.statements import STATEMENTS
from interlock.model.text import plain
from interlock.probe.checks.registry import list_checks
from interlock.rehearse.run import BUILT
from interlock.usecases.load import content_folders, load_content, load_inputs
from interlock.workspace.contract_file import CONTRACT_FILE
from interlock.workspace.responses import PRODUCT
from interlock.workspace.routine import TASKS_FILE
from interlock.workspace.store import HAZARDS_FILE, SETTINGS_FILE, Workspace

#: Most unknown tasks that are told: looking for the closest name of each takes time.
_MOST_UNKNOWN = 50
#: What a user's own content may leave open on purpose in ours: a rule that is off leaves its question without one.
_OPEN_ON_PURPOSE = frozenset({"worst-opens-nothing", "statement", "best-opens-gap", "quote"})


def lint_content(path: Path | None) -> tuple[LintProblem, ...]:
    """Lint the shipped content; or a workspace, or any folder with ``questionnaires/`` or ``rulesets/<name>/``.

    A folder's content is linted together with the shipped content that it adds to, and what is wrong with the shipped
    content alone is not told. A folder that has both questionnaires and a set called ``core`` stands alone.

    :raises InterlockError: the folder has none of these.
    """
    if path is None:
        return _lint_all([data_dir("questionnaires")], SetFolders((data_dir("rulesets"),)), (CORE,))
    questions, rules = path / "questionnaires", path / "rulesets"
    own_content = questions.is_dir() or rules.is_dir()
    if not own_content and not (path / SETTINGS_FILE).is_file():
        raise InterlockError(
            f"{path} has neither questionnaires/ nor rulesets/ nor {SETTINGS_FILE}",
            remedy="give the folder that holds one of them",
        )
    folders = SetFolders(content_folders("rulesets", path))
    asked = content_folders("questionnaires", path)
    if questions.is_dir() and (rules / CORE).is_dir():
        own = SetFolders((rules,))
        return _lint_all([questions], own, own.tops())
    tops = SetFolders((rules,)).tops() if rules.is_dir() else ()  # its own sets that no other of its own extends
    problems = list(_lint_all(asked, folders, tops or (CORE,))) if own_content else []
    ours = [problem for problem in problems if problem.file is None or not Path(problem.file).is_relative_to(path)]
    if ours:
        already = set(lint_content(None))
        dropped = {problem for problem in ours if problem in already or problem.code in _OPEN_ON_PURPOSE}
        problems = [problem for problem in problems if problem not in dropped]
    return in_order([*_lint_workspace(path, folders), *problems])


def lint_directories(
    questions: Sequence[Path],
    ruleset: Path,
    statements: Sequence[str],
    folders: SetFolders | None = None,
    check_ids: Collection[str] | None = None,
) -> tuple[LintProblem, ...]:
    """Lint one ruleset, with what it extends, and the questionnaires of some folders."""
    asked = read_questionnaires(questions)
    read = read_ruleset(ruleset, folders)
    problems = lint_ruleset(read, asked.questionnaires, asked.items, statements, check_ids=check_ids)
    scalars = [
        problem for folder in questions for path in sorted(folder.glob("*.yaml")) for problem in scalar_problems(path)
    ]
    return in_order([*problems, *map(from_error, asked.problems), *scalars])


def _lint_all(questions: Sequence[Path], folders: SetFolders, tops: Sequence[str]) -> tuple[LintProblem, ...]:
    check_ids = [check.id for check in list_checks()]
    problems: list[LintProblem] = []
    for name in tops:
        directory = folders.find(name)
        if directory is not None:
            statements = tuple(statement.id for statement in STATEMENTS) if name == CORE else ()
            problems += lint_directories(questions, directory, statements, folders, check_ids)
    asked = read_questionnaires(questions).questionnaires
    for root in folders.roots:
        if (root / PATTERNS).is_dir():
            problems += lint_patterns(read_patterns(root / PATTERNS), asked, check_ids)
    problems += _lint_rehearsals(asked, folders)
    return in_order([*problems, *_lint_hazards(asked, folders, check_ids)])


def _lint_rehearsals(asked: Sequence[Questionnaire], folders: SetFolders) -> Iterator[LintProblem]:
    """What is wrong with the catalogue of rehearsal checks, which is the shipped one."""
    folder = data_dir("rulesets")
    if folder in folders.roots:
        rules = {name for entry in (*folders.tops(), CORE) for name in _every_rule(folders.find(entry), folders)}
        yield from lint_rehearsals(read_catalogue(folder / REHEARSAL), asked, rules=rules, built=BUILT)


def _lint_hazards(
    asked: Sequence[Questionnaire], folders: SetFolders, check_ids: Collection[str]
) -> Iterator[LintProblem]:
    """What is wrong with the hazards of each folder, which may name what the folders before it have."""
    rules = {name for entry in (*folders.tops(), CORE) for name in _every_rule(folders.find(entry), folders)}
    patterns: set[str] = set()
    sources: set[str] = set()
    for root in folders.roots:
        patterns |= read_patterns(root / PATTERNS).patterns.keys()
        if (root / HAZARDS).is_dir():
            read = read_hazards(root / HAZARDS)
            sources |= read.sources.keys()
            yield from lint_hazards(
                read, asked, rules=rules, patterns=patterns, tests=exported_tests(), checks=check_ids, sources=sources
            )


def _every_rule(folder: Path | None, folders: SetFolders) -> Iterator[str]:
    """The ids of a set's rules, with what it turns off."""
    if folder is not None:
        read = read_ruleset(folder, folders)
        yield from (*read.rules, *read.off)


def _lint_workspace(path: Path, folders: SetFolders) -> list[LintProblem]:
    """What is wrong with a workspace's other files; nothing for a folder that is no workspace."""
    if not (path / SETTINGS_FILE).is_file():
        return []
    workspace = Workspace(path)
    problems: list[LintProblem] = []
    for read in (workspace.read, workspace.contract, workspace.hazard_figures, workspace.product):
        try:
            read()
        except DocumentError as error:
            problems.append(from_error(error))
    if not problems:
        problems += [*_of_another_kind(workspace), *_wrong_in_contract(workspace), *_wrong_settings(workspace)]
        problems += [*_unknown_tasks(workspace), *_unknown_hazards(workspace)]
    try:
        settings, document = workspace.settings(), workspace.load(SETTINGS_FILE)
    except DocumentError:
        return problems  # told above
    directory = folders.find(settings.ruleset)
    if directory is None:
        location = document.location(("ruleset",))
        return [*problems, _problem(location, "reference", f"there is no ruleset {settings.ruleset!r}")]
    version = read_ruleset(directory, folders).ruleset.version
    if settings.ruleset_version not in (None, version):
        location = document.location(("ruleset_version",))
        message = f"ruleset_version is {settings.ruleset_version!r}, and {settings.ruleset} is {version!r} here"
        problems.append(_problem(location, "version", message))
    problems += [*_count_for_nothing(workspace), *_lint_evidence(workspace)]
    unused = [name for name in SetFolders((path / "rulesets",)).tops() if name != settings.ruleset]
    for name in unused if (path / "rulesets").is_dir() else ():
        message = f"{SETTINGS_FILE} says ruleset: {settings.ruleset}, so rulesets/{name} is not used"
        problems.append(_problem(document.location(("ruleset",)), "unused", message))
    return problems


def _of_another_kind(workspace: Workspace) -> list[LintProblem]:
    """What the contract and the answers say that no product of this kind does: nothing is hidden by the kind then."""
    kind, contract = workspace.settings().kind, workspace.contract()
    if kind is None:
        return []
    named = f"{SETTINGS_FILE} says that the product is {words.PRODUCT_KIND[kind].phrase}"
    remedy = "change one of them; meanwhile every question is asked"
    problems = []
    for path, denied in denied_by(contract, kind) if contract is not None else ():
        location = workspace.load(CONTRACT_FILE).location(path)
        problems.append(_problem(location, "kind", f"{named}, and the contract has {denied}: {remedy}"))
    answers, items = workspace.responses(PRODUCT), every_item(load_content(workspace).questionnaires)
    for item, options in denying(kind, items, answers):
        location = workspace.load(f"responses/{PRODUCT}.yaml").location(("answers", item.id))
        labels = "”, “".join(option.label for option in options)
        problems.append(_problem(location, "kind", f"{named}, and the answer to {item.id} is “{labels}”: {remedy}"))
    return problems


def _wrong_in_contract(workspace: Workspace) -> Iterator[LintProblem]:
    """Names in the contract that FHIR does not know, and its contradictions."""
    contract = workspace.contract()
    if contract is not None:
        document = workspace.load(CONTRACT_FILE)
        for path, message in mistakes(contract, [file.stem for file in workspace.files("orgs", "*.y*ml")]):
            yield _problem(document.location(path), "contract", message)


def _wrong_settings(workspace: Workspace) -> Iterator[LintProblem]:
    """What the organisations' files set and the contract's settings do not take."""
    contract = workspace.contract()
    if contract is None:
        return
    for path in workspace.files("orgs", "*.y*ml"):
        document = workspace.load(f"orgs/{path.name}")
        for match in match_settings(contract, model_from_yaml(Organization, document)):
            if match.outcome in {"mistyped", "unknown", "universal"}:
                location = document.location(("overrides", match.name))
                do = "take it out, or mark it per_organization there" if match.outcome == "universal" else None
                said = (words.SETTING[match.outcome].phrase, match.note, do)
                yield _problem(location, "setting", f"{match.name} is {'; '.join(filter(None, said))}")


def _count_for_nothing(workspace: Workspace) -> Iterator[LintProblem]:
    """Answers that are kept in a file and judged as none: of files that can be read."""
    try:
        items = load_content(workspace, workspace.settings().ruleset).items
    except DocumentError:
        return  # told with the content
    for path in workspace.files("responses", "*.yaml"):
        try:
            document, responses = workspace.load(f"responses/{path.name}"), workspace.responses(path.stem)
        except InterlockError:
            continue  # told above, or no scope's file
        for item_id, response in responses.items():
            item = items.get(item_id)
            wrong = (
                closest(item_id, items, "there is no question of this id here")
                if item is None
                else _why_nothing(item, path.stem == PRODUCT, response)
            )
            if wrong is not None:
                message = f"{plain(item_id, 80)}: this answer counts for nothing: {wrong}"
                yield _problem(document.location(("answers", item_id)), "answer", message)


def _why_nothing(item: Item, of_product: bool, response: Response) -> str | None:
    """Why an answer to a question is judged as none, in words; none when it counts."""
    if of_product and item.scope is Scope.ORG and not item.proposable:
        return "it is asked of each organisation, so answer it there with --org" if response.value is not None else None
    if not of_product and item.scope is not Scope.ORG:
        return "it is asked once for the product"
    for answer in response.answers:
        if answer.status is Status.NOT_APPLICABLE and item.na == "never":
            return "this question always applies; answer it, or say unknown"
        if answer.value is not None and not item.takes(answer.value):
            return f"{plain(repr(answer.value), 80)} is not offered"
    return None


def _lint_evidence(workspace: Workspace) -> Iterator[LintProblem]:
    """Evidence that has expired, or whose file is not there; of files that can be read."""
    for path in workspace.files("responses", "*.yaml"):
        name = f"responses/{path.name}"
        try:
            document, responses = workspace.load(name), workspace.responses(path.stem)
        except InterlockError:
            continue  # told above, or no scope's file
        for item, response in responses.items():
            for number, record in enumerate(response.documents):
                at = ("answers", item, "documents", number)
                if (ended := record.ended(date.today())) is not None:
                    yield _problem(document.location((*at, "valid_until")), "evidence", f"{item}: {ended}; renew it")
                if record.file is not None and (wrong := _not_there(workspace, record.file)) is not None:
                    yield _problem(document.location((*at, "file")), "evidence", f"{item}: {wrong}")


def _not_there(workspace: Workspace, name: str) -> str | None:
    """Why the file of a piece of evidence cannot be read, in words; none when it is there."""
    try:
        is_there = workspace.path(name).is_file()
    except DocumentError as error:
        return f"the evidence's file {plain(name, 80)!r} is not in the workspace: {error.message}"
    return None if is_there else f"there is no file {plain(name, 80)!r}, which is named as evidence"


def _unknown_tasks(workspace: Workspace) -> Iterator[LintProblem]:
    """What ``tasks.yaml`` has and no routine task is called: it counts for nothing."""
    if not workspace.has(TASKS_FILE):
        return
    from interlock.usecases.routine import instances, unknown_task  # brings networkx

    try:
        inputs = load_inputs(workspace)
    except InterlockError:
        return  # told elsewhere
    known, document = instances(inputs), workspace.load(TASKS_FILE)
    unknown = [name for name in inputs.tasks if name not in known]
    for name in unknown[:_MOST_UNKNOWN]:
        error = unknown_task(inputs, name, known)
        yield _problem(document.location(("tasks", name)), "reference", f"{error.message}: {error.remedy}")


def _unknown_hazards(workspace: Workspace) -> Iterator[LintProblem]:
    """What ``hazards.yaml`` has figures of and no hazard is called: they count for nothing."""
    figures = workspace.hazard_figures()
    if figures:
        known = [hazard.id for hazard in load_content(workspace).hazards.catalogue.hazards]
        document = workspace.load(HAZARDS_FILE)
        for name in figures:
            if name not in known:
                location = document.location(("hazards", name))
                yield _problem(location, "reference", f"there is no hazard {name}{did_you_mean(name, known)}")


def _problem(location: Location, code: str, message: str) -> LintProblem:
    return LintProblem(location.file, location.line, location.column, "", code, message)
