"""All fixed words of the report, read out of its code and its templates: what a translation can translate."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import interlock
from interlock.documents.resources import data_dir
from interlock.documents.timing import writing_time
from interlock.model.words import Word

_PACKAGE = Path(interlock.__file__).parent
#: Where fixed words of the report stand, below the package.
_ROOTS = ("report", "model", "plan")
#: Calls with fixed words → the positions of sentence and plural.
_CALLS: dict[str, tuple[int, ...]] = {
    "_": (0,),
    "N_": (0,),
    "NN_": (0, 1),
    "ngettext": (0, 1),
    "counted": (1, 2),
    "agree": (1, 2),
    "Section": (1,),
    "Column": (0,),
}


@dataclass
class FixedWord:
    """One sentence: in English, with its plural or none, and where it is said (file below the package, line)."""

    english: str
    plural: str = ""
    where: list[tuple[str, int]] = field(default_factory=list)


@cache
def fixed_words() -> tuple[FixedWord, ...]:
    """Every fixed word, each once, in order of first appearance; reading them takes 0.7 s."""
    by_text: dict[str, FixedWord] = {}
    for english, plural, position in (*_of_code(), *_of_templates()):
        word = by_text.setdefault(english, FixedWord(english))
        word.plural = word.plural or plural
        word.where.append(position)
    return tuple(by_text.values())


def template(words: Iterable[FixedWord]) -> bytes:
    """The ``.pot`` file that a translation begins with."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    catalog = Catalog(
        header_comment="# The fixed words of Interlock's report. %(name)s is filled in, and has to stay.",
        project="Interlock",
        version=interlock.__version__,
        creation_date=writing_time(),
        charset="utf-8",
        fuzzy=False,
    )
    for word in words:
        catalog.add((word.english, word.plural) if word.plural else word.english, locations=word.where)
    written = io.BytesIO()
    write_po(written, catalog, width=118)
    return written.getvalue()


def _of_code() -> Iterator[tuple[str, str, tuple[str, int]]]:
    for root in _ROOTS:
        for path in sorted((_PACKAGE / root).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = path.relative_to(_PACKAGE).as_posix()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call):
                    for english, plural in _said(node):
                        yield english, plural, (name, node.lineno)


def _said(call: ast.Call) -> Iterator[tuple[str, str]]:
    """Sentence and plural of a call that says fixed words."""
    function = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    arguments = [_texts(argument) for argument in call.args]
    if function in _CALLS:
        texts = [arguments[at] for at in _CALLS[function] if at < len(arguments)]
        if len(texts) == len(_CALLS[function]) and all(texts):
            yield from zip(texts[0], texts[1] if len(texts) > 1 else [""] * len(texts[0]), strict=False)
    elif function in {"count", "measured"} and len(arguments) > 1:
        for index, argument in enumerate(arguments[1]):
            several = arguments[2][index] if len(arguments) > 2 and arguments[2] else f"{argument}s"
            yield f"%(number)s {argument}", f"%(number)s {several}"
    elif function == "Word" and arguments and arguments[0]:
        word = Word(arguments[0][0])
        yield word.english, ""
        yield word.title_in_english, ""
    elif function == "Said" and call.args and isinstance(call.args[0], ast.Dict):
        for value in call.args[0].values:
            yield from ((text, "") for text in _texts(value))


def _texts(node: ast.expr) -> list[str]:
    """The text that an argument is, or the two that it chooses between."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    return _texts(node.body) + _texts(node.orelse) if isinstance(node, ast.IfExp) else []


def _of_templates() -> Iterator[tuple[str, str, tuple[str, int]]]:
    from interlock.report.template_language import sentences

    folder = data_dir("reports")
    for path in sorted(folder.rglob("*.j2")):
        name = f"reports/{path.relative_to(folder).as_posix()}"
        for line, english in sentences(path.read_text(encoding="utf-8")):
            yield english, "", (name, line)
