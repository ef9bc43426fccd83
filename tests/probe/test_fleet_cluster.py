"""Fleets on Dask: nothing is lost or counted twice when a worker dies, and nobody comes in without a certificate."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest
import trustme
from probe_documents import smart, statement
from probe_loopback import Loopback, as_json

from interlock.cli.main import run
from interlock.model.errors import InterlockError
from interlock.model.observation import Target
from interlock.probe import cluster, cluster_worker
from interlock.probe.cluster import Scheduler, chains_of, run_on_cluster
from interlock.probe.cluster_worker import own_variables, with_own_credentials, without_credentials
from interlock.probe.transport.settings import ClientCertificate
from interlock.usecases.fleet import probe_fleet
from interlock.usecases.probe import ProbeSettings
from typed_targets import typed

SETTINGS = ProbeSettings(per_host=16, deadline_s=5)


@pytest.fixture
def served(loopback: Loopback) -> Loopback:
    """Answers any base below its origin."""

    class Anywhere(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            if path.endswith("/metadata"):
                return as_json(statement(publisher=path))
            return as_json(smart()) if path.endswith("/smart-configuration") else default

    loopback.routes = Anywhere()
    return loopback


def targets(loopback: Loopback, count: int) -> list[Target]:
    return [Target(base_url=f"http://127.0.0.1:{loopback.port}/{number}/fhir") for number in range(count)]


def allowing(loopback: Loopback) -> ProbeSettings:
    return typed(SETTINGS, f"http://127.0.0.1:{loopback.port}")


class Place:
    """A scheduler and one worker with a label, in a thread of this process, behind certificates of one authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        _issue(authority, folder, "ours")
        _issue(trustme.CA(), folder, "stranger")
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(30)

    def scheduler(self, who: str = "ours") -> Scheduler:
        return Scheduler(
            self.address, self.folder / "ca.pem", self.folder / f"{who}.pem", self.folder / f"{who}-key.pem"
        )

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        files = {
            f"tls_{role}_{part}": str(self.folder / name)
            for role in ("client", "scheduler", "worker")
            for part, name in (("cert", "ours.pem"), ("key", "ours-key.pem"))
        }
        security = distributed.Security(require_encryption=True, tls_ca_file=str(self.folder / "ca.pem"), **files)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with (
            distributed.Scheduler(
                host="127.0.0.1", port=0, protocol="tls://", security=security, dashboard_address="127.0.0.1:0"
            ) as scheduler,
            distributed.Worker(scheduler.address, security=security, nthreads=4, resources={"vantage-clinic": 1}),
        ):
            self.address = scheduler.address
            self._ready.set()
            await self._stop.wait()


def _issue(authority: trustme.CA, folder: Path, name: str) -> None:
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(str(folder / f"{name}-key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place"))
    yield made
    made.close()


def test_a_host_is_in_one_chain() -> None:
    wanted = [Target(base_url=f"https://h{number % 7}.example/{number}") for number in range(70)]
    wanted += [Target(base_url=f"https://large.example/{number}") for number in range(60)]
    chains = [[target for batch in chain for target in batch] for chain in chains_of(wanted)]
    assert sorted(t.base_url for chain in chains for t in chain) == sorted(t.base_url for t in wanted)
    hosts = [host for chain in chains for host in {target.base_url.split("/")[2] for target in chain}]
    assert len(hosts) == len(set(hosts)) == 8
    assert max(len(batch) for chain in chains_of(wanted) for batch in chain) <= 16
    many = [Target(base_url=f"https://h{number // 3}.example/{number}") for number in range(3_200)]
    assert {len(batch) for chain in list(chains_of(many))[:-1] for batch in chain} <= {63, 64}


def test_a_target_is_sent_to_workers_of_the_label_and_says_so(served: Loopback, place: Place) -> None:
    lines: list[bytes] = []
    wanted, there = targets(served, 20), replace(allowing(served), vantage="clinic")
    ended = probe_fleet(wanted, there, on_line=lines.append, workers=place.scheduler())
    assert ended.outcomes == {"observed": 20}
    seen = [json.loads(line) for line in lines]
    assert sorted(line["target"]["base_url"] for line in seen) == sorted(target.base_url for target in wanted)
    assert {line["vantage"] for line in seen} == {"clinic"}


@pytest.mark.parametrize(
    ("vantage", "who", "version", "said"),
    [
        ("moon", "ours", None, "there is no worker at moon"),
        (None, "stranger", None, "is not reached"),
        (None, "ours", "0.0.1", r"has Interlock 0\.0\.1, and .* is needed"),
    ],
)
def test_what_cannot_work_is_told_before_anybody_is_asked(
    vantage: str | None,
    who: str,
    version: str | None,
    said: str,
    served: Loopback,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE_S", 0.5 if vantage else 10)
    if version:
        monkeypatch.setattr(cluster_worker, "__version__", version)
    with pytest.raises(InterlockError, match=said):
        probe_fleet(targets(served, 1), replace(allowing(served), vantage=vantage), workers=place.scheduler(who))
    assert not served.requests


def test_a_scheduler_that_dies_ends_the_run_in_words(
    served: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_LOOK_EVERY_S", 0.2)
    mortal = Place(tmp_path)
    lines: list[bytes] = []

    def first(line: bytes) -> None:
        if not lines:
            mortal.close()
        lines.append(line)

    wanted = [*targets(served, 40), *(Target(base_url=f"http://127.0.0.1:{served.port}/more/{n}") for n in range(40))]
    logging.getLogger("distributed.client").setLevel(logging.WARNING)  # as Dask sets it when it is imported
    with pytest.raises(InterlockError, match="the scheduler is gone"):
        probe_fleet(wanted, allowing(served), on_line=first, workers=mortal.scheduler())
    got = [json.loads(line)["target"]["base_url"] for line in lines]
    assert 0 < len(got) == len(set(got)) < len(wanted)
    assert not logging.getLogger("distributed.client").isEnabledFor(logging.ERROR), "no traceback beside the words"


def test_a_worker_without_the_package_is_told_what_to_install(
    served: Loopback, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version_here() -> str:
        raise ModuleNotFoundError("No module named 'interlock'", name="interlock")

    monkeypatch.setattr(cluster_worker, "version_here", version_here)
    with pytest.raises(InterlockError, match=r"has no package interlock, and .* is needed") as caught:
        probe_fleet(targets(served, 1), allowing(served), workers=place.scheduler())
    assert "on the worker: pip install 'interlock[fleet]==" in str(caught.value.remedy)
    assert not served.requests


def test_credentials_never_travel(
    served: Loopback, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "canary-3f9a"
    own = ClientCertificate(tmp_path / f"{canary}.pem", None, canary)
    settings = ProbeSettings(
        client_certificate=own,
        proxy=f"http://u:{canary}@proxy.example:1",
        private_origins=allowing(served).private_origins,
    )
    sent: list[Any] = []
    real = distributed.Client.submit, distributed.Client.register_plugin

    def submit(self: Any, *arguments: Any, **named: Any) -> Any:
        sent.append((arguments[1:], named))
        return real[0](self, *arguments, **named)

    def register(self: Any, plugin: Any, *arguments: Any) -> Any:
        sent.append(dict(vars(plugin)))
        return real[1](self, plugin, *arguments)

    monkeypatch.setattr(distributed.Client, "submit", submit)
    monkeypatch.setattr(distributed.Client, "register_plugin", register)
    assert probe_fleet(targets(served, 3), settings, workers=place.scheduler()).done == 3
    assert len(sent) >= 2
    assert canary.encode() not in pickle.dumps(sent)
    # A worker on this machine finds its own in its environment, and the password is not handed over at all.
    variables = own_variables(settings)
    assert canary not in variables.get("INTERLOCK_CLIENT_KEY_PASSWORD", "")
    there = with_own_credentials(without_credentials(settings), variables | {"INTERLOCK_CLIENT_KEY_PASSWORD": canary})
    assert (there.client_certificate, there.proxy) == (own, settings.proxy)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scheduler", "tls://127.0.0.1:1"], "only when both sides show a certificate"),
        (["--scheduler", "tcp://127.0.0.1:1", "--tls-ca", "F", "--tls-cert", "F", "--tls-key", "F"], "not as tcp://"),
        (["--scheduler", "tls://127.0.0.1:1", "--tls-ca", "F", "--tls-cert", "F", "--tls-key", "none"], "no such file"),
        (["--tls-ca", "F"], "about a scheduler"),
        (["--scheduler", "tls://127.0.0.1:1", "--workers", "2"], "use one of the two"),
    ],
)
def test_a_scheduler_without_certificates_is_refused(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("F").write_text("https://ehr.example/fhir\n")
    assert run(["fleet", "F", *options]) == 2
    assert said in " ".join("".join(capsys.readouterr()).split())


def test_without_the_extra_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InterlockError) as caught:
        run_on_cluster([], SETTINGS, lambda *_: None, lambda: None, workers=2)
    assert "interlock[fleet]" in str(caught.value.remedy)


def workers_here() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@pytest.mark.parametrize(
    "moment",
    ["middle", pytest.param("start", marks=pytest.mark.long), pytest.param("end", marks=pytest.mark.long)],
)
def test_a_killed_worker_loses_and_doubles_nothing(moment: str, served: Loopback, tmp_path: Path) -> None:
    wanted, out = targets(served, 60), tmp_path / "out.ndjson"
    settings, killed = allowing(served), list[int]()

    def kill(after: int) -> Callable[[Any], None]:
        def on_progress(progress: Any) -> None:
            if progress.fresh >= after and not killed:
                victim = workers_here()[0]
                killed.append(victim.pid)
                os.kill(victim.pid, signal.SIGKILL)

        return on_progress

    def at_start() -> None:
        while not workers_here():
            time.sleep(0.01)
        kill(0)(type("", (), {"fresh": 0}))

    if moment == "start":
        threading.Thread(target=at_start, daemon=True).start()
    on_progress = {"start": None, "middle": kill(1), "end": kill(59)}[moment]
    try:
        probe_fleet(wanted, settings, out=out, on_progress=on_progress, workers=2)
    except InterlockError as error:  # it may not even come to work; then it says so
        assert moment == "start", error
        probe_fleet(wanted, settings, out=out, resume=True)
    assert killed
    got = [json.loads(line)["target"]["base_url"] for line in out.read_bytes().splitlines()]
    assert sorted(got) == sorted(target.base_url for target in wanted)
    assert not workers_here()
