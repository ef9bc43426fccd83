"""FHIR's tables in ``src/interlock/fhir/tables/data``: makes them, and checks that they are what they were.

``check``: every file has the hash and the counts of ``scripts/tables.lock``; the numbers of docs/fhir-tables.md.
``make FOLDER``: writes all files anew from verified tables, one TSV a table, and the lock with them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import table_files

from interlock.fhir.tables.files import DATA

LOCK = Path(__file__).with_name("tables.lock")


def packed(content: dict[str, Any]) -> bytes:
    """A file of the tables: JSON with a row a line, packed so that the same content gives the same bytes."""
    return gzip.compress(_lines(content).encode(), compresslevel=9, mtime=0)


def _lines(value: Any, depth: int = 0) -> str:
    """JSON with a line for each entry of the outermost two objects."""
    if isinstance(value, dict) and depth < 2:
        entries = (f"{json.dumps(name)}:{_lines(entry, depth + 1)}" for name, entry in value.items())
        return "{\n" + ",\n".join(entries) + "}"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def counts(content: dict[str, Any]) -> dict[str, int]:
    """How many rows each part of a file has."""
    return {
        name: sum(len(entry) if isinstance(entry, (dict, list)) else 1 for entry in part.values())
        for name, part in content.items()
        if name != "about" and isinstance(part, dict)
    }


def make(folder: Path) -> None:
    """Writes every file and the lock."""
    DATA.mkdir(exist_ok=True)
    lock = {}
    for name, content in table_files.contents(folder).items():
        body = packed(content)
        (DATA / f"{name}.json.gz").write_bytes(body)
        lock[name] = {"sha256": _hash(body), "rows": counts(content)}
        print(f"{name}: {len(body):,} bytes")
    LOCK.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n")


def _hash(body: bytes) -> str:
    """Of what is packed: packers differ between versions."""
    return hashlib.sha256(gzip.decompress(body)).hexdigest()


def check() -> list[str]:
    """What is not as the lock says, one line each."""
    wrong = []
    lock = json.loads(LOCK.read_text())
    for name in sorted({*lock, *(path.name.removesuffix(".json.gz") for path in DATA.glob("*.json.gz"))}):
        path, locked = DATA / f"{name}.json.gz", lock.get(name)
        if locked is None or not path.is_file():
            wrong.append(f"{name}: {'not in the lock' if locked is None else 'missing'}")
            continue
        body = path.read_bytes()
        found = counts(json.loads(gzip.decompress(body)))
        if found != locked["rows"]:
            wrong.append(f"{name}: {found} rows, the lock says {locked['rows']}")
        elif _hash(body) != locked["sha256"]:
            wrong.append(f"{name}: other rows than when it was locked")
    return wrong


def main(arguments: list[str]) -> int:
    """One of the commands; ends with 1 when something is not as it should be."""
    match arguments:
        case ["check"]:
            wrong = check()
            print("\n".join(wrong) or f"all files are as {LOCK.name} says")
            return 1 if wrong else 0
        case ["make", folder]:
            make(Path(folder))
            return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
