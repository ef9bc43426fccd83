"""Speed of probing, on loopback: rows of ``make bench``, and the long run of ``make bench-fleet``.

The server is a process of its own that writes prebuilt bytes. With two processors, it shares them with what is
measured: the rows about one core, the command and two workers therefore compare processor time of that
alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from commands import command
from measuring import PEAK, Measured, best_of, of_children

HERE = Path(__file__).resolve().parent
CORPUS = Path(os.environ.get("INTERLOCK_CORPUS", HERE.parents[1] / "shared" / "corpus"))

FETCH = """\
import asyncio, json, sys
import aiohttp
async def main():
    async with aiohttp.ClientSession() as session:
        for path in ("/metadata", "/.well-known/smart-configuration"):
            async with session.get(sys.argv[1] + path) as answer:
                json.loads(await answer.read())
asyncio.run(main())
"""
#: The command as a program's text, which can tell its memory at its end.
_COMMAND = """\
from interlock.cli.main import main
try:
    main()
except SystemExit as ended:
    if ended.code:
        raise
"""


@contextlib.contextmanager
def server(delay: float = 0.0) -> Iterator[str]:
    """The origin of a loopback server; fast, slow, faulty and dead targets are told apart by their path."""
    arguments = [sys.executable, str(HERE / "probe_server.py"), "--delay", str(delay), "--corpus", str(CORPUS)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    finally:
        process.stdin.close()
        process.wait()


def start_up() -> Measured:
    """``interlock probe URL``, process start included, against a bare script that fetches and parses the same two."""
    with server() as origin:
        url = f"{origin}/fast/fhir"
        ours, base = best_of(8, command("-m", "interlock", "probe", url, "--quick"), command("-c", FETCH, url))
    return Measured("interlock probe URL", ours, "bare aiohttp script", base, 2.5, 0.4)


async def _bare(origin: str, count: int, concurrency: int, kind: str = "fast") -> None:
    import aiohttp

    numbers = iter(range(count))

    async def work(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            for path in ("/metadata", "/.well-known/smart-configuration"):
                async with session.get(f"{origin}/{kind}/{number}/fhir{path}") as answer:
                    json.loads(await answer.read())

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))


async def _probe(origin: str, targets: list[str], **settings: Any) -> None:
    from interlock.model.observation import Target
    from interlock.probe.runner import probe
    from interlock.usecases.probe import ProbeSettings, private_origins_of

    seen = 0
    wanted = [Target(base_url=f"{origin}{target}") for target in targets]
    async for observation in probe(wanted, ProbeSettings(private_origins=private_origins_of(wanted), **settings)):
        seen += observation.outcome == "observed"
    assert seen == len(targets)


def one_core(kind: str, name: str, limit: float) -> Measured:
    """Two documents and every passive check, against fetching and parsing them: processor seconds of 300 targets."""
    count, concurrency = 300, 4
    targets = [f"/{kind}/{number}/fhir" for number in range(count)]
    with server() as origin:
        ours, base = best_of(
            16,
            lambda: asyncio.run(_probe(origin, targets, concurrency=concurrency, per_host=2 * concurrency)),
            lambda: asyncio.run(_bare(origin, count, concurrency, kind)),
            clock=time.process_time,
        )
    return Measured(name, ours, "bare aiohttp, json.loads", base, limit, None)


def with_us_core() -> Measured:
    """The same probes with and without the comparison with US Core's editions: processor seconds of 300 targets."""
    from interlock.fhir import us_core

    count, concurrency, compare = 300, 4, us_core.parse

    def probe(parse: Any) -> None:
        us_core.parse = parse
        asyncio.run(_probe(origin, targets, concurrency=concurrency, per_host=2 * concurrency))

    targets = [f"/fast/{number}/fhir" for number in range(count)]
    try:
        with server() as origin:
            ours, base = best_of(16, lambda: probe(compare), lambda: probe(lambda _: None), clock=time.process_time)
    finally:
        us_core.parse = compare
    return Measured("US Core, probing 300", ours, "without it", base, 1.1, None)


def two_workers() -> Measured:
    """Two Dask workers against one process: processor seconds of 2,000 targets, starts apart, without a network."""
    few, many = 500, 2500

    def used(count: int, workers: int) -> float:
        before = of_children()
        arguments = [sys.executable, str(HERE / "replayed.py"), str(count), str(workers)]
        environment = os.environ | {"PYTHONPATH": str(HERE)}
        subprocess.run(arguments, check=True, capture_output=True, env=environment)
        return of_children() - before

    best = {
        (count, workers): min(used(count, workers) for _ in range(3)) for workers in (1, 2) for count in (few, many)
    }
    ours, base = (best[many, workers] - best[few, workers] for workers in (2, 1))
    return Measured("fleet of 2,000, 2 workers", ours, "1 process", base, 1.15, None)


WRITE = """\
import asyncio, json, sys
import aiohttp
async def main(origin, count, out):
    numbers = iter(range(count))
    async def work(session, file):
        for number in numbers:
            for path in ("/metadata", "/.well-known/smart-configuration"):
                async with session.get(f"{origin}/fast/{number}/fhir{path}") as answer:
                    json.loads(await answer.read())
            file.write(json.dumps({"target": number, "status": answer.status}) + "\\n")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        with open(out, "w") as file:
            await asyncio.gather(*(work(session, file) for _ in range(8)))
asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
"""


def from_the_command_line() -> Measured:
    """2,000 targets to a file, process start included, against a bare loop that fetches, parses and writes a line."""
    count = 2000
    with server() as origin, tempfile.TemporaryDirectory() as name:
        listed, out = Path(name) / "listed.txt", Path(name) / "out.ndjson"
        listed.write_text("\n".join(f"{origin}/fast/{number}/fhir" for number in range(count)))
        fleet = ["-m", "interlock", "fleet", str(listed), "--output", str(out), "--allow-private", "127.0.0.0/8"]
        fleet += ["--concurrency", "8", "--per-host", "16"]

        def ours() -> None:
            out.unlink(missing_ok=True)
            command(*fleet)()

        bare = command("-c", WRITE, origin, str(count), str(Path(name) / "bare.ndjson"))
        best, base = best_of(4, ours, bare, clock=of_children)
        each = out.stat().st_size / count
        assert each < 12_000, f"a line has {each:.0f} bytes"
    return Measured("fleet of 2,000, command", best, "bare aiohttp, json.loads", base, 1 / 0.45, None)


def _oracle_paths() -> list[str]:
    """The paths of Oracle's 1,451 endpoints, or as many made-up ones."""
    file = CORPUS / "directories" / "oracle-millennium-provider-r4.json"
    if not file.is_file():
        return [f"/r4/tenant-{number}" for number in range(1451)]
    from interlock.fhir.directory.reading import read_directory

    return ["/" + base.url.split("/", 3)[3] for base in read_directory(file.read_bytes(), date.today()).bases]


def with_delay() -> tuple[Measured, Measured]:
    """100 ms a request, 1,451 targets: against what delay and concurrency allow, and against a sequential loop."""
    import httpx

    paths, concurrency, delay, sample = _oracle_paths(), 32, 0.1, 15
    with server(delay) as origin:
        started = time.perf_counter()
        asyncio.run(_probe(origin, paths, concurrency=concurrency, per_host=2 * concurrency))
        ours = time.perf_counter() - started
        started = time.perf_counter()
        with httpx.Client(trust_env=False) as client:
            for path in paths[:sample]:
                for document in ("/metadata", "/.well-known/smart-configuration"):
                    json.loads(client.get(origin + path + document).content)
        loop = (time.perf_counter() - started) / sample * len(paths)
    allowed = len(paths) / concurrency * delay
    return (
        Measured("1,451 targets, 100 ms delay", ours, f"delay / {concurrency} at a time", allowed, 1 / 0.6, None),
        Measured("the same", ours, "httpx, one by one (of 15)", loop, 1 / 20, None),
    )


def rows() -> list[Measured]:
    """Every row of ``make bench``."""
    return [
        start_up(),
        one_core("fast", "probing 300, processor", 2.0),
        # The tenants of a vendor's release share the entries of their statements; here no two targets do.
        one_core("varied", "300 that share nothing", 3.0),
        with_us_core(),
        from_the_command_line(),
        two_workers(),
        *with_delay(),
    ]


# -- the long run ------------------------------------------------------------------------------------------------------


def _listed() -> list[str]:
    """All distinct addresses of the national list, or as many made-up ones."""
    file = CORPUS / "directories" / "us-endpoints.csv.gz"
    if not file.is_file():
        return [f"https://host-{number // 3}.example/practice/{number}/fhir" for number in range(30_191)]
    with gzip.open(file, "rt", encoding="utf-8", newline="") as text:
        return list(dict.fromkeys(row["base_url"] for row in csv.DictReader(text)))


def replayed_fleet() -> int:
    """The same addresses without a network, in one process: none lost, memory bounded, the cost of an endpoint flat."""
    urls = _listed()
    told = []
    for count in (3_000, len(urls)):
        with tempfile.TemporaryDirectory() as name:
            listed, out = Path(name) / "listed.txt", Path(name) / "out.ndjson"
            listed.write_text("\n".join(urls[:: len(urls) // count][:count]))
            command = [sys.executable, str(HERE / "replayed.py"), str(listed), str(out)]
            ran = subprocess.run(command, check=True, capture_output=True, text=True)
        told.append(json.loads(ran.stdout))
        print(
            "{count:>8,} replayed: {each:.2f} ms of processor each, {memory:.0f} MB, {lost} lost".format(
                count=count, **told[-1]
            )
        )
    few, many = told
    growth = many["each"] / few["each"]
    print(f"cost at {len(urls):,} against 3,000: {growth:.2f} (limit 1.20); memory limit 150 MB")
    return 0 if growth <= 1.2 and many["memory"] < 150 and not few["lost"] + many["lost"] else 1


def _national(port: str) -> list[str]:
    """The national list on loopback hosts: most fast, some slow, faulty or dead."""
    hosts: dict[str, int] = {}
    urls = []
    for number, url in enumerate(_listed()):
        host = url.partition("://")[2].partition("/")[0].lower()
        place = hosts.setdefault(host, len(hosts))
        draw = zlib.crc32(str(number).encode()) % 100
        kind = "dead" if draw < 2 else "slow" if draw < 7 else "faulty" if draw < 17 else "fast"
        address = f"127.{1 + place // 62_500}.{place // 250 % 250}.{1 + place % 250}"
        urls.append(f"http://{address}:{port}/{kind}/{number}/fhir")
    return urls


def fleet() -> int:
    """30,191 addresses through the command: nothing lost, memory bounded, the cost of an endpoint flat."""
    with server() as origin, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        urls = _national(origin.rpartition(":")[2])
        results = []
        for count in (1_000, len(urls)):
            listed, out = folder / f"{count}.txt", folder / f"{count}.ndjson"
            # An even selection, so that the small run has the same mixture as the whole.
            listed.write_text("\n".join(urls[:: len(urls) // count][:count]))
            command = ["-c", _COMMAND + PEAK, "fleet", str(listed), "--out", str(out)]
            command += ["--allow-private", "127.0.0.0/8"]
            before = of_children()
            started = time.perf_counter()
            process = subprocess.run([sys.executable, *command, "--concurrency", "32"], check=True, capture_output=True)
            elapsed, used = time.perf_counter() - started, of_children() - before
            with out.open("rb") as lines:
                found = {json.loads(line.partition(b',"started"')[0] + b"}")["target"]["base_url"] for line in lines}
            assert found == set(urls[:: len(urls) // count][:count]), "results were lost"
            results.append((count, elapsed, used / count * 1000, float(process.stdout.split()[-1])))
            print(process.stderr.decode())
    print(f"{'targets':>8} {'seconds':>9} {'a second':>9} {'processor ms each':>18} {'memory MB':>10}")
    for count, elapsed, each, memory in results:
        print(f"{count:>8,} {elapsed:>9.1f} {count / elapsed:>9.0f} {each:>18.2f} {memory:>10.0f}")
    growth, memory = results[1][2] / results[0][2], results[1][3]
    print(f"cost of an endpoint at {results[1][0]:,} against 1,000: {growth:.2f} (limit 1.20); memory limit 150 MB")
    return 0 if growth <= 1.2 and memory < 150 else 1


if __name__ == "__main__":
    sys.exit(replayed_fleet() or fleet())
