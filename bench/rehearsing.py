"""Speed of a rehearsal: every check that is built, on the sample application in a process of its own."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import Measured

#: Seconds that the checks may take, on an idle machine.
_AT_MOST = 10.0
_LAUNCHES = 40


def rows() -> list[Measured]:
    """All checks against polite launches of the same application; 2.3 s of them wait until tokens have ended."""
    from interlock.documents.resources import data_dir
    from interlock.documents.yaml import load_yaml, model_from_yaml
    from interlock.model.product import Product
    from interlock.rehearse.browser import Budget
    from interlock.rehearse.hospitals import Hospitals
    from interlock.rehearse.program import Started
    from interlock.rehearse.run import rehearse
    from interlock.rehearse.stage import Stage
    from interlock.usecases.rehearse import catalogue

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
            stage = Stage(hospitals, product, running, Budget(10_000, time.monotonic() + 600), orgs=("alder", "birch"))
            began = time.perf_counter()
            for _ in range(_LAUNCHES):
                stage.visit("alder")
                stage.close_browsers()
            launches = time.perf_counter() - began
            began = time.perf_counter()
            seen = rehearse(hospitals, running, catalogue(), endpoints=product.endpoints)
            took = time.perf_counter() - began
    name = f"rehearsal: {len(seen.outcomes)} checks"
    return [Measured(name, took, f"{_LAUNCHES} polite launches", launches, 20.0, _AT_MOST)]
