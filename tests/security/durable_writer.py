"""A process that saves until it is killed, and a parent of it that loads everything once, so that rounds are quick.

Lines come in as JSON: what to do, in which workspace, how many seconds until SIGKILL. The child writes a line of JSON
to the file ``confirmed`` after each command that ended with 0. It is a program of its own: forking pytest is not safe.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from interlock.cli.main import run
from interlock.model import plan

# What is tried is saving, and not planning: of the same seconds more fall into it. Nothing has taken the number yet.
plan.DEFAULT_RUNS = 100


def commands(kind: str, root: Path, first: int) -> Iterator[tuple[list[str], object]]:
    """Commands to repeat, each with what is confirmed once it ends with 0."""
    for number in itertools.count(first):
        match kind:
            case "answer":
                item = json.loads((root / "items.json").read_text())[number % 4]
                yield ["answer", item, "--status", "unknown", "--note", f"note {number}"], [item, number]
            case "import":
                yield ["import", "fhir", str(root.parent / f"form{number % 2}.json")], number % 2
            case "milestone":
                yield ["milestone", "save", f"m{number}"], number
            case "report":
                yield ["report", "--format", "md,json,html"], number
            case "probe":
                yield ["probe", "--org", "riverside"], number
            case "org":
                yield ["org", "add", f"Org {number}", "--url", f"https://ehr{number}.example.org/fhir"], number


def child(kind: str, root: Path, first: int, confirmed: Path) -> None:
    """Do it until killed."""
    with confirmed.open("ab", buffering=0) as lines:
        for arguments, proof in commands(kind, root, first):
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
                code = run([*arguments, "--workspace", str(root)])
            entry = {"proof": proof, "code": code, "said": said.getvalue() if code else ""}
            lines.write(json.dumps(entry).encode() + b"\n")


def main() -> None:
    """Run one round a line."""
    root = Path(sys.argv[1])
    for kind in ("answer", "milestone", "probe"):  # load what the rounds need
        arguments, _ = next(commands(kind, root, 0))
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            run([*arguments, "--workspace", str(root)])
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            child(order["kind"], root, order["first"], Path(order["confirmed"]))
            os._exit(1)
        time.sleep(order["seconds"])
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        print(os.WTERMSIG(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
