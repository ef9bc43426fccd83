"""A translation of the report's fixed words: what it reaches, what it may not do, and what is said of what it lacks."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import assessment_factory as factory
import jinja2
import pytest

import interlock
import pseudo
from interlock.cli.main import run
from interlock.documents.resources import data_dir
from interlock.model import words
from interlock.model.base import Severity
from interlock.model.errors import DocumentError
from interlock.model.language import _, current, ngettext, using
from interlock.report import html, markdown, view
from interlock.report.fixed_words import fixed_words
from interlock.report.template_language import PlainDataEnvironment
from interlock.report.translation import MAX_BYTES, Translation, read_translation
from interlock.report.view import ReportView

pytestmark = pytest.mark.fast
PACKAGE = Path(interlock.__file__).parent


def build() -> ReportView:
    return view.build(
        factory.sample(), interlock_version="0.1.0", generated=factory.GENERATED, observations=factory.observations()
    )


def po(tmp_path: Path, text: str, head: str = pseudo.HEAD) -> Path:
    path = tmp_path / "de.po"
    path.write_text(f"{head}\n{text}\n", encoding="utf-8")
    return path


def entry(english: str, said: str) -> str:
    return f'msgid "{english}"\nmsgstr "{said}"\n'


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Translation:
    return read_translation(pseudo.write_pseudo(tmp_path_factory.mktemp("words") / "all.po"))


def test_a_complete_translation_has_nothing_to_be_told_of_it(everything: Translation) -> None:
    assert everything.told == ()
    assert len(fixed_words()) > 500


def test_numbers_dates_and_plurals_are_those_of_the_language(tmp_path: Path) -> None:
    text = 'msgid "%(number)s working day"\nmsgid_plural "%(number)s working days"\n'
    text += 'msgstr[0] "ein Arbeitstag"\nmsgstr[1] "%(number)s Arbeitstage"\n'
    german = read_translation(po(tmp_path, text + entry("critical", "kritisch") + entry("Critical", "Kritisch")))
    assert (words.number(1234.5), words.day(date(2028, 3, 7))) == ("1,234.5", "7 Mar 2028")
    with using(german):
        assert (words.number(1234.5), words.day(date(2028, 3, 7))) == ("1.234,5", "07.03.2028")
        assert words.months("2028-03-07", "2028-06-02") == "März to Juni 2028"
        counted = [words.days(number) for number in (1, 2, 1200)]
        assert counted == ["ein Arbeitstag", "2 Arbeitstage", "1.200 Arbeitstage"]
        assert (words.SEVERITY[Severity.CRITICAL].phrase, words.SEVERITY[Severity.CRITICAL].title) == (
            "kritisch",
            "Kritisch",
        )
        assert words.SEVERITY[Severity.HIGH].title == "High", "what it lacks is English"
        assert ngettext("%(number)s working day", "%(number)s working days", 2.5, number="2,5") == "2,5 Arbeitstage"
    assert words.SEVERITY[Severity.CRITICAL].title == "Critical" and current().tag == "en-GB"


def test_what_is_missing_is_counted_and_named(tmp_path: Path) -> None:
    told = read_translation(po(tmp_path, entry("Verdict", "Urteil") + entry("Of long ago", "Von einst"))).told
    total = len(fixed_words())
    assert told[0].startswith(f"{total - 1:,} of {total:,} words are not in de.po, and stay English: “")
    assert told[1] == "1 entry of de.po is no longer in the report."


def test_the_documentations_example_is_a_translation(tmp_path: Path) -> None:
    page = (PACKAGE.parents[1] / "docs/reports.md").read_text("utf-8")
    path = tmp_path / "de.po"
    path.write_text(page.partition('```\nmsgid ""')[2].partition("```")[0].join(['msgid ""', ""]), encoding="utf-8")
    german = read_translation(path)
    assert len(german.told) == 1
    with using(german):
        assert _("Answers about %(where)s", where="Riverside") == "Antworten zu Riverside"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("Antworten", "it loses %(where)s"),
        ("Antworten zu %(where)s und %(secret)s", "it invents %(secret)s"),
        ("Antworten zu %(where)s (100 %)", "a percent sign is written %%"),
        ("Antworten zu %(where)999999999d", "it loses %(where)s"),
        ("Antworten zu %(where)s%(where)99999999s", "a percent sign is written %%"),
    ],
)
def test_a_sentence_that_would_break_is_refused_by_its_line_and_stays_english(
    said: str, problem: str, tmp_path: Path
) -> None:
    english = "Answers about %(where)s"
    german = read_translation(po(tmp_path, entry("Verdict", "Urteil") + "\n" + entry(english, said)))
    assert german.told[1].startswith(f"de.po, line 10: {problem}")
    with using(german):
        assert (_("Verdict"), _(english, where="Riverside")) == ("Urteil", "Answers about Riverside")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'msgid "a', "no .po file"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b'msgid "Verdict"\nmsgstr "Urteil"\n', "does not say its language"),
        (b'msgid ""\nmsgstr ""\n"Language: xx_invented\\n"\n', "xx_invented"),
        (b'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Plural-Forms: nplurals=999999999; plural=0;\\n"\n', "plural forms"),
        (
            b'msgid ""\nmsgstr ""\n"Language: de\\n"\n"Plural-Forms: nplurals=2; plural=__import__(1);\\n"\n',
            "no .po file",
        ),
        (b"#" * (MAX_BYTES + 1), "larger than"),
    ],
    ids=["cut", "bytes", "no language", "no such language", "forms", "code", "size"],
)
def test_what_is_no_translation_is_an_error_with_its_file(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "de.po"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=told) as error:
        read_translation(path)
    assert error.value.location is not None and error.value.location.file == str(path)


def test_a_translation_is_text_and_never_markup(tmp_path: Path) -> None:
    german = read_translation(po(tmp_path, entry("Verdict", "<script>alert(1)</script> [x](javascript:1) **fett**")))
    with using(german):
        page, text = html.render(build()), markdown.render(build())
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page + text
    assert "[x](" not in text and "**fett**" not in text


def test_page_and_template_of_ones_own_are_in_the_language(everything: Translation, tmp_path: Path) -> None:
    (tmp_path / "report.md.j2").write_text('{{ _("Answers about %(where)s", where="A") }} {{ _("Own words") }}')
    with using(everything):
        page = html.render(build())
        assert markdown.render(build(), own=tmp_path) == "⟦Answers about A⟧ Own words\n"
    assert '<html lang="en">' in page and "⟦Skip to the report⟧" in page


def test_fixed_words_are_called_and_no_other_function() -> None:
    from jinja2 import DictLoader
    from jinja2.exceptions import SecurityError

    environment = PlainDataEnvironment(DictLoader({"t": "{{ _.__globals__ }}", "u": "{{ f() }}"}), autoescape=True)
    with pytest.raises(SecurityError):
        environment.get_template("t").render()
    with pytest.raises(SecurityError):
        environment.get_template("u").render(f=lambda: 1)


def test_the_command_writes_what_is_to_be_translated_and_takes_it_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from babel.messages.pofile import read_po

    assert run(["report", "--write-words", str(tmp_path / "report.pot")]) == 0
    with (tmp_path / "report.pot").open("rb") as file:
        assert len(read_po(file)) == len(fixed_words())
    assert run(["init", str(tmp_path / "w"), "--template", "ready"]) == 0
    settings = tmp_path / "w/interlock.yaml"
    settings.write_text(settings.read_text() + "branding:\n  language: de.po\n  logo: logo.png\n")
    po(tmp_path / "w", entry("Verdict", "Urteil"))
    capsys.readouterr()
    made = ["report", "-f", "md,json", "--sections", "summary", "--runs", "100", "-w", str(tmp_path / "w")]
    assert run(made) == 0
    said = capsys.readouterr().err
    assert "words are not in de.po" in said and "there is no logo 'logo.png'" in said
    data = (tmp_path / "w/reports/report.json").read_text()
    assert "Urteil" not in data and json.loads(data)["manifest"]["language"] == "en-GB"
    assert run(["verify", str(tmp_path / "w/reports/report.md"), "-w", str(tmp_path / "w")]) == 0
    assert "its words are a translation" in capsys.readouterr().out
    assert run([*made, "--language", str(tmp_path / "none.po")]) == 2
    assert "none.po" in capsys.readouterr().err


#: Calls that say a fixed sentence → where the sentence and its plural stand, and what is filled in by itself.
SAYING = {"_": ((0,), set()), "ngettext": ((0, 1), set()), "counted": ((1, 2), {"number"})}


def said_in_code() -> Iterator[tuple[str, set[str], bool, str]]:
    """File and line, what is filled in, whether that is all, and the sentence of each call."""
    for path in sorted(path for room in ("report", "model", "plan") for path in (PACKAGE / room).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(call, "func", None), "id", getattr(getattr(call, "func", None), "attr", ""))
            if isinstance(call, ast.Call) and name in SAYING:
                places, by_itself = SAYING[name]
                filled = {keyword.arg for keyword in call.keywords if keyword.arg} | by_itself
                all_of_it = all(keyword.arg for keyword in call.keywords) and not by_itself
                for argument in (call.args[place] for place in places if place < len(call.args)):
                    for text in ast.walk(argument):
                        if isinstance(text, ast.Constant) and isinstance(text.value, str):
                            yield f"{path.name}:{call.lineno}", filled, all_of_it, text.value


def said_in_templates() -> Iterator[tuple[str, set[str], bool, str]]:
    for path in sorted(data_dir("reports").rglob("*.j2")):
        for call in jinja2.Environment().parse(path.read_text("utf-8")).find_all(jinja2.nodes.Call):
            if isinstance(call.node, jinja2.nodes.Name) and call.node.name == "_":
                yield f"{path.name}:{call.lineno}", {each.key for each in call.kwargs}, True, call.args[0].as_const()


def test_a_sentence_is_whole_and_its_placeholders_are_those_that_are_filled_in() -> None:
    for where, filled, all_of_it, sentence in (*said_in_code(), *said_in_templates()):
        wanted = set(re.findall(r"%\((\w+)\)s", sentence))
        assert wanted <= filled or not all_of_it, (where, sentence)
        assert filled - {"number"} <= wanted, (where, sentence)
        assert not filled or "%" not in re.sub(r"%\(\w+\)s|%%", "", sentence), (where, sentence)
    glued = [word.english for word in fixed_words() if word.english != word.english.strip() or word.english[0] in ",;"]
    assert glued == []


def test_every_word_of_the_script_is_a_fixed_word() -> None:
    script = html._script()
    written = {text for text in re.findall(r'"([^"\n]*)"', script) if re.match("[A-Z][a-z]", text)}
    assert written <= set(html.SCRIPT_WORDS)
    assert [sentence for sentence in html.SCRIPT_WORDS if f'"{sentence}"' not in script] == []
