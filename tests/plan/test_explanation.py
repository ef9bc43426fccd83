"""The explanation of one finding."""

import pytest
from gaps_factory import GAP, MET, UNKNOWN, assessment, at_org, everywhere, finding, lead, org, rule, rules_of

from interlock.model.base import Evidence, Gate, Scope
from interlock.model.errors import InterlockError
from interlock.plan.explanation import explain

pytestmark = pytest.mark.fast

ALDER, BIRCH = org("alder"), org("birch")
RULES = rules_of(
    rule("AA-001", Scope.PRODUCT, gate=Gate.DESIGN),
    rule("AA-002", after=["AA-001"], wait=lead(1, 5, 15, grade="regulation")),
    rule("AA-003", after=["AA-002"], gate=Gate.PILOT),
    rule("AA-004", gate=Gate.PILOT),
)


def explained(key, outcomes=None, orgs=(ALDER, BIRCH)):
    return explain(key, assessment(everywhere(RULES, orgs, outcomes), RULES, orgs, runs=50))


def names(links):
    return [link.key for link in links]


def test_what_a_gap_waits_for_and_holds_up():
    explanation = explained("AA-002@alder")
    assert names(explanation.waits_for) == names(explanation.roots) == ["AA-001"]
    assert names(explanation.holds_up) == ["AA-003@alder"]
    assert [(gate.org, gate.gate) for gate in explanation.blocks] == [("alder", Gate.SANDBOX), ("alder", Gate.PILOT)]
    assert (explanation.title, explanation.why, explanation.statement) == (
        "Title of AA-002",
        "Why AA-002 matters",
        "AA-002 is open at alder",
    )
    assert explanation.remediation == RULES["AA-002"].remediation
    assert explanation.task and explanation.task.id == "AA-002@alder"


def test_the_start_of_a_long_chain_is_named():
    explanation = explained("AA-003@birch")
    assert names(explanation.waits_for) == ["AA-002@birch"]
    assert names(explanation.roots) == ["AA-001"]


def test_a_root_blocks_every_gate_behind_it_and_says_so():
    explanation = explained("AA-001", {"AA-004@alder": MET, "AA-004@birch": MET})
    assert len(explanation.blocks) == 6
    assert explanation.waits_for == explanation.roots == ()
    assert explanation.root_cause == "AA-001 stands between 2 of 2 organisations and their design gate"


def test_without_organisations_the_product_is_blocked():
    [blocked] = explained("AA-001", orgs=()).blocks
    assert (blocked.org, blocked.gate) == (None, Gate.DESIGN)


def test_what_it_rests_on_and_what_is_missing():
    judged = finding(
        RULES["AA-004"],
        at_org("alder"),
        UNKNOWN,
        reads=(
            "responses.auth.jwks",
            "value.auth.scopes",
            "probe.smart.capabilities",
            "contract.launch",
            "org.vendor",
            "x.y",
        ),
        missing_answers=("auth.jwks",),
        missing_facts=("probe.smart",),
    )
    explanation = explain(judged.key, assessment([judged], RULES, (ALDER,), runs=50))
    assert [(read.name, read.origin, read.known) for read in explanation.reads] == [
        ("responses.auth.jwks", "answer", False),
        ("value.auth.scopes", "answer", True),
        ("probe.smart.capabilities", "observation", False),
        ("contract.launch", "contract", True),
        ("org.vendor", "organisation", True),
        ("x.y", "other", True),
    ]
    assert explanation.statement == "not decided yet; no answer to auth.jwks and probe.smart not observed"


def test_a_finding_that_is_met_has_a_story_too():
    judged = finding(RULES["AA-004"], at_org("alder"), MET, evidence=Evidence.OBSERVED)
    explanation = explain(judged.key, assessment([judged], RULES, (ALDER,), runs=50))
    assert (explanation.outcome, explanation.evidence, explanation.blocks, explanation.task) == (
        MET,
        Evidence.OBSERVED,
        (),
        None,
    )


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("AA-002", "did you mean AA-002@alder or AA-002@birch"),
        ("AA-002@aldr", "did you mean AA-002@alder"),
        ("zzzzzz", "list the findings with interlock gaps"),
        ("\x1b[31mred", "no finding is called \ufffd"),
    ],
)
def test_an_unknown_key_is_met_with_close_ones(key, hint):
    with pytest.raises(InterlockError) as caught:
        explained(key)
    assert hint in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_the_text_tells_everything_without_control_characters():
    judged = finding(
        RULES["AA-002"], at_org("alder"), GAP, message="Server said \x1b[2J<b>", evidence=Evidence.ASSERTED
    )
    text = explain(judged.key, assessment([judged], RULES, (ALDER,), runs=50)).text()
    assert "\x1b" not in text
    for words in (
        "AA-002@alder: Title of AA-002",
        "Why it matters: Why AA-002 matters",
        "Evidence: asserted",
        "What to do (the product team): Do AA-002. Then tell everyone.",
        "Effort: 1 to 5 person-days, most likely 2 (judgement)",
        "Lead time: 1 to 15 working days, most likely 5 (regulation, https://example.org/rule, 2026-08)",
        "- alder: sandbox gate",
        "on the critical path in 100% of runs",
    ):
        assert words in text


def test_a_long_list_is_cut_and_says_so():
    orgs = tuple(org(f"o{n:02d}") for n in range(30))
    text = explained("AA-001", orgs=orgs).text()
    assert "- and 10 more" in text
