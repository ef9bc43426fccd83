"""The sample application in a thread of this process, sound or with one defect, and hospitals that rehearse it."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
import yaml

from interlock.documents.yaml import load_yaml, model_from_yaml
from interlock.model.contract import WorkflowContract
from interlock.model.product import BackendClient, Product, SessionLimits, VisitedEndpoint
from interlock.model.rehearsal import ProductObservation, RehearsalCheck
from interlock.rehearse import sample
from interlock.rehearse.hooks import Programs
from interlock.rehearse.hospitals import Hospitals
from interlock.rehearse.run import rehearse
from interlock.usecases.rehearsal_checks import catalogue

ENDPOINTS = [
    {"path": "/{org}/patient", "what": "page"},
    {"path": "/{org}/trend.svg", "query": {"patient": "{patient}"}, "what": "viewer"},
    {"path": "/{org}/filter", "query": {"q": ""}, "what": "filter"},
    {"path": "/{org}/export", "method": "POST", "what": "link"},
    {"path": "/{org}/events", "what": "events"},
    {"path": "/{org}/hook", "method": "POST", "what": "inbound", "carries_phi": False},
    {
        "path": "/{org}/notified",
        "method": "POST",
        "what": "inbound",
        "carries_phi": False,
        "secret_header": "X-Call-Secret",
    },
]


#: A session and a link that last for seconds, as the application is told and as product.yaml says.
SHORT: dict[str, Any] = {
    "environment": {"IDLE_SECONDS": "2", "SESSION_SECONDS": "4", "SIGN_IN_SECONDS": "2", "LINK_SECONDS": "1"},
    "session_limits": SessionLimits(idle_seconds=2, overall_seconds=4, sign_in_seconds=2),
    "endpoints": tuple(
        VisitedEndpoint.model_validate(entry | ({"link_seconds": 1} if entry["what"] == "link" else {}))
        for entry in ENDPOINTS
    ),
}


class InThisProcess:
    """A product that runs in a thread, and never ends by itself."""

    deaths = 0

    def alive(self) -> bool:
        return True

    def revive(self) -> bool:
        return False


#: The sample application's modules, each before those that import it.
MODULES = (
    "parts", "logs", "asking", "registering", "signing_in", "reading", "writing", "jobs", "calls", "browser_app", "app",
)  # fmt: skip


@cache
def sources() -> dict[str, str]:
    """The text of each module."""
    folder = Path(sample.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", "__main__", *MODULES}
    return {name: (folder / f"{name}.py").read_text("utf-8") for name in MODULES}


def mutated(changes: Sequence[tuple[str, str]]) -> types.ModuleType:
    """The application's last module, with some of the text of all of them replaced; each piece stands there once."""
    texts = dict(sources())
    for old, new in changes:
        holding = [name for name, text in texts.items() if old in text]
        times = sum(text.count(old) for text in texts.values())
        assert times == 1, f"{times} times in the sample application: {old}"
        texts[holding[0]] = texts[holding[0]].replace(old, new)
    for name, text in texts.items():
        sys.modules[f"mutant.{name}"] = module = types.ModuleType(f"mutant.{name}")
        exec(compile(text.replace(sample.__name__, "mutant"), f"sample/{name}.py", "exec"), module.__dict__)
    return module


def product_at(
    port: int, folder: str = "", *, shared: bool = False, orgs: int = 2, dynamic: bool = False, pages: str = ""
) -> Product:
    """What ``product.yaml`` says of the sample application on a port, with hooks where it has a folder.

    :param pages: where its pages are; below ``/browser`` it runs in the browser, and has no hooks.
    """
    own = f"http://127.0.0.1:{port}{pages}"
    kinds = ("confidential-asymmetric", "confidential-symmetric", "public")
    clients = [
        {
            "id": name,
            "client_id": f"sample-at-{name}",
            "redirect_uri": f"{own}/callback" if shared else f"{own}/{name}/callback",
            "client": "public" if pages else kind,
        }
        for name, kind in zip(("alder", "birch", "cedar"), kinds, strict=True)
    ]
    if dynamic:
        clients = [{name: value for name, value in client.items() if name != "client_id"} for client in clients]
    told = {
        "registration": "dynamic" if dynamic else "variables",
        "launch_url": f"{own}/launch",
        "standalone_url": f"{own}/{{org}}/start",
        "organizations": clients[:orgs],
        **({} if pages else {"sign_out": {"path": "/{org}/sign-out"}, "endpoints": ENDPOINTS}),
        "requests_per_launch": 12,
        **({} if pages else {"jwks_url": f"{own}/jwks.json"}),
    }
    if folder:
        told |= {
            "actions": {
                "write": {"path": "/{org}/notes", "form": {"text": "rehearsal"}},
                "withdraw": {"path": "/{org}/withdraw"},
                "job": {"path": "/{org}/job"},
                "switch_off": {"command": f"touch {folder}/{{org}}.off"},
                "switch_on": {"command": f"rm {folder}/{{org}}.off"},
            },
            "log": {"file": f"{folder}/sample.log"},
        }
    return Product.model_validate(told)


@contextlib.contextmanager
def on_stage(
    changes: Sequence[tuple[str, str]] = (),
    *,
    shared: bool = False,
    orgs: int = 2,
    broken: str = "",
    home: str | None = None,
    dynamic: bool = False,
    tls: bool = False,
    pages: str = "",
    environment: Mapping[str, str] | None = None,
    backends: Mapping[str, BackendClient] | None = None,
    **said: object,
) -> Iterator[Hospitals]:
    """Hospitals that stand, and the sample application, which knows them; ``said`` stands in product.yaml too."""
    # With the protocol named asyncio switches Nagle's algorithm off; each answer takes 40 ms more otherwise.
    with (
        TemporaryDirectory() as folder,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock,
    ):
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        product = product_at(port, "" if pages else folder, shared=shared, orgs=orgs, dynamic=dynamic, pages=pages)
        clients = tuple(client.but(backend=(backends or {}).get(client.id)) for client in product.organizations)
        product = product.but(organizations=clients, home=home, tls=tls, **said)
        with Hospitals(product, 0) as hospitals:
            # A machine that is busy with other tests answers late.
            patient = {"SAMPLE_PATIENCE": "6"}
            told = hospitals.environment(Path(folder) / "ca.pem") | patient | dict(environment or {})
            app = mutated(changes).create(told, broken, folder)
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
            thread.start()
            try:
                yield hospitals
            finally:
                server.should_exit = True
                thread.join(10)


def looked_at(hospitals: Hospitals, only: Collection[str] = (), **settings: object) -> ProductObservation:
    """A rehearsal of these checks, or of all."""
    given = {"endpoints": hospitals.product.endpoints, "contract": contract(), "programs": Programs(Path(), {})}
    return rehearse(hospitals, InThisProcess(), checks(), only=only, **(given | settings))  # type: ignore[arg-type]


@cache
def contract() -> WorkflowContract:
    """What the sample application reads, and what it says of what is missing."""
    return model_from_yaml(WorkflowContract, load_yaml(Path(__file__).parent / "contract.yaml"))


@cache
def checks() -> tuple[RehearsalCheck, ...]:
    return catalogue()


@dataclass(frozen=True)
class Mutant:
    """The sample application with one defect; ``breaks`` are the checks that must see it, by letter and number."""

    name: str
    breaks: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]
    shared: bool
    tls: bool
    pages: str
    in_chromium: bool
    short: bool


@cache
def mutants() -> tuple[Mutant, ...]:
    files = sorted((Path(__file__).parent / "mutants").glob("*.yaml"))
    read = [
        entry | {"in_chromium": file.stem == "browser"}
        for file in files
        for entry in yaml.safe_load(file.read_text("utf-8"))
    ]
    return tuple(
        Mutant(
            entry["name"],
            tuple(entry["breaks"]),
            tuple((change["old"], change["new"]) for change in entry["changes"]),
            entry.get("shared", False),
            entry.get("tls", False),
            entry.get("pages", ""),
            entry["in_chromium"],
            entry.get("short", False),
        )
        for entry in read
    )
