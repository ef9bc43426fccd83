"""A translation of the report's fixed words: a gettext ``.po`` file, bounded, checked sentence by sentence.

What it lacks, and what it gets wrong, is said in English and told: nothing of it stops the report.
"""

from __future__ import annotations

import gettext
import io
import math
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlock.documents.files import read_bytes
from interlock.model.errors import DocumentError, InterlockError, Location
from interlock.model.language import Language
from interlock.model.text import plain
from interlock.report.fixed_words import FixedWord, fixed_words

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

#: Bytes of a file, and characters of a sentence.
MAX_BYTES = 2_000_000
MAX_SENTENCE = 4_000
#: More plural forms than any language has.
MAX_PLURALS = 6
_PLURALS = re.compile(r"nplurals\s*=\s*(\d+)")
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
#: What cannot be told of one by one.
_NAMED = 3


class Translation(Language):
    """Fixed words out of a catalogue, with numbers and dates as that language writes them.

    :param catalogue: a checked ``.mo`` file; what it lacks is English.
    """

    def __init__(self, tag: str, catalogue: bytes, told: tuple[str, ...] = ()) -> None:
        self.tag, self.catalogue, self.told = tag, catalogue, told
        self._catalogue = gettext.GNUTranslations(io.BytesIO(catalogue))

    def one(self, message: str) -> str:
        """The sentence in this language, or in English."""
        return self._catalogue.gettext(message)

    def counted(self, singular: str, plural: str, number: float) -> str:
        """The form that the catalogue's own rule gives; a number with decimals counts as several."""
        whole = int(number) if number == int(number) else max(2, math.ceil(abs(number)))
        return self._catalogue.ngettext(singular, plural, whole)

    def decimal(self, value: float, digits: int = 0) -> str:
        """A number with this language's signs between thousands and before decimals."""
        from babel.numbers import format_decimal

        shown: str = format_decimal(round(value, digits), f"#,##0{'.' if digits else ''}{'0' * digits}", self._locale)
        return shown

    def day(self, value: date) -> str:
        """A date of middle length, as this language writes it."""
        from babel.dates import format_date

        shown: str = format_date(value, "medium", self._locale)
        return shown

    def month(self, value: date, *, year: bool = True) -> str:
        """A month, short, as this language writes it."""
        from babel.dates import format_date, format_skeleton

        if not year:
            alone: str = format_date(value, "MMM", self._locale)
            return alone
        shown: str = format_skeleton("yMMM", value, locale=self._locale)
        return shown

    @property
    def _locale(self) -> str:
        return self.tag.replace("-", "_")


def read_translation(path: Path, within: Path | None = None) -> Translation:
    """The translation in a ``.po`` file; what it lacks is in ``told``.

    :param within: the workspace, of a file that its settings name.
    :raises DocumentError: the file cannot be read, is too large, is no ``.po`` file, or does not say its language.
    """
    try:
        text = read_bytes(path, MAX_BYTES, within=within).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, "not UTF-8 text", "save it as UTF-8") from error
    catalog = _parse(path, text)
    words = {word.english: word for word in fixed_words()}
    missing, wrong, strange = set(words), list[str](), 0
    for message in list(catalog):
        if not message.id:
            continue
        singular = message.id[0] if isinstance(message.id, (tuple, list)) else message.id
        word = words.get(singular)
        problem = _problem(word, message) if word else "no longer a word of the report"
        strange += word is None
        if word and problem and problem is not _UNTRANSLATED:
            wrong.append(f"{path.name}, line {message.lineno}: {problem}; English stands there.")
        if problem:
            catalog.delete(message.id, message.context)
            continue
        missing.discard(singular)
        message.string = (
            tuple(plain(form, MAX_SENTENCE) for form in message.string)
            if isinstance(message.string, (tuple, list))
            else plain(message.string, MAX_SENTENCE)
        )
    return Translation(
        _tag(catalog), _compiled(catalog), tuple(_told(path.name, words.values(), missing, wrong, strange))
    )


def _parse(path: Path, text: str) -> Catalog:
    try:
        from babel.messages.pofile import PoFileError, read_po
    except ImportError as error:
        raise InterlockError(
            "reports in another language need Babel, which is not installed",
            remedy="install it: pip install 'interlock[language]'",
        ) from error
    if any(int(number[:9]) > MAX_PLURALS for number in _PLURALS.findall(text)):
        raise _refused(path, f"more than {MAX_PLURALS} plural forms", "take the Plural-Forms of the language")
    try:
        catalog = read_po(io.StringIO(text), abort_invalid=True)
        gettext.c2py(catalog.plural_expr)
    except PoFileError as error:
        raise _refused(path, f"no .po file: {plain(error.args[0], 200)}", _REMEDY, line=error.lineno + 1) from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise _refused(path, f"no .po file: {plain(error, 200)}", _REMEDY) from error
    if catalog.locale is None and catalog.locale_identifier:
        problem = f"there is no language {plain(catalog.locale_identifier, 40)!r}"
        raise _refused(path, problem, "write a language tag there, like de or pt_BR")
    if catalog.locale is None:
        raise _refused(path, "it does not say its language", 'write it at the head of the file: "Language: de\\n"')
    return catalog


_REMEDY = "begin with what interlock report --write-words FILE.pot writes"


def _refused(path: Path, problem: str, remedy: str, line: int | None = None) -> DocumentError:
    return DocumentError(
        f"this translation cannot be used: {problem}", location=Location(file=str(path), line=line), remedy=remedy
    )


_UNTRANSLATED = "not translated"


def _problem(word: FixedWord, message: Message) -> str:
    """What is wrong with one entry; empty when nothing is."""
    texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    forms = [text for text in texts if text]
    if message.fuzzy or len(forms) < len(texts):
        return _UNTRANSLATED
    if bool(word.plural) != isinstance(message.id, (tuple, list)):
        return "it has plural forms where the sentence has none" if not word.plural else "it has no plural forms"
    wanted = set(_PLACEHOLDER.findall(word.english)) | set(_PLACEHOLDER.findall(word.plural))
    for index, form in enumerate(forms):
        present = set(_PLACEHOLDER.findall(form))
        if invented := sorted(present - wanted):
            return f"it invents %({invented[0]})s"
        # The form for one may do without the number: "one gap".
        if lost := sorted(wanted - present - ({"number"} if word.plural and index == 0 else set())):
            return f"it loses %({lost[0]})s"
        if wanted and "%" in _PLACEHOLDER.sub("", form).replace("%%", ""):
            return "a percent sign is written %% in a sentence with placeholders"
    return ""


def _compiled(catalog: Catalog) -> bytes:
    from babel.messages.mofile import write_mo

    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def _tag(catalog: Catalog) -> str:
    locale: Any = catalog.locale
    return str(locale).replace("_", "-")


def _told(name: str, words: Iterable[FixedWord], missing: set[str], wrong: list[str], strange: int) -> Iterable[str]:
    """What a reader of the report and its writer should know, in English: it is about what is English."""
    lacking = [word.english for word in words if word.english in missing]
    if lacking:
        named = ", ".join(f"“{sentence[:60]}{'…' if len(sentence) > 60 else ''}”" for sentence in lacking[:_NAMED])
        more = f" and {len(lacking) - _NAMED:,} more" if len(lacking) > _NAMED else ""
        total = sum(1 for _ in words)
        yield f"{len(lacking):,} of {total:,} words are not in {name}, and stay English: {named}{more}."
    yield from wrong[:20]
    if len(wrong) > 20:
        yield f"{len(wrong) - 20:,} more sentences of {name} are refused."
    if strange:
        those, are = ("entry", "is") if strange == 1 else ("entries", "are")
        yield f"{strange:,} {those} of {name} {are} no longer in the report."
