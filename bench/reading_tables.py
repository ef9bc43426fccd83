"""Speed of FHIR's own tables: reading a file of them, against unpacking and parsing the same bytes."""

from __future__ import annotations

import gzip
import json
import time
from typing import get_args

from measuring import Measured, best_of


def rows() -> list[Measured]:
    """One row a release and one of US Core. Promised are 30 ms a release; the base builds plain lists of the same."""
    from interlock.fhir.tables.files import DATA, ReleaseFile, TableFile, read
    from interlock.fhir.tables.us_core import UsCore
    from interlock.model.facts import FhirRelease

    def measured(title: str, name: str, kind: type[TableFile]) -> Measured:
        body = (DATA / f"{name}.json.gz").read_bytes()
        seconds, base = best_of(
            7, lambda: read(name, kind), lambda: json.loads(gzip.decompress(body)), clock=time.process_time
        )
        return Measured(f"tables of {title}", seconds, "gzip, json.loads", base, 1.2, 0.030)

    releases = [measured(f"FHIR {name}", name.lower(), ReleaseFile) for name in get_args(FhirRelease)]
    return [*releases, measured("US Core 6.1.0", "us-core-6.1.0", UsCore)]
