"""Work as files: parts where a tracker takes so many rows, one organisation's share, and clear words on stdout."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import assessment_factory as factory
import pytest

from interlock.documents.timing import judging_day, writing_time
from interlock.model.errors import InterlockError
from interlock.usecases import work


def test_azure_gets_a_file_for_every_thousand_rows(tmp_path: Path) -> None:
    sample = factory.sample()
    gap = next(task for task in sample.plan.tasks if task.kind == "gap")
    many = tuple(gap.model_copy(update={"id": f"AA-{number:04}", "after": ()}) for number in range(1500))
    large = sample.model_copy(update={"plan": sample.plan.model_copy(update={"tasks": many})})
    texts = work.issues(large, "azure", "csv")
    assert [len(list(csv.reader(io.StringIO(text)))) - 1 for text in texts] == [1000, 500]
    assert len(work.issues(large, "jira", "csv")) == 1
    written = work.write_parts(texts, tmp_path / "issues.csv")
    assert [path.name for path in written] == ["issues-1.csv", "issues-2.csv"]
    with pytest.raises(InterlockError, match="2 files"):
        work.only_part(texts)


def test_one_organisations_issues_have_its_own_and_the_products() -> None:
    sample = factory.sample()
    (part,) = work.issues(sample, "github", "csv", org="lakeshore")
    rows = list(csv.DictReader(io.StringIO(part)))
    ids = {row["id"] for row in rows}
    assert ids and not {key for key in ids if key.endswith(("@harborview", "@pinecrest"))}
    assert {key for row in rows for key in row["blocked_by"].split(",") if key} <= ids


def test_a_build_sets_the_moment_and_the_day_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert writing_time() == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC) and judging_day() == date(2023, 11, 14)
    texts = [make(factory.sample(), now=writing_time()) for make in (work.poam, work.calendar) for _ in range(2)]
    assert texts[0] == texts[1] and texts[2] == texts[3]
    assert '"last-modified": "2023-11-14T22:13:20+00:00"' in texts[0] and "DTSTAMP:20231114T221320Z" in texts[2]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(InterlockError, match="no number of seconds: soon"):
        writing_time()
