"""Products that answer with anything but a product: what is said of each, and what could still be judged."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from staging import InThisProcess, checks, looked_at, on_stage, product_at
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from interlock.cli.commands.rehearse import _show
from interlock.cli.main import run
from interlock.model.base import CheckOutcome
from interlock.model.errors import InterlockError, NothingObservedError
from interlock.model.product import StartCommand
from interlock.model.rehearsal import ProductObservation, RehearsalOutcome
from interlock.rehearse import http_browser
from interlock.rehearse.browser import Budget
from interlock.rehearse.hospitals import Hospitals
from interlock.rehearse.http_browser import HttpBrowser
from interlock.rehearse.program import Started
from interlock.rehearse.run import rehearse
from interlock.usecases.rehearsal_checks import chosen_checks
from interlock.usecases.rehearsal_outcome import as_checks, require_held, summary, to_junit, to_sarif
from interlock.usecases.rehearse import Permission, rehearse_product
from interlock.usecases.trust import command_grants, trust_report
from interlock.workspace.history import latest_rehearsal, save_rehearsal
from interlock.workspace.store import Workspace
from interlock.workspace.trust import Trust

Answer = Callable[[Request], Response]


async def endless() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b"x" * 1_000_000


def loop(request: Request) -> Response:
    return RedirectResponse(request.url.include_query_params(again=len(str(request.url))))


ANSWERS: dict[str, tuple[Answer, str]] = {
    "500 to everything": (lambda _: Response("oh", 500), "a page of status 500"),
    "elsewhere": (lambda _: RedirectResponse("https://example.org/x"), "a redirect to https://example.org/x"),
    "javascript": (lambda _: Response("", 302, {"Location": "javascript:alert(1)"}), "a redirect to javascript:"),
    "loop": (loop, "redirects without end"),
    "100 MB": (lambda _: StreamingResponse(endless()), "an answer without end"),
    "a page that refreshes to nowhere": (
        lambda _: Response('<meta http-equiv="refresh" content="0; url=//[">', media_type="text/html"),
        "a redirect to http://%5b",
    ),
}  # fmt: skip


@contextlib.contextmanager
def answering() -> Iterator[tuple[int, dict[str, Answer]]]:
    """A server that gives whatever answer is set."""
    current: dict[str, Answer] = {}
    app = Starlette(routes=[Route("/{path:path}", lambda request: current["now"](request))])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        try:
            yield sock.getsockname()[1], current
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)


def test_whatever_a_product_answers_is_told_and_nothing_more_is_tried() -> None:
    with answering() as (port, current), Hospitals(product_at(port), 0) as hospitals:
        for name, (answer, words) in ANSWERS.items():
            current["now"] = answer
            seen = rehearse(hospitals, InThisProcess(), checks())
            assert not seen.polite
            assert {result.id for result in seen.broken} == {"RH-L01"}, name
            assert words in seen.broken[0].seen, name
            assert RehearsalOutcome.HELD not in seen.outcomes.values(), name
            with pytest.raises(NothingObservedError, match="a polite launch did not show its patient"):
                require_held(seen)


def test_a_page_that_a_script_carries_on_is_no_break() -> None:
    """As a browser application has it: where it would launch, and where it would take the answer."""
    page = '<!doctype html><div id="app"></div><script type="module" src="/app.js"></script>'
    with answering() as (port, current), Hospitals(product_at(port), 0) as hospitals:
        current["now"] = lambda _: Response(page, media_type="text/html")
        seen = rehearse(hospitals, InThisProcess(), checks())
        assert not seen.broken and RehearsalOutcome.HELD not in seen.outcomes.values(), seen.results
        (first, _) = (result for result in seen.results if result.id == "RH-L01")
        assert "stopped at /launch, a page that a script makes or carries on" in first.seen
        with pytest.raises(NothingObservedError, match="a polite launch did not show its patient"):
            require_held(seen)


def test_a_target_is_asked_at_the_address_that_it_had_and_keeps_its_name() -> None:
    def answer(request: Request) -> Response:
        told = Response(f"{request.headers['host']} {request.cookies.get('kept')}")
        told.set_cookie("kept", "yes", httponly=True)
        return told

    with answering() as (port, current):
        current["now"] = answer
        target = f"http://product.test:{port}"
        visitor = HttpBrowser(Budget(5, 1e12), target, "127.0.0.1")
        first, second = visitor.open(f"{target}/one"), visitor.open(f"{target}/two")
        elsewhere = visitor.open(f"http://other.test:{port}/")
        visitor.close()
    assert (first.text, second.text) == (f"product.test:{port} None", f"product.test:{port} yes")
    assert elsewhere.stopped == "elsewhere" and not elsewhere.way


def test_what_a_browser_with_scripts_may_see_otherwise_is_noted() -> None:
    pages = {
        "/plain": ("<p lang=on>src = on the left</p><a href=/x>on</a>", "text/html"),
        "/data": ('{"text": "<script>"}', "application/json"),
        "/script": ("<p>one</p><SCRIPT src=/a.js></SCRIPT>", "text/html"),
        "/frame": ("<iframe srcdoc=x></iframe>", "text/html"),
        "/picture": ("<p><img alt=b src=/trend.svg></p>", "text/html"),
        "/handler": ("<button\nonclick = 'go()'>", "text/html"),
    }
    with answering() as (port, current):
        current["now"] = lambda request: Response(pages[request.url.path][0], media_type=pages[request.url.path][1])
        visitor = HttpBrowser(Budget(20, 1e12))
        for path in pages:
            visitor.open(f"http://127.0.0.1:{port}{path}")
        visitor.close()
    unlike = [address.removeprefix(f"http://127.0.0.1:{port}") for address in visitor.unlike]
    assert unlike == ["/script", "/frame", "/picture", "/handler"]


def test_a_product_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_browser, "PAGE_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        Hospitals(product_at(silent.getsockname()[1]), 0) as hospitals,
    ):
        seen = rehearse(hospitals, InThisProcess(), checks(), only={"RH-L01"})
    assert "no answer in time" in seen.results[0].seen


def test_a_rehearsal_stops_at_its_bounds_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.rehearse.run.MAX_REQUESTS", 30)
    with on_stage() as hospitals:
        seen = looked_at(hospitals, {"RH-L01", "RH-A07", "RH-C01"})
    assert seen.stopped is not None and "30 requests" in seen.stopped
    assert seen.outcomes["RH-L01"] is RehearsalOutcome.HELD
    assert seen.outcomes["RH-C01"] is RehearsalOutcome.NOT_REACHED


def test_with_one_hospital_what_needs_two_does_not_apply_and_without_endpoints_nothing_is_visited() -> None:
    with on_stage(orgs=1) as hospitals:
        bare = hospitals.product.but(sign_out=None, endpoints=(), standalone_url=None)
        hospitals.product = bare
        seen = looked_at(hospitals, {f"RH-{number}" for number in ["C06", "S01", "L02", "S07", "E01", "E02", "L06"]})
        outcomes = {check: outcome.value for check, outcome in seen.outcomes.items()}
        assert outcomes == {
            "RH-C06": "not_applicable", "RH-S01": "not_applicable", "RH-L02": "not_applicable", "RH-S07": "needs_hook",
            "RH-E01": "not_applicable", "RH-E02": "not_applicable", "RH-L06": "held",
        }  # fmt: skip
        assert summary(seen) == "1 of 7 checks held; 1 needs you; 5 do not apply"
        require_held(seen)
        with pytest.raises(InterlockError, match=r"the simulated hospitals cannot stand: port .* is already used"):
            Hospitals(bare, hospitals.server.port).__enter__()


def test_what_broke_is_told_worst_first_with_its_source_and_what_would_open_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_error = ('if resource.get("status") in ("entered-in-error", "cancelled"):', "if False:")
    with on_stage((("; frame-ancestors 'none'", ""), in_error), broken="viewer") as hospitals:
        hospitals.product = hospitals.product.but(sign_out=None)
        seen = looked_at(hospitals, {"RH-L19", "RH-E01", "RH-S07", "RH-E04", "RH-F14"})
    _show(seen, {"END-002": "1 to 8 person-days"})
    told = capsys.readouterr()
    out = " ".join(told.out.split())
    assert out.index("✗ RH-E01") < out.index("✗ RH-L19")
    for words in (
        "What your app did: (/{org}/trend.svg) without a session it shows a record of alder p1 (recorded as request",
        "What is right: Refused (401, 403, 404) or sent to sign in; no marker text of a record",
        "Source: OWASP ASVS",
        "END-002 (1 to 8 person-days); to read one: interlock gaps --explain END-002",
        "is shown like any other (recorded as requests ",
        "A judgement of Interlock: no public source asks for it in these words.",
        "A is alder and B is birch of product.yaml; X is a server",
    ):
        assert words in out, out
    assert "2 checks need you to name more in product.yaml: sign_out opens 2." in told.err
    assert "Each simulated hospital had" in told.err or "ports of one address" in told.err


def broken_observation() -> ProductObservation:
    with on_stage(broken="viewer") as hospitals:
        return looked_at(hospitals, {"RH-E01", "RH-L06", "RH-T05"}, repeat=2)


def test_what_broke_is_kept_counted_and_told_to_build_servers(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w", {"interlock.yaml": SETTINGS})
    seen = broken_observation()
    file = save_rehearsal(workspace, seen)
    assert file.parent == workspace.root / "observations" / "product"
    assert latest_rehearsal(workspace) == seen
    assert [(row.id, row.subject, row.about) for row in seen.broken] == [("RH-E01", "/{org}/trend.svg", "viewer")]
    outcomes = {check.id: check.outcome for check in as_checks(seen).checks}
    assert outcomes == {"RH-E01": CheckOutcome.FAIL, "RH-L06": CheckOutcome.PASS, "RH-T05": CheckOutcome.PASS}
    assert '<failure message="/{org}/trend.svg: without a session' in to_junit(seen)
    assert '"uri": "product.yaml"' in to_sarif(seen)


SETTINGS = b"name: A\nproduct: A product\n"
PRODUCT = """
launch_url: {launch}
organizations:
  - {{id: alder, client_id: x, redirect_uri: "http://127.0.0.1:9/callback"}}
{more}
"""


@pytest.mark.parametrize(
    ("launch", "more", "words", "code"),
    [
        ("http://127.0.0.1:9/launch", "", "nobody answers at http://127.0.0.1:9/launch", 3),
        ("https://app.example.org/launch", "", "is not on this machine", 2),
        ("http://127.0.0.1:9@example.org/launch", "", "is not on this machine", 2),
        (
            "http://127.0.0.1:9/launch",
            'start: {command: "rm -rf x"}',
            "what you have not allowed: rm -rf x",
            2,
        ),
        ("http://127.0.0.1:9/launch", "home: /x/{user}", "{user} is not filled in", 2),
        ("http://127.0.0.1:9/launch", "launch: x", "unknown key 'launch'", 2),
    ],
)
def test_what_is_wrong_with_a_product_file_is_told_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], launch: str, more: str, words: str, code: int
) -> None:
    text = PRODUCT.format(launch=launch, more=more)
    Workspace.create(tmp_path / "w", {"interlock.yaml": SETTINGS, "product.yaml": text.encode()})
    assert run(["rehearse", "-w", str(tmp_path / "w")]) == code
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_start_command_runs_once_it_was_allowed(tmp_path: Path) -> None:
    text = PRODUCT.format(launch="http://127.0.0.1:9/launch", more="start: {command: no-such-program}\nport: 18499")
    workspace = Workspace.create(tmp_path / "w", {"interlock.yaml": SETTINGS, "product.yaml": text.encode()})
    assert [entry.grant.command for entry in trust_report(workspace).asked] == ["no-such-program"]
    with pytest.raises(InterlockError, match="what you have not allowed"):
        rehearse_product(workspace)
    Trust(workspace.root).allow(command_grants(workspace))
    with pytest.raises(InterlockError, match="could not be started"):
        rehearse_product(workspace)


def test_one_that_is_told_to_stop_ends_before_its_next_request_and_is_not_kept(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        text = PRODUCT.format(launch=f"http://127.0.0.1:{sock.getsockname()[1]}/launch", more="")
        workspace = Workspace.create(tmp_path / "w", {"interlock.yaml": SETTINGS, "product.yaml": text.encode()})
        seen = rehearse_product(workspace, any_port=True, stop=lambda: True)
    assert seen.stopped == "the rehearsal ended early: it was told to stop" and seen.sent == 0
    assert {*seen.outcomes.values()} == {RehearsalOutcome.NOT_REACHED}
    assert latest_rehearsal(workspace) is None


def test_a_target_is_ones_own_and_no_organisations(tmp_path: Path) -> None:
    org = b"id: mercy\nname: Mercy\nfhir_base_url: https://fhir.mercy.example/r4\n"
    text = PRODUCT.format(launch="https://app.fhir.mercy.example/launch", more="").encode()
    files = {"interlock.yaml": SETTINGS, "product.yaml": text, "orgs/mercy.yaml": org}
    workspace = Workspace.create(tmp_path / "w", files)
    for target, own, words in (
        ("https://app.fhir.mercy.example", True, "is Mercy's, an organisation of this workspace"),
        ("https://staging.example.org", False, "sends it answers that are not what they should be"),
        ("https://staging.example.org/path", True, "is no origin"),
        ("https://nowhere.invalid", True, "has no address"),
    ):
        with pytest.raises(InterlockError, match=words):
            rehearse_product(workspace, permission=Permission(target, own))


def test_checks_are_chosen_by_id_and_by_family() -> None:
    assert chosen_checks(["c06"]) == {"RH-C06"}
    assert chosen_checks(["sessions"]) == chosen_checks(["S"]) > {"RH-S01"}
    assert chosen_checks(["L06,C01", " rh-s09 , ,T", ""]) == {"RH-L06", "RH-C01", "RH-S09"} | chosen_checks(["t"])
    with pytest.raises(InterlockError, match=r"^there is no rehearsal check 'L06;C01' or 'C99' \("):
        chosen_checks(["C01", "L06;C01", "C99"])


SCRIPT = """
import http.server, os, sys
class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if "die" in self.path:
            os._exit(3)
        self.send_response(204); self.end_headers()
    def log_message(self, *_): pass
print("ready", os.environ["SIM_X"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Server).serve_forever()
"""


def test_a_product_that_dies_is_started_again_and_counted(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SCRIPT)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    url = f"http://127.0.0.1:{port}/launch"
    start = StartCommand(command=f"{{python}} app.py {port}")
    with Started(start, url, tmp_path, {"SIM_X": "told"}) as product:
        assert product.alive() and not product.revive()
        seen = HttpBrowser(Budget(5, 1e12)).open(f"http://127.0.0.1:{port}/die")
        assert seen.stopped == "no_answer"
        assert product._process is not None
        product._process.wait(5)
        assert product.revive() and product.alive() and product.deaths == 1
        with pytest.raises(InterlockError, match="something answers at"):
            Started(start, url, tmp_path, {}).__enter__()
    assert not product.alive()
    assert "ready told" in (tmp_path / "reports" / "rehearsal.log").read_text()
    with pytest.raises(NothingObservedError, match=r"the product ended while it started: .*SIM_X"):
        Started(start, url, tmp_path, {}).__enter__()
    with pytest.raises(InterlockError, match="could not be started"):
        Started(StartCommand(command="no-such-program"), url, tmp_path, {}).__enter__()


def test_a_proxy_that_answers_before_the_product_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "http://127.0.0.1:9/app/launch"
    start = StartCommand(command="{python} -c 'import time; time.sleep(60)'", ready=url, seconds=0.3)
    answers = iter([404, 503, 302, *[404] * 100])
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(next(answers)))
    with Started(start, url, tmp_path, {}) as product:
        assert product.alive() and next(answers) == 404, "it is up with the third answer"
    told = f"not ready after 0.3 s: the last answer at {url} was a page of status 404"
    with pytest.raises(NothingObservedError, match=told), Started(start, url, tmp_path, {}):
        pass
    with Started(start.but(ready=None), url, tmp_path, {}) as product:
        assert product.alive(), "where nothing is named any answer will do"


def test_a_rehearsal_can_be_ended_while_the_product_starts(tmp_path: Path) -> None:
    slow = StartCommand(command="{python} -c 'import time; time.sleep(60)'")
    product = Started(slow, "http://127.0.0.1:9/launch", tmp_path, {}, stop=lambda: True)
    with pytest.raises(NothingObservedError, match="ended while the product started"), product:
        pass
    assert not product.alive()
