"""The pattern library: reading, proofs, and what holds where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from interlock.content.questionnaires import load_questionnaires
from interlock.content.ruleset_files import read_patterns
from interlock.content.rulesets import load_patterns
from interlock.documents.resources import data_dir
from interlock.judge.lint import LintProblem, lint_patterns
from interlock.judge.patterns import PatternLibrary
from interlock.judge.sites import sites
from interlock.judge.variables import RuleInputs
from interlock.model.contract import WorkflowContract
from interlock.model.errors import DocumentError
from interlock.model.facts import Facts
from interlock.model.observation import Observation, RequestRecord, Target
from interlock.model.organization import Organization
from interlock.model.pattern import Pattern, PatternMatch
from interlock.model.questionnaire import Item, Option, Questionnaire
from interlock.model.response import Response
from interlock.probe.checks.registry import list_checks
from interlock.usecases.initialize import initialize
from interlock.usecases.judge import find_patterns
from interlock.usecases.load import load_inputs
from interlock.usecases.opening import open_workspace

pytestmark = pytest.mark.fast

SHIPPED = data_dir("rulesets") / "patterns"
QUESTIONS = load_questionnaires((data_dir("questionnaires"),))
OWN_QUESTIONS = (
    Questionnaire(
        id="own",
        version="1",
        title="Own",
        items=(
            Item(
                id="org.redirect",
                type="choice",
                text="Which redirect address?",
                scope="org",
                options=(Option(value="shared", label="Shared", weight=0), Option(value="own", label="Own", weight=1)),
            ),
        ),
    ),
)
ORG_PATTERN = """\
id: PAT-001
title: Internal token host
scope: org
gap_when: has(probe.smart.token_endpoint) && site.hosts.token.endsWith(".local")
message: "{org.name}: tokens at {site.hosts.token}"
means: Made inside the network.
action: Ask for the public address.
owner: org
source: [S44]
references: [{title: RFC 6749, url: "https://www.rfc-editor.org/rfc/rfc6749"}]
tests:
  - {given: {probe: {smart: {token_endpoint: "https://a.local/t"}}, site: {hosts: {token: a.local}}}, expect: gap}
  - {given: {probe: {smart: {}}}, expect: met}
  - {given: {}, expect: unknown}
"""
FLEET_PATTERN = """\
id: PAT-002
title: One redirect address
scope: fleet
where: {shared: 'responses.org.redirect == "shared"'}
gap_when: fleet.organizations > 1 && anywhere.shared
concerns: shared
message: "{who} of {fleet.organizations}"
means: Codes of one reach the flow of another.
action: One address each.
owner: us
source: [S44]
references: [{title: RFC 9700, url: "https://www.rfc-editor.org/rfc/rfc9700"}]
tests:
  - {given: {orgs: [{responses: {org.redirect: shared}}, {}]}, expect: gap}
  - {given: {orgs: [{responses: {org.redirect: own}}, {responses: {org.redirect: own}}]}, expect: met}
  - {given: {orgs: [{responses: {org.redirect: own}}, {}]}, expect: unknown}
"""


def _library(tmp_path: Path, *texts: str) -> Path:
    for text in texts:
        name = text.partition("\n")[0].removeprefix("id: ")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def _org(org_id: str, **fields: Any) -> Organization:
    return Organization.model_validate({"id": org_id, "name": org_id.title(), **fields})


def _seen(org_id: str, facts: Mapping[str, Any], base: str = "https://ehr.example/fhir", **fields: Any) -> Observation:
    return Observation(
        target=Target(base_url=base, org=org_id),
        started=datetime(2026, 11, 1, tzinfo=UTC),
        elapsed_ms=1.0,
        outcome=fields.pop("outcome", "observed"),
        facts=Facts.model_validate(facts),
        **fields,
    )


def _inputs(
    *organizations: Organization, observations: Mapping[str, Observation] | None = None, **fields: Any
) -> RuleInputs:
    return RuleInputs(
        questionnaires=fields.pop("questionnaires", OWN_QUESTIONS),
        organizations=organizations,
        observations=observations or {},
        **fields,
    )


def _matched(patterns: Sequence[Pattern], inputs: RuleInputs) -> tuple[PatternMatch, ...]:
    return PatternLibrary(patterns, inputs.questionnaires).match(inputs)


def _only(patterns: Sequence[Pattern], inputs: RuleInputs) -> PatternMatch:
    (found,) = _matched(patterns, inputs)
    return found


def _of(pattern_id: str, inputs: RuleInputs) -> PatternMatch:
    return next(one for one in _matched(load_patterns([SHIPPED]), inputs) if one.pattern == pattern_id)


def _linted(directory: Path, questions: Sequence[Questionnaire] = OWN_QUESTIONS) -> tuple[LintProblem, ...]:
    return lint_patterns(read_patterns(directory), questions, [check.id for check in list_checks()])


# -- the shipped library ----------------------------------------------------------------------------------------------


def test_the_shipped_library_has_no_problem() -> None:
    assert [str(one) for one in _linted(SHIPPED, QUESTIONS)] == []


def test_the_shipped_library_is_large_and_each_pattern_says_what_it_means_and_what_to_do() -> None:
    patterns = load_patterns([SHIPPED])
    assert len(patterns) >= 22
    assert (
        len({one.title for one in patterns})
        == len({(*one.where.values(), one.gap_when) for one in patterns})
        == len(patterns)
    )
    for one in patterns:
        assert "S44" in one.source, one.id
        assert len(one.means) > 60 and len(one.action) > 60, one.id
        assert all(reference.url.startswith("https://") for reference in one.references), one.id


def test_nothing_is_matched_when_nothing_is_known() -> None:
    found = _matched(load_patterns([SHIPPED]), _inputs(_org("a"), _org("b"), questionnaires=QUESTIONS))
    assert {one.pattern for one in found if one.outcome == "matched"} == set()
    assert {"undecided"} < {one.outcome for one in found}


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("scope: org", "scope: everywhere", "scope"),
        ("gap_when: has(", "gap_when: has((", "not valid CEL"),
        ("title: Internal", "titel: x\ntitle: Internal", "unknown key 'titel'"),
        ("owner: org", "owner: org\nconcerns: unseen", "only a pattern of fleet scope has where and concerns"),
        ("scope: org", "scope: fleet\nconcerns: unseen", "concerns names 'unseen', which is no condition of where"),
        ("gap_when: has(", "when: has(", "when is called gap_when"),
        ("id: PAT-001", "id: PAT-1", "id"),
    ],
)
def test_a_broken_pattern_is_an_error_with_its_place(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in ORG_PATTERN
    (tmp_path / "PAT-001.yaml").write_text(ORG_PATTERN.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_patterns([tmp_path])
    assert said in caught.value.message
    assert caught.value.location is not None and caught.value.location.line is not None


def test_a_condition_of_each_organisation_that_is_not_cel_is_an_error_with_its_place(tmp_path: Path) -> None:
    broken = FLEET_PATTERN.replace('redirect == "shared"', 'redirect = "shared"')
    with pytest.raises(DocumentError, match=r"where.shared is not valid CEL: a single '='") as caught:
        load_patterns([_library(tmp_path, broken)])
    assert caught.value.location is not None and caught.value.location.line == 4


def test_a_file_name_that_is_not_the_id_and_an_id_used_twice_are_problems(tmp_path: Path) -> None:
    (tmp_path / "PAT-001.yaml").write_text(ORG_PATTERN, encoding="utf-8")
    (tmp_path / "PAT-003.yaml").write_text(ORG_PATTERN.replace("PAT-001", "PAT-004", 1), encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "PAT-001.yaml").write_text(ORG_PATTERN, encoding="utf-8")
    said = " | ".join(problem.message for problem in read_patterns(tmp_path).problems)
    assert "already used" in said and "'PAT-003.yaml'" in said


def test_a_later_directory_replaces_a_pattern_by_its_id(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir(), second.mkdir()
    _library(first, ORG_PATTERN, FLEET_PATTERN)
    _library(second, ORG_PATTERN.replace("Internal token host", "Ours"))
    assert [one.title for one in load_patterns([first, second])] == ["Ours", "One redirect address"]
    assert load_patterns([tmp_path / "missing"]) == ()


# -- proofs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "before", "after", "code"),
    [
        (ORG_PATTERN, "site.hosts.token.ends", "site.hosts.tokens.ends", "reference"),
        (ORG_PATTERN, "site.hosts.token.ends", "sight.hosts.token.ends", "variable"),
        (ORG_PATTERN, "{site.hosts.token}", "{site.host}", "message"),
        (ORG_PATTERN, "a.local}}}, expect: gap", "a.example}}}, expect: gap", "test-fails"),
        (ORG_PATTERN, "  - {given: {}, expect: unknown}\n", "", "tests-missing"),
        (ORG_PATTERN, "site: {hosts: {token: a.local}}", "site: {host: a.local}", "test-context"),
        (ORG_PATTERN, "endsWith", "finishes", "function"),
        (FLEET_PATTERN, 'redirect == "shared"', 'redirect == "both"', "option"),
        (FLEET_PATTERN, 'responses.org.redirect == "shared"', 'org.ids == "shared"', "reference"),
        (FLEET_PATTERN, "anywhere.shared", "anywhere.sharing", "reference"),
        (FLEET_PATTERN, "anywhere.shared", "orgs.shared", "variable"),
        (FLEET_PATTERN, "{who} of", "{whom} of", "message"),
        (FLEET_PATTERN, "fleet.organizations > 1 &&", "fleet.orgs > 1 &&", "reference"),
        (FLEET_PATTERN, "fleet.organizations > 1 &&", "probe.smart.pkce_s256 &&", "scope"),
        (FLEET_PATTERN, "title: One redirect address", "title: Yes", "quote"),
    ],
)
def test_lint_finds(tmp_path: Path, text: str, before: str, after: str, code: str) -> None:
    assert before in text
    found = _linted(_library(tmp_path, text.replace(before, after, 1)))
    assert code in {one.code for one in found}, [str(one) for one in found]
    assert all(one.line for one in found)


def test_lint_is_silent_about_sound_patterns(tmp_path: Path) -> None:
    assert _linted(_library(tmp_path, ORG_PATTERN, FLEET_PATTERN)) == ()


# -- what holds where -------------------------------------------------------------------------------------------------


def test_an_org_pattern_names_where_it_holds_and_where_it_cannot_be_decided(tmp_path: Path) -> None:
    patterns = load_patterns([_library(tmp_path, ORG_PATTERN)])
    observations = {
        "inside": _seen("inside", {"smart": {"token_endpoint": "https://auth.corp.local/token"}}),
        "outside": _seen("outside", {"smart": {"token_endpoint": "https://auth.example/token"}}),
    }
    found = _only(patterns, _inputs(_org("inside"), _org("outside"), _org("silent"), observations=observations))
    assert (found.outcome, found.orgs, found.undecided_orgs) == ("matched", ("inside",), ("silent",))
    assert found.messages == ("Inside: tokens at auth.corp.local",)
    assert found.missing_facts == ("probe.smart.token_endpoint",)
    assert found.detail is not None and "Silent" in found.detail


def test_a_fleet_pattern_is_decided_by_one_organisation_whatever_is_unknown_of_the_others(tmp_path: Path) -> None:
    patterns = load_patterns([_library(tmp_path, FLEET_PATTERN)])
    three = [_org(name) for name in ("a", "b", "c")]

    def answered(**values: str) -> PatternMatch:
        answers = {org: {"org.redirect": Response(status="answered", value=value)} for org, value in values.items()}
        return _only(patterns, _inputs(*three, by_org=answers))

    matched = answered(b="shared")
    assert (matched.outcome, matched.orgs, matched.messages) == ("matched", ("b",), ("B of 3",))
    undecided = answered(a="own", b="own")
    assert (undecided.outcome, undecided.orgs, undecided.messages) == ("undecided", (), ())
    assert (undecided.undecided_orgs, undecided.missing_answers) == (("c",), ("org.redirect",))
    assert answered(a="own", b="own", c="own").outcome == "not_matched"


def test_what_is_not_asked_decides_nothing_against_a_pattern(tmp_path: Path) -> None:
    patterns = load_patterns([_library(tmp_path, FLEET_PATTERN)])
    hidden = {"a": frozenset({"org.redirect"}), "b": frozenset({"org.redirect"})}
    assert _only(patterns, _inputs(_org("a"), _org("b"), hidden=hidden)).outcome == "not_matched"


def test_a_server_cannot_write_into_a_message(tmp_path: Path) -> None:
    text = ORG_PATTERN.replace("{site.hosts.token}", "{probe.smart.token_endpoint}")
    hostile = "https://a.local/\x1b[31m{org.id}\u202e=CMD()\n" + "x" * 5_000
    seen = {"a": _seen("a", {"smart": {"token_endpoint": hostile}})}
    found = _only(load_patterns([_library(tmp_path, text)]), _inputs(_org("a"), observations=seen))
    (message,) = found.messages
    assert len(message) < 300 and "{org.id}" in message
    assert not set("\x1b\n\u202e") & set(message)


def test_a_host_that_is_no_url_leaves_a_pattern_undecided(tmp_path: Path) -> None:
    seen = {"a": _seen("a", {"smart": {"token_endpoint": "https://[::1/token"}})}
    found = _only(load_patterns([_library(tmp_path, ORG_PATTERN)]), _inputs(_org("a"), observations=seen))
    assert found.outcome == "undecided"


# -- what organisations share -----------------------------------------------------------------------------------------


def test_the_same_client_id_within_an_environment_is_by_design_and_across_it_is_a_pattern() -> None:
    auth = {"client_id_env": "CLIENT_ID", "private_key_env": "KEY"}
    test, other = _org("test", auth=auth), _org("other", auth={**auth, "private_key_env": "OTHER_KEY"})
    live = _org("live", environment="production", auth=auth)
    assert _of("PAT-004", _inputs(test, other)).outcome == "not_matched"
    found = _of("PAT-004", _inputs(test, other, live))
    assert (found.outcome, found.orgs) == ("matched", ("test", "other", "live"))
    assert _of("PAT-005", _inputs(test, other, live)).orgs == ("test", "live")


def test_an_unreachable_organisation_is_told_from_a_vendor_that_is_down() -> None:
    epic = [_org(name, vendor="epic") for name in ("a", "b")]
    silent = _seen("a", {}, outcome="not_observed")
    assert _of("PAT-020", _inputs(*epic, observations={"a": silent, "b": _seen("b", {})})).orgs == ("a",)
    assert _of("PAT-020", _inputs(*epic, observations={"a": silent})).outcome == "not_matched"
    others = [_org(name) for name in ("a", "b")]
    assert _of("PAT-020", _inputs(*others, observations={"a": silent, "b": _seen("b", {})})).outcome == "not_matched"


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        ("https://ehr.example/tenant/a/fhir/", "same"),
        ("https://EHR.example/tenant/a/fhir", "same"),
        ("https://ehr.example/tenant", "without_tenant"),
        ("https://ehr.example/tenant/b/fhir", "other_path"),
        ("https://ehr.example/ten", "other_path"),
        ("https://other.example/tenant/a/fhir", "other_host"),
        ("/tenant/a/fhir", None),
        ("https://[broken", None),
    ],
)
def test_implementation_url_is_compared_with_the_base_that_was_probed(named: str, kind: str | None) -> None:
    seen = _seen("a", {"capability": {"implementation_url": named}}, base="https://ehr.example/tenant/a/fhir")
    assert sites(_inputs(_org("a"), observations={"a": seen}))["a"].get("implementation") == kind


def test_a_scope_without_interaction_is_a_disagreement_and_neither_side_wins() -> None:
    statement = {"resources": {"Observation": {"interactions": ["read"]}, "Task": {"interactions": ["update"]}}}
    scopes = ["user/Observation.write", "system/Task.cruds", "user/Patient.rs", "patient/*.write", "user/Group.cu"]
    facts = {"capability": statement, "smart": {"scopes_supported": scopes}}
    inputs = _inputs(_org("a"), observations={"a": _seen("a", facts)})
    assert sites(inputs)["a"]["writes_without_interaction"] == ("Group", "Observation")
    unseen = _inputs(_org("a"), observations={"a": _seen("a", {"smart": {"scopes_supported": scopes}})})
    assert "writes_without_interaction" not in sites(unseen)["a"]


def test_a_portal_under_the_address_is_recognised_by_what_it_answers() -> None:
    request = RequestRecord(
        method="GET", url="https://ehr.example", status=200, elapsed_ms=1, purpose="metadata", reading="html"
    )
    seen = _seen("a", {}, outcome="not_observed", requests=(request,))
    assert _of("PAT-022", _inputs(_org("a"), observations={"a": seen})).orgs == ("a",)


def test_releases_differ_although_one_organisation_was_never_seen() -> None:
    contract = WorkflowContract(version="1", title="Example", fhir_release="R4")
    seen = {
        name: _seen(name, {"capability": {"fhir_release": release}}) for name, release in (("a", "R4"), ("b", "STU3"))
    }
    three = [_org(name) for name in ("a", "b", "c")]
    found = _of("PAT-009", _inputs(*three, observations=seen, contract=contract))
    assert (found.outcome, found.orgs) == ("matched", ("b",))
    alike = {name: _seen(name, {"capability": {"fhir_release": "R4"}}) for name in ("a", "b")}
    assert _of("PAT-009", _inputs(*three, observations=alike, contract=contract)).outcome == "undecided"
    assert _of("PAT-009", _inputs(*three[:2], observations=alike, contract=contract)).outcome == "not_matched"


def test_a_workspace_adds_patterns_and_replaces_ours(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "own", "blank")
    folder = workspace.root / "rulesets" / "patterns"
    folder.mkdir(parents=True)
    own = FLEET_PATTERN.replace("org.redirect", "org.redirect_uri")
    _library(folder, own.replace("PAT-002", "PAT-900"), own.replace("One redirect address", "Ours"))
    titles = {one.pattern: one.title for one in find_patterns(load_inputs(open_workspace(workspace.root)))}
    assert titles["PAT-900"] == "One redirect address"
    assert titles["PAT-002"] == "Ours"
    assert len(titles) == len(load_patterns([SHIPPED])) + 1
