"""Hospitals that stand at an address or a port of their own."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from interlock.model.errors import InterlockError
from interlock.sandbox import sockets
from interlock.sandbox.server import Apart, SandboxServer
from sandbox_app import app_at

pytestmark = pytest.mark.fast
LISTENING = ("lakeshore", "pinecrest", "riverside", "summerfield")


def apart(how: Apart) -> SandboxServer:
    if how == "addresses":
        try:
            sockets.listening(0, "127.0.0.2").close()
        except InterlockError:
            pytest.skip("this computer has 127.0.0.1 alone")
    return SandboxServer(apart=how)


@pytest.mark.parametrize("how", ["addresses", "ports"])
def test_each_hospital_answers_at_its_own_place_alone(http: httpx.Client, how: Apart) -> None:
    with apart(how) as server:
        bases = {name: server.base_url(name) for name in LISTENING}
        places = {name: urlsplit(base) for name, base in bases.items()}
        assert len({place.hostname if how == "addresses" else place.port for place in places.values()}) == len(bases)
        for name, base in bases.items():
            assert f"{places[name].scheme}://{places[name].netloc}" in server.origins
            statement = http.get(f"{base}/metadata")
            assert statement.status_code == 200
            assert http.get(f"{server.base_url(name, 'bom')}/metadata").content.startswith(b"\xef\xbb\xbf")
            for other in LISTENING:
                url = f"http://{places[name].netloc}/{other}/fhir/metadata"
                assert http.get(url).status_code == (200 if other == name else 404)
        assert "127.0.0.1" in server.base_url("harborview"), "nobody listens there"


def test_an_application_signs_in_at_an_address_of_its_own(http: httpx.Client) -> None:
    with apart("addresses") as server:
        app = app_at(server, http)
        assert urlsplit(app.token_endpoint).hostname == urlsplit(app.base).hostname != "127.0.0.1"
        answer = app.sign_in()
        assert app.read(answer["access_token"], f"Patient/{answer['patient']}").status_code == 200


def test_an_address_that_this_computer_does_not_have_is_said() -> None:
    with pytest.raises(InterlockError, match=r"no address 203\.0\.113\.1"):
        sockets.listening(0, "203.0.113.1")
