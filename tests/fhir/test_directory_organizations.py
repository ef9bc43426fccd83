"""Whose an endpoint is: references as FHIR resolves them, shared bases, brands, pages, and states of endpoints."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from interlock.fhir.addresses import base_key, repair_address
from interlock.fhir.directory.listed import Directory, DirectoryError, ListedOrganization
from interlock.fhir.directory.reading import read_directory

pytestmark = pytest.mark.fast

TODAY = date(2026, 11, 30)
REST = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"}
PORTAL = "http://hl7.org/fhir/StructureDefinition/organization-portal"
VERSION = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"


def endpoint(identity: str, address: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Endpoint",
        "id": identity,
        "status": "active",
        "connectionType": REST,
        "address": address,
    } | more


def organization(identity: str, name: str | None, *endpoints: str, **more: Any) -> dict[str, Any]:
    listed = {"endpoint": [{"reference": target} for target in endpoints]} if endpoints else {}
    named = {"name": name} if name is not None else {}
    return {"resourceType": "Organization", "id": identity, "active": True} | named | listed | more


def bundle(*entries: tuple[str | None, dict[str, Any]] | dict[str, Any], **more: Any) -> dict[str, Any]:
    pairs = [entry if isinstance(entry, tuple) else (None, entry) for entry in entries]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [({"fullUrl": url} if url else {}) | {"resource": resource} for url, resource in pairs],
    } | more


def read(value: Any) -> Directory:
    return read_directory(value if isinstance(value, bytes) else json.dumps(value).encode(), TODAY)


def reached(directory: Directory) -> dict[str, list[str]]:
    return {found.name: [base.url for base in found.bases] for found in directory.organizations}


# -- references ------------------------------------------------------------------------------------------------------


def test_a_managing_organization_gives_its_name_however_it_is_referred_to() -> None:
    interface = "FHIR R4 Endpoint"
    directory = read(
        bundle(
            (
                "https://dir.example/Endpoint/mg",
                endpoint("mg", "https://mg.example/r4", managingOrganization={"reference": "Organization/mg"}),
            ),
            ("https://dir.example/Organization/mg", organization("mg", "Maple Grove Clinic")),
            (
                "https://dir.example/Endpoint/bl",
                endpoint(
                    "bl",
                    "https://bl.example/r4",
                    name=interface,
                    managingOrganization={"reference": "https://dir.example/Organization/bl"},
                ),
            ),
            ("https://dir.example/Organization/bl", organization("bl", "Birch Lake Hospital")),
            (
                "https://dir.example/Endpoint/cf",
                endpoint(
                    "cf",
                    "https://cf.example/r4",
                    name=interface,
                    managingOrganization={"display": "Cedar Falls Health"},
                ),
            ),
        )
    )
    assert set(reached(directory)) == {"Maple Grove Clinic", "Birch Lake Hospital", "Cedar Falls Health"}
    assert not directory.unreached


def test_of_contained_organizations_the_one_that_is_referred_to_is_meant() -> None:
    contained = [
        {"resourceType": "Organization", "id": "z", "name": "Hosting Company Ltd"},
        {"resourceType": "Organization", "id": "o", "name": "Aspen Care"},
    ]
    for reference in ("#o", "o"):
        directory = read(
            bundle(
                endpoint(
                    "x", "https://a.example/r4", contained=contained, managingOrganization={"reference": reference}
                )
            )
        )
        assert list(reached(directory)) == ["Aspen Care"]


def test_equal_ids_of_two_servers_are_two_resources() -> None:
    directory = read(
        bundle(
            ("https://one.example/fhir/Endpoint/1", endpoint("1", "https://one.example/r4")),
            ("https://two.example/fhir/Endpoint/1", endpoint("1", "https://two.example/r4")),
            ("https://two.example/fhir/Organization/9", organization("9", "Second", "Endpoint/1")),
            ("https://one.example/fhir/Organization/9", organization("9", "First", "Endpoint/1")),
        )
    )
    assert reached(directory) == {"First": ["https://one.example/r4"], "Second": ["https://two.example/r4"]}


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"),
        ("https://d.example/fhir/Endpoint/e1", "https://d.example/fhir/Endpoint/e1/_history/3"),
        ("https://d.example/fhir/Endpoint/e1", "Endpoint/e1/_history/3"),
        ("https://d.example/fhir/Endpoint/e1", "Endpoint/e1"),
        (None, "Endpoint/e1"),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "Endpoint/e1"),
    ],
)
def test_every_form_of_reference_is_followed(full_url: str | None, reference: str) -> None:
    directory = read(
        bundle(
            (full_url, endpoint("e1", "https://a.example/r4")),
            ("https://d.example/fhir/Organization/o", organization("o", "North", reference)),
        )
    )
    assert reached(directory) == {"North": ["https://a.example/r4"]}


def test_a_version_picks_among_versions() -> None:
    url = "https://d.example/fhir/Endpoint/e1"
    directory = read(
        bundle(
            (url, endpoint("e1", "https://old.example/r4", meta={"versionId": "1"})),
            (url, endpoint("e1", "https://new.example/r4", meta={"versionId": "2"})),
            ("https://d.example/fhir/Organization/o", organization("o", "North", "Endpoint/e1/_history/2")),
        )
    )
    assert reached(directory)["North"] == ["https://new.example/r4"]


def test_an_identifier_that_two_have_names_neither() -> None:
    identifier = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999901"}
    owners = [organization(f"o{number}", f"O{number}", identifier=[identifier]) for number in range(3)]
    managing = {"managingOrganization": {"identifier": identifier, "display": "Shown"}}
    assert list(reached(read([endpoint("e1", "https://a.example/r4", **managing), *owners]))) == ["Shown"]


def test_each_of_very_many_versions_is_found() -> None:
    url = "https://d.example/Endpoint/e"
    count = 5_000
    versions = [
        (url, endpoint("e", f"https://a.example/{number}/r4", meta={"versionId": str(number)}))
        for number in range(count)
    ]
    owner = organization("o", "All", *(f"Endpoint/e/_history/{number}" for number in range(count)))
    directory = read(bundle(*versions, ("https://d.example/Organization/o", owner)))
    assert len(directory.organizations[0].bases) == count


def test_a_reference_out_of_the_file_is_told_and_the_name_is_not_lost() -> None:
    directory = read(
        bundle(
            ("https://d.example/Endpoint/e1", endpoint("e1", "https://a.example/r4", name="A")),
            ("https://d.example/Organization/o", organization("o", "Far Clinic", "https://else.example/Endpoint/e1")),
            ("https://d.example/Organization/p", organization("p", "Closed Clinic", "Endpoint/e1", active=False)),
            ("https://d.example/Organization/q", organization("q", "Bare Clinic")),
        )
    )
    assert list(reached(directory)) == ["A"]
    told = {line.name: line.reason for line in directory.unreached}
    assert told == {
        "Far Clinic": "its endpoint is not in the file (like https://else.example/Endpoint/e1)",
        "Closed Clinic": "it is no longer active",
        "Bare Clinic": "no endpoint is listed for it",
    }


def test_roles_and_services_link_an_endpoint_with_an_organization() -> None:
    directory = read(
        [
            endpoint("e1", "https://a.example/r4"),
            organization("net", "Network"),
            organization("member", "Member Hospital"),
            {
                "resourceType": "OrganizationAffiliation",
                "organization": {"reference": "Organization/net"},
                "participatingOrganization": {"reference": "Organization/member"},
                "endpoint": [{"reference": "Endpoint/e1"}],
            },
        ]
    )
    assert reached(directory) == {"Member Hospital": ["https://a.example/r4"]}
    assert [line.name for line in directory.unreached] == ["Network"]


def test_an_identifier_alone_is_followed_when_one_has_it() -> None:
    identifier = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999901"}
    managing = {"managingOrganization": {"identifier": identifier}}
    directory = read(
        [endpoint("e1", "https://a.example/r4", **managing), organization("o", "North", identifier=[identifier])]
    )
    assert list(reached(directory)) == ["North"]


# -- organisations and bases -----------------------------------------------------------------------------------------


def test_thirty_practices_on_one_base_are_thirty_organizations() -> None:
    practices = [organization(f"p{number}", f"Practice {number:02}", "Endpoint/e") for number in range(30)]
    directory = read(bundle(endpoint("e", "https://p.example/r4", name="Shared platform"), *practices))
    assert len(directory.organizations) == 30
    (base,) = directory.bases
    assert base.shared_by == 30
    assert "Shared platform" not in reached(directory)


def brand() -> Directory:
    version = lambda code: [{"url": VERSION, "valueCode": code}]  # noqa: E731  # three of them in one place
    return read(
        bundle(
            endpoint("bulk", "https://h.example/api/bulk", name="Bulk", extension=version("4.0.1")),
            endpoint("dstu2", "https://h.example/api/two", extension=version("1.0.2")),
            endpoint("r4", "https://h.example/api/four", extension=version("4.0.1")),
            organization("hazel", "Hazel Health", "Endpoint/bulk", "Endpoint/dstu2", "Endpoint/r4", alias=["HH Care"]),
            organization("mill", "Hazel at Mill Street", partOf={"reference": "Organization/hazel"}),
        )
    )


def test_bases_of_one_brand_belong_together_by_release_and_kind() -> None:
    hazel, mill = brand().organizations
    assert [(base.release, base.kind) for base in hazel.bases] == [("R4", "bulk"), ("DSTU2", "rest"), ("R4", "rest")]
    assert hazel.base_for("R4").url == "https://h.example/api/four"
    assert hazel.base_for("DSTU2").url == "https://h.example/api/two"
    assert hazel.base_for("R5").kind == "rest"
    assert hazel.aliases == ("HH Care",)
    assert mill.part_of is hazel
    assert mill.bases == hazel.bases


def test_a_circle_of_parts_has_no_base_and_ends() -> None:
    circle = [
        organization(f"o{number}", f"O{number}", partOf={"reference": f"Organization/o{(number + 1) % 500}"})
        for number in range(500)
    ]
    own = organization("self", "Self", partOf={"reference": "Organization/self"})
    below = organization("below", "Below", partOf={"reference": "Organization/o7"})
    directory = read([endpoint("e", "https://a.example/r4", name="A"), *circle, own, below])
    assert len(directory.unreached) == 502
    assert {line.reason for line in directory.unreached} == {"the organisations that it is part of go in a circle"}


def test_a_long_chain_of_parts_reaches_its_top_in_one_walk() -> None:
    chain = [
        organization(f"o{number}", f"O{number}", partOf={"reference": f"Organization/o{number + 1}"})
        for number in range(20_000)
    ]
    directory = read(
        [*chain, organization("o20000", "Top", "Endpoint/e"), endpoint("e", "https://a.example/r4", name="A")]
    )
    assert len(directory.organizations) == 20_001
    assert all(found.bases[0].url == "https://a.example/r4" for found in directory.organizations)


def test_very_many_endpoints_of_one_organization() -> None:
    count = 20_000
    many = [endpoint(f"e{number}", f"https://a.example/{number}/r4") for number in range(count)]
    directory = read([*many, organization("o", "All", *(f"Endpoint/e{number}" for number in range(count)))])
    (found,) = directory.organizations
    assert len(found.bases) == len(directory.bases) == count


def test_names_of_a_table_are_one_organization_only_where_the_address_says_so() -> None:
    directory = read(
        b"url,name\nhttps://a.example/FHIR/R4,North\nhttps://a.example/FHIR/DSTU2,North\n"
        b"https://other.example/R4,North\nhttps://a.example/FHIR/R4,NORTH\n"
    )
    first, second = directory.organizations
    assert [base.release for base in first.bases] == ["R4", "DSTU2"]
    assert [base.url for base in second.bases] == ["https://other.example/R4"]


def test_who_publishes_a_base_twice_is_known_as_both() -> None:
    (found,) = read(b"url,name,vendor\nhttps://a.example/r4,N,One\nhttps://a.example/r4,N,Two\n").organizations
    assert found.vendors == ["One", "Two"]


# -- what an endpoint says of itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"connectionType": {"code": "hl7-fhir-msg"}}, "its connection type is hl7-fhir-msg, not FHIR REST"),
        ({"connectionType": {"code": "cds-hooks-service"}}, "its connection type is cds-hooks-service, not FHIR REST"),
        ({"status": "suspended"}, "its status is suspended"),
        ({"status": "error"}, "its status is error"),
        ({"status": "off"}, "its status is off"),
        ({"period": {"end": "2025-06-30"}}, "its period has ended"),
        ({"period": {"end": "2026-10"}}, "its period has ended"),
        ({"period": {"start": "2027"}}, "its period has not begun"),
    ],
)
def test_an_endpoint_out_of_use_is_dropped_and_its_organization_told(more: dict[str, Any], reason: str) -> None:
    directory = read([endpoint("e", "https://a.example/r4", **more), organization("o", "North", "Endpoint/e")])
    assert [(line.name, line.reason) for line in directory.dropped] == [("North", reason)]
    assert [line.reason for line in directory.unreached] == [f"its endpoint cannot be used: {reason}"]
    assert not directory.bases


@pytest.mark.parametrize(
    ("more", "environment"),
    [
        ({}, None),
        ({"period": {"start": "2024-11-08T00:00:00-06:00"}}, None),
        ({"period": {"end": "2026-11"}}, None),
        ({"period": {"end": "2026-11-30"}}, None),
        ({"period": {"end": "tomorrow"}}, None),
        ({"status": "test"}, "non-production"),
        ({"environmentType": [{"coding": [{"code": "staging"}]}]}, "non-production"),
        ({"environmentType": [{"coding": [{"code": "prod"}]}]}, "production"),
        ({"connectionType": [{"coding": [REST]}]}, None),
    ],
)
def test_the_environment_is_what_the_directory_says(more: dict[str, Any], environment: str | None) -> None:
    (base,) = read([endpoint("e", "https://a.example/r4", **more)]).bases
    assert base.environment == environment


NPPES = """\
"NPI","Endpoint Type","Endpoint Type Description","Endpoint","Affiliation","Endpoint Description",\
"Affiliation Legal Business Name"
"1999999901","DIRECT","Direct Messaging Address","dr.one@direct.willow.example","N","",""
"1999999902","FHIR","FHIR URL","https://fhir.willow.example/r4","Y","R4 base","Willow Medical Group"
"1999999903","CONNECT","CONNECT URL","https://connect.willow.example/Gateway","Y","","Willow Medical Group"
"1999999904","SOAP","SOAP URL","https://soap.oakridge.example/xds","Y","","Oakridge Hospital"
"1999999905","OTHERS","Other URL","https://www.oakridge.example","Y","our web site","Oakridge Hospital"
"1999999906","REST","RESTful URL","https://fhir.oakridge.example/api/FHIR/R4","Y","","Oakridge Hospital"
"1999999907","FHIR","FHIR URL","https://fhir.alone.example/r4","N","",""
"""


def test_the_columns_of_nppes() -> None:
    directory = read(NPPES.encode())
    assert reached(directory) == {
        "Willow Medical Group": ["https://fhir.willow.example/r4"],
        "Oakridge Hospital": ["https://fhir.oakridge.example/api/FHIR/R4"],
        "NPI 1999999907": ["https://fhir.alone.example/r4"],
    }
    reasons = [line.reason for line in directory.dropped]
    assert reasons == [f"its type is {kind}, not FHIR" for kind in ("DIRECT", "CONNECT", "SOAP", "OTHERS")]
    assert directory.dropped[0].name == "NPI 1999999901"


def test_other_columns_are_honoured_and_unknown_words_are_not_judged() -> None:
    directory = read(
        b"url,name,endpoint_type,status,fhir_version,environment\n"
        b"https://a.example/x,A,Provider,200,1.0.2,prod\n"
        b"https://b.example/x,B,hl7-fhir-rest,active,4.3.0,staging\n"
        b"https://c.example/x,C,,off,,\n"
    )
    assert [(base.release, base.environment) for base in directory.bases] == [
        ("DSTU2", "production"),
        ("R4B", "non-production"),
    ]
    assert [line.reason for line in directory.dropped] == ["its status is off"]


# -- brands ----------------------------------------------------------------------------------------------------------


def test_user_access_brands() -> None:
    """A bundle after SMART App Launch 2.2, User-access Brands: a brand, its hospital with a portal, its endpoint."""
    portal = {
        "url": PORTAL,
        "extension": [
            {"url": "portalName", "valueString": "MyChart"},
            {"url": "portalEndpoint", "valueReference": {"reference": "Endpoint/r4"}},
        ],
    }
    directory = read(
        bundle(
            (
                "https://ehr.example/Organization/brand",
                organization("brand", "Brand Health", extension=[portal], alias=["BH"]),
            ),
            (
                "https://ehr.example/Organization/clinic",
                organization("clinic", "Brand Clinic", partOf={"reference": "Organization/brand"}),
            ),
            (
                "https://ehr.example/Endpoint/r4",
                endpoint(
                    "r4",
                    "https://ehr.example/fhir/main",
                    name="EHR",
                    extension=[{"url": VERSION, "valueCode": "4.0.1"}],
                    managingOrganization={"reference": "Organization/brand"},
                ),
            ),
        )
    )
    assert reached(directory) == {
        "Brand Health": ["https://ehr.example/fhir/main"],
        "Brand Clinic": ["https://ehr.example/fhir/main"],
    }
    assert directory.bases[0].release == "R4"


def test_the_associated_endpoints_of_a_smart_configuration() -> None:
    directory = read(
        {
            "authorization_endpoint": "https://a.example/authorize",
            "associated_endpoints": [
                {"url": "https://a.example/dstu2", "capabilities": []},
                {"url": "https://a.example/r4"},
                "odd",
            ],
            "user_access_brand_bundle": "https://a.example/brands.json",
        }
    )
    assert directory.form == "smart"
    assert [base.url for base in directory.bases] == ["https://a.example/dstu2", "https://a.example/r4"]
    assert directory.notes == (
        "the names are in a Bundle of brands, which was not fetched: https://a.example/brands.json",
    )
    assert [line.word for line in directory.dropped] == ["empty"]


# -- pages, bundles of other types -----------------------------------------------------------------------------------


def test_a_page_says_that_it_is_one_and_its_link_is_not_followed() -> None:
    following = [{"relation": "next", "url": "https://d.example/Endpoint?page=2"}]
    page = bundle(endpoint("a", "https://p1.example/r4"), type="searchset", total=812, link=following)
    (note,) = read(page).notes
    assert note.startswith(
        "the file is one page with 1 of 812 entries; the next page was not read: https://d.example/Endpoint?page=2"
    )
    last = bundle(endpoint("b", "https://p2.example/r4"), type="searchset", total=812)
    pages = read("\n".join(map(json.dumps, (page, last))).encode())
    assert [base.url for base in pages.bases] == ["https://p1.example/r4", "https://p2.example/r4"]
    assert [base.location for base in pages.bases] == ["entry 1, entry 1", "entry 2, entry 1"]


def test_a_whole_bundle_says_nothing_of_pages() -> None:
    assert read(bundle(endpoint("a", "https://a.example/r4"), total=1)).notes == ()


def test_bundles_of_other_types_are_read_or_refused_in_words() -> None:
    assert read(bundle(endpoint("a", "https://a.example/r4"), type="transaction")).notes == (
        "the Bundle's type is transaction, and it was read like a collection",
    )
    with pytest.raises(DirectoryError, match="a history, which holds older versions"):
        read(bundle(endpoint("a", "https://a.example/r4"), type="history"))
    with pytest.raises(DirectoryError, match="it holds no Endpoint but 2 Patient"):
        read(bundle({"resourceType": "Patient"}, {"resourceType": "Patient"}, type="searchset"))
    with pytest.raises(DirectoryError, match="it holds no Endpoint, and nothing else"):
        read({"resourceType": "Bundle", "type": "searchset", "total": 0})
    (note,) = read(bundle(endpoint("a", "https://a.example/r4"), {"resourceType": "Practitioner"})).notes
    assert note.endswith("1 Practitioner")


# -- spellings -------------------------------------------------------------------------------------------------------

SPELLINGS = """\
http://fhir.elm.example/FHIR/R4
https://fhir.elm.example/FHIR/R4
https://fhir.elm.example/FHIR/R4/
HTTPS://FHIR.ELM.EXAMPLE/FHIR/R4
https://fhir.elm.example:443/FHIR/R4
https://fhir.elm.example/%46HIR/R%34
https://fhir.elm.example//FHIR/R4
https://fhir.elm.example/FHIR/R4/metadata?_format=json
https://fhir.elm.example/FHIR/./R4
https://fhir.elm.example/fhir/r4
"""


def test_spellings_of_one_base_are_one_and_told() -> None:
    directory = read(SPELLINGS.encode())
    assert [base.url for base in directory.bases] == [
        "https://fhir.elm.example/FHIR/R4",
        "https://fhir.elm.example/fhir/r4",
    ]
    assert directory.bases[0].listed == 9
    spelt, cased = directory.notes
    assert "http://fhir.elm.example/FHIR/R4 for https://fhir.elm.example/FHIR/R4" in spelt
    assert "differ from another in the case of their path only" in cased


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/r4", "http://A.example:80/r4/", True),
        ("https://a.example:8443/r4", "https://a.example/r4", False),
        ("https://a.example/R4", "https://a.example/r4", False),
        ("https://a.example/a//r4", "https://a.example/a/r4", True),
        ("https://a.example/a%2Fr4", "https://a.example/a/r4", False),
    ],
)
def test_which_spellings_are_one(one: str, other: str, same: bool) -> None:
    cleaned = [repair_address(url).url for url in (one, other)]
    assert None not in cleaned
    assert (base_key(str(cleaned[0])) == base_key(str(cleaned[1]))) is same


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("https://a.example/x/../fhir/%7euser/R4", "https://a.example/fhir/~user/R4"),
        ("https://a.example/%2e%2e/r4/", "https://a.example/r4"),
        ("https://a.example/a%2fb/r4", "https://a.example/a%2Fb/r4"),
        ("https://a.example/100%/%41", "https://a.example/100%/%41"),
        ("http://a.example:80/r4", "http://a.example/r4"),
        ("http://a.example:443/r4", "http://a.example:443/r4"),
    ],
)
def test_a_path_is_written_in_its_usual_form(listed: str, url: str) -> None:
    assert repair_address(listed).url == url
    assert repair_address(url) == (url, (), "", "")


# -- encodings and packing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_table_in_any_unicode_is_read(encoding: str) -> None:
    directory = read("url;name\nhttps://a.example/r4;Clínica São José\n".encode(encoding))
    assert reached(directory) == {"Clínica São José": ["https://a.example/r4"]}
    assert directory.notes == ()


def test_a_guessed_encoding_is_told() -> None:
    directory = read("url;name\nhttps://a.example/r4;Children’s Clínica\n".encode("cp1252"))
    assert list(reached(directory)) == ["Children’s Clínica"]
    assert "read as Windows-1252" in directory.notes[0]


def test_all_members_of_a_gzip_file_are_read() -> None:
    import gzip

    packed = gzip.compress(b"https://a.example/r4\n") + gzip.compress(b"https://b.example/r4\n")
    assert len(read(packed).bases) == 2
    with pytest.raises(DirectoryError, match="something else follows"):
        read(packed + b"more")
    bomb = gzip.compress(b"\n" * (60 * 1024 * 1024))
    with pytest.raises(DirectoryError, match="larger than"):
        read(bomb * 3)
    with pytest.raises(DirectoryError, match="zip archive"):
        read(b"PK\x03\x04\x00\x00")


# -- recorded directories --------------------------------------------------------------------------------------------


def test_no_name_of_a_crowded_base_is_lost(corpus: Path) -> None:
    """One platform's base is listed under more than 17,000 names; each is an organisation."""
    directory = read((corpus / "directories" / "us-endpoints.csv.gz").read_bytes())
    crowded = max(directory.bases, key=lambda base: base.shared_by)
    sharing: list[ListedOrganization] = [found for found in directory.organizations if crowded in found.bases]
    assert len(sharing) == crowded.shared_by > 17_700
    assert len({found.name.casefold() for found in sharing}) == len(sharing)
