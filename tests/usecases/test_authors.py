"""Who said it: author, assignee, evidence, answers of several authors, and proposals that are confirmed."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.cli.main import run
from interlock.documents.yaml import parse_yaml
from interlock.model.base import Status
from interlock.model.response import Response
from interlock.usecases.author import author_of
from interlock.usecases.judge import judge
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.score import score_of
from interlock.workspace.responses import parse_responses
from interlock.workspace.store import Workspace

ITEM = "boundary.output_stable"
Run = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are read as text: no cell is folded."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.setenv("USER", "sysuser")
    monkeypatch.setenv("LOGNAME", "sysuser")
    assert run(["init", str(tmp_path / "w"), "--template", "sepsis"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "w")
    return tmp_path / "w"


@pytest.fixture
def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; its exit code, and what it said on both streams."""

    def call(*arguments: str) -> tuple[int, str]:
        code = run(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


def inputs(folder: Path) -> Inputs:
    return load_inputs(Workspace(folder))


def stored(folder: Path, item: str = ITEM, scope: str = "product") -> Response:
    return inputs(folder).answers(scope)[item]


def put(folder: Path, item: str, entry: str, scope: str = "product") -> int:
    """Append an answer to a scope's file as a person would; returns the line that it begins on."""
    path = folder / "responses" / f"{scope}.yaml"
    kept, skip = [], False
    for line in path.read_text().splitlines():
        skip = line == f"  {item}:" or (skip and line.startswith("    "))
        if not skip:
            kept.append(line)
    path.write_text("\n".join([*kept, f"  {item}:", *(f"    {line}" for line in entry.strip().splitlines())]) + "\n")
    return len(kept) + 1


# -- author and time ----------------------------------------------------------------------------------------------


def test_the_author_is_who_was_named_else_gits_user_else_the_systems(told: Run, folder: Path) -> None:
    told("answer", ITEM, "changing")
    assert stored(folder).by == "sysuser"
    (Path.home() / ".gitconfig").write_text("[user]\n\tname = Ada Lake\n\temail = ada@example.org\n")
    told("answer", ITEM, "proven_live")
    assert stored(folder).by == "Ada Lake <ada@example.org>"
    _, said = told("answer", ITEM, "changing", "--as", "Bob")
    assert stored(folder).by == "Bob" and stored(folder).at is not None
    assert "it was 'proven_live' by Ada Lake <ada@example.org> (" in said


def test_git_of_a_workspace_neither_runs_nor_names_the_author(told: Run, folder: Path) -> None:
    ran = folder.parent / "ran"
    for name in ("hook", "git"):
        (folder / name).write_text(f"#!/bin/sh\ntouch '{ran}'\necho stranger\n")
        (folder / name).chmod(0o755)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    for part in ("objects", "refs"):
        (folder / ".git" / part).mkdir()
    (folder / ".git" / "config").write_text(
        "[core]\n\trepositoryformatversion = 0\n"
        f"\tfsmonitor = {folder}/hook\n\tpager = {folder}/hook\n\thooksPath = {folder}\n"
        f"[alias]\n\tconfig = !{folder}/hook\n[user]\n\tname = Stranger\n\temail = s@example.org\n"
        f"[include]\n\tpath = {folder}/more\n"
    )
    (folder / "more").write_text("[user]\n\tname = Stranger\n")
    told("answer", ITEM, "changing")
    assert stored(folder).by == "sysuser"
    assert not ran.exists()


def test_a_git_in_the_workspace_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = folder.parent / "ran"
    (folder / "git").write_text(f"#!/bin/sh\ntouch '{ran}'\nprintf 'user.name\\nStranger\\0'\n")
    (folder / "git").chmod((folder / "git").stat().st_mode | stat.S_IXUSR)
    for path in (str(folder), "."):
        monkeypatch.setenv("PATH", path)
        assert author_of() == "sysuser"
    assert not ran.exists()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("Ada\nBob", "the author holds a line break"),
        ("Ada\x1b[31m", "the author holds the character U+001B (a control character)"),
        ("x" * 201, "the author is 201 characters long, more than 200"),
        ("  ", "the author is blank"),
    ],
)
def test_what_is_no_name_is_refused_with_one_message(told: Run, folder: Path, name: str, wrong: str) -> None:
    before = (folder / "responses" / "product.yaml").read_bytes()
    code, said = told("answer", ITEM, "changing", "--as", name)
    assert (code, wrong in said, said.count("error:")) == (2, True, 1)
    assert run(["--as", name]) == 2
    assert (folder / "responses" / "product.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("entry", "wrong", "line"),
    [
        ('status: unknown\nby: "a\\nb"', "by: holds a line break", 2),
        (f"status: unknown\nby: {'x' * 201}", "by: is 201 characters long, more than 200", 2),
        ('status: unknown\nassignee: " "', "assignee: is blank", 2),
        ("status: unknown\ndocuments: [{title: x, date: '2199-01-01'}]", "dated 1 Jan 2199, which is in the future", 2),
        (
            "status: unknown\ndocuments:\n  - {title: x, date: '2026-02-01', valid_until: '2026-01-01'}",
            "this evidence is of 1 Feb 2026 and valid until 1 Jan 2026, which is earlier",
            3,
        ),
        ("status: unknown\ndocuments: [{title: x, file: ../x}]", "names a file in the workspace", 2),
        (
            "status: unknown\nby: Ada\nat: '2026-03-01T10:00:00Z'\nothers:\n"
            "  - {status: answered, value: changing, by: Ada, at: '2026-03-01T10:00:00Z'}",
            "Ada answered twice at 1 Mar 2026, 10:00 UTC; keep one of the two",
            0,
        ),
        ("status: unknown\nothers: [{status: unknown}]", "each of the others is an answer with its author", 0),
    ],
)
def test_bad_input_in_a_file_is_one_message_with_file_and_line(
    told: Run, folder: Path, entry: str, wrong: str, line: int
) -> None:
    begins = put(folder, ITEM, entry)
    code, said = told("score")
    assert (code, said.count("error:")) == (2, 1)
    assert wrong in said and f"responses/product.yaml:{begins + line}:" in said


def test_a_control_character_in_a_name_is_one_message_with_file_and_line(told: Run, folder: Path) -> None:
    begins = put(folder, ITEM, 'status: unknown\nby: "a\\u0007b"')
    code, said = told("score")
    assert code == 2 and "U+0007 (a control character)" in said and f"product.yaml:{begins + 2}:" in said


# -- who owes what ------------------------------------------------------------------------------------------------


def test_who_owes_what_is_listed_until_it_is_given(told: Run, folder: Path) -> None:
    own = folder / "responses/harborview.yaml"
    own.write_text(
        "".join(line for line in own.read_text().splitlines(True) if not re.match(" *(assignee|due):", line))
    )
    told("answer", ITEM, "--status", "unanswered")
    told("answer", ITEM, "--assign", "Ada", "--due", "2026-10-14")
    assert (stored(folder).status, stored(folder).assignee, stored(folder).due) == (
        Status.UNANSWERED,
        "Ada",
        "2026-10-14",
    )
    told("answer", "boundary.workflow_settled", "--assign", "Bob", "--due", "2199-12-14")
    _, said = told("questions", "--owed")
    assert said.index("14 Oct 2026 (overdue)") < said.index("14 Dec 2199")
    assert "no answer yet" in said and "evidence for the answer" in said
    _, said = told("questions", "--who", "ada")
    assert ITEM in said and "Bob" not in said
    assert "Ada owes the answer by 14 Oct 2026, overdue" in told("questions", ITEM)[1]
    assert "Ada owes the" in told("questions")[1]
    listed = json.loads(told("next", "-n", "40", "--format", "json")[1])["questions"]
    (question,) = [question for question in listed if question["item"] == ITEM]
    assert (question["assignee"], question["due"]) == ("Ada", "2026-10-14")
    assert "Ada owes the answer by 14 Oct 2026, overdue" in question["because"]
    told("answer", ITEM, "--status", "unknown")
    assert stored(folder).assignee == "Ada", "unknown is no answer"
    told("answer", ITEM, "changing")
    assert (stored(folder).assignee, stored(folder).due) == (None, None)
    told("answer", "boundary.workflow_settled", "--assign", "", "--due", "")
    assert told("questions", "--owed")[1].strip() == "Nobody owes anything."


def test_assigning_does_not_make_somebody_the_author(told: Run, folder: Path) -> None:
    told("answer", ITEM, "changing", "--as", "Ada")
    before = stored(folder)
    told("answer", ITEM, "--assign", "Eve", "--as", "Bob")
    assert (stored(folder).by, stored(folder).at, stored(folder).value) == ("Ada", before.at, "changing")


def test_a_due_date_that_is_no_day_is_refused(told: Run) -> None:
    assert told("answer", ITEM, "--due", "2026-02-30") == (
        2,
        "error: the due date is no day: '2026-02-30' (day is out of range for month)\n"
        "   do: write it as YYYY-MM-DD, such as 2026-12-14\n",
    )


# -- evidence -----------------------------------------------------------------------------------------------------


def test_evidence_is_added_and_removed_one_piece_at_a_time(told: Run, folder: Path) -> None:
    told("answer", ITEM, "proven_live", "--evidence", "documented")
    first = len(stored(folder).documents)
    told("answer", ITEM, "--attach", "test_report", "--file", "runs/march.pdf", "--reviewer", "Eve", "--independent")
    told("answer", ITEM, "--attach", "ticket", "--title", "QA-7", "--evidence-date", "2026-03-01")
    report, ticket = stored(folder).documents[first:]
    assert (report.kind, report.file, report.reviewer, report.independent) == (
        "test_report",
        "runs/march.pdf",
        "Eve",
        True,
    )
    assert f"{first + 2}. Ticket: QA-7; of 1 Mar 2026" in told("questions", ITEM)[1]
    told("answer", ITEM, "--detach", str(first + 1))
    assert stored(folder).documents[first:] == (ticket,)
    _, said = told("answer", ITEM, "changing")
    assert stored(folder).documents == () and "evidence for the earlier answer" in said


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--file", "../outside.pdf"], "outside the folder"),
        (["--title", "x", "--evidence-date", "2199-01-01"], "“x” is dated 1 Jan 2199, which is in the future"),
        (["--title", "x", "--valid-until", "2026-01-31"], "the evidence “x” was valid until 31 Jan 2026"),
        (["--title", "x", "--reviewer", "Eve", "--valid-until", "2026-01-31"], "the review by Eve of “x” was valid"),
        (["--title", "x", "--evidence-date", "2026-03-01", "--valid-until", "2026-02-01"], "which is earlier"),
        (["--title", "x", "--reviewer", "a\nb"], "the evidence's reviewer holds a line break"),
        (["--reviewer", "Eve"], "a piece of evidence has a title, a link or a file"),
    ],
)
def test_evidence_that_does_not_hold_is_refused(told: Run, folder: Path, options: list[str], wrong: str) -> None:
    before = (folder / "responses" / "product.yaml").read_bytes()
    code, said = told("answer", ITEM, "--attach", "document", *options)
    assert code == 2 and wrong in " ".join(said.split())
    assert (folder / "responses" / "product.yaml").read_bytes() == before


def test_lint_names_evidence_that_has_expired_or_is_not_there(told: Run, folder: Path) -> None:
    put(
        folder,
        ITEM,
        "status: unknown\ndocuments:\n  - {title: x, reviewer: Eve, valid_until: '2026-01-31'}\n"
        "  - file: runs/march.pdf",
    )
    (folder / "gone").symlink_to("/etc")
    put(folder, "boundary.workflow_settled", "status: unknown\ndocuments:\n  - {file: gone/passwd}")
    _, said = told("lint", ".")
    flat = " ".join(said.split())
    assert "the review by Eve of “x” was valid until 31 Jan 2026; renew it" in flat
    assert "there is no file 'runs/march.pdf', which is named as evidence" in flat
    assert "'gone/passwd' is not in the workspace" in flat
    lines = (folder / "responses" / "product.yaml").read_text().splitlines()
    for text in ("valid_until: '2026-01-31'", "file: runs/march.pdf", "gone/passwd"):
        number = next(n for n, line in enumerate(lines, 1) if text in line)
        assert f"responses/product.yaml:{number}:" in flat
    (folder / "runs").mkdir()
    (folder / "runs" / "march.pdf").touch()
    assert "march.pdf" not in told("lint", ".")[1]


def test_evidence_that_has_expired_counts_a_grade_less_and_is_to_be_renewed(told: Run, folder: Path) -> None:
    item = "auth.path_matrix"
    entry = "status: answered\nvalue: all_tested\nevidence: documented\ndocuments:\n  - {title: x, valid_until: '%s'}"
    put(folder, item, entry % "2199-01-31")
    assert not any(task.expired for task in score_of(inputs(folder)).evidence)
    put(folder, item, entry % "2026-01-31")
    (task,) = [task for task in score_of(inputs(folder)).evidence if task.expired]
    assert (task.rule, task.items, task.owner.value, task.has) == ("AUTH-001", (item,), "us", "asserted")
    assert "“x” was valid until 31 Jan 2026" in task.sentence
    assert "evidence expired, renew it" in " ".join(told("gaps")[1].split())
    assert "renew: the evidence “x”" in " ".join(told("questions", "--owed")[1].split())


def test_gaps_lists_what_is_met_with_less_than_a_gate_accepts(told: Run, folder: Path) -> None:
    states = [state for own in judge(inputs(folder)).readiness for state in own.gates]
    weak = {(weak.key, state.gate) for state in states for weak in state.weak}
    assert weak, "the sample has some"
    tasks = score_of(inputs(folder)).evidence
    assert {(task.key, task.gate) for task in tasks} == weak
    said = told("gaps")[1]
    assert all(task.key in said for task in tasks)


# -- several authors ----------------------------------------------------------------------------------------------

DIFFER = """
status: answered
value: proven_live
evidence: observed
by: Ada Lake <ada@example.org>
at: '2026-03-01T10:00:00Z'
others:
  - {status: answered, value: changing, by: Bob Hill, at: '2026-03-02T10:00:00Z'}
"""


def test_while_two_authors_differ_the_question_counts_as_unknown(told: Run, folder: Path) -> None:
    put(folder, ITEM, DIFFER)
    differ = judge(inputs(folder))
    told("answer", ITEM, "--keep", "ada")
    told("answer", ITEM, "--status", "unknown")
    unknown = judge(inputs(folder))
    assert differ.product_score == unknown.product_score and differ.verdict == unknown.verdict


def test_a_difference_in_note_or_evidence_alone_does_not_make_it_unknown(folder: Path) -> None:
    put(folder, ITEM, DIFFER.replace("value: changing,", "value: proven_live, note: I saw it,"))
    alone = inputs(folder).with_response("product", ITEM, stored(folder).but(others=()))
    assert judge(inputs(folder)).product_score == judge(alone).product_score
    assert stored(folder).agreed_status is Status.ANSWERED


def test_both_are_shown_and_one_is_kept_by_its_author(told: Run, folder: Path) -> None:
    put(folder, ITEM, DIFFER)
    for command in (["questions"], ["questions", ITEM], ["questions", "--owed"]):
        said = " ".join(told(*command)[1].split())
        assert "Ada Lake" in said and "Bob Hill" in said, command
    assert told("answer", ITEM, "--keep", "Carol") == (
        2,
        f"error: nobody who answered {ITEM} is called 'Carol'\n"
        "   do: it was answered by: Ada Lake <ada@example.org>; Bob Hill\n",
    )
    assert "2 of those who answered" in told("answer", ITEM, "--keep", "l")[1]
    told("answer", ITEM, "--assign", "Eve")
    assert len(stored(folder).others) == 1, "who assigns settles nothing"
    _, said = told("answer", ITEM, "--keep", "bob")
    assert (stored(folder).value, stored(folder).by, stored(folder).others) == ("changing", "Bob Hill", ())
    assert "No longer in the file: 'proven_live' by Ada Lake <ada@example.org>" in said
    assert told("answer", ITEM, "--keep", "bob")[0] == 2


def test_answering_again_settles_it(told: Run, folder: Path) -> None:
    put(folder, ITEM, DIFFER)
    _, said = told("answer", ITEM, "proven_live", "--as", "Carol")
    assert (stored(folder).by, stored(folder).others) == ("Carol", ())
    assert "'proven_live' by Ada Lake" in said and "'changing' by Bob Hill" in said, "nothing goes without being shown"


def test_another_authors_answer_goes_beside_and_an_authors_own_in_the_place_of_the_earlier() -> None:
    ada = Response(status=Status.ANSWERED, value="a", by="Ada")
    bob = Response(status=Status.ANSWERED, value="b", by="Bob")
    both = ada.beside(bob)
    assert both.others == (bob,) and both.agreed_status is Status.UNKNOWN
    assert both.beside(bob.but(value="c")).others == (bob.but(value="c"),)
    assert both.beside(ada.but(value="b")).agreed_status is Status.ANSWERED
    assert ada.beside(bob.but(value="a")) is ada, "nothing new is said"


# -- proposals ----------------------------------------------------------------------------------------------------

OWNER = "contract.clinical_owner"


@pytest.fixture
def proposed(folder: Path) -> Path:
    """The product proposes an owner; two organisations have not answered, one said otherwise and one the same."""
    workspace = Workspace(folder)
    own = {"riverside": None, "lakeshore": Status.UNKNOWN, "harborview": "ours", "pinecrest": "named"}
    put(folder, OWNER, "status: answered\nvalue: named\nby: Ada\nevidence: documented\ndocuments: [{title: letter}]")
    for org, value in own.items():
        response = None
        if isinstance(value, Status):
            response = Response(status=value, by="Bob")
        elif value is not None:
            response = Response(status=Status.ANSWERED, value=value, by="Bob")
        workspace.save_response(org, OWNER, response, before=workspace.responses(org).get(OWNER))
    return folder


def test_a_proposal_is_confirmed_where_nobody_has_answered(told: Run, proposed: Path) -> None:
    code, said = told("answer", OWNER, "--confirm", "--everywhere", "--as", "Eve")
    assert code == 0 and "at lakeshore and riverside" in said and "harborview and pinecrest" in said
    for org in ("riverside", "lakeshore"):
        own = stored(proposed, OWNER, org)
        assert (own.value, own.by, own.evidence, own.documents[0].title) == ("named", "Eve", "documented", "letter")
        assert own.at is not None
    assert stored(proposed, OWNER, "harborview").value == "ours"
    assert stored(proposed, OWNER, "pinecrest").by == "Bob"


def test_a_proposal_is_confirmed_at_named_organisations_all_or_none(told: Run, proposed: Path) -> None:
    code, said = told("answer", OWNER, "--confirm", "--org", "riverside", "--org", "harborview")
    assert code == 2 and f"harborview answered {OWNER} otherwise: 'ours' by Bob" in " ".join(said.split())
    assert OWNER not in inputs(proposed).answers("riverside")
    assert told("answer", OWNER, "--confirm", "--org", "riverside", "--org", "lakeshore")[0] == 0
    assert {stored(proposed, OWNER, org).value for org in ("riverside", "lakeshore")} == {"named"}


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ([ITEM, "--confirm", "--everywhere"], "is asked once for the product: nothing is proposed"),
        ([OWNER, "--confirm"], "it is not said where the proposal holds"),
        ([OWNER, "--confirm", "--org", "nowhere"], "there is no organisation 'nowhere'"),
        ([OWNER, "named", "--confirm", "--everywhere"], "--confirm takes the answer that is proposed"),
        ([OWNER, "named", "--org", "riverside", "--org", "lakeshore"], "an answer is about one organisation"),
    ],
)
def test_what_cannot_be_confirmed_is_refused_with_words(
    told: Run, proposed: Path, arguments: list[str], wrong: str
) -> None:
    code, said = told("answer", *arguments)
    assert code == 2 and wrong in said


def test_without_a_proposal_nothing_is_confirmed(told: Run, proposed: Path) -> None:
    told("answer", OWNER, "--status", "unknown")
    code, said = told("answer", OWNER, "--confirm", "--everywhere")
    assert code == 2 and f"nothing is proposed for {OWNER}" in said


# -- files --------------------------------------------------------------------------------------------------------


def test_a_link_of_an_earlier_version_loads_and_is_written_as_evidence(told: Run, folder: Path) -> None:
    put(folder, ITEM, "status: answered\nvalue: proven_live\nevidence_url: https://example.org/x")
    assert [record.link for record in stored(folder).documents] == ["https://example.org/x"]
    told("answer", ITEM, "--note", "seen")
    text = (folder / "responses" / "product.yaml").read_text()
    entry = text[text.index(f"  {ITEM}:") :]
    assert "evidence_url" not in entry and "link: https://example.org/x" in entry
    assert "others" not in entry and stored(folder).note == "seen"


# -- docs/answers.md ----------------------------------------------------------------------------------------------

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "answers.md").read_text("utf-8")


def test_the_pages_files_load() -> None:
    first, second = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (given,) = parse_responses(parse_yaml(first, "page")).values()
    assert len(given.documents) == 2 and given.due == "2026-12-14"
    (given,) = parse_responses(parse_yaml(second, "page")).values()
    assert given.agreed_status is Status.UNKNOWN


def test_the_pages_commands_work_in_the_order_in_which_a_reader_meets_them(told: Run, folder: Path) -> None:
    put(folder, ITEM, DIFFER)
    workspace = Workspace(folder)
    for org in ("riverside", "lakeshore", "harborview"):
        workspace.save_response(org, OWNER, None, before=workspace.responses(org).get(OWNER))
    commands = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
    for command in commands:
        name, *arguments = shlex.split(command)
        code, said = told(*arguments)
        assert (name, code) == ("interlock", 0), f"{command}\n{said}"
    assert {stored(folder, OWNER, org).value for org in ("riverside", "lakeshore", "harborview")} == {"named"}
    assert len(commands) >= 10


@pytest.mark.parametrize(
    ("file", "item", "entry", "wrong"),
    [
        ("product", ITEM, "status: not_applicable\nreason: we do not like it", "this question always applies"),
        ("product", ITEM, "status: answered\nvalue: gone", "'gone' is not offered"),
        ("product", "auth.path_walked", "status: answered\nvalue: each_path", "it is asked of each organisation"),
        ("product", "auth.path_walkd", "status: answered\nvalue: each_path", "did you mean auth.path_walked"),
        ("riverside", ITEM, "status: answered\nvalue: changing", "it is asked once for the product"),
    ],
)
def test_an_answer_in_a_file_that_counts_for_nothing_is_named_with_file_and_line(
    told: Run, folder: Path, file: str, item: str, entry: str, wrong: str
) -> None:
    assert told("score")[0] == 0, "the file loads all the same, and nothing is lost"
    begins = put(folder, item, entry, file)
    code, said = told("lint", ".")
    assert code == 1 and f"responses/{file}.yaml:{begins}:" in said
    assert f"{item}: this answer counts for nothing: {wrong}" in " ".join(said.split())
