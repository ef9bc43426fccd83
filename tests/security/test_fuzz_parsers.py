"""Nothing that a stranger can write makes a parser fail in a way that was not foreseen. `make fuzz` looks longer."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from fuzz_mutation import mutated
from fuzz_parsers import PARSERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiers import rounds


@pytest.mark.parametrize("name", PARSERS)
def test_whole_documents_are_read(name: str, tmp_path: Path) -> None:
    """The documents that damage begins with are sound: otherwise only the first check of a parser is tried."""
    parser = PARSERS[name]
    assert parser.seeds()
    for seed in parser.seeds()[: 2 if parser.slow else None]:
        parser.run(seed, tmp_path)


@pytest.mark.parametrize("name", PARSERS)
def test_damaged_documents(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]

    @settings(
        max_examples=rounds(parser.usual, 40 * parser.usual),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(parser.seeds()), st.randoms(use_true_random=False))
    def damaged(seed: bytes, random: Random) -> None:
        parser.check(mutated(seed, random), tmp_path)

    damaged()


#: What fuzzing found, each mended.
FOUND = [
    ("address", b"https://ehr443/i4rrhf//metadata?x=1#y"),
    ("address", b"https:https://user:pw@h.example/Pat)ent?name=x"),
    ("address", b"HTTP://[2001:db8::1%25eth0]# victim"),
    ("part of a filled-in sheet", b'<?xml version="1.0" encoding="UTTTF-8"?>\n<worksheet/>'),
    ("part of a filled-in sheet", b'<?xml version="1.0" encoding="rot13"?>\n<worksheet/>'),
    ("milestone", b'{"name": "\\ud8%"}'),
    ("whole workspace to report", b"\0name: x\nproduct: x\nstart: '9999-12-31'\n"),
    ("whole workspace to report", b"\0name: x\nproduct: x\nstart: '2027-02-30'\n"),
    ("whole workspace to report", b"\0name: x\nproduct: x\nruleset: '" + b"9" * 300 + b"'\n"),
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_stays_mended(name: str, data: bytes, tmp_path: Path) -> None:
    PARSERS[name].check(data, tmp_path)
