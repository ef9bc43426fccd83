"""Answers without a network: every target gives the same two documents. For measuring what a cluster costs besides.

Imported in a process, it replaces how the probe's client gets an answer there; a Dask worker imports it as a preload.
Run as a program with a number of targets and of workers, it probes so many; with a file of addresses and one of
results, it probes these in one process and prints what that took.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from measuring import peak_mb
from probe_server import configuration, statement

from interlock.model.observation import RequestRecord, Target
from interlock.probe.transport.client import Client
from interlock.probe.transport.transfer import Ask, Reply

_BODIES = tuple(json.dumps(document, indent=2).encode() for document in (statement(), configuration()))


async def _replayed(self: Client, ask: Ask) -> Reply:
    body = _BODIES[ask.purpose == "smart"]
    record = RequestRecord.trusted(
        method=ask.method,
        url=ask.url,
        status=200,
        elapsed_ms=1.0,
        bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        content_type="application/fhir+json" if ask.purpose == "metadata" else "application/json",
        purpose=ask.purpose,
        accept=ask.accept,
        headers={},
    )
    return Reply((record,), body)


Client.get = _replayed  # type: ignore[method-assign]  # in this process only


def main(count: int, workers: int) -> None:
    import dask.config

    from interlock.usecases.fleet import probe_fleet
    from interlock.usecases.probe import ProbeSettings

    seen: list[Any] = []
    targets = [Target(base_url=f"https://host-{number // 3}.example/{number}/fhir") for number in range(count)]
    with dask.config.set({"distributed.worker.preload": ["replayed"]}):
        ended = probe_fleet(
            targets, ProbeSettings(concurrency=16), on_line=lambda line: seen.append(None), workers=workers
        )
    assert ended.outcomes == {"observed": count} and len(seen) == count, ended


def to_file(listed: Path, out: Path) -> None:
    """Probe the listed addresses, and print processor milliseconds a target, megabytes, and how many were lost."""
    from interlock.usecases.fleet import probe_fleet
    from interlock.usecases.probe import ProbeSettings

    urls = listed.read_text().splitlines()
    began = time.process_time()
    probe_fleet([Target(base_url=url) for url in urls], ProbeSettings(concurrency=64), out=out)
    each = (time.process_time() - began) / len(urls) * 1000
    memory = peak_mb()
    with out.open("rb") as lines:
        found = {json.loads(line)["target"]["base_url"] for line in lines}
    print(json.dumps({"each": each, "memory": memory, "lost": len(set(urls) - found)}))


if __name__ == "__main__":
    if Path(sys.argv[1]).is_file():
        to_file(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]), int(sys.argv[2]))
