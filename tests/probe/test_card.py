"""The card of one observation: what blocks, what to ask, what could not be seen, and what to do first."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from probe_documents import smart
from probe_loopback import Loopback, as_json
from test_probe_corpus import SERVERS, observe, publish

from interlock.model.base import CheckOutcome, Severity
from interlock.model.card import Card
from interlock.model.card_making import card_of
from interlock.model.card_questions import QUESTIONS
from interlock.model.facts import CapabilityFacts, Facts, SmartFacts
from interlock.model.observation import Check, Observation, RequestRecord, Target
from interlock.model.us_core import UsCoreFacts
from interlock.probe.checks.registry import list_checks

pytestmark = pytest.mark.fast

_ID = re.compile(r"\b[A-Z]{3,5}-\d{3}\b")
_SEVERITY = {spec.id: spec.severity for spec in list_checks()}


def check(
    check_id: str, message: str, outcome: CheckOutcome = CheckOutcome.FAIL, severity: Severity | None = None
) -> Check:
    severity = severity or _SEVERITY[check_id]
    return Check(id=check_id, title="A title", outcome=outcome, severity=severity, message=message)


def observation(
    *checks: Check, smart: SmartFacts | None = None, outcome: str = "observed", **others: object
) -> Observation:
    values = {
        "target": Target(base_url="https://ehr.example/fhir"),
        "started": datetime(2026, 11, 30, tzinfo=UTC),
        "elapsed_ms": 10.0,
        "outcome": outcome,
        "facts": Facts(capability=CapabilityFacts(), smart=smart or SmartFacts(scopes_supported=())),
        "checks": checks,
    }
    return Observation.model_validate(values | others)


def asked(card: Card) -> str:
    return "\n".join(line.text for line in card.ask)


def test_what_the_contract_needs_blocks_and_is_asked_first() -> None:
    card = card_of(
        observation(
            check(
                "CAP-017", "No supportedProfile is declared; which profiles are met has to be asked", CheckOutcome.WARN
            ),
            check("CAP-053", "Needed by the contract and not declared: Observation by category"),
        )
    )
    assert [line.checks for line in card.blocks] == [("CAP-053",)], "medium, and against the contract"
    assert card.blocks[0].do.startswith("Ask them question 1.")
    assert [line.checks for line in card.ask[:2]] == [("CAP-053",), ("CAP-017",)]
    assert "does not list: Observation by category. Is it supported all the same" in card.ask[0].text
    assert "question 1 is about what blocks you" in card.first
    assert "which profiles are met has to be asked" not in card.mail, "what is said to us is not said to them"


def test_what_a_statement_does_not_say_is_asked_with_what_blocks_and_blocks_nothing() -> None:
    card = card_of(
        observation(
            check("CAP-050", "The product's contract is written for R4; this base is of STU3 (“3.0.1”)"),
            check("CAP-052", "Needed by the contract and not declared: “Patient.create”"),
            check("CAP-054", "Needed by the contract, and the statement does not say: “x”", CheckOutcome.WARN),
        )
    )
    assert [line.checks for line in card.blocks] == [("CAP-050",), ("CAP-052",)]
    assert [line.checks for line in card.ask[:2]] == [("CAP-050",), ("CAP-052", "CAP-054")]
    assert "questions 1 and 2 are about what blocks you" in card.first
    assert card.ask[0].text.endswith("Our product's contract is written for R4; this base is of STU3 (“3.0.1”).")


def test_optional_needs_neither_block_nor_are_asked() -> None:
    card = card_of(observation(check("CAP-053", "Optional in the contract, and not declared: x", CheckOutcome.WARN)))
    assert (card.blocks, card.also) == ((), ("CAP-053",))
    assert "x" not in card.mail.split()


def test_a_field_that_can_be_asked_does_not_block() -> None:
    said = "Missing, though SMART requires it: grant_types_supported"
    there = SmartFacts(token_endpoint="https://ehr.example/token", capabilities=("launch-ehr",), scopes_supported=())
    card = card_of(observation(check("SMART-005", said), smart=there))
    assert card.blocks == ()
    assert "SMART requires grant_types_supported in your SMART configuration" in asked(card)
    without = card_of(observation(check("SMART-005", said), smart=SmartFacts(scopes_supported=())))
    assert [line.checks for line in without.blocks] == [("SMART-005",)]


def test_what_was_not_seen_never_blocks() -> None:
    gone = RequestRecord(
        method="GET",
        url="https://ehr.example/fhir/metadata",
        elapsed_ms=1,
        failure="timeout",
        detail="no answer within 20 s",
    )
    card = card_of(
        observation(
            check("CAP-001", "Not observed: no answer within 20 s", CheckOutcome.NOT_OBSERVED),
            outcome="not_observed",
            facts=Facts(),
            requests=(gone,),
        )
    )
    assert card.blocks == ()
    assert card.first == (
        "Nothing was seen, so nothing is known of it. Try again with more time (--timeout 60); if it stays so, send "
        "them the question below."
    )
    assert [line.text for line in card.unseen] == ["Anything at all: no answer within 20 s"]
    assert len(card.ask) == 1


def test_a_private_address_is_no_question_to_anybody() -> None:
    refused = RequestRecord(
        method="GET", url="https://10.0.0.1/fhir/metadata", elapsed_ms=1, failure="refused", detail="a private address"
    )
    card = card_of(observation(outcome="not_observed", facts=Facts(), requests=(refused,)))
    assert (card.ask, card.mail) == ((), "")
    assert "--allow-private HOST" in card.first


def test_our_own_mistake_is_no_finding_of_theirs() -> None:
    card = card_of(observation(check("CAP-008", "The check itself went wrong: ValueError", CheckOutcome.ERROR)))
    assert (card.blocks, card.also) == ((), ())
    assert any(line.checks == ("CAP-008",) for line in card.unseen)


def test_a_failure_that_no_question_knows_is_asked_all_the_same() -> None:
    known = {check_id for question in QUESTIONS for check_id in question.checks}
    assert "SMART-006" not in known
    card = card_of(observation(check("SMART-006", "authorization_endpoint is missing")))
    assert [line.checks for line in card.blocks] == [("SMART-006",)]
    assert card.ask[0].text == "authorization_endpoint is missing. Can you correct this, or tell us why it is so?"


def test_what_may_pass_is_tried_again_and_what_was_found_nearby_is_probed_before_anybody_is_asked() -> None:
    down = card_of(observation(check("NET-008", "/metadata: HTTP 503")))
    assert down.first.startswith("Probe it again later; if it stays so, ask them question 1.")
    refused = card_of(observation(check("DATA-002", "Refused: Appointment (HTTP 403)")))
    assert refused.first.startswith("Check which scopes your token has, then ask them question 1.")
    url = "https://ehr.example/fhir/R4"
    found = RequestRecord(method="GET", url=f"{url}/metadata", elapsed_ms=1, status=200, purpose="deeper")
    said = f"A statement is at {url}: probably the base that is meant, for nothing is at this one"
    near = card_of(observation(check("CAP-046", said), outcome="not_observed", facts=Facts(), requests=(found,)))
    assert near.first == f"Probe the address where a statement is: interlock probe {url}. Then ask them question 1."
    assert near.unseen[0].do == f"interlock probe {url}"
    nowhere = card_of(observation(check("CAP-001", "nothing is there")))
    assert nowhere.first.startswith("Check the address for a mistake, then ask them question 1.")


@pytest.mark.parametrize("check_id", [check_id for question in QUESTIONS for check_id in question.checks])
def test_every_question_is_a_whole_sentence_without_ids(check_id: str) -> None:
    assert check_id in _SEVERITY, "there is such a check"
    card = card_of(observation(check(check_id, "The thing is “x” for y: z (our judgement)"), smart=SmartFacts()))
    question = next(question for question in QUESTIONS if check_id in question.checks)
    said = [line.text for line in card.ask if check_id in line.checks]
    assert len(said) == (1 if question.ask else 0)
    for text in said:
        assert text.endswith(("?", ".")) and "{" not in text and not _ID.search(text), text
        assert "our judgement" not in text and ".." not in text and text[0].isupper()
    for line in card.blocks:
        assert "{" not in line.do and line.do[0].isupper()


@pytest.mark.parametrize("server", SERVERS)
def test_cards_of_servers_as_vendors_run_them(loopback: Loopback, servers: Path, server: str) -> None:
    seen, _ = observe(publish(loopback, servers / server))
    card = card_of(seen)
    texts = [line.text for line in card.ask]
    assert len(set(texts)) == len(texts), "each question once"
    assert not _ID.search(card.mail)
    assert all(text in card.mail for text in texts)
    off = {c.id for c in seen.checks if c.outcome in {CheckOutcome.FAIL, CheckOutcome.WARN}}
    sorted_ = [check_id for line in card.ask for check_id in line.checks] + list(card.also)
    assert off == set(sorted_) and len(sorted_) == len(set(sorted_)), "every finding stands in one place"
    failed = {c.id for c in seen.checks if c.outcome is CheckOutcome.FAIL and c.severity is Severity.CRITICAL}
    assert failed <= {check_id for line in card.blocks for check_id in line.checks}


def test_what_a_token_hides_says_what_would_show_it(loopback: Loopback) -> None:
    seen, _ = observe(loopback.serve(as_json({}, 401), as_json(smart())))
    lines = [line for line in card_of(seen).unseen if line.text.startswith("The capability statement")]
    assert [line.do for line in lines] == ["their answer, or a client that is registered there"]


def _unreached(purpose: str, url: str) -> RequestRecord:
    return RequestRecord(method="GET", url=url, elapsed_ms=1, failure="dns", detail="no such name", purpose=purpose)


def test_a_host_that_only_a_document_names_is_looked_at_from_another_network_before_anybody_is_asked() -> None:
    keys = "https://auth.example/keys"
    for named_by, known in (("SMART configuration", keys), ("OpenID configuration", None)):
        said = "Not observed: the name auth.example could not be resolved from where we looked"
        seen = observation(
            check("JWKS-001", said, CheckOutcome.NOT_OBSERVED),
            smart=SmartFacts(scopes_supported=(), source="well-known", jwks_uri=known),
            requests=(_unreached("jwks", keys), _unreached("metadata", "https://ehr.example/fhir/metadata")),
        )
        card = card_of(seen)
        assert "auth.example" not in card.mail
        assert f"their {named_by} names this host" in card.unseen[0].text
        assert card.unseen[0].do.startswith("the same probe from another network first: ")


def test_two_hosts_of_one_document_are_one_line() -> None:
    hosts = ("a.example", "b.example")
    seen = observation(
        *(
            check(
                of,
                f"Not observed: the name {host} could not be resolved from where we looked",
                CheckOutcome.NOT_OBSERVED,
            )
            for of, host in zip(("OIDC-001", "JWKS-001"), hosts, strict=True)
        ),
        smart=SmartFacts(scopes_supported=(), source="well-known", jwks_uri="https://b.example/"),
        requests=(_unreached("openid", "https://a.example/"), _unreached("jwks", "https://b.example/")),
    )
    (line,) = card_of(seen).unseen
    assert all(host in line.text for host in hosts) and "names these hosts" in line.text
    assert line.checks == ("OIDC-001", "JWKS-001")


def test_what_was_compared_with_a_contract_is_told_and_what_was_not() -> None:
    unwritten = "Not applicable: there is no workflow contract to compare with"
    without = card_of(observation(check("CAP-050", unwritten, CheckOutcome.NOT_APPLICABLE)))
    assert "no contract" in without.compared and "generic client" in without.first
    compared = card_of(
        observation(
            check("CAP-050", "x", CheckOutcome.PASS),
            check("SMART-050", "Needed by the contract and not listed: EHR launch (why)"),
            check("SMART-052", "Needed by the contract and not listed: Backend service (why)"),
        )
    )
    assert compared.compared == (
        "Of what your contract needs, found: the FHIR release; not found: the EHR launch (question 1) and the backend "
        "service (question 1)."
    )
    assert [line.checks for line in compared.blocks] == [("SMART-050",), ("SMART-052",)], "a line for each need"
    assert {line.do.partition(".")[0] for line in compared.blocks} == {"Ask them question 1"}


@pytest.mark.parametrize(("named", "blocks"), [("token_endpoint", True), ("introspection_endpoint", False)])
def test_two_addresses_of_the_sign_in_block(named: str, blocks: bool) -> None:
    said = f"The two documents name different addresses for {named}; follow the SMART configuration"
    card = card_of(observation(check("SMART-015", said, CheckOutcome.WARN)))
    assert [line.checks for line in card.blocks] == ([("SMART-015",)] if blocks else [])
    assert ("SMART-015",) in [line.checks for line in card.ask]


@pytest.mark.parametrize(
    ("launch", "blocks"), [(CheckOutcome.PASS, True), (CheckOutcome.FAIL, True), (CheckOutcome.NOT_APPLICABLE, False)]
)
def test_an_issuer_that_nobody_can_use_blocks_whoever_launches(launch: CheckOutcome, blocks: bool) -> None:
    issuer = check("OIDC-002", "The issuer “http://idp.example” is not an https address")
    card = card_of(observation(issuer, check("SMART-050", "About the launch", launch)))
    assert (("OIDC-002",) in [line.checks for line in card.blocks]) == blocks
    assert ("OIDC-002",) in [line.checks for line in card.ask]
    assert ("question 1" in card.first or "questions 1 and 2" in card.first) == blocks


def test_an_unlisted_scope_says_that_it_does_not_block_yet() -> None:
    said = "Not listed, and to be asked for (the list need not be complete): “launch”"
    card = card_of(observation(check("SMART-055", said, CheckOutcome.WARN)))
    assert card.blocks == () and card.ask[0].do.startswith("Does not block yet")
    assert card.ask[0].do not in card.mail


def test_without_a_configuration_what_the_statement_gives_for_the_sign_in_is_not_denied() -> None:
    missing = check("SMART-001", "No SMART configuration is published")
    old = card_of(
        observation(
            missing,
            smart=SmartFacts(source="oauth-uris", authorization_endpoint="https://a/a", token_endpoint="https://a/t"),
        )
    )
    assert "authorize and token addresses" in old.blocks[0].do
    none = card_of(observation(missing, facts=Facts(capability=CapabilityFacts())))
    assert "nothing says how a client signs in" in none.blocks[0].do
    half = card_of(observation(missing, smart=SmartFacts(source="oauth-uris", token_endpoint="https://a/t")))
    assert "gives the token address (SMART 1.0), but not" in half.blocks[0].do


def test_a_statement_that_names_editions_is_asked_which_of_its_profiles_are_of_them() -> None:
    said = check("CAP-017", "57 profiles are declared, 4 without a version: ask", CheckOutcome.WARN)
    named = UsCoreFacts(closest="6.1.0", editions={}, claimed={"3.1.1": (), "6.1.0": ()})
    with_names = asked(card_of(observation(said, facts=Facts(capability=CapabilityFacts(), us_core=named))))
    assert "You name US Core 3.1.1 and 6.1.0." in with_names and "4 without a version." in with_names
    assert "Which edition of US Core, or" in asked(card_of(observation(said)))


def test_addresses_that_were_tried_below_the_base_are_named() -> None:
    tried = ("https://ehr.example/fhir/R4/metadata", "https://ehr.example/fhir/r4/metadata")
    requests = tuple(RequestRecord(method="GET", url=url, elapsed_ms=1, status=404, purpose="deeper") for url in tried)
    silent = check("CAP-046", "Not observed: nothing was found", CheckOutcome.NOT_OBSERVED)
    (line,) = card_of(observation(silent, requests=requests)).unseen
    assert all(url in line.text for url in tried)


SIGN_IN = SmartFacts(
    source="well-known",
    authorization_endpoint="https://a.example/authorize",
    token_endpoint="https://a.example/token",
    scopes_supported=("launch/patient", "openid"),
    capabilities=("launch-ehr",),
    token_endpoint_auth_methods_supported=("client_secret_basic",),
)
R4 = Facts(capability=CapabilityFacts(fhir_release="R4"), smart=SIGN_IN)


def test_a_server_that_asks_to_wait_is_probed_again_and_nobody_is_asked() -> None:
    def failing(**headers: str) -> RequestRecord:
        url = "https://ehr.example/fhir/metadata"
        return RequestRecord(method="GET", url=url, elapsed_ms=1, status=503, purpose="metadata", headers=headers)

    said = "Asked for the capability statement, the server failed (HTTP 503); it asks to wait 120 s, longer than the "
    failed = check("NET-008", f"{said}time left")
    facts = Facts(smart=SIGN_IN)
    waits = card_of(observation(failed, facts=facts, requests=(failing(**{"retry-after": "120"}),), outcome="partial"))
    assert waits.first == "Probe it again later: the server failed for now, and asks to wait 120 s."
    assert (waits.blocks, waits.mail, waits.also) == ((), "", ("NET-008",))
    silent = card_of(observation(failed, facts=facts, requests=(failing(),), outcome="partial"))
    assert [line.checks for line in silent.blocks] == [("NET-008",)]
    assert "time left" not in silent.mail, "our limit is no news for them"


def test_a_possible_disclosure_is_a_mail_apart() -> None:
    brings = "A count of patients without a token brings HTTP 200 with a Bundle"
    opened = check("NEG-004", f"{brings} whose total is above 0")
    card = card_of(observation(opened, check("CAP-011", "No software is named", CheckOutcome.WARN), facts=R4))
    assert [line.apart for line in card.ask] == [False, True], "numbers of the mail are those of the card"
    general, apart = card.mail.split("--- Apart, to their security or privacy contact alone ---")
    assert "without a token" not in general and "patients can be counted without a token" in apart
    assert "Which software" in general and "Which software" not in apart
    assert card.first.startswith("Ask their security or privacy contact") and "The other question can" in card.first
    assert "anything with patients' data" in card.built
    unsaid = card_of(observation(check("NEG-004", f"{brings} without a total")))
    assert "patient" not in unsaid.ask[0].text.removeprefix("A count of patients"), "no more than what came"
    read = card_of(observation(check("NEG-004", "A read without a token brings HTTP 200 with a resource")))
    assert "patient data can be read" in read.mail


@pytest.mark.parametrize(
    ("checks", "facts", "said"),
    [
        ((), R4, "Can be built now: the sign-in and requests for data in R4."),
        (
            (check("CAP-052", "Needed by the contract and not declared: “ServiceRequest.search”"),),
            R4,
            "Can be built now: the sign-in and requests for data in R4; not yet: “ServiceRequest.search”, because it "
            "is not declared.",
        ),
        (
            (),
            Facts(smart=SIGN_IN),
            "Can be built now: the sign-in; not yet: requests for data, because their capability statement was not "
            "read.",
        ),
        (
            (check("CAP-050", "The product's contract is written for R4; this base is of DSTU2"),),
            Facts(
                capability=CapabilityFacts(fhir_release="DSTU2"),
                smart=SIGN_IN.model_copy(update={"source": "oauth-uris"}),
            ),
            "Cannot be built yet: the sign-in, because launches, scopes and PKCE are not known without a SMART "
            "configuration; requests for data in DSTU2, because your contract is written for another release.",
        ),
        (
            (
                check(
                    "SMART-015",
                    "The two documents name different addresses for token_endpoint",
                    CheckOutcome.WARN,
                ),
            ),
            R4,
            "Can be built now: requests for data in R4; not yet: the sign-in, because two addresses are given for "
            "token_endpoint.",
        ),
        (
            (check("SMART-006", "authorization_endpoint is missing"),),
            R4,
            "Can be built now: requests for data in R4; not yet: the sign-in, because of what blocks you.",
        ),
        (
            (check("NET-012", "The certificate has expired"),),
            R4,
            "Cannot be built yet: the sign-in, because of what blocks you; requests for data in R4, because of what "
            "blocks you.",
        ),
        (
            (check("DATA-002", "Refused: Appointment (HTTP 403)"),),
            R4,
            "Can be built now: the sign-in and requests for data in R4; not yet: Appointment, because it was refused "
            "(HTTP 403).",
        ),
    ],
)
def test_what_can_be_built_follows_from_facts(checks: tuple[Check, ...], facts: Facts, said: str) -> None:
    assert card_of(observation(*checks, facts=facts)).built == said


def test_a_mail_names_the_two_addresses_the_status_the_scopes_listed_and_the_time() -> None:
    stated = {"security": {"oauth_uris": {"token": "https://old.example/token"}}}
    two = check("SMART-015", "The two documents name different addresses for token_endpoint", CheckOutcome.WARN)
    said = "Not listed, and to be asked for (the list need not be complete): “launch”"
    scopes = check("SMART-055", said, CheckOutcome.WARN)
    hidden = check("CAP-002", "The statement is refused without credentials (HTTP 401)", CheckOutcome.WARN)
    url = "https://ehr.example/fhir/metadata"
    refused = RequestRecord(method="GET", url=url, elapsed_ms=1, status=401, purpose="metadata")
    facts = Facts(capability=CapabilityFacts.model_validate(stated), smart=SIGN_IN)
    mail = card_of(observation(two, scopes, hidden, facts=facts, requests=(refused,))).mail
    assert "https://old.example/token" in mail and "https://a.example/token" in mail
    assert "only to clients with a token (HTTP 401)" in mail
    assert "It lists “launch/patient” and “openid”. It declares launch-ehr, whose clients ask for “launch”." in mail
    assert mail.startswith("On 30 Nov 2026, 00:00 UTC, we looked at")


def test_of_a_long_list_of_scopes_those_of_the_types_asked_about_are_quoted() -> None:
    many = tuple(f"user/Type{number}.rs" for number in range(40))
    narrow = f"user/Patient.rs?category={'c' * 100}"
    said = "Not listed, and to be asked for (the list need not be complete): “user/Patient.u”"
    long = SIGN_IN.model_copy(update={"scopes_supported": (*many, narrow)})
    question = asked(card_of(observation(check("SMART-055", said, CheckOutcome.WARN), smart=long)))
    assert f"Of these types it lists “{narrow}”." in question and "Type1" not in question


def test_only_what_can_be_done_is_offered() -> None:
    unread = check("CAP-047", "Not applicable: wait for --strict", CheckOutcome.NOT_APPLICABLE)
    assert [line.checks for line in card_of(observation(unread)).unseen] == [("CAP-047",)]
    assert card_of(observation(unread, facts=Facts(smart=SIGN_IN), outcome="partial")).unseen == ()
