"""Damages documents for every parser until the time is up: ``FUZZ_SECONDS`` a parser (20), or the parsers named.

With atheris (coverage-guided) where it is installed, otherwise with Hypothesis. A parser runs in a process of its own,
whose memory and time for one input are bounded. A finding is kept as a file below ``.fuzz/findings``; give that file
with the parser's name to read it again: ``scripts/fuzz.py PARSER --input FILE``.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "security")]

if TYPE_CHECKING:
    from fuzz_parsers import Parser

FINDINGS = ROOT / ".fuzz" / "findings"
MEMORY_MB = 1500
SECONDS_OF_ONE_INPUT = 20
GUIDED = importlib.util.find_spec("atheris") is not None


def slug(name: str) -> str:
    """A parser's name as a file's."""
    return re.sub(r"\W+", "-", name.lower())


def main() -> int:
    """Run the parsers one after the other and print a line for each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parsers", nargs="*", help="names of parsers; all of them by default")
    options.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "20")))
    options.add_argument("--input", type=Path, help="read this one file")
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.child:
        fuzz(given.parsers[0], given.seconds)
    from fuzz_parsers import PARSERS

    unknown = [name for name in given.parsers if name not in PARSERS]
    if unknown:
        options.error(f"no parser {unknown[0]!r}; parsers: {', '.join(PARSERS)}")
    if given.input is not None:
        with tempfile.TemporaryDirectory() as folder:
            PARSERS[given.parsers[0]].check(given.input.read_bytes(), Path(folder))
        return 0
    print(f"{'parser':28} {'inputs':>9} {'a second':>9} {'MB':>6}  ({'atheris' if GUIDED else 'Hypothesis'})")
    failed = [name for name in given.parsers or PARSERS if not run(name, given.seconds)]
    print("No finding." if not failed else f"Findings: {', '.join(failed)}; see {FINDINGS.relative_to(ROOT)}")
    return 1 if failed else 0


def run(name: str, seconds: int) -> bool:
    """Fuzz one parser in a child; whether nothing was found."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as home:
        environment = {**os.environ, "HOME": home, "TMPDIR": home}
        command = [sys.executable, __file__, name, "--seconds", str(seconds), "--child"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, check=False)
    told = done.stdout + done.stderr
    inputs = [int(number) for number in re.findall(r"stat::number_of_executed_units: *(\d+)", told)] or [0]
    memory = [int(number) for number in re.findall(r"stat::peak_rss_mb: *(\d+)", told)] or [0]
    print(f"{name:28} {sum(inputs):9,} {sum(inputs) / max(seconds, 1):9,.0f} {memory[-1]:6,}", flush=True)
    if done.returncode == 0:
        return True
    FINDINGS.mkdir(parents=True, exist_ok=True)
    (FINDINGS / f"{slug(name)}.log").write_text(told, "utf-8")
    print("\n".join(f"    {line}" for line in told.splitlines() if "rror" in line or ".py" in line)[-3000:])
    return False


def fuzz(name: str, seconds: int) -> None:
    """The child's whole life: never returns."""
    from fuzz_parsers import PARSERS

    if GUIDED and not PARSERS[name].slow:
        import atheris

        with atheris.instrument_imports(include=["interlock"]):
            parser = PARSERS[name]
            work = Path(tempfile.mkdtemp())
            for seed in parser.seeds():  # imports what it needs, so that it is instrumented, and fails if it is unsound
                parser.check(seed, work)
        _guided(name, parser, work, seconds)
    else:
        _unguided(name, PARSERS[name], Path(tempfile.mkdtemp()), seconds)


def _guided(name: str, parser: Parser, work: Path, seconds: int) -> None:
    import atheris
    from fuzz_mutation import ODD, mutated

    corpus = Path(tempfile.mkdtemp())
    for number, seed in enumerate(parser.seeds()):
        (corpus / str(number)).write_bytes(seed)
    longest = 2 * max(map(len, parser.seeds())) + 4096
    words = Path(tempfile.mkdtemp()) / "words"
    escaped = ["".join(f"\\x{byte:02x}" for byte in odd.encode("utf-8", "surrogatepass")[:60]) for odd in ODD]
    words.write_text("".join(f'"{word}"\n' for word in escaped if word))

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        random = Random(seed)
        return mutated(data, random)[:size] if random.random() < 0.6 else atheris.Mutate(data, size)

    FINDINGS.mkdir(parents=True, exist_ok=True)
    arguments = [
        __file__, f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SECONDS_OF_ONE_INPUT}",
        f"-max_len={longest}", f"-dict={words}", f"-artifact_prefix={FINDINGS / slug(name)}-", "-print_final_stats=1",
        "-verbosity=0", str(corpus),
    ]  # fmt: skip
    atheris.Setup(arguments, lambda data: parser.check(data, work), custom_mutator=mutate)
    atheris.Fuzz()


def _unguided(name: str, parser: Parser, work: Path, seconds: int) -> None:
    from fuzz_mutation import mutated
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MB * 2**20,) * 2)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    until, count, last = time.monotonic() + seconds, 0, b""

    @settings(
        max_examples=200,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.sampled_from(parser.seeds()), st.randoms(use_true_random=False))
    def damaged(document: bytes, random: Random) -> None:
        nonlocal count, last
        count, last = count + 1, mutated(document, random)
        signal.alarm(SECONDS_OF_ONE_INPUT)
        parser.check(last, work)
        signal.alarm(0)

    try:
        while time.monotonic() < until:
            seed(count)(damaged)()
        code = 0
    except BaseException:
        traceback.print_exc()
        FINDINGS.mkdir(parents=True, exist_ok=True)
        (FINDINGS / slug(name)).write_bytes(last)
        code = 1
    print(f"stat::number_of_executed_units: {count}")
    print(f"stat::peak_rss_mb: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}")
    sys.exit(code)


if __name__ == "__main__":
    sys.exit(main())
