"""Applications in the libraries that SMART applications are built with: rehearsed ten times, with the same outcomes.

Each is a small one of ours, in ``apps/``. What is expected to break in it is its own doing and said there; of what a
library does by itself only what held is looked at.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from staging import checks

from chromium import find_browser
from interlock.model.product import Product, StartCommand
from interlock.model.rehearsal import ProductObservation
from interlock.rehearse.chromium import Chromium
from interlock.rehearse.hospitals import Hospitals
from interlock.rehearse.program import Started
from interlock.rehearse.run import BUILT, rehearse
from packages import node_modules, python_with

pytestmark = [pytest.mark.long, pytest.mark.wheel]

APPS = Path(__file__).parent / "apps"
TIMES = 10


@dataclass(frozen=True)
class App:
    """One application.

    :ivar command: how it is started; ``{python}`` is the one that has its packages, ``{apps}`` our folder.
    :ivar product: keys of its ``product.yaml``; ``{own}`` is its origin.
    :ivar python: its packages of PyPI; ``node`` those of npm, whose programs are on the path.
    :ivar ready: a page that is there once it is up, where something else answers before it.
    :ivar broken: exactly the checks that break by its own doing, where no library signs in for it; none is unknown.
    :ivar held: checks that must hold besides, and do whatever a library does.
    :ivar faults: texts of it, and what stands there in a copy in which each of the checks ``caught`` has to break.
    :ivar scripts: whether a script makes its pages, so that Chromium drives it: eight minutes, for ``held`` alone.
    """

    name: str
    command: str
    product: dict[str, Any]
    python: str = ""
    node: str = ""
    ready: str | None = None
    held: str = ""
    broken: str | None = None
    client: str = "public"
    callback: str = "{own}/{org}/callback"
    faults: tuple[tuple[str, str], ...] = ()
    caught: str = ""
    scripts: bool = False


#: What the application decides and no library: whom it knows, what it keeps of a session, what a page shows.
OWN = """
    L01 L03 L06 L07 L08 L09 L10 L15 L19 A01 A02 A05 A09 A12 C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C12 T01 T02 T03 T08
    R01 R02 R12 R18 F01 F05 F06 F09 F21 F22 S01 S03 S04 S05 S07 S09 S10 S12 E01 E04 E05 E09 E12 D01 D02
"""

ALONE = App(
    "plain FastAPI",
    "{python} -m uvicorn --app-dir {apps} fastapi_alone:app --port {port} --log-level warning",
    {
        "standalone_url": "{own}/{org}/login",
        "home": "/{org}/patient",
        "sign_out": {"path": "/{org}/logout"},
        "endpoints": [{"path": "/{org}/patient", "what": "page"}],
    },
    python="fastapi==0.165.0 uvicorn==0.54.0 httpx==0.28.1",
    held=f"{OWN} A03 A13 C07 D03 E02 L02 L04 L12 L13 R06 R13 R14 R16 T09 F10 S02",
    broken="L17 A06 C13 R05 R15 R17 F05 F11 F12 F14 F16 F17 F20 F23",
)
FLASK = App(
    "Flask with fhirclient of PyPI",
    "{python} -m flask --app {apps}/flask_fhirclient.py run --port {port}",
    {"home": "/chart", "sign_out": {"path": "/logout"}, "endpoints": [{"path": "/chart", "what": "page"}]},
    python="flask==3.1.3 fhirclient==4.4.0",
    held=OWN,
    callback="{own}/callback",
)
HUB = App(
    "a service of a JupyterHub",
    "{python} -m jupyterhub -f {apps}/jupyterhub_config.py --ip 127.0.0.1 --port {port}",
    {
        "launch_url": "{own}/services/smart/launch",
        "home": "/services/smart/chart",
        "sign_out": {"path": "/services/smart/leave", "method": "GET"},
        "endpoints": [{"path": "/services/smart/chart", "what": "page"}],
    },
    python="jupyterhub==6.1.1",
    node="configurable-http-proxy@5.3.0",
    ready="/services/smart/launch",
    held=f"{OWN} A07 A08 A10 A13 C13 L12 L13 R06 T09 F10 F11 F14",
    broken="L17 A06 R05 F16 F17 F20 F23 S02",
    client="confidential-symmetric",
    callback="{own}/services/smart/callback",
    # The hub's sign-in, in front of each page, hides nothing of what the service forgets.
    faults=(
        ('secrets.compare_digest(began, self.cookie("began"))', "began"),
        ('del flows[self.only("state")]', "pass"),
        (' or self.only("iss") != f"{iss}/oauth2"', ""),
        ('sessions.get(self.cookie("chart"))', 'sessions.get(self.current_user["name"])'),
        ("sessions[number] =", 'sessions[self.current_user["name"]] ='),
    ),
    caught="C03 C04 C05 C06 C07 E01 S03",
)
EXPRESS = App(
    "Express with fhirclient of npm",
    "node {apps}/express_fhirclient.js {port}",
    {"sign_out": {"path": "/logout"}, "endpoints": [{"path": "/en/chart", "what": "page"}]},
    node="express@5.3.0 express-session@1.19.0 fhirclient@2.6.3",
    held=OWN,
)

BROWSER = App(
    "a browser application with fhirclient of npm",
    "node {apps}/browser_fhirclient.js {port}",
    {},
    node="fhirclient@2.6.3",
    held="L01 L03 L06 L07 L16 L19 A01 A02 A03 A05 A09 A12 C02 C03 T01 T02 T03 R01 F01 F05 F06 F09 F14 F22 S01 S09",
    callback="{own}/{org}/chart",
    scripts=True,
)


@pytest.mark.parametrize("app", [ALONE, FLASK, EXPRESS, HUB, BROWSER], ids=lambda app: app.name)
def test_a_real_application_is_rehearsed_several_times_with_the_same_outcomes(
    app: App, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if app.scripts and find_browser() is None:
        pytest.skip("no Chromium on this machine")
    python, places = Path(sys.executable), dict[str, str]()
    if app.python:
        python = python_with(tmp_path_factory.mktemp("python"), *app.python.split())
    if app.node:
        modules = node_modules(tmp_path_factory.mktemp("node"), *app.node.split())
        places = {"NODE_PATH": str(modules), "PATH": f"{modules / '.bin'}{os.pathsep}{os.environ['PATH']}"}
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    product = product_of(app, port)
    ready = f"http://127.0.0.1:{port}{app.ready}" if app.ready is not None else None
    only = numbered(app.held) if app.scripts else {check for check, built in BUILT.items() if not built.scripts}
    with Chromium() if app.scripts else nullcontext() as chromium, Hospitals(product, 0) as hospitals:

        def rehearsed(apps: Path, times: int, only: set[str]) -> list[ProductObservation]:
            command = app.command.format(python=python, apps=apps, port=port)
            start = StartCommand(command=command, ready=ready, seconds=60)
            look = {"only": only, "endpoints": product.endpoints, "chromium": chromium}
            with Started(start, product.launch_url, tmp_path, {**places, **hospitals.environment()}) as running:
                return [rehearse(hospitals, running, checks(), **look) for _ in range(times)]

        seen = rehearsed(APPS, TIMES, only)
        if app.faults:
            [faulty] = rehearsed(with_faults(app, tmp_path / "faulty"), 1, numbered(app.caught))
            assert {check for check, outcome in faulty.outcomes.items() if outcome == "broke"} == numbered(app.caught)
    first = seen[0]
    assert first.polite and not first.stopped and not first.app.deaths
    assert set(first.outcomes) == only
    for later in seen[1:]:
        assert not contrary(first, later)
        assert app.scripts or rows_of(later) == rows_of(first)
    outcomes = {check: outcome.value for check, outcome in first.outcomes.items()}
    told = {(row.id, row.subject): row.seen for row in first.results}
    must_hold = {f"RH-{number}" for number in app.held.split()} - numbered(app.broken)
    applies = {check for check in must_hold if outcomes[check] != "not_applicable"}
    assert {check: outcomes[check] for check in applies} == dict.fromkeys(applies, "held"), told
    if app.broken is not None:
        assert {check for check, outcome in outcomes.items() if outcome == "broke"} == numbered(app.broken), told


def with_faults(app: App, folder: Path) -> Path:
    """A copy of the applications in which each of an application's faults stands once."""
    shutil.copytree(APPS, folder)
    for sound, fault in app.faults:
        [file] = [file for file in folder.glob("*.*") if sound in file.read_text("utf-8")]
        assert file.read_text("utf-8").count(sound) == 1, sound
        file.write_text(file.read_text("utf-8").replace(sound, fault), "utf-8")
    return folder


def numbered(letters: str | None) -> set[str]:
    return {f"RH-{number}" for number in (letters or "").split()}


def product_of(app: App, port: int) -> Product:
    own = f"http://127.0.0.1:{port}"
    clients = [
        {
            "id": org,
            "client_id": f"app-at-{org}",
            "redirect_uri": app.callback.replace("{own}", own).replace("{org}", org),
            "client": app.client,
        }
        for org in ("alder", "birch")
    ]
    told = {"launch_url": f"{own}/launch", **app.product, "organizations": clients}
    filled = {key: value.replace("{own}", own) if isinstance(value, str) else value for key, value in told.items()}
    return Product.model_validate(filled)


def rows_of(seen: ProductObservation) -> dict[tuple[str, str | None, str | None], str]:
    return {(row.id, row.organization, row.subject): row.outcome.value for row in seen.results}


def contrary(first: ProductObservation, later: ProductObservation) -> list[str]:
    """Checks that held once and broke once; a page that a busy machine does not bring to rest is neither."""
    verdicts = [{check: outcome.value for check, outcome in seen.outcomes.items()} for seen in (first, later)]
    return [check for check in verdicts[0] if {verdict[check] for verdict in verdicts} == {"held", "broke"}]
