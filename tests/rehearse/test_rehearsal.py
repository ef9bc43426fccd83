"""A sound application holds every check, and each check has a defect that it sees."""

from __future__ import annotations

import re
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from staging import SHORT, Mutant, contract, looked_at, mutants, on_stage, sources

from chromium import find_browser
from interlock.fhir.validation import validate
from interlock.model.product import Action, SessionLimits
from interlock.model.rehearsal import RehearsalOutcome
from interlock.rehearse.chromium import Chromium
from interlock.rehearse.hospitals import OutOfReachError
from interlock.rehearse.records import records
from interlock.rehearse.run import BUILT, _agreed
from interlock.rehearse.stage import BROKE, HELD, Row
from interlock.usecases.assess import assess
from interlock.usecases.demo import rehearsed
from interlock.usecases.initialize import initialize
from interlock.usecases.load import load_inputs

#: A few of each kind; the others are in the long tier.
QUICK = (
    "any-iss",
    "no-state",
    "mix-up",
    "failed-as-empty",
    "any-org",
    "saved-twice",
    "one-backend-token",
    "code-in-log",
)
#: Without those that wait for a token to end, or sign in many times.
QUICK_CHECKS = """
    L01 L02 L03 L06 L07 L08 L10 A01 A05 A11 C01 C02 C03 C04 C06 C08 T01 T05 R01 F01 F05 F09 F10 S01 S03 E01 E02 D01
    W02 W05 B03 G01 G04
"""

#: What waits for the end of a session or of a sign-in, and needs them to be short.
NEED_SHORT = {"RH-C11", "RH-S08"}
#: What is looked at without Chromium.
WITHOUT_SCRIPTS = {check for check, built in BUILT.items() if not built.scripts}


def test_each_check_that_is_built_has_a_mutant_whose_text_is_there_once() -> None:
    text = "\n".join(sources().values())
    for mutant in mutants():
        for old, _ in mutant.changes:
            assert text.count(old) == 1, f"{mutant.name}: {old}"
    assert {f"RH-{number}" for mutant in mutants() for number in mutant.breaks} == set(BUILT)


def test_the_hospitals_records_are_valid() -> None:
    for record in records("alder"):
        assert not validate(record, "R4").problems, record["id"]


def test_the_sound_application_holds_what_is_quick() -> None:
    with on_stage() as hospitals:
        seen = looked_at(hospitals, {f"RH-{number}" for number in QUICK_CHECKS.split()})
    assert seen.polite
    assert not seen.stopped
    assert [result for result in seen.results if result.outcome is not RehearsalOutcome.HELD] == []
    assert {"alder", "birch", "stranger"} <= {line.where for line in seen.tape}
    assert "sim-" not in seen.model_dump_json().replace("sim-alder", "").replace("sim-birch", "")


@pytest.mark.parametrize("mutant", [one for one in mutants() if one.name in QUICK], ids=lambda one: one.name)
def test_a_defect_is_seen(mutant: Mutant) -> None:
    broke(mutant)


@pytest.mark.long
@pytest.mark.parametrize("mutant", [one for one in mutants() if one.name not in QUICK], ids=lambda one: one.name)
def test_every_defect_is_seen(mutant: Mutant) -> None:
    broke(mutant)


def broke(mutant: Mutant) -> None:
    if mutant.in_chromium and find_browser() is None:
        pytest.skip("no Chromium on this machine")
    settings: dict[str, Any] = {"shared": mutant.shared, "tls": mutant.tls, "pages": mutant.pages}
    settings |= SHORT if mutant.short else {}
    driver = Chromium() if mutant.in_chromium else nullcontext()
    with driver as chromium, on_stage(mutant.changes, **settings) as hospitals:
        seen = looked_at(hospitals, {f"RH-{number}" for number in mutant.breaks}, chromium=chromium)
    outcomes = {check: outcome.value for check, outcome in seen.outcomes.items()}
    assert outcomes == dict.fromkeys(outcomes, "broke"), [result.seen for result in seen.results]
    assert set(outcomes) == {f"RH-{number}" for number in mutant.breaks}


@pytest.mark.long
@pytest.mark.parametrize("shared", [False, True])
def test_the_sound_application_holds_everything_twenty_times(shared: bool) -> None:
    with on_stage(shared=shared) as hospitals:
        for _ in range(20 if not shared else 3):
            seen = looked_at(hospitals)
            fine = {RehearsalOutcome.HELD, RehearsalOutcome.NOT_APPLICABLE}
            assert [row for row in seen.results if row.outcome not in fine and row.id not in NEED_SHORT] == []
            assert set(seen.outcomes) == WITHOUT_SCRIPTS


@pytest.mark.long
def test_sessions_of_the_sound_application_end_when_they_should() -> None:
    with on_stage(**SHORT) as hospitals:
        seen = looked_at(hospitals, NEED_SHORT)
    outcomes = {(row.id, row.subject): row.outcome.value for row in seen.results}
    assert outcomes == dict.fromkeys([("RH-C11", None), ("RH-S08", "idle"), ("RH-S08", "overall")], "held")


@pytest.mark.long
def test_the_demo_has_answers_that_its_rehearsal_contradicts(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "demo", "sepsis")
    told = rehearsed(workspace)
    counts = r"1 broke; 3 were not reached; (\d needs? you; )?\d do not apply"
    assert re.fullmatch(rf"\d+ of {len(WITHOUT_SCRIPTS)} checks held; {counts}", told), told
    assessment = assess(load_inputs(workspace), today=date(2026, 12, 1))
    assert assessment.rehearsal is not None
    contradicted = {entry.item for entry in assessment.rehearsal.settled if entry.contradicted}
    assert {"endpoints.viewers", "endpoints.filters"} <= contradicted


def test_a_home_page_that_is_named_makes_no_request_count_twice() -> None:
    """Where the sign-in ends at the page anyway, and where it ends elsewhere: neither is the product's fault."""
    for home in ("/{org}/patient", "/{org}/trend.svg"):
        with on_stage(home=home) as hospitals:
            seen = looked_at(hospitals, {"RH-F04", "RH-F07"})
        assert set(seen.outcomes.values()) == {RehearsalOutcome.HELD}, [row.seen for row in seen.results]


def mutant(name: str) -> Mutant:
    return next(one for one in mutants() if one.name == name)


#: One session and one page whatever the hospital, as small applications have it.
ONE_PAGE = (
    *mutant("last-wins").changes,
    ('f"/{flow.hospital.id}/patient?chart={self.sessions[session].chart}"', '"/alder/patient"'),
)


def test_one_page_for_both_hospitals_is_judged_by_loading_the_first_tab_again() -> None:
    """It silently shows the other hospital; or, at the fifth page of this rehearsal, says that it changed."""
    line = "lines, note = await self.observations(session)"
    said = """
        self.pages = getattr(self, "pages", 0) + 1
        note = "Another chart was opened since." if self.pages == 5 else note"""
    for changes, outcome in ((ONE_PAGE, "broke"), ((*ONE_PAGE, (line, line + said)), "held")):
        with on_stage(changes) as hospitals:
            seen = looked_at(hospitals, {"RH-S02"})
        assert [(row.outcome.value, bool(row.requests)) for row in seen.results] == [(outcome, True)], seen.results


def test_two_launches_are_judged_even_where_no_page_can_be_loaded_again() -> None:
    ends = "response = RedirectResponse(flow.following or first, 303, headers=HEADERS)"
    shown = 'response = Response(f"zqx{flow.hospital.id}{patient}", media_type="text/html")'
    with on_stage([(ends, shown)]) as hospitals:
        seen = looked_at(hospitals, {"RH-L17"})
    assert [row.outcome.value for row in seen.results] == ["held", "not_reached"], seen.results
    assert "name a page as home" in seen.results[1].seen


def test_what_says_nothing_of_an_id_token_is_not_held_where_nobody_looks_at_it() -> None:
    with on_stage(mutant("no-id-token").changes) as hospitals:
        seen = looked_at(hospitals, {"RH-R07", "RH-R08", "RH-R11"})
    outcomes = {check: outcome.value for check, outcome in seen.outcomes.items()}
    assert outcomes == {"RH-R07": "broke", "RH-R08": "not_reached", "RH-R11": "not_reached"}


def test_own_redirect_addresses_do_instead_of_iss_only_where_they_are_looked_at() -> None:
    _, no_iss, one_path = mutant("crossed").changes
    for changes, outcome in (((no_iss, one_path), "not_applicable"), (mutant("crossed").changes, "broke")):
        with on_stage(changes) as hospitals:
            seen = looked_at(hospitals, {"RH-C07"})
        assert [row.outcome.value for row in seen.results] == [outcome], seen.results


def test_a_hospital_refuses_a_read_beyond_the_scopes_that_it_said() -> None:
    with on_stage(mutant("scopes-ignored").changes) as hospitals:
        seen = looked_at(hospitals, {"RH-R05"})
    (broke,) = seen.broken
    answers = [(line.role, line.status, " ".join(line.words)) for line in seen.tape if line.number in broke.requests]
    assert answers[0][0] == "token" and "patient/Patient.rs alone were granted" in answers[0][2]
    assert [answer[1] for answer in answers[1:]] == [403]


#: A sign-in that reads the CapabilityStatement instead of the SMART configuration, as older libraries do.
OLDER_DISCOVERY = (
    'found = await self.document(f"{hospital.iss}/.well-known/smart-configuration")',
    """stated = (await self.document(f"{hospital.iss}/metadata"))["rest"][0]["security"]["extension"][0]["extension"]
            uris = {uri["url"]: uri["valueUri"] for uri in stated}
            own = f"{hospital.iss}/oauth2"
            found = {"issuer": own, "jwks_uri": f"{own}/jwks", "token_endpoint": uris["token"]}
            found["authorization_endpoint"] = uris["authorize"]""",
)


def test_discovery_by_the_capability_statement_is_put_to_the_same_tests() -> None:
    for changes, outcome in (((), "held"), (mutant("moved-endpoints").changes, "broke")):
        with on_stage((OLDER_DISCOVERY, *changes)) as hospitals:
            seen = looked_at(hospitals, {"RH-L12", "RH-A10", "RH-A13"})
        outcomes = {check: found.value for check, found in seen.outcomes.items()}
        assert outcomes == {"RH-L12": outcome, "RH-A10": "not_reached", "RH-A13": "held"}, seen.results


def test_no_application_is_blamed_for_a_hospital_that_fails_by_itself() -> None:
    with on_stage() as hospitals:
        address = f"{hospitals.base('alder')}/metadata"
        with (
            pytest.raises(OutOfReachError, match=r"failed by itself \(ZeroDivisionError"),
            hospitals.twisted(instead=lambda _: 1 // 0),  # type: ignore[arg-type,return-value]
        ):
            assert httpx.get(address, trust_env=False).status_code == 500
        with hospitals.twisted(instead=lambda _: None):
            assert httpx.get(address, trust_env=False).status_code == 200


def test_a_crash_refuses_too_and_is_told_and_counted_as_one() -> None:
    unknown = 'raise RefusedError("This sign-in is not known, or took too long. Please open the application again.")'
    with on_stage([(unknown, "raise KeyError(state)")]) as hospitals:
        seen = looked_at(hospitals, {"RH-C01", "RH-L10"})
    rows = {(row.id, row.subject): row for row in seen.results}
    assert rows["RH-C01", None].outcome.value == "held"
    assert "because it crashed: it answered with status 500" in rows["RH-C01", None].seen
    assert rows["RH-L10", "what has to be refused"].seen == "the product crashed where it has to refuse, during RH-C01"
    assert [row.id for row in seen.broken] == ["RH-L10"]


def test_words_that_differ_by_chance_are_no_sign_that_a_fault_was_told() -> None:
    line = "lines, note = await self.observations(session)"
    chance = """
        note = "".join(secrets.choice("bcdfgh") for _ in range(12))"""
    imported = ("import contextlib\nimport html\n", "import contextlib\nimport html\nimport secrets\n")
    only = {"RH-F05", "RH-F11", "RH-F19", "RH-F20", "RH-F24"}
    with on_stage((*mutant("first-page").changes, imported, (line, line + chance))) as hospitals:
        seen = looked_at(hospitals, only)
    assert {check: outcome.value for check, outcome in seen.outcomes.items()} == dict.fromkeys(only, "not_reached")


def test_without_a_contract_what_it_would_decide_does_not_apply() -> None:
    only = {"RH-F02", "RH-F13", "RH-F18", "RH-F19"}
    with on_stage() as hospitals:
        seen = looked_at(hospitals, only, contract=None)
    assert {check: outcome.value for check, outcome in seen.outcomes.items()} == dict.fromkeys(only, "not_applicable")


def test_what_only_a_reader_can_judge_is_quoted() -> None:
    with on_stage([('"birthDate": "The birth date"', '"birthDate": "A date"')]) as hospitals:
        seen = looked_at(hospitals, {"RH-F13"})
    assert seen.outcomes["RH-F13"].value == "needs_hook"
    (row,) = [row for row in seen.results if row.outcome.value == "needs_hook"]
    assert row.subject == "Patient.birthDate"
    assert "says “A date is not recorded.”; whether that is what the contract says (“The birth date" in row.seen


def test_words_that_differ_by_chance_do_not_say_that_a_tab_is_stale() -> None:
    line = "lines, note = await self.observations(session)"
    chance = """
        note = " ".join(secrets.token_hex(2) for _ in range(1 + secrets.randbelow(3)))"""
    imported = ("import contextlib\nimport html\n", "import contextlib\nimport html\nimport secrets\n")
    with on_stage((*ONE_PAGE, imported, (line, line + chance))) as hospitals:
        for _ in range(3):
            seen = looked_at(hospitals, {"RH-S02"})
            assert [row.outcome.value for row in seen.results] == ["broke"], seen.results


def test_a_sign_out_by_get_takes_nothing_from_the_pages_that_are_opened_after_it() -> None:
    only_javascript = (
        "session = self.session(request)\n        if request",
        """session = self.session(request)
        if request.query_params.get("next", "").startswith("javascript:"):
            return Response("", 302, {"Location": request.query_params["next"]})
        if request""",
    )
    with on_stage([('app.sign_out, methods=["POST"]', 'app.sign_out, methods=["GET"]'), only_javascript]) as hospitals:
        leave = Action(path="/{org}/sign-out", method="GET")
        hospitals.product = hospitals.product.but(sign_out=leave)
        seen = looked_at(hospitals, {"RH-D02"})
    assert [row.subject for row in seen.broken] == ["javascript:"], seen.results


def test_what_is_read_on_the_next_page_alone_is_looked_at_there() -> None:
    """A sign-in that ends at a page which reads nothing: a link leads on to the record."""
    ends = "response = RedirectResponse(flow.following or first, 303, headers=HEADERS)"
    instead = 'response = Response("<a>Open the chart</a>", media_type="text/html", headers=HEADERS)'
    with on_stage([(ends, instead)], home="/{org}/patient") as hospitals:
        seen = looked_at(hospitals, {"RH-F04", "RH-F05", "RH-F07", "RH-R01", "RH-S03", "RH-C04"})
    assert set(seen.outcomes.values()) == {RehearsalOutcome.HELD}, seen.results


def test_a_sign_in_that_is_led_on_by_the_first_page_and_given_a_second_cookie_there_is_judged_by_where_it_ends() -> (
    None
):
    """To "/", which only leads on: it shows nothing, so no list of what shows patient data lacks it."""
    ends = "response = RedirectResponse(flow.following or first, 303, headers=HEADERS)"
    instead = """response = RedirectResponse("/", 303, headers=HEADERS)
        self.give(response, "first", flow.following or first, "/", 60)"""
    health = "    async def health("
    root = """    async def root(self, request: Request) -> Response:
        response = Response("", 302, {"Location": request.cookies["first"]})
        self.give(response, "language", "en", "/", 60)
        return response

"""
    routed = 'Route("/health", app.health),'
    changes = [(ends, instead), (health, root + health), (routed, f'{routed}\n            Route("/", app.root),')]
    with on_stage(changes) as hospitals:
        seen = looked_at(hospitals, {f"RH-{number}" for number in ["C04", "L17", "S02", "S03", "S05", "E02", "E10"]})
    assert set(seen.outcomes.values()) == {RehearsalOutcome.HELD}, seen.results


def test_a_product_that_sends_whoever_has_no_session_to_a_new_sign_in_is_not_taken_for_one_that_keeps_the_old() -> None:
    """Which the hospital grants at once, as single sign-on does: whoever sees the record has signed in."""
    refused = '        hospital = str(request.path_params.get("org", ""))\n        self.log.say("refused"'
    led_on = """        hospital = str(request.path_params.get("org", ""))
        if error.status == 401 and request.method == "GET" and request.url.path.endswith("/patient"):
            return Response("", 302, {"Location": f"/{hospital}/start"})
        self.log.say("refused\""""
    looks = {f"RH-{number}" for number in ["S02", "S03", "S04", "S05", "S07", "S10", "S12", "E04", "E10"]}
    with on_stage([(refused, led_on)], home="/{org}/patient") as hospitals:
        seen = looked_at(hospitals, looks)
    assert set(seen.outcomes.values()) == {RehearsalOutcome.HELD}, seen.results


def test_a_sign_out_that_fails_says_nothing_of_what_is_open_after_it() -> None:
    ends = "        hospital = self.session(request).hospital\n        self.sessions.pop("
    fails = f'        raise RefusedError("Not now.", 403)\n{ends}'
    with on_stage([(ends, fails)]) as hospitals:
        seen = looked_at(hospitals, {"RH-S07", "RH-E04"})
    assert set(seen.outcomes.values()) == {RehearsalOutcome.NOT_REACHED}, seen.results


def test_a_filter_without_a_text_to_change_was_not_tried() -> None:
    with on_stage() as hospitals:
        fixed = [
            endpoint.but(query={}) if endpoint.what == "filter" else endpoint
            for endpoint in hospitals.product.endpoints
        ]
        seen = looked_at(hospitals, {"RH-E08"}, endpoints=tuple(fixed))
    assert seen.outcomes == {"RH-E08": RehearsalOutcome.NOT_REACHED}, seen.results


def test_what_one_of_several_looks_alone_shows_is_inconclusive() -> None:
    """Each look is of its own rows: one that the first look had not is told, too."""
    first, second = Row(HELD, "well", org="alder"), Row(BROKE, "not well", org="birch")
    agreed = _agreed([[first], [first, second]])
    assert [(row.org, row.outcome) for row in agreed] == [
        ("alder", HELD),
        ("birch", RehearsalOutcome.INCONCLUSIVE),
    ]


def test_an_id_token_is_asked_for_its_nonce_only_where_one_was_sent() -> None:
    changes = [
        ('            "nonce": nonce,\n', ""),
        ('            or claims.get("nonce") != flow.nonce\n', ""),
    ]
    with on_stage(changes) as hospitals:
        seen = looked_at(hospitals, {"RH-R07"})
    assert {row.outcome for row in seen.results if row.subject != "nonce"} == {HELD}, seen.results
    assert [row.outcome for row in seen.results if row.subject == "nonce"] == [RehearsalOutcome.NOT_APPLICABLE]


def test_a_launch_by_post_brings_what_one_by_get_does() -> None:
    """An application that takes it, and fails on what it takes."""
    routed = 'Route("/launch", app.launch)'
    by_post = 'Route("/launch", app.launch), Route("/launch", app.posted_launch, methods=["POST"])'
    health = "    async def health("
    fails = """    async def posted_launch(self, request: Request) -> Response:
        assert (await posted(request))["iss"] not in {hospital.iss for hospital in self.hospitals.values()}
        return Response("", 400)

"""
    with on_stage([(routed, by_post), (health, fails + health)]) as hospitals:
        seen = looked_at(hospitals, {"RH-L20"})
    assert [row.subject for row in seen.broken] == ["POST"], seen.results


def test_with_one_page_for_both_hospitals_no_session_is_at_the_wrong_one() -> None:
    with on_stage(ONE_PAGE) as hospitals:
        seen = looked_at(hospitals, {"RH-G04"})
    assert {row.subject for row in seen.broken} <= {"an answer in another browser", "a code of A at B"}, seen.results
    assert [row.outcome for row in seen.results][-1] is RehearsalOutcome.NOT_APPLICABLE, seen.results


def test_nothing_is_saved_without_an_encounter_that_the_contract_requires() -> None:
    wanted = contract().outputs[0].but(required_fields=("context.encounter",))
    for changes, broken in (((), []), ([("if not session.encounter:", "if False:")], ["that contract.yaml requires"])):
        with on_stage(changes) as hospitals:
            seen = looked_at(hospitals, {"RH-R04"}, contract=contract().but(outputs=(wanted,)))
        assert [row.seen[-27:] for row in seen.broken] == broken, seen.results


def test_who_is_signed_in_is_looked_for_on_the_page_that_says_it() -> None:
    """The first page names nobody; without a page that does, nothing is known."""
    silent = ("await self.user(session) or 'somebody unnamed'", "'somebody'")
    health = "    async def health("
    me = """    async def me(self, request: Request) -> Response:
        return page("Signed in", html.escape(await self.user(self.session(request))))

"""
    route = 'Route("/health", app.health),'
    changes = (silent, (health, me + health), (route, f'{route}\n            Route("/{{org}}/me", app.me),'))
    for page, outcome in ((None, RehearsalOutcome.NEEDS_HOOK), ("/{org}/me", HELD)):
        with on_stage(changes, user_page=page) as hospitals:
            seen = looked_at(hospitals, {"RH-R09", "RH-R10"})
        assert set(seen.outcomes.values()) == {outcome}, seen.results


def test_a_patient_who_is_named_beside_the_banner_of_the_ehr_is_a_question_for_a_person() -> None:
    named_always = ('name = name if session.banner else "Observations"', "")
    with on_stage([named_always]) as hospitals:
        seen = looked_at(hospitals, {"RH-R03"})
    assert [row.outcome for row in seen.results] == [HELD, RehearsalOutcome.NEEDS_HOOK], seen.results


def test_limits_of_a_session_and_of_a_sign_in_are_each_looked_at_where_they_are_named() -> None:
    with on_stage(session_limits=SessionLimits(sign_in_seconds=1)) as hospitals:
        seen = looked_at(hospitals, {"RH-S08"})
    assert seen.outcomes == {"RH-S08": RehearsalOutcome.NEEDS_HOOK}
    with on_stage(session_limits=SessionLimits(idle_seconds=1)) as hospitals:
        seen = looked_at(hospitals, {"RH-C11"})
    assert seen.outcomes == {"RH-C11": RehearsalOutcome.NEEDS_HOOK}


def test_a_launch_that_is_refused_because_another_began_is_less_grave_than_a_wrong_chart() -> None:
    one_flow = "self.flows[state] = Flow("
    with on_stage([(one_flow, f"self.flows.clear(); {one_flow}")]) as hospitals:
        (refused,) = looked_at(hospitals, {"RH-L17"}).broken
    assert (refused.severity.value, "shows no patient" in refused.seen) == ("medium", True)


def test_a_text_that_no_page_has_after_a_refused_write_is_for_a_person_to_judge() -> None:
    told = 'return page("Not saved", f"<p>{words}</p>{form(session)}", 502)'
    with on_stage([(told, 'session.draft = ""; return page("Not saved", f"<p>{words}</p>", 502)')]) as hospitals:
        rows = looked_at(hospitals, {"RH-W04"}).results
    assert {row.outcome.value for row in rows} == {"needs_hook"}, rows
    assert "has “rehearsal”, which the user wrote" in rows[0].seen


def test_a_copy_that_was_never_asked_for_again_is_for_a_person_to_judge() -> None:
    line = "lines, note = await self.observations(session)\n        lacking"
    kept = """if not hasattr(session, "copy"):
            session.copy = await self.observations(session)
        lines, note = session.copy
        lacking"""
    found = 'found = await self.read(session, f"Patient/{session.patient}")'
    once = """found = getattr(session, "found", None) or await self.read(session, f"Patient/{session.patient}")
            session.found = found"""
    with on_stage([(line, kept), (found, once)]) as hospitals:
        rows = {row.subject: row for row in looked_at(hospitals, {"RH-F24"}).results}
    assert rows["what was read before"].outcome.value == "needs_hook", rows
