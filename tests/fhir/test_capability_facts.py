"""Capability statements of every release as facts, and what is said about what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.fhir.capability import parse, release_of

pytestmark = pytest.mark.fast

OAUTH = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def server(*resources: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"mode": "server", "resource": list(resources), **others}


def statement(*rest: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": list(rest), **others}


def codes(*names: str) -> list[dict[str, str]]:
    return [{"code": name} for name in names]


def names(*values: str) -> list[dict[str, str]]:
    return [{"name": value} for value in values]


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("1.0.2", "DSTU2"),
        ("1.0.1", "DSTU2"),
        ("3.0.1", "STU3"),
        ("3.0.2", "STU3"),
        ("4.0.0", "R4"),
        ("4.0.1", "R4"),
        ("4.0", "R4"),
        ("4.1.0", "R4B"),
        ("4.3.0", "R4B"),
        ("4.3.0-cibuild", "R4B"),
        ("5.0.0", "R5"),
        ("4.2.0", None),
        ("4.6.0", None),
        ("3.3.0", None),
        ("0.0.82", None),
        ("R4", None),
        ("40.1", None),
        ("", None),
        (None, None),
    ],
)
def test_release_comes_from_the_first_two_numbers(version: str | None, release: str | None) -> None:
    assert release_of(version) == release


def test_server_entries_are_merged_and_client_entries_ignored() -> None:
    facts = parse(
        statement(
            server({"type": "Patient", "interaction": codes("read"), "searchParam": names("_id", "name")}),
            {"mode": "client", "resource": [{"type": "Medication", "interaction": codes("read")}]},
            server(
                {"type": "Patient", "interaction": codes("read", "create"), "searchParam": names("name", "birthdate")},
                {"type": "Encounter", "interaction": codes("search-type")},
            ),
        )
    )
    assert list(facts.resources) == ["Patient", "Encounter"]
    assert facts.resources["Patient"].interactions == ("read", "create")
    assert facts.resources["Patient"].search_params == ("_id", "name", "birthdate")
    assert facts.resources["Encounter"].interactions == ("search-type",)
    assert facts.problems == ()


def test_a_type_listed_twice_in_one_entry_is_merged_and_named() -> None:
    facts = parse(
        statement(
            server(
                {"type": "Observation", "interaction": codes("read"), "supportedProfile": ["http://p/a|1.0"]},
                {"type": "Observation", "interaction": codes("search-type"), "supportedProfile": ["http://p/b"]},
            )
        )
    )
    assert facts.resources["Observation"].interactions == ("read", "search-type")
    assert facts.resources["Observation"].profiles == ("http://p/a|1.0", "http://p/b")
    assert facts.problems == ("the type “Observation” is listed more than once; the entries were merged",)
    assert facts.repeated == ("/rest/0/resource/1",)


def test_parameters_of_every_type_and_operations() -> None:
    facts = parse(
        statement(
            server(
                {"type": "Group", "operation": names("$export", "everything"), "searchParam": names("name")},
                searchParam=names("_lastUpdated"),
                operation=names("$export", "versions"),
                interaction=codes("batch"),
            )
        )
    )
    assert facts.resources["Group"].operations == ("export", "everything")
    assert facts.resources["Group"].search_params == ("name", "_lastUpdated")
    assert facts.operations == ("export", "versions")
    assert facts.system_interactions == ("batch",)


def test_supported_profiles_are_no_base_profile() -> None:
    facts = parse(
        statement(
            server(
                {"type": "Patient", "profile": "http://p/base", "supportedProfile": ["http://p/us|6.1.0"]},
                {"type": "Goal", "profile": "http://p/goal", "versioning": "versioned-update"},
                {"type": "Task", "conditionalCreate": False},
                {"type": "Flag", "conditionalCreate": "yes"},
            )
        )
    )
    assert facts.resources["Patient"].profiles == ("http://p/us|6.1.0",)
    assert facts.resources["Patient"].profile == "http://p/base"
    assert facts.resources["Goal"].profiles == ()
    assert facts.resources["Goal"].versioning == "versioned-update"
    assert facts.resources["Goal"].conditional_create is None
    assert facts.resources["Task"].conditional_create is False
    assert facts.resources["Flag"].conditional_create is None


def test_dstu2() -> None:
    facts = parse(
        {
            "resourceType": "Conformance",
            "fhirVersion": "1.0.2",
            "acceptUnknown": "no",
            "profile": [{"reference": "StructureDefinition/a"}, {"reference": "StructureDefinition/b"}],
            "rest": [
                server(
                    {"type": "Patient", "profile": {"reference": "http://p/x"}, "interaction": codes("read")},
                    transactionMode="both",
                    operation=[{"name": "everything", "definition": {"reference": "OperationDefinition/e"}}],
                )
            ],
        }
    )
    assert facts.fhir_release == "DSTU2"
    assert facts.profiles == ("StructureDefinition/a", "StructureDefinition/b")
    assert facts.resources["Patient"].profile == "http://p/x"
    assert facts.system_interactions == ("batch", "transaction")
    assert facts.operations == ("everything",)
    assert facts.problems == ()


def test_stu3_instantiates_may_be_one_string_only_as_a_list() -> None:
    facts = parse(statement(server(), fhirVersion="3.0.2", instantiates=["http://x/cs"]))
    assert (facts.fhir_release, facts.instantiates) == ("STU3", ("http://x/cs",))


def test_r5() -> None:
    facts = parse(statement(server({"type": "Patient", "conditionalPatch": True}), fhirVersion="5.0.0"))
    assert facts.fhir_release == "R5"
    assert list(facts.resources) == ["Patient"]


def test_identity_of_the_system() -> None:
    facts = parse(
        statement(
            kind="instance",
            status="active",
            date="2026-01-01",
            publisher="Us",
            format=["json", "application/fhir+json", "json"],
            software={"name": "EHR", "version": "1", "releaseDate": "2026", "other": "x"},
            implementation={"description": "d", "url": "https://ehr.example/fhir"},
            meta={"tag": [{"code": "SUBSETTED"}]},
        )
    )
    assert facts.software == {"name": "EHR", "version": "1", "releaseDate": "2026"}
    assert facts.implementation_url == "https://ehr.example/fhir"
    assert facts.formats == ("json", "application/fhir+json")
    assert facts.subsetted
    assert (facts.kind, facts.status, facts.date, facts.publisher) == ("instance", "active", "2026-01-01", "Us")


def extension(url: str = OAUTH, **uris: str) -> dict[str, Any]:
    return {"url": url, "extension": [{"url": name, "valueUri": value} for name, value in uris.items()]}


def test_security_services_and_oauth_uris() -> None:
    security = {
        "cors": True,
        "service": [{"coding": [{"code": "OAuth"}, {"code": "SMART-on-FHIR"}]}, {"text": "our own"}, {"coding": []}],
        "extension": [extension(authorize="https://a/authorize", token="https://a/token", register="https://a/reg")],
    }
    facts = parse(statement(server(security=security))).security
    assert facts.services == ("OAuth", "SMART-on-FHIR", "our own")
    assert facts.cors is True
    assert facts.oauth_uris.authorize == "https://a/authorize"
    assert facts.oauth_uris.register_ == "https://a/reg"
    assert facts.oauth_uris.revoke is None
    assert facts.oauth_uris_count == 1


def test_two_oauth_uris_extensions() -> None:
    """The specification's URL wins over a misspelt one; two of the same that differ are named."""
    misspelt = extension(
        "http://DSTU2/fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", token="https://x"
    )
    facts = parse(statement(server(security={"extension": [misspelt, extension(token="https://a")]})))
    assert facts.security.oauth_uris.token == "https://a"
    assert facts.security.oauth_uris_count == 2
    assert facts.problems == ()
    facts = parse(
        statement(server(security={"extension": [extension(token="https://a"), extension(token="https://b")]}))
    )
    assert facts.security.oauth_uris.token == "https://a"
    assert any("disagree on token" in problem for problem in facts.problems)


def test_what_the_document_does_not_say_is_none() -> None:
    facts = parse(statement())
    assert facts.kind is facts.status is facts.date is facts.publisher is facts.implementation_url is None
    assert facts.security.cors is None
    assert facts.software == {}
    assert facts.resources == {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": 5}, "kind is a number"),
        ({"kind": ["instance"]}, "kind is a list"),
        ({"software": "EHR"}, "software is a string"),
        ({"format": "json"}, "format is a string"),
        ({"format": ["json", 7]}, "format holds a number"),
        ({"fhirVersion": 4.0}, "fhirVersion is a number"),
        ({"fhirVersion": "9.9.9"}, "belongs to no published release"),
        ({"rest": {"mode": "server"}}, "rest is an object"),
        ({"rest": "server"}, "rest is a string"),
        ({"rest": [7]}, "rest holds a number"),
        ({"rest": [{"resource": [{"type": "Patient"}]}]}, "neither mode server nor mode client"),
        ({"rest": [server({"interaction": []})]}, "has no type"),
        ({"rest": [server({"type": "Patient", "interaction": ["read"]})]}, "interaction holds a string"),
        ({"publisher": "x" * 5000}, "publisher is longer"),
        ({"resourceType": "Patient"}, "neither CapabilityStatement nor Conformance"),
        ({"rest": [server(security={"cors": "yes"})]}, "cors is a string"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], problem: str) -> None:
    facts = parse(statement(server()) | change)
    assert any(problem in note for note in (*facts.problems, *facts.limits)), facts.problems


def test_a_type_too_long_to_read_is_not_called_missing() -> None:
    facts = parse(statement(server({"type": "x" * 129})))
    assert facts.limits == ("type is longer than 128 characters and was not read",)
    assert facts.problems == ()


def test_numbers_as_versions_are_understood() -> None:
    assert parse(statement(fhirVersion=4.0)).fhir_release == "R4"


def test_sizes_are_bounded_and_the_cut_is_named() -> None:
    many = [{"type": f"Type{number}"} for number in range(3000)]
    facts = parse(statement(server(*many)))
    assert len(facts.resources) == 1000
    assert any("3,000 entries" in limit for limit in facts.limits)
    assert not any("entries" in problem for problem in facts.problems)
    facts = parse(statement(server(*many[:800]), server(*many[800:1600])))
    assert len(facts.resources) == 1000
    facts = parse(statement(server({"type": "Patient", "searchParam": names(*map(str, range(5000)))})))
    assert len(facts.resources["Patient"].search_params) == 1000
    hostile = statement(server(*({"type": {}, "interaction": number} for number in range(900))), kind=[1])
    assert len(parse(hostile).problems) <= 51


def test_lone_surrogates_become_storable() -> None:
    facts = parse(statement(server({"type": "Pa\ud800"}), publisher="a\udfff"))
    facts.model_dump_json()
    assert facts.publisher == "a?"
