"""``tests/``: a pytest suite that holds any FHIR base URL to the contract, and the ids of its tests.

The suite is the same for every contract: it reads the lock when it runs. What stands here of its ids is what pages name
them by; a test collects the suite and compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from interlock.contract.skeletons.examples import examples
from interlock.documents.resources import data_dir
from interlock.model.resolved import ResolvedContract

_TEST = re.compile(r"^(?:async )?def test_(\w+)\(", re.MULTILINE)
_SLUG = re.compile(r"[^A-Za-z0-9_.:-]+")


def suite(resolved: ResolvedContract) -> Mapping[str, str]:
    """The suite's files, and an example of each output to edit."""
    folder = data_dir("skeletons") / "tests"
    files = {f"tests/{path.name}": path.read_text("utf-8") for path in sorted(folder.iterdir()) if path.is_file()}
    return {**files, **examples(resolved.contract)}


def id_of_test(file: str, function: str, *row: str) -> str:
    """The id of a test, ``tests/test_records.py::test_is_read[vital_signs]``; ``row`` is what it is repeated for."""
    shown = "-".join(slug(part) for part in row)
    return f"tests/test_{file}.py::test_{function}" + (f"[{shown}]" if row else "")


def suite_functions() -> Iterator[str]:
    """The id of each test of the suite, without what it is repeated for."""
    for path in sorted((data_dir("skeletons") / "tests").glob("test_*.py")):
        for test in _TEST.finditer(path.read_text("utf-8")):
            yield id_of_test(path.stem.removeprefix("test_"), test.group(1))


def slug(text: str) -> str:
    """A text as a part of an id, as the suite writes it."""
    return _SLUG.sub("_", text).strip("_")[:80]
