"""Lines of a fleet: what many results share stands once in a file, and every result reads back whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from probe_documents import smart, statement
from probe_loopback import Loopback, as_json

from interlock.model.observation import Observation, Target
from interlock.probe import fleet_lines
from interlock.probe.fleet import ResultFile
from interlock.probe.fleet_lines import LineMaker, LineReader, LineWriter
from interlock.probe.runner import probe
from interlock.usecases.probe import ProbeSettings
from typed_targets import typed


@pytest.fixture
async def alike(loopback: Loopback) -> list[Observation]:
    """Observations of five tenants of one server; the third has no SMART configuration."""
    for number in range(5):
        loopback.routes[f"/{number}/fhir/metadata"] = as_json(statement())
        if number != 2:
            loopback.routes[f"/{number}/fhir/.well-known/smart-configuration"] = as_json(smart())
    wanted = [Target(base_url=f"http://127.0.0.1:{loopback.port}/{number}/fhir") for number in range(5)]
    settings = typed(ProbeSettings(), f"http://127.0.0.1:{loopback.port}")
    return [observation async for observation in probe(wanted, settings)]


def test_lines_read_back_as_they_were_and_are_short(alike: list[Observation]) -> None:
    maker, writer, reader = LineMaker(), LineWriter(), LineReader()
    lines = [writer.finish(maker.make(observation)) for observation in alike]
    assert [reader.read(line) for line in lines] == alike
    assert len(lines[-1]) < 12_000
    title = alike[0].checks[0].title.encode()
    assert b"".join(lines).count(title) == 1


def test_a_file_that_begins_anew_reads_back_too(alike: list[Observation], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_lines, "_MAX_SHARED", 10_000)
    monkeypatch.setattr(fleet_lines, "_MAX_MADE", 20)
    maker, writer, reader = LineMaker(), LineWriter(), LineReader()
    lines = [writer.finish(maker.make(observation)) for observation in alike * 3]
    assert sum(b'"anew":true' in line for line in lines) > 2
    assert [reader.read(line) for line in lines] == alike * 3


def test_a_file_of_an_earlier_version_is_read_and_continued(alike: list[Observation], tmp_path: Path) -> None:
    out = tmp_path / "out.ndjson"
    out.write_bytes(b"".join(observation.model_dump_json().encode() + b"\n" for observation in alike[:2]))
    maker, writer = LineMaker(), LineWriter()
    with ResultFile(out, resume=True) as file:
        assert list(file.earlier()) == alike[:2]
        for observation in alike[2:]:
            file.write(writer.finish(maker.make(observation)))
    with ResultFile(out, resume=True) as file:
        assert list(file.earlier()) == alike
