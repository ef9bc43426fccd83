"""A workspace brings no code, no style and no template; a reader's own template is bounded and sees plain data only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import FileSystemLoader

from interlock.cli.main import run
from interlock.documents.resources import data_dir
from interlock.model.errors import DocumentError
from interlock.report import templates
from interlock.report.template_language import CompiledTemplates, PlainDataEnvironment

REACHES_PICKLE = (
    "{{ view.cover.parse_raw(payload, proto='pickle', allow_pickle=True) }}"
    "{{ view.__class__.parse_raw(payload, proto='pickle', allow_pickle=True) }}"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    assert run(["init", str(folder), "--template", "ready"]) == 0
    return folder


def report(workspace: Path, *arguments: str | Path, formats: str = "md,html") -> int:
    options = ["-f", formats, "--runs", "100", "-w", str(workspace), "-o", str(workspace / "out")]
    return run(["report", *options, *(str(argument) for argument in arguments)])


def written(workspace: Path, name: str) -> str:
    return (workspace / "out" / name).read_text(encoding="utf-8")


def with_template(folder: Path, text: str, name: str = "report.md.j2") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


# -- a workspace brings none ------------------------------------------------------------------------------------------


def test_templates_styles_and_fonts_of_a_workspace_are_not_used_and_that_is_said(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    templates = with_template(workspace / "templates", REACHES_PICKLE)
    with_template(templates, "{{ 'FROM THE WORKSPACE' }}", "report.html.j2")
    (templates / "report.css").write_text("body { color: #010203 }", encoding="utf-8")
    assert report(workspace) == 0
    assert "FROM THE WORKSPACE" not in written(workspace, "report.html")
    assert "#010203" not in written(workspace, "report.html")
    assert written(workspace, "report.md").startswith("# ")
    told = capsys.readouterr().err
    assert "templates/ is not used" in told and "interlock report --templates" in told


def test_a_stylesheet_that_links_to_a_key_is_not_read(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "id_rsa").write_text("PRIVATE KEY", encoding="utf-8")
    (workspace / "templates").mkdir()
    (workspace / "templates" / "report.css").symlink_to(tmp_path / "id_rsa")
    assert report(workspace) == 0
    assert "PRIVATE KEY" not in written(workspace, "report.html")


def test_nothing_is_imported_from_the_folder_where_the_command_runs(workspace: Path, tmp_path: Path) -> None:
    """Python's helper processes start with the current folder on their path, unless told otherwise."""
    pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)
    for name in ("multiprocessing", "json", "weasyprint", "interlock", "signal"):
        (workspace / name).mkdir()
        (workspace / name / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    own = with_template(tmp_path / "own", "{{ view.title }}")
    command = [sys.executable, "-P", "-c", "from interlock.cli.main import main; main()", "report", "-f", "md,pdf"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*command, "--runs", "100", "--sections", "summary", "--templates", str(own)],
        cwd=workspace, capture_output=True, text=True, timeout=240, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()
    assert (workspace / "reports" / "report.pdf").read_bytes().startswith(b"%PDF")


# -- a reader's own ---------------------------------------------------------------------------------------------------


def test_a_copied_shipped_template_gives_the_same_bytes(workspace: Path, tmp_path: Path) -> None:
    assert report(workspace) == 0
    before = {name: without_manifest(written(workspace, name)) for name in ("report.md", "report.html")}
    shutil.copytree(data_dir("reports"), tmp_path / "own")
    assert report(workspace, "--templates", tmp_path / "own") == 0
    assert {name: without_manifest(written(workspace, name)) for name in before} == before


def without_manifest(text: str) -> str:
    """The report's own text: its manifest says that the templates are somebody's own."""
    head, found, _ = text.rpartition("interlock-manifest")
    assert found
    return head


def test_every_part_may_be_ones_own(workspace: Path, tmp_path: Path) -> None:
    own = with_template(tmp_path / "own", "{% from 'parts.j2' import line %}{{ line(view.title|upper|md) }}")
    with_template(own, "{% macro line(text) %}<{{ text }}>{% endmacro %}", "parts.j2")
    (own / "report.css").write_text("body { color: #010203 } </style><script>", encoding="utf-8")
    assert report(workspace, "--templates", own) == 0
    assert written(workspace, "report.md").startswith("<")
    page = written(workspace, "report.html")
    assert "#010203" in page and "</style><script>" not in page


def test_one_section_may_be_ones_own(workspace: Path, tmp_path: Path) -> None:
    with_template(tmp_path / "own/sections", "## {{ section.title|md }} in our words", "method.md.j2")
    assert report(workspace, "--templates", tmp_path / "own") == 0
    text = written(workspace, "report.md")
    assert "## Method in our words" in text and "Two kinds of evidence" not in text and "Open gaps" in text


ESCAPES = {
    "a method of the view": REACHES_PICKLE,
    "a method of a text": "{{ 'x'.upper() }}",
    "a format string": "{{ '{0.__class__}'.format(view) }}",
    "a method of a dictionary": "{{ view.items() }}",
    "a method by subscript": "{{ view['items'] }}",
    "the class of a text": "{{ ''.__class__.__mro__ }}",
    "the class by subscript": "{{ ''['__class__'] }}",
    "the filter attr": "{{ view|attr('items') }}",
    "the filter map": "{{ [view]|map(attribute='__class__')|list }}",
    "join by attribute": "{{ [view]|join(attribute='__class__') }}",
    "sort by attribute": "{{ ['b', 'a']|sort(attribute='__class__')|join }}",
    "globals of a macro": "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "a name of a macro": "{% macro m() %}{% endmacro %}{{ m.name }}",
    "internals of loop": "{% for x in [1] %}{{ loop._undefined }}{% endfor %}",
    "a method of loop": "{% for x in [1] %}{{ loop.cycle(1) }}{% endfor %}",
    "self": "{{ self._TemplateReference__context }}",
    "internals of an import": "{% import 'report.html.j2' as page %}{{ page.__dict__ }}",
    "range": "{{ range(10) }}",
    "lipsum": "{{ lipsum.__globals__ }}",
    "cycler": "{{ cycler('a') }}",
    "namespace": "{{ namespace() }}",
    "a name that does not exist": "{{ view.nonsense }}",
    "a file elsewhere": "{% include '../../etc/passwd' %}",
    "a file by its whole name": "{% include '/etc/passwd' %}",
    "a calculation with a list": "{{ view + 1 }}",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_a_template_reaches_nothing_but_plain_data(name: str, tmp_path: Path) -> None:
    own = with_template(tmp_path / "own", "one\n" + ESCAPES[name])
    with pytest.raises(DocumentError, match="template") as caught:
        templates.render("report.md.j2", {"view": {"title": "x", "cover": {}}}, own, autoescape=False)
    assert caught.value.location is not None and str(caught.value.location).startswith(f"{own}/report")


def test_what_a_template_does_wrong_is_told_and_nothing_is_written(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = with_template(tmp_path / "own", "one\n" + REACHES_PICKLE)
    assert report(workspace, "--templates", own, formats="md") == 2
    told = capsys.readouterr().err
    assert "has no attribute 'parse_raw'" in told and f"{own}/report.md.j2:2" in told
    assert not (workspace / "out" / "report.md").exists()


def nested(depth: int, inside: str) -> str:
    """Loops over 300 characters, one in the other."""
    return "".join(f"{{% for c{n} in '{'x' * 300}' %}}" for n in range(depth)) + inside + "{% endfor %}" * depth


#: What a template tries → the template, and what is said when it is stopped.
BOMBS = {
    "a product of texts": ("{{ 'x' * 3000000000 }}", "more memory"),
    "a product of lists": ("{{ ([0] * 999999999)|length }}", "more memory"),
    "a power": ("{{ 10 ** (10 ** 10) }}", "stopped after 2 seconds of work"),
    # On a slow machine its time ends before its memory does.
    "a text that doubles": (
        "{% set t = 'x' %}" + "{% set t = t ~ t %}" * 40 + "{{ t|length }}",
        "more memory|stopped after 2 seconds of work",
    ),
    "loops": (nested(5, ""), "stopped after 2 seconds of work"),
    "output": (nested(4, "x" * 1000), "writes more than 1 MB"),
    "a macro that calls itself": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls itself"),
    "brackets": ("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}", "template"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_template_is_bounded_in_time_memory_and_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "CPU_SECONDS", 2)
    monkeypatch.setattr(templates, "OUTPUT_BYTES", 1_000_000)
    text, told = BOMBS[name]
    own = with_template(tmp_path / "own", text)
    with pytest.raises(DocumentError, match=told):
        templates.render("report.md.j2", {"view": {}}, own, autoescape=False)


def test_the_clock_stops_a_template_that_the_processor_does_not(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(templates, "WALL_SECONDS", 1)
    own = with_template(tmp_path / "own", nested(5, ""))
    assert report(workspace, "--templates", own, formats="md") == 2
    assert "was stopped after 1 seconds" in capsys.readouterr().err
    assert not (workspace / "out" / "report.md").exists()


def test_files_beside_it_come_from_its_own_folder_only(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").write_text("SECRET", encoding="utf-8")
    for name in ("report.css", "report.md.j2", "fonts"):
        own = with_template(tmp_path / f"own-{name}", "{{ view.title }}", "report.html.j2")
        (own / name).symlink_to(tmp_path / "secret")
        if name == "fonts":
            (own / "fonts").unlink()
            (own / "fonts").symlink_to(tmp_path)
            shutil.copy(tmp_path / "secret", tmp_path / "source-sans-3-latin-400-normal.woff2")
        assert report(workspace, "--templates", own) == 2, name
        assert "a link that leads out of this folder" in capsys.readouterr().err
        assert not (workspace / "out").exists() or "SECRET" not in "".join(
            path.read_text(encoding="utf-8") for path in (workspace / "out").iterdir()
        )


def test_a_mistake_is_told_with_its_file_and_line(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = "'dict object' has no attribute 'nonsense'"
    for text, line, said in (("one\n{% if %}", 2, "Expected"), ("one\ntwo\n{{ view.nonsense.deeper }}", 3, absent)):
        own = with_template(tmp_path / "own", text)
        assert report(workspace, "--templates", own, formats="md") == 2
        told = capsys.readouterr().err
        assert f"{own / 'report.md.j2'}:{line}" in told and f"template mistake: {said}" in told


def test_a_folder_without_anything_to_use_is_an_error(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(workspace, "--templates", tmp_path / "absent") == 2
    assert "no such folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert report(workspace, "--templates", tmp_path / "empty") == 2
    assert "has none of report.html.j2" in capsys.readouterr().err
    with_template(tmp_path / "empty", "body {}" * 400_000, "report.css")
    assert report(workspace, "--templates", tmp_path / "empty") == 2
    assert "larger than" in capsys.readouterr().err


def test_a_compiled_template_is_kept_and_is_only_that_of_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept = tmp_path / "__pycache__"

    def rendered(text: str) -> str:
        (tmp_path / "a.j2").write_text(text)
        compiled = CompiledTemplates(tmp_path, autoescape=False)
        environment = PlainDataEnvironment(FileSystemLoader(tmp_path), autoescape=False, compiled=compiled)
        return environment.get_template("a.j2").render({"x": "one"})

    assert rendered("{{ x }}") == "one"
    (file,) = kept.iterdir()
    made = file.read_bytes()
    assert rendered("{{ x }}") == "one"
    assert file.read_bytes() == made
    assert rendered("{{ x }} more") == "one more"
    file.write_bytes(b"damaged")
    assert rendered("{{ x }}") == "one"
    file.unlink()
    kept.rmdir()
    kept.write_text("nothing can be kept here")
    assert rendered("{{ x }} again") == "one again"
