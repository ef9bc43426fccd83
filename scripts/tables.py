"""FHIR's tables in ``src/interlock/fhir/tables/data``: makes them, and checks that they are what they were.

``check``: every file has the hash and the counts of ``scripts/tables.lock``.
``rebuild FOLDER``: types, elements, invariants and lists of codes are built again from packages, which are fetched into
the folder, and compared with the files; says what is not built again.
``make TABLES FOLDER``: writes all files and the lock anew from verified tables, one TSV a table; elements stand
in the order of the packages.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import structure_definitions as structures
import table_files
import table_packages as packages
from verified_tables import type_rows

from interlock.fhir.tables.files import DATA, VALUE_SETS

#: What no package of npm or PyPI has, or only after work that has not been done.
KEPT = "codes of R4B and R5, void states, search parameters, rules of modifiers and prefixes, US Core, SMART, (g)(10)"

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


def make(folder: Path, definitions: dict[str, packages.Definitions]) -> None:
    """Writes every file and the lock."""
    lock = {}
    for name, content in table_files.contents(folder, definitions).items():
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


def rebuild(folder: Path) -> list[str]:
    """What the packages say otherwise than the files, one line each."""
    wrong = []
    for name, definitions in packages.definitions(folder):
        content = _content(name)
        rows = [
            row | {"type": kind}
            for kind, definition in definitions.items()
            if structures.type_row(kind, definition)["kind"] != "primitive-type"
            for row in structures.elements(definition)
        ]
        types = [structures.type_row(kind, definition) for kind, definition in definitions.items()]
        built = json.loads(json.dumps(type_rows(types, rows)))
        kinds = sorted({*built, *content["types"]})
        wrong += [f"{name} {kind}: other rows" for kind in kinds if built.get(kind) != content["types"].get(kind)]
        stated = {constraint for one in definitions.values() for constraint in structures.constraints(one)}
        kept = [tuple(one) for invariants in content["invariants"].values() for one in invariants]
        wrong += [f"{name} {one[0]}: another constraint" for one in kept if one not in stated]
        print(f"{name}: {len(types)} types, {len(rows)} elements, {len(kept)} invariants")
    for name, value_sets in packages.value_sets(folder):
        listed = {kept: row[1] for kept, row in _content(name)["value_sets"].items() if row[1]}
        found = {kept: value_sets.codes(kept if ":" in kept else VALUE_SETS + kept) for kept in listed}
        told = {kept: list(codes) for kept, codes in found.items() if codes is not None}
        wrong += [f"{name} {kept}: other codes" for kept, codes in told.items() if codes != listed[kept]]
        left = ", ".join(kept for kept in listed if kept not in told)
        print(f"{name}: {len(told)} of {len(listed)} lists of codes; not in the package: {left}")
    return wrong


def _content(release: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress((DATA / f"{release.lower()}.json.gz").read_bytes()))
    return content


def main(arguments: list[str]) -> int:
    """One of the commands; ends with 1 when something is not as it should be."""
    match arguments:
        case ["check"]:
            wrong = check()
            print("\n".join(wrong) or f"all files are as {LOCK.name} says")
            return 1 if wrong else 0
        case ["rebuild", folder]:
            wrong = rebuild(Path(folder))
            print("\n".join(wrong) or "the packages say the same")
            print(f"not built again, held by the lock as read where about.source says: {KEPT}")
            return 1 if wrong else 0
        case ["make", tables, folder]:
            make(Path(tables), dict(packages.definitions(Path(folder))))
            return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
