"""What the client refuses while somebody signs in. No server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from conftest import lock_of
from fhir_client import Authorization, NotSetUp, Organization, SignInRefused

BEGUN = Authorization(
    url="",
    redirect_uri="https://app.invalid/callback",
    token_endpoint="https://offline.invalid/token",  # noqa: S106  # an address
    issuer="https://offline.invalid",
    issuer_is_told=True,
    state="the state of this sign-in",
    verifier="v" * 43,
)


@pytest.fixture
def offline(pytestconfig: pytest.Config) -> Iterator[Organization]:
    """The organisation at an address where nobody answers."""
    organization = Organization.named(lock_of(pytestconfig)["id"], "https://offline.invalid")
    with organization.http:
        yield organization


def test_launch_of_another_server_is_refused(offline: Organization) -> None:
    """An EHR launch whose iss is not this organisation's base is not answered."""
    with pytest.raises(SignInRefused):
        offline.authorize("ehr", "https://app.invalid/callback", "https://elsewhere.invalid/fhir", "a-launch")


def test_nothing_secret_is_sent_in_the_clear(offline: Organization) -> None:
    """An address without TLS that is not on this computer is never asked."""
    with pytest.raises(NotSetUp):
        Organization.named(offline.id, "http://ehr.invalid/fhir")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"code": "c", "state": "another", "iss": "https://offline.invalid"}, id="state"),
        pytest.param({"code": "c", "state": BEGUN.state, "iss": "https://elsewhere.invalid"}, id="issuer"),
        pytest.param({"code": "c", "state": BEGUN.state}, id="no-issuer"),
        pytest.param({"error": "access_denied", "state": BEGUN.state, "iss": BEGUN.issuer}, id="refused"),
    ],
)
def test_answer_of_another_sign_in_is_refused(offline: Organization, answer: dict[str, str]) -> None:
    """An answer with another state or issuer is sent nowhere (RFC 6749 section 10.12; RFC 9207)."""
    with pytest.raises(SignInRefused):
        offline.redeem(BEGUN, f"{BEGUN.redirect_uri}?{urlencode(answer)}")
