"""What is wrong with a contract or beside it is told in words, with file, line and column, and with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.usecases.initialize import initialize

CONTRACT, PINECREST = "contract.yaml", "orgs/pinecrest.yaml"
#: file, what stands in it, what is put there, the command, its exit code, and what it says.
ROWS = [
    (
        CONTRACT,
        "schema: 2",
        "schema: 3",
        "contract lint {}",
        2,
        ("newer Interlock (schema 3; this one reads up to 2)", "contract.yaml:4:1", "do: update Interlock"),
    ),
    (
        CONTRACT,
        "kind: hl7v2 ",
        "kind: hl7-v2 ",
        "contract check --workspace {}",
        2,
        ("channels.0.kind", "(found 'hl7-v2')", "contract.yaml:71:5", "do: did you mean 'hl7v2'?"),
    ),
    (
        CONTRACT,
        "organizations: [riverside, lakeshore]",
        "organizations: [riverside, hillside]",
        "contract lint {}",
        1,
        (
            "contract.yaml:76:32: hl7v2: there is no organisation 'hillside'",
            "the workspace has harborview, lakeshore, pinecrest and riverside: take it out, or bring it back with",
        ),
    ),
    (
        CONTRACT,
        "not_at: [harborview]",
        "not_at: [harborvew]",
        "lint {}",
        1,
        ("MedicationAdministration: there is no organisation 'harborvew'; did you mean 'harborview'?",),
    ),
    (
        PINECREST,
        "  time_zone: America/Denver\n",
        "  time_zone: America/Denver\n  window_hours: 8\n",
        "lint {}",
        1,
        (
            "orgs/pinecrest.yaml:9:3: window_hours is the same everywhere",
            "the contract says 6; take it out, or mark it",
        ),
    ),
    (
        PINECREST,
        "  time_zone: America/Denver\n",
        "  time_zone: America/Denver\n  window_hours: 8\n",
        "contract check --org pinecrest --workspace {}",
        1,
        ("window_hours", "1 setting of the whole contract is set otherwise"),
    ),
]


@pytest.mark.parametrize(("file", "right", "wrong", "line", "code", "says"), ROWS, ids=[row[2][:30] for row in ROWS])
def test_it_is_told_where_it_is_and_what_to_do(
    command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    right: str,
    wrong: str,
    line: str,
    code: int,
    says: tuple[str, ...],
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    folder = initialize(tmp_path / "ws", "sepsis").root
    text = (folder / file).read_text()
    assert text.count(right) == 1
    (folder / file).write_text(text.replace(right, wrong))
    done = command(*(str(folder) if part == "{}" else part for part in line.split()))
    said = " ".join((done.out + done.err).split())
    assert done.code == code, said
    for part in says:
        assert part in said, (part, said)
    assert "Traceback" not in said
