"""Directories of endpoints: every form, all the dirt, and files that are none."""

from __future__ import annotations

import csv
import gzip
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.fhir.addresses import repair_address
from interlock.fhir.directory.listed import Directory, DirectoryError
from interlock.fhir.directory.reading import read_directory

TODAY = date(2026, 11, 30)
GOOD = "https://ehr.example.org/fhir/r4"


@pytest.mark.parametrize(
    ("listed", "repair"),
    [
        (GOOD, None),
        (GOOD + "/", None),
        (f"  {GOOD}\t", None),
        (f": {GOOD}/", "stray characters"),
        (f'"{GOOD}",', "stray characters"),
        ("HTTPS://ehr.example.org/fhir/r4", "scheme in lower case"),
        ("https://EHR.Example.ORG/fhir/r4", "host in lower case"),
        ("ehr.example.org/fhir/r4", "https:// added"),
        (GOOD + "/metadata", "the document's own path"),
        (GOOD + "/Metadata/", "the document's own path"),
        (GOOD + "/.well-known/smart-configuration", "the document's own path"),
        (GOOD + "#production", "fragment"),
        (GOOD + "?_format=json", "query"),
        (GOOD + "/metadata?_format=json#x", "query"),
        ("https://https://ehr.example.org/fhir/r4", "doubled scheme"),
        ("https:https://ehr.example.org/fhir/r4", "doubled scheme"),
        ("https:/ehr.example.org/fhir/r4", "scheme repaired"),
        ("https//ehr.example.org/fhir/r4", "scheme repaired"),
        ("https:///ehr.example.org/fhir/r4", "scheme repaired"),
        ("\ufeff" + GOOD, "stray characters"),
    ],
)
def test_dirt_is_cleaned_and_named(listed: str, repair: str | None) -> None:
    repaired = repair_address(listed)
    assert repaired.url == GOOD
    assert (repair is None and not repaired.repairs) or any(repair in one for one in repaired.repairs if repair)


def test_the_path_keeps_its_case_and_http_stays_http() -> None:
    assert repair_address("HTTP://A.Example:8080/FHIR/R4/").url == "http://a.example:8080/FHIR/R4"
    assert repair_address("(https://[2001:DB8::1]),").url == "https://[2001:db8::1]"
    assert repair_address("https://[2001:DB8::1]:8443/fhir").url == "https://[2001:db8::1]:8443/fhir"


@pytest.mark.parametrize(
    ("listed", "word"),
    [
        ("", "empty"),
        ("n/a", "empty"),
        ("TBD", "empty"),
        ("/fhir/r4", "relative"),
        ("../r4", "relative"),
        ("api/practice/R4", "relative"),
        ("ftp://ehr.example/fhir", "scheme"),
        ("mailto:it@ehr.example", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://user:secret@ehr.example/fhir", "credentials"),
        ("https:https://user:secret@ehr.example/fhir", "credentials"),
        ("https://ehr.example/{tenant}/fhir", "placeholder"),
        ("https://ehr.example/[tenant]/fhir", "placeholder"),
        ("https://one.example/fhir https://two.example/fhir", "characters"),
        ("https://ehr.example/\\fhir", "characters"),
        ("https://ehr.example/\x1b[31mfhir", "placeholder"),
        ("https://", "host"),
        ("https://ehr..example/fhir", "host"),
        ("https://ehr.example:99999/fhir", "host"),
        ("https://ehr.example:0/fhir", "host"),
        ("https://" + "a" * 64 + ".example/", "host"),
        ("https://ehr.example/" + "a" * 3000, "too_long"),
        ("a" * 100_000, "too_long"),
        ("please ask support", "no_address"),
    ],
)
def test_what_nobody_can_repair_is_dropped_with_a_reason(listed: str, word: str) -> None:
    repaired = repair_address(listed)
    assert repaired.url is None
    assert repaired.word == word
    assert repaired.reason


@given(st.text(max_size=300))
def test_repairing_never_raises_and_is_idempotent(text: str) -> None:
    repaired = repair_address(text)
    if repaired.url is not None:
        assert repair_address(repaired.url) == (repaired.url, (), "", "")


def bundle(*resources: dict[str, Any]) -> bytes:
    entries = [{"fullUrl": f"https://d.example/{r['resourceType']}/{r.get('id')}", "resource": r} for r in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def endpoint(identity: str, address: str | None, **more: Any) -> dict[str, Any]:
    connection = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"}
    base = {"resourceType": "Endpoint", "id": identity, "status": "active", "connectionType": connection}
    return base | ({"address": address} if address is not None else {}) | more


def organization(name: str, *endpoints: str, **more: Any) -> dict[str, Any]:
    references = [{"reference": reference} for reference in endpoints]
    return {"resourceType": "Organization", "id": "o-" + name, "name": name, "endpoint": references} | more


def read(data: bytes) -> Directory:
    return read_directory(data, TODAY)


def names(directory: Directory) -> dict[str, tuple[str, ...]]:
    """The names at each base, in order."""
    return {
        base.url: tuple(each.name for each in directory.organizations if base in each.bases and each.name)
        for base in directory.bases
    }


def test_a_bundle_with_organizations_that_refer_to_endpoints() -> None:
    directory = read(
        bundle(
            endpoint("e1", "https://a.example/r4/"),
            organization("North Clinic", "Endpoint/e1"),
            endpoint("e2", "https://b.example/r4", name="Own Name"),
            organization("South Clinic", "https://d.example/Endpoint/e1"),
        )
    )
    assert directory.form == "bundle"
    assert names(directory) == {
        "https://a.example/r4": ("North Clinic", "South Clinic"),
        "https://b.example/r4": ("Own Name",),
    }


def test_an_endpoint_that_contains_its_organization() -> None:
    contained = [{"resourceType": "Organization", "id": "x", "name": "Contained Clinic"}]
    directory = read(bundle(endpoint("e1", "https://a.example/r4", name="E", contained=contained)))
    assert names(directory) == {"https://a.example/r4": ("Contained Clinic",)}


def test_user_access_brands_with_portal_endpoints() -> None:
    portal = {
        "url": "http://hl7.org/fhir/StructureDefinition/organization-portal",
        "extension": [
            {"url": "portalName", "valueString": "MyChart"},
            {"url": "portalEndpoint", "valueReference": {"reference": "Endpoint/e1"}},
        ],
    }
    directory = read(bundle(endpoint("e1", "https://a.example/r4"), organization("Brand Health", extension=[portal])))
    assert names(directory) == {"https://a.example/r4": ("Brand Health",)}


def test_endpoints_that_are_no_fhir_servers_are_dropped() -> None:
    direct = {"connectionType": {"code": "direct-project"}}
    directory = read(
        bundle(
            endpoint("off", "https://a.example/r4", status="off"),
            endpoint("direct", "mail@a.example", **direct),
            endpoint("r5", "https://r5.example/r5", connectionType=[{"coding": [{"code": "hl7-fhir-rest"}]}]),
            endpoint("none", None),
        )
    )
    assert [dropped.word for dropped in directory.dropped] == ["status", "not_fhir", "empty"]
    assert list(names(directory)) == ["https://r5.example/r5"]
    assert [dropped.location for dropped in directory.dropped] == ["entry 1", "entry 2", "entry 4"]


def test_csv_with_a_head_in_any_order_and_gzip() -> None:
    text = 'organization,source,base_url\n"North, Inc.",Some_Vendor,https://a.example/r4\n,,\nX,V,/relative\n'
    directory = read(gzip.compress(text.encode()))
    (found,) = directory.organizations
    assert (found.bases[0].url, found.name, found.vendor, found.location) == (
        "https://a.example/r4",
        "North, Inc.",
        "Some Vendor",
        "line 2",
    )
    (dropped,) = directory.dropped
    assert (dropped.word, dropped.name) == ("relative", "X")
    assert directory.form == "csv"


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/r4,North\nhttps://b.example/r4,South\n",
        "North\thttps://a.example/r4\nSouth\thttps://b.example/r4\n",
        "URL;Name\nhttps://a.example/r4;North\nhttps://b.example/r4;South\n",
        "# two of them\n\nhttps://a.example/r4 North\nhttps://b.example/r4  # South\n",
        '["https://a.example/r4", {"url": "https://b.example/r4", "name": "South"}]',
        '{"resourceType":"Endpoint","address":"https://a.example/r4"}\n'
        '{"resourceType":"Endpoint","address":"https://b.example/r4","name":"South"}\n',
    ],
)
def test_simple_forms(text: str) -> None:
    directory = read(text.encode())
    assert list(names(directory)) == ["https://a.example/r4", "https://b.example/r4"]
    assert directory.organizations[1].name == "South"


def test_duplicates_are_merged_with_all_their_names() -> None:
    directory = read(
        b"url,name\nhttps://a.example/r4,North\nHTTPS://A.example/r4/,South\nhttps://a.example/r4/metadata,North\n"
    )
    (base,) = directory.bases
    assert names(directory) == {"https://a.example/r4": ("North", "South")}
    assert (base.listed, base.shared_by, directory.listed) == (3, 2, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  \n ",
        b"<html></html>",
        b"\x00\x01\x02",
        b"{",
        b"[" * 200_000,
        b'{"resourceType": "Patient"}garbage',
        b'{"a": 1}',
        gzip.compress(b"url\nhttps://a.example\n", mtime=0)[:-5],
        b"\x1f\x8bnot gzip",
    ],
)
def test_a_file_that_is_no_directory_is_refused_with_one_sentence(data: bytes) -> None:
    with pytest.raises(DirectoryError) as caught:
        read(data)
    assert len(str(caught.value)) < 300


def test_a_list_of_nothing_is_not_built() -> None:
    with pytest.raises(DirectoryError, match="more than 5,000,000 values"):
        read(b"[" + b"[]," * 3_000_000 + b"0]")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"https://a.example/r4\n" + b"\n" * 2_000_001, "more than 2,000,000 lines"),
        (b"https://a.example/r4\n" + "\u2028".encode() * 2_000_001, "more than 2,000,000 lines"),
        (b"url,name\nhttps://a.example/r4" + b"," * 5_000_001, "more than 5,000,000 cells"),
    ],
    ids=["lines", "separators", "cells"],
)
def test_lines_and_cells_are_counted_before_they_are_built(data: bytes, words: str) -> None:
    with pytest.raises(DirectoryError, match=words):
        read(data)


def test_a_gzip_bomb_is_refused_without_being_unpacked() -> None:
    bomb = gzip.compress(b"\n" * (200 * 1024 * 1024))
    assert len(bomb) < 1_000_000
    with pytest.raises(DirectoryError, match="larger than"):
        read(bomb)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        _nested := (
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(
                        ["resourceType", "entry", "resource", "address", "endpoint", "extension", "url", "name"]
                    ),
                    inner | st.sampled_from(["Bundle", "Endpoint", "Organization"]),
                    max_size=5,
                )
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        directory = read(json.dumps(value).encode())
    except DirectoryError:
        return
    assert directory.listed >= len(directory.bases) + len(directory.dropped) - 1


def test_hostile_names_are_one_bounded_line() -> None:
    name = "\x1b[31mRed\x1b[0m <b>bold</b>\n=CMD()" + "x" * 5000
    directory = read(bundle(endpoint("e", "https://a.example/r4", name=name)))
    shown = directory.organizations[0].name
    assert "\x1b" not in shown and "\n" not in shown
    assert len(shown) <= 200


@pytest.mark.parametrize(
    ("file", "form", "listed", "distinct"),
    [
        ("oracle-millennium-provider-r4.json", "bundle", 1451, 1451),
        ("oracle-soarian-patient-r4.json", "bundle", 7, 7),
        ("epic-r4.json", "bundle", 479, 449),
    ],
)
def test_recorded_bundles_are_read_whole(corpus: Path, file: str, form: str, listed: int, distinct: int) -> None:
    data = (corpus / "directories" / file).read_bytes()
    directory = read(data)
    assert (directory.form, directory.listed, len(directory.bases)) == (form, listed, distinct)
    assert not directory.dropped
    assert all(found.name for found in directory.organizations)
    assert not directory.unreached
    addresses = [
        e["resource"]["address"] for e in json.loads(data)["entry"] if e["resource"]["resourceType"] == "Endpoint"
    ]
    assert {address.rstrip("/").lower() for address in addresses} == {base.url.lower() for base in directory.bases}


def test_the_recorded_national_list_loses_nothing(corpus: Path) -> None:
    """Each of 67,038 rows is at a base or is dropped with a reason, and every name can be found."""
    data = (corpus / "directories" / "us-endpoints.csv.gz").read_bytes()
    rows = list(csv.DictReader(gzip.decompress(data).decode().splitlines()))
    directory = read(data)
    assert directory.listed == len(rows)
    assert sum(base.listed for base in directory.bases) + len(directory.dropped) == len(rows)
    assert {dropped.word for dropped in directory.dropped} == {"relative", "characters"}
    assert len(directory.dropped) == 22
    wanted = {row["base_url"].strip().rstrip("/").lower().replace(":443/", "/") for row in rows}
    urls = {base.url.lower() for base in directory.bases}
    missing = {url for url in wanted if url not in urls and url.startswith("https://")}
    assert all(any(mark in url for mark in ("\t", "\\", "?", " ", "//fhir")) for url in missing), missing
    listed = {_letters(row["organization"]) for row in rows}
    assert len(listed) > 38_000
    assert listed - {_letters(found.name) for found in directory.organizations} <= {
        _letters(line.name) for line in directory.dropped
    }


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())[:150]
