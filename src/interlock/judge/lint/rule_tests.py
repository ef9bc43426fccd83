"""A rule's own tests: the context that ``given`` describes, checked as strictly as the real one, and the outcome.

``given`` holds ``responses`` and ``value`` (nested, or flat with dotted keys), and maps ``contract``, ``probe``,
``checks``, ``fit``, ``settings``, ``org``, ``fleet``, and ``vendor`` with ``organizations`` in vendor scope. What a
real contract, observation or fit always has is filled in; ``null`` takes it away again. ``value`` follows from the
answers unless it is given.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from interlock.content.compile import (
    OBSERVED_ROOTS,
    CompiledPattern,
    CompiledRule,
    Condition,
    compile_pattern,
    compile_rule,
)
from interlock.judge.answers import NOT_KNOWN, AnswerState, States, nested, state_of
from interlock.judge.context import SubjectContext, Variables
from interlock.judge.engine import Conclusion, decide, over_all
from interlock.judge.lint.complete import COMPLETE_SETTINGS
from interlock.judge.lint.problems import LintProblem, Locations, problem
from interlock.judge.lint.references import ALWAYS_KNOWN, CONTRACT, FIT, FLEET, IN_SCOPE, ORG, SETTINGS
from interlock.judge.variables import contract_variable, probe_variable
from interlock.model.base import RuleOutcome, Scope, Status
from interlock.model.contract import WorkflowContract
from interlock.model.facts import Facts
from interlock.model.finding import PRODUCT
from interlock.model.pattern import Pattern, Site
from interlock.model.questionnaire import Item
from interlock.model.response import Response
from interlock.model.rule import Rule
from interlock.model.text import plain

_FILLED_IN = "example"
#: What a test's organisation and fleet are unless it says otherwise.
EXAMPLE_ORG: Variables = {
    "id": "example",
    "name": "Example Hospital",
    "vendor": "other",
    "environment": "non-production",
    "has_url": True,
}
EXAMPLE_FLEET: Variables = {
    "organizations": 1,
    "observed": 0,
    "releases": [],
    "vendors": ["other"],
    "shared_base_urls": False,
}
_EMPTY_FIT: Variables = {name: [] if kind is list else 0 if kind is int else True for name, kind in FIT.items()}
_M = TypeVar("_M", bound=BaseModel)
_EXPECTED = ("gap", "met", "unknown")


class GivenError(ValueError):
    """A ``given`` that no real context can be; ``path`` leads to it inside ``given``."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def own_tests(rule: Rule | Pattern, items: Mapping[str, Item], locations: Locations) -> Iterator[LintProblem]:
    """Tests that cannot be, that do not hold, or that are missing."""
    compiled = compile_pattern(rule) if isinstance(rule, Pattern) else compile_rule(rule)
    for index, test in enumerate(rule.tests):
        try:
            conclusion = _concluded(compiled, test.given, items)
        except GivenError as error:
            path = ".".join(["given", *(str(part) for part in error.path)])
            location = locations.rule(rule.id, "tests", index, "given", *error.path)
            yield problem(location, rule.id, "test-context", f"test {index + 1}: {path}: {error.message}")
            continue
        if conclusion.outcome != test.expect:
            because = f" ({conclusion.detail})" if conclusion.detail else ""
            message = f"test {index + 1} expects {test.expect} and the outcome is {conclusion.outcome}{because}"
            yield problem(locations.rule(rule.id, "tests", index), rule.id, "test-fails", message)
    expected = {test.expect for test in rule.tests}
    for outcome in _EXPECTED:
        if outcome not in expected and (outcome != RuleOutcome.UNKNOWN or _can_be_unknown(compiled)):
            why = ": nothing proves that the rule can ever fire" if outcome == RuleOutcome.GAP else ""
            yield problem(locations.rule(rule.id, "tests"), rule.id, "tests-missing", f"no test expects {outcome}{why}")


def _concluded(rule: CompiledRule | CompiledPattern, given: Mapping[str, Any], items: Mapping[str, Item]) -> Conclusion:
    if not isinstance(rule, CompiledPattern) or rule.rule.scope == "org":
        return decide(rule, test_context(rule.rule.scope, given, items))
    entries = given.get("orgs", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise GivenError(("orgs",), "expected a list of organisations")
    organizations: dict[str, SubjectContext] = {}
    for index, entry in enumerate(entries):
        try:
            organizations[str(index)] = test_context(Scope.ORG, entry, items)
        except GivenError as error:
            raise GivenError(("orgs", index, *error.path), error.message) from None
    fleet = {"organizations": len(entries)} | (given.get("fleet") or {})
    rest = {name: value for name, value in given.items() if name != "orgs"} | {"fleet": fleet}
    concluded = {
        name: {org: decide(condition, context) for org, context in organizations.items()}
        for name, condition in rule.where.items()
    }
    return decide(rule, over_all(test_context(rule.rule.scope, rest, items), concluded))


def _can_be_unknown(rule: Condition) -> bool:
    firsts = (name.split(".")[:2] for name in rule.all_reads)
    return not all({parts[0], ".".join(parts)} & ALWAYS_KNOWN for parts in firsts)


def test_context(scope: str, given: Mapping[str, Any], items: Mapping[str, Item]) -> SubjectContext:
    """The context that a test describes.

    :raises GivenError: a name that this scope does not have, a question or field that does not exist, or an answer
        that its question cannot have.
    """
    for name in given:
        if name not in IN_SCOPE[scope]:
            known = ", ".join(sorted(IN_SCOPE[scope]))
            raise GivenError((name,), f"a rule of {scope} scope has no {name!r}; it has {known}")
    answers = _answers(given, items)
    variables: Variables = nested(answers)
    variables["fleet"] = _known("fleet", given.get("fleet"), EXAMPLE_FLEET, FLEET)
    contract = given.get("contract")
    if contract is not None:
        if not isinstance(contract, dict):
            raise GivenError(("contract",), "expected a map")
        added = {name: contract[name] for name in CONTRACT if name in contract}
        contract = {"version": "1", "title": "Example", **contract}
        written = {name: value for name, value in contract.items() if name not in added}
        variables["contract"] = contract_variable(_validated(WorkflowContract, "contract", written)) | added
    if scope == Scope.ORG:
        variables["org"] = _known("org", given.get("org"), EXAMPLE_ORG, ORG)
        site = given.get("site") or {}
        observed = {"observed": "observed", **site} if isinstance(site, dict) else site
        variables["site"] = _validated(Site, "site", observed).model_dump(exclude_none=True)
        variables |= _facts(given)
        if given.get("settings") is not None:
            variables["settings"] = _known("settings", given["settings"], COMPLETE_SETTINGS, SETTINGS)
    elif scope == Scope.VENDOR:
        variables["vendor"] = given.get("vendor", "other")
        variables["organizations"] = given.get("organizations", [])
    return SubjectContext(PRODUCT, variables, answers)


def _answers(given: Mapping[str, Any], items: Mapping[str, Item]) -> States:
    states: dict[str, AnswerState] = {}
    for item_id, value in _flat("responses", given.get("responses")):
        item = items.get(item_id)
        if item is None:
            raise GivenError(("responses", item_id), "no questionnaire has this question")
        held = tuple(value) if isinstance(value, list) else value
        try:
            state = state_of(item, Response(status=Status.ANSWERED, value=held))
        except ValidationError:
            raise GivenError(("responses", item_id), f"{plain(repr(value), 60)} is not an answer") from None
        if state is None:
            offered = f"; it offers {', '.join(option.value for option in item.options)}" if item.options else ""
            raise GivenError(
                ("responses", item_id), f"{plain(repr(value), 60)} is not an answer to a {item.type}{offered}"
            )
        states[item_id] = state
    for item_id, value in _flat("value", given.get("value")):
        if item_id not in items:
            raise GivenError(("value", item_id), "no questionnaire has this question")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise GivenError(("value", item_id), f"{plain(repr(value), 60)} is not a number from 0 to 1")
        states[item_id] = states.get(item_id, NOT_KNOWN)._replace(graded=float(value))
    return states


def _flat(at: str, value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested or flat: every leaf with its dotted name."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise GivenError((at,), "expected a map of questions")
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict):
            yield from _flat(at, inner, f"{name}.")
        elif inner is not None:
            yield name, inner


def _facts(given: Mapping[str, Any]) -> Variables:
    probe = given.get("probe")
    checks = given.get("checks") or {}
    if not isinstance(checks, dict) or not set(checks.values()) <= {"pass", "warn", "fail"}:
        raise GivenError(("checks",), "expected check ids, each with pass, warn or fail")
    result: Variables = {
        "probe": {} if probe is None else probe_variable(_validated(Facts, "probe", probe)),
        "checks": checks,
    }
    result |= _compared(given)
    if given.get("fit") is not None:
        result["fit"] = _known("fit", given["fit"], _EMPTY_FIT, FIT)
    assert result.keys() <= OBSERVED_ROOTS
    return result


def _compared(given: Mapping[str, Any]) -> Variables:
    """``compared`` and ``contradictions``; what is contradicted was compared."""
    contradicted, compared = given.get("contradictions"), given.get("compared")
    if contradicted is not None and not (
        isinstance(contradicted, list) and all(isinstance(item_id, str) for item_id in contradicted)
    ):
        raise GivenError(("contradictions",), "expected a list of question ids")
    if compared is not None and (type(compared) is not int or compared < len(contradicted or ())):
        raise GivenError(("compared",), "expected a whole number, at least as many as there are contradictions")
    if contradicted is None and compared is None:
        return {}
    return {"compared": len(contradicted or ()) if compared is None else compared, "contradictions": contradicted or []}


def _validated(model: type[_M], at: str, value: Any) -> _M:
    """The model, with required texts that the test leaves out filled in: only what a test is about need be written."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        missing = [problem["loc"] for problem in error.errors(include_url=False) if problem["type"] == "missing"]
    filled = copy.deepcopy(value)
    for *path, last in missing:
        inner = filled
        for part in path:
            inner = inner[part]
        inner[last] = _FILLED_IN
    try:
        return model.model_validate(filled)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = "required" if first["loc"] in missing else first["msg"]
        raise GivenError((at, *first["loc"]), message) from None


def _known(at: str, given: Any, defaults: Variables, kinds: Mapping[str, type]) -> Variables:
    """The defaults with what is given put over them; a null takes a name away."""
    if given is not None and not isinstance(given, dict):
        raise GivenError((at,), "expected a map")
    for name, value in (given or {}).items():
        if name not in kinds:
            raise GivenError((at, name), f"{at} has no {name!r}; it has {', '.join(kinds)}")
        if value is not None and type(value) is not kinds[name]:
            raise GivenError((at, name), f"expected {_WORDS[kinds[name]]}, found {plain(repr(value), 60)}")
    return {name: value for name, value in {**defaults, **(given or {})}.items() if value is not None}


_WORDS = {list: "a list", int: "a whole number", str: "text", bool: "true or false"}
