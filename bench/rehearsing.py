"""Speed of a rehearsal: every check that is built, on the sample application in a process of its own."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from measuring import Measured

if TYPE_CHECKING:
    from interlock.rehearse.chromium import Chromium

#: Seconds that the checks may take, on an idle machine: by plain HTTP, and in Chromium.
_AT_MOST, _AT_MOST_IN_CHROMIUM = 10.0, 90.0
_LAUNCHES, _LAUNCHES_IN_CHROMIUM = 40, 10


def rows() -> list[Measured]:
    """All checks against polite launches of the same application; 2.3 s of them wait until tokens have ended.

    Where there is a Chromium, those that look at more in it are timed in it once more.
    """
    from interlock.rehearse.chromium import Chromium, NoChromiumError

    plain = _measured(None)
    try:
        with Chromium() as chromium:
            return [plain, _measured(chromium)]
    except NoChromiumError:
        return [plain]


def _measured(chromium: Chromium | None) -> Measured:
    from interlock.documents.resources import data_dir
    from interlock.documents.yaml import load_yaml, model_from_yaml
    from interlock.model.product import Product
    from interlock.rehearse.browser import Budget
    from interlock.rehearse.hospitals import Hospitals
    from interlock.rehearse.program import Started
    from interlock.rehearse.run import rehearse
    from interlock.rehearse.stage import Stage
    from interlock.usecases.rehearsal_checks import catalogue

    text = (data_dir("samples") / "rehearsal" / "product.yaml").read_text("utf-8")
    with socket.socket() as free, TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        file = Path(folder) / "product.yaml"
        file.write_text(text.replace("18409", str(port)), "utf-8")
        product = model_from_yaml(Product, load_yaml(file))
        assert product.start is not None
        with (
            Hospitals(product, 0) as hospitals,
            Started(product.start, product.launch_url, Path(folder), hospitals.environment()) as running,
        ):
            budget = Budget(10_000, time.monotonic() + 600)
            stage = Stage(hospitals, product, running, budget, orgs=("alder", "birch"), chromium=chromium)
            times = _LAUNCHES if chromium is None else _LAUNCHES_IN_CHROMIUM
            began = time.perf_counter()
            for _ in range(times):
                stage.visit("alder")
                stage.close_browsers()
            launches = time.perf_counter() - began
            checks = [check for check in catalogue() if chromium is None or "browser" in check.how]
            began = time.perf_counter()
            seen = rehearse(hospitals, running, checks, endpoints=product.endpoints, chromium=chromium)
            took = time.perf_counter() - began
    driver, most = ("", _AT_MOST) if chromium is None else (" in Chromium", _AT_MOST_IN_CHROMIUM)
    name = f"rehearsal{driver}: {len(seen.outcomes)} checks"
    return Measured(name, took, f"{times} polite launches{driver}", launches, 20.0, most)
