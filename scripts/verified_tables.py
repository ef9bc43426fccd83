"""The tables of FHIR's facts as they were verified, one TSV a table, made into the project's own files.

The folder is no part of the repository: what was taken from it lies in ``src/interlock/fhir/tables/data``, and
``scripts/tables.py`` compares that with packages.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from interlock.fhir.tables import files

RELEASES = {"DSTU2": "1.0.2", "STU3": "3.0.2", "R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}

#: Evidence of a row on which something may be shipped.
_SEEN = ("page", "package", "source")
_VERIFIED_KINDS = {"filter-all-types": "filter", "result": "result", "general": "general"}

Table = list[dict[str, str]]


def read_table(folder: Path, name: str) -> Table:
    """One table, packed or not, as rows by column."""
    plain, packed = folder / f"{name}.tsv", folder / f"{name}.tsv.gz"
    text = plain.read_text() if plain.is_file() else gzip.decompress(packed.read_bytes()).decode()
    return list(csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def split(cell: str) -> list[str]:
    """The entries of a cell that is a list."""
    return cell.split("|") if cell else []


def trimmed(*cells: Any, keep: int = 0) -> list[Any]:
    """A row without what its end does not say; ``keep`` cells stay whatever they hold."""
    row = list(cells)
    while len(row) > keep and row[-1] in ("", None, [], {}):
        row.pop()
    return row


def short(address: str, prefix: str) -> str:
    """An address without a prefix that all have, unless what is left could be taken for an address."""
    rest = address.removeprefix(prefix)
    return address if "/" in rest or ":" in rest else rest


def release(folder: Path, name: str, order: Mapping[str, int]) -> dict[str, Any]:
    """The content of a release's file, without ``about``; ``order``: path of an element → its position."""
    types = read_table(folder, f"{name}/types")
    elements = sorted(read_table(folder, f"{name}/elements"), key=lambda row: order[row["path"]])
    resources = sorted(row["type"] for row in types if row["kind"] == "resource" and row["abstract"] == "0")
    return {
        "types": type_rows(types, elements),
        "parameters": _parameters(read_table(folder, f"{name}/search_parameters"), resources),
        "value_sets": _value_sets(read_table(folder, f"{name}/coded_elements"), elements),
        "void_states": _void_states(_of(name, read_table(folder, "void_codes"))),
        "invariants": _invariants(_of(name, read_table(folder, "invariants"))),
        **_search(
            _of(name, read_table(folder, "search-modifiers")), _of(name, read_table(folder, "common_parameters"))
        ),
    }


def _of(release: str, table: Table) -> Table:
    return [row for row in table if row["release"] == release]


def element_row(row: Mapping[str, str]) -> list[Any]:
    """A row of the elements table as the file has it."""
    return trimmed(
        row["path"].partition(".")[2],
        int(row["min"]),
        None if row["max"] == "*" else int(row["max"]),
        split(row["types"]),
        ("m" if row["is_modifier"] == "1" else "") + ("s" if row["is_summary"] == "1" else ""),
        row["binding_strength"],
        short(row["binding_value_set"], files.VALUE_SETS),
        split(row["reference_targets"]),
        split(row["canonical_targets"]),
        row["content_reference"],
        keep=3,
    )


def type_rows(types: Table, elements: Table) -> dict[str, Any]:
    """The types of a release with what each does not have from its base, as the file has them."""
    rows: defaultdict[str, dict[str, list[Any]]] = defaultdict(dict)
    for row in elements:
        if "." in row["path"]:
            made = element_row(row)
            rows[row["type"]][made[0]] = made
    bases = {row["type"]: row["base"] for row in types}
    return {
        row["type"]: [
            row["kind"],
            row["base"],
            row["abstract"] == "1",
            row["fmm"],
            [made for made in rows[row["type"]].values() if not _inherited(made, row["type"], rows, bases)],
        ]
        for row in types
    }


def _inherited(
    made: list[Any], owner: str, rows: Mapping[str, Mapping[str, list[Any]]], bases: Mapping[str, str]
) -> bool:
    """Whether an element is exactly what the type's base, or the type of the element above it, has under that name."""
    above, _, name = made[0].rpartition(".")
    own = rows[owner][above] if above else None
    types = own[3] if own is not None and len(own) > 3 else []
    heirs = types if own is not None else [bases.get(owner, "")]
    return any(
        (found := _in_bases(heir, name, rows, bases)) is not None and found[1:] == made[1:] for heir in heirs if heir
    )


def _in_bases(
    kind: str, name: str, rows: Mapping[str, Mapping[str, list[Any]]], bases: Mapping[str, str]
) -> list[Any] | None:
    while kind:
        if (found := rows.get(kind, {}).get(name)) is not None:
            return found
        kind = bases.get(kind, "")
    return None


def _parameters(table: Table, resources: list[str]) -> dict[str, Any]:
    made: defaultdict[str, dict[str, list[Any]]] = defaultdict(dict)
    for row in table:
        base, code, targets = row["base"], row["code"], split(row["targets"])
        if code in made[base]:
            raise ValueError(f"{base}.{code} is there twice")
        made[base][code] = trimmed(
            row["type"],
            ["Resource"] if targets == resources else targets,
            "" if row["definition_id"] == f"{base}-{code}" else row["definition_id"],
            split(row["comparators"]),
            _stated(row["multiple_or"]),
            _stated(row["multiple_and"]),
            split(row["modifiers"]),
            split(row["chain"]),
            keep=1,
        )
    return made


def _stated(cell: str) -> bool | None:
    return {"": None, "true": True, "false": False, "1": True, "0": False}[cell]


def _value_sets(table: Table, elements: Table) -> dict[str, Any]:
    bound = {row["path"]: (row["binding_value_set"], row["binding_strength"]) for row in elements}
    made: dict[str, list[Any]] = {}
    # A whole type such as Age may be bound too: that is left out, as everything that a type says of itself.
    of_elements = (row for row in table if "." in row["path"])
    for row in sorted(of_elements, key=lambda row: len(split(row["codes"]))):
        if bound[row["path"]] != (row["value_set"], row["strength"]):
            raise ValueError(f"{row['path']}: bound to {bound[row['path']]}, its codes are of {row['value_set']}")
        name, codes = short(row["value_set"], files.VALUE_SETS), split(row["codes"])
        known = made.get(name)
        if known is not None and known[1] and known[1] != codes:
            raise ValueError(f"{row['path']}: {name} has other codes elsewhere")
        if not name:
            continue
        made[name] = trimmed(split(row["systems"]), codes, row["note"] if not codes else "", keep=2)
    return dict(sorted(made.items()))


def _void_states(table: Table) -> dict[str, Any]:
    made: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for row in sorted(table, key=lambda row: (row["resource"], row["top_level"] != "1", row["element"])):
        if row["kind"] != "none":
            made[row["resource"]].append(
                trimmed(
                    row["element"],
                    row["kind"],
                    split(row["error_codes"]),
                    split(row["other_negative_codes"]),
                    keep=2,
                )
            )
    return made


def _invariants(table: Table) -> dict[str, Any]:
    made: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for row in table:
        if row["about"]:
            made[row["resource"]].append([row["key"], row["path"], row["severity"], row["expression"]])
    return made


def _search(modifiers: Table, common: Table) -> dict[str, Any]:
    rules: defaultdict[str, dict[str, list[Any]]] = defaultdict(dict)
    prefixes: defaultdict[str, list[str]] = defaultdict(list)
    about: dict[str, tuple[str, str]] = {}
    for row in seen(modifiers, "evidence"):
        section = row["source"].partition("#")[2]
        match row["kind"]:
            case "modifier":
                allowed = {"yes": True, "no": False}.get(row["allowed"])
                for kind in row["type"].split(", "):
                    rules[row["name"].removeprefix(":")][kind] = trimmed(
                        allowed, section, row["note"].strip('"'), keep=2
                    )
            case "prefix" if row["allowed"] == "yes":
                prefixes[row["type"]].append(row["name"])
            case "common" | "result" if row["allowed"] == "yes":
                about[row["name"]] = (row["type"].replace("(none)", ""), section)
    kinds = {
        row["name"]: _VERIFIED_KINDS[row["kind"]]
        for row in sorted(seen(common, "verified"), key=lambda row: row["kind"] != "general")
        if row["kind"] in _VERIFIED_KINDS
    }
    return {
        "modifiers": rules,
        "prefixes": prefixes,
        "common": {name: [kind, *about.get(name, ("", ""))] for name, kind in sorted(kinds.items())},
    }


def seen(table: Iterable[dict[str, str]], column: str) -> Iterator[dict[str, str]]:
    """The rows that rest on a page, a package or a source text that was read."""
    return (row for row in table if row[column].startswith(_SEEN))
