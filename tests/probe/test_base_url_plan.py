"""Pure planning: what base a person meant, what is asked for, and what may be followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.errors import InterlockError
from interlock.probe.transport.addresses import is_loopback_host, origin, same_base
from interlock.probe.transport.plan import (
    clean_base_url,
    follow,
    is_patient_data,
    metadata_url,
    openid_url,
    smart_root_url,
    smart_url,
)

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("given_text", "base"),
    [
        ("https://ehr.example/fhir", "https://ehr.example/fhir"),
        ("  https://ehr.example/fhir/  ", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir///", "https://ehr.example/fhir"),
        ("HTTPS://EHR.Example/Api/FHIR/R4", "https://ehr.example/Api/FHIR/R4"),
        ("https://ehr.example/fhir/metadata", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir/metadata/", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir/metadata?_format=json", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir//metadata", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir/metadata//metadata/", "https://ehr.example/fhir"),
        ("https://metadata/fhir", "https://metadata/fhir"),
        ("https://metadata", "https://metadata"),
        ("https://ehr.example/fhir#top", "https://ehr.example/fhir"),
        ("https://ehr.example/fhir/.well-known/smart-configuration", "https://ehr.example/fhir"),
        ("https://ehr.example:8443", "https://ehr.example:8443"),
        ("http://127.0.0.1:8000/a/fhir", "http://127.0.0.1:8000/a/fhir"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]:443/x"),
        ("https://ehr.example/a%20b", "https://ehr.example/a%20b"),
    ],
)
def test_what_a_person_meant(given_text: str, base: str) -> None:
    assert clean_base_url(given_text) == base
    assert clean_base_url(base) == base


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("ehr.example/fhir", "https://ehr.example/fhir"),
        ("//ehr.example/fhir", "write https:// and the host"),
        ('": "https://ehr.example/fhir', "https://ehr.example/fhir"),
        ("ehr.example/fhir/metadata#x", "https://ehr.example/fhir"),
        ("/api/fhir", "write https:// and the host"),
        ("", "write https:// and the host"),
        ("ftp://ehr.example", "https://"),
        ("https://", "copy"),
        ("https:///fhir", "copy"),
        ("https://ehr.example:99999/fhir", "copy"),
        ("https://ehr.example:port/fhir", "copy"),
        ("https://ehr example/fhir", "copy"),
        ("https://ehr.example\xa0#x", "copy"),
        ("https://ehr\u200b.example/fhir", "copy"),
        ("https://ehr.example/\n/fhir", "copy"),
        ("https://ehr.example/" + "a" * 3000, "copy"),
        ("https://user:secret@ehr.example/fhir", "take it out"),
        ("https://https://user:secret@ehr.example/fhir", "take it out"),
        ("https:https://user:secret@ehr.example/fhir", "take it out"),
        ("ftp://user:secret@ehr.example", "take it out"),
        ("user:secret@ehr.example/fhir", "take it out"),
        ("https://https://ehr.example/fhir", "leave the first one out"),
        ("https://[::1/fhir", "copy"),
    ],
)
def test_what_cannot_be_probed_says_what_to_write(text: str, remedy: str) -> None:
    with pytest.raises(InterlockError) as caught:
        clean_base_url(text)
    assert remedy in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=80) | st.text(max_size=60).map("https://{}".format))
def test_any_text_is_a_base_or_an_explained_error(text: str) -> None:
    try:
        base = clean_base_url(text)
    except InterlockError as error:
        assert error.remedy
        return
    assert base.startswith(("http://", "https://"))
    assert clean_base_url(base) == base


def test_addresses_of_the_documents() -> None:
    base = "https://ehr.example/tenant/fhir"
    assert metadata_url(base) == "https://ehr.example/tenant/fhir/metadata"
    assert smart_url(base) == "https://ehr.example/tenant/fhir/.well-known/smart-configuration"
    assert smart_root_url(base) == "https://ehr.example/.well-known/smart-configuration"
    assert smart_root_url("https://ehr.example") is None
    # OpenID Connect Discovery 4: one terminating slash is removed, the path stays in front.
    assert openid_url("https://idp.example/a/") == "https://idp.example/a/.well-known/openid-configuration"
    assert openid_url("https://idp.example/a") == "https://idp.example/a/.well-known/openid-configuration"
    odd = "https://idp.example/.well-known/openid-configuration"
    assert openid_url(odd) == odd


PUBLIC = "https://ehr.example/fhir"
LOCAL = "http://127.0.0.1:9000/fhir"


@pytest.mark.parametrize(
    ("advertised", "base", "allowed", "url"),
    [
        ("https://idp.other.example/keys", PUBLIC, (), "https://idp.other.example/keys"),
        ("keys", PUBLIC, (), "https://ehr.example/fhir/keys"),
        ("/keys", PUBLIC, (), "https://ehr.example/keys"),
        ("http://idp.other.example/keys", PUBLIC, (), None),
        ("http://ehr.example/keys", PUBLIC, (), None),
        ("https://10.0.0.7/keys", PUBLIC, (), None),
        ("https://10.0.0.7/keys", PUBLIC, ("https://10.0.0.7",), "https://10.0.0.7/keys"),
        ("https://[::ffff:10.0.0.7]/keys", PUBLIC, (), None),
        ("https://169.254.169.254/latest", PUBLIC, (), None),
        ("https://localhost/keys", PUBLIC, (), None),
        ("https://127.1.2.3/keys", PUBLIC, (), None),
        ("http://127.0.0.1:9000/keys", LOCAL, (LOCAL,), "http://127.0.0.1:9000/keys"),
        ("http://127.0.0.1:9001/keys", LOCAL, (LOCAL,), None),
        ("http://127.0.0.1:9001/keys", LOCAL, ("http://127.0.0.1:9001",), "http://127.0.0.1:9001/keys"),
        ("https://127.0.0.1:9000/keys", LOCAL, (LOCAL,), None),
        ("http://127.0.0.1:9000/keys", LOCAL, (), None),
        ("https://169.254.169.254/keys", PUBLIC, ("https://169.254.169.254",), None),
        ("http://idp.other.example/keys", LOCAL, (LOCAL,), None),
        ("https://idp.other.example/keys", LOCAL, (LOCAL,), "https://idp.other.example/keys"),
        ("https://user:pw@idp.example/keys", PUBLIC, (), None),
        ("ftp://idp.example/keys", PUBLIC, (), None),
        ("javascript:alert(1)", PUBLIC, (), None),
        ("https://[", PUBLIC, (), None),
        ("https://idp.example/" + "x" * 3000, PUBLIC, (), None),
        ("https://ehr.example/fhir/Patient?name=a", PUBLIC, (), None),
    ],
)
def test_which_advertised_addresses_are_followed(
    advertised: str, base: str, allowed: tuple[str, ...], url: str | None
) -> None:
    decision = follow(advertised, base, frozenset(where for url in allowed if (where := origin(url)) is not None))
    assert decision.url == url
    assert bool(decision.reason) == (url is None)
    assert "pw" not in decision.reason


@pytest.mark.parametrize(
    ("url", "yes"),
    [
        ("https://e.example/fhir/Patient?name=a", True),
        ("https://e.example/fhir/Observation/17", True),
        ("https://e.example/fhir/Encounter/_search", True),
        ("https://e.example/Patient/metadata", False),
        ("https://e.example/login?next=/fhir/Patient", False),
        ("https://e.example/Account/Login", False),
        ("https://e.example", False),
    ],
)
def test_addresses_of_patient_data(url: str, yes: bool) -> None:
    assert is_patient_data(url) is yes


@pytest.mark.parametrize(
    ("base", "other_base", "same"),
    [
        ("https://a.example/fhir", "http://a.example/fhir/", True),
        ("https://A.example/fhir", "https://a.example/fhir", True),
        ("https://a.example:443/fhir", "https://a.example/fhir", True),
        ("https://a.example:8443/fhir", "https://a.example/fhir", False),
        ("https://a.example/FHIR", "https://a.example/fhir", False),
        ("https://a.example/one/fhir", "https://a.example/two/fhir", False),
        ("https://a.example/fhir?x=1", "https://a.example/fhir", True),
        ("nonsense", "https://a.example/fhir", False),
    ],
)
def test_the_same_base(base: str, other_base: str, same: bool) -> None:
    assert same_base(base, other_base) is same


def test_loopback_by_name() -> None:
    assert is_loopback_host("localhost") and is_loopback_host("a.localhost.") and is_loopback_host("[::1]")
    assert not is_loopback_host("localhost.example")
