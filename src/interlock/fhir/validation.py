"""Strict validation of FHIR documents: what is wrong, where, and who says so.

FHIR's own tables tell names, lists, kinds of JSON and required codes, of every release. ``fhir.resources`` reads STU3,
R4B and R5, and R4 as R4B, given nothing that only R4 has: required elements, choices, the forms of dates, codes and
addresses are its reading. What it has no model for (DSTU2, the types of R4 that R4B has not or has otherwise) the
tables read alone, required elements and choices too, but no form of a value. Invariants and profiles are not looked at.

Nothing here raises for anything that :func:`json.loads` can return.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from interlock.documents.names import close_to
from interlock.fhir import tables
from interlock.fhir.shapes import Kind, Shape, Slot, differs_in_r4b, resource_shape
from interlock.fhir.tolerant import kind_of, storable
from interlock.model import words
from interlock.model.facts import FhirRelease
from interlock.model.text import plain

#: JSON values in a document, and objects within objects, beyond which it is not read strictly. A value takes 10 to 30
#: microseconds, so that this bounds the time too.
MAX_VALUES = 200_000
MAX_DEPTH = 50
#: Problems that are told; like ones count as one.
MAX_PROBLEMS = 25

#: A resource without a required element, in the place of one that nothing can be said about.
_STAND_IN = {"resourceType": "Parameters"}
_NAMES: dict[Kind, str] = {
    "boolean": "a boolean",
    "number": "a number",
    "whole": "a whole number",
    "whole_or_text": "a whole number",
    "string": "a string",
    "object": "an object",
    "resource": "an object",
}


Reader = Literal["tables", "fhir.resources"]


class Problem(NamedTuple):
    """What is wrong: where (a JSON pointer, RFC 6901), in words that follow it, whose reading, how often more."""

    pointer: str
    words: str
    reader: Reader
    more: int = 0


@dataclass(frozen=True)
class Validation:
    """What strict readers say of a document.

    :ivar readers: how each that read it is called in words.
    :ivar problems: the first of each sort, at most :data:`MAX_PROBLEMS`.
    :ivar total: places that are wrong, all in all.
    :ivar unread: why it was not read, so that nothing can be said of it; none when it was.
    """

    readers: dict[Reader, str]
    problems: tuple[Problem, ...] = ()
    total: int = 0
    unread: str | None = None

    def sentence(self, limit: int = 3) -> str:
        """What is wrong and who says so, in a sentence without a full stop; the first sorts of it in full."""
        if self.unread is not None:
            return f"not read strictly: {self.unread}"
        if not self.problems:
            return f"no flaw is found by {words.listed(list(self.readers.values()))}"
        shown = self.problems[:limit]
        told = [
            f"{problem.pointer or 'the document'} {problem.words}"
            + (f" (and {words.count(problem.more, 'place')} like it)" if problem.more else "")
            + f", says {self.readers[problem.reader]}"
            for problem in shown
        ]
        left = self.total - sum(1 + problem.more for problem in shown)
        flaws = words.count(self.total, "flaw")
        return f"{flaws}: {'; '.join(told)}" + (f"; and {left:,} more" if left else "")


class InvalidDocumentError(RuntimeError):
    """This program was about to write a document that is not valid FHIR: its own mistake, never the user's."""


def require_valid(document: dict[str, Any], release: FhirRelease, document_name: str) -> None:
    """Look at a document of ours before it is written.

    :raises InvalidDocumentError: it is not valid, or cannot be read strictly; tells where.
    """
    validation = validate(document, release)
    if validation.problems or validation.unread is not None:
        raise InvalidDocumentError(f"{document_name} would not be valid FHIR {release}: {validation.sentence()}")


def validate(document: object, release: FhirRelease) -> Validation:
    """What is wrong with a document as a resource of a release; never raises."""
    readers: dict[Reader, str] = {"tables": f"FHIR's own tables of {release}"}
    name = document.get("resourceType") if isinstance(document, dict) else None
    shape = resource_shape(release, name)
    if not isinstance(document, dict) or shape is None:
        said = _of_no_type(release, name) if isinstance(document, dict) else f"is {kind_of(document)}, not an object"
        return Validation(readers, (Problem("", said, "tables"),), 1)
    model = _model(release, shape.name)
    sieve = _Sieve(release, alone=model is None)
    try:
        kept = sieve.object_of(document, shape, "", 0)
    except _TooLargeError as error:
        return Validation(readers, unread=str(error))
    if model is None:
        return _told(readers, sieve.noted)
    readers["fhir.resources"] = _library(release)
    objections = [problem for problem in _read(model, kept) if not sieve.knows(problem.pointer)]
    return _told(readers, [*sieve.noted, *objections])


def _library(release: FhirRelease) -> str:
    from importlib.metadata import version

    return f"fhir.resources {version('fhir.resources')}" + (" (R4 read as R4B)" if release == "R4" else "")


def _model(release: FhirRelease, name: str) -> Any:
    """The model that reads a resource type; none where there is none, or where it is of other elements."""
    if release == "DSTU2" or (release == "R4" and differs_in_r4b(name)):
        return None
    from fhir.resources import R4B, STU3, get_fhir_model_class

    find: Callable[[str], Any] = {
        "STU3": STU3.get_fhir_model_class,
        "R4": R4B.get_fhir_model_class,
        "R4B": R4B.get_fhir_model_class,
        "R5": get_fhir_model_class,
    }[release]
    try:
        return find(name)
    except ValueError:
        return None


def _of_no_type(release: FhirRelease, name: object) -> str:
    if name is None:
        return "does not say what resource it is (resourceType)"
    said = plain(storable(str(name)[:400]), 60)
    return f"is of no resource type of {release}: {said}{_meant(said, tables.release(release).resource_types)}"


def _meant(name: str, known: Iterable[str]) -> str:
    near = close_to(name[:60], known)
    return f" (did you mean {near[0]}?)" if near else ""


class _TooLargeError(Exception):
    """The document is larger than what is read strictly."""


class _Sieve:
    """Reads a document by the tables, and keeps what a model can be given without harm.

    :ivar found: what is wrong, in the order of the document.
    """

    def __init__(self, release: FhirRelease, *, alone: bool) -> None:
        """``alone``: no model reads the document after, so that required elements and choices are looked at here."""
        self._release = release
        self._alone = alone
        self._values = 0
        self._wrong: set[str] = set()
        self.noted: list[Problem] = []

    def knows(self, at: str) -> bool:
        """Whether something is known to be wrong at a place, or above it."""
        while at not in self._wrong:
            if not at:
                return False
            at = at.rpartition("/")[0]
        return True

    def object_of(self, value: dict[str, Any], shape: Shape, at: str, depth: int) -> dict[str, Any]:
        """What of an object its model can be given."""
        if depth > MAX_DEPTH:
            raise _TooLargeError(f"it is nested deeper than {MAX_DEPTH} objects")
        kept = {}
        for key, inner in value.items():
            where = f"{at}/{_escaped(key)}"
            slot = shape.slots.get(key)
            if slot is not None:
                taken = self._member(inner, slot, where, depth)
                if taken is not None and key not in shape.foreign:
                    kept[key] = taken
            elif key == "resourceType" and inner == shape.name:
                kept[key] = inner
            else:
                self._note(where, f"is no element of {shape.name}{self._meant(key, shape.slots)}")
        if self._alone:
            self._look_for_all(value, shape, at)
        return kept

    def _look_for_all(self, value: dict[str, Any], shape: Shape, at: str) -> None:
        """Whether what is required is there, and of each choice one."""
        given: dict[str, list[str]] = {}
        for key in value:
            if (slot := shape.slots.get(key.removeprefix("_"))) is not None:
                given.setdefault(slot.name, []).append(key.removeprefix("_"))
        for name, keys in given.items():
            if len(set(keys)) > 1:
                self._note(at, f"has more than one of {name}, and one is all that there can be")
        for name in dict.fromkeys(slot.name for slot in shape.slots.values() if slot.required):
            if name not in given:
                self._note(f"{at}/{name}", "is required, and missing")

    def _member(self, value: Any, slot: Slot, at: str, depth: int) -> Any:
        self._spend()
        if value is None:
            return self._note(at, "is null: FHIR leaves out what has no value")
        if value in ([], {}, ""):
            return self._note(at, "is empty: FHIR leaves out what has no value")
        if isinstance(value, list) != slot.many:
            belongs = "a list" if slot.many else f"{_NAMES[slot.kind]}, of which there can be one"
            return self._note(at, f"is {kind_of(value)}, not {belongs}")
        if not slot.many:
            return self._one(value, slot, at, depth)
        return [self._entry(entry, slot, f"{at}/{position}", depth) for position, entry in enumerate(value)]

    def _entry(self, value: Any, slot: Slot, at: str, depth: int) -> Any:
        """An entry of a list; null stands for a primitive, or its extensions, where the other list has something."""
        nullable = slot.kind not in {"object", "resource"} or slot.name.startswith("_")
        if value is None and nullable:
            return None
        taken = self._one(value, slot, at, depth)
        return 0 if taken is None and not nullable else taken  # a model takes no null, and its objection is known

    def _one(self, value: Any, slot: Slot, at: str, depth: int) -> Any:
        self._spend()
        if not _is_of(value, slot.kind):
            return self._note(at, f"is {kind_of(value)}, not {_NAMES[slot.kind]}")
        if slot.kind == "resource":
            shape = resource_shape(self._release, value.get("resourceType"))
            if shape is None:
                known = _of_no_type if len(self.noted) < MAX_PROBLEMS else lambda *_: "is of no resource type"
                self._note(at, known(self._release, value.get("resourceType")))
                return _STAND_IN
            taken = self.object_of(value, shape, at, depth + 1)
            return _STAND_IN if self._alone or _model(self._release, shape.name) is None else taken
        if slot.inner is not None:
            return self.object_of(value, slot.inner(), at, depth + 1)
        if slot.codes and value not in slot.codes:
            said = plain(storable(value[:400]), 60)
            self._note(at, f"is no code that is allowed here: {said}{self._meant(said, slot.codes)}")
        return value

    def _meant(self, name: str, known: Iterable[str]) -> str:
        """What may have been meant, for the first problems: to look for it takes long."""
        return _meant(name, known) if len(self.noted) < MAX_PROBLEMS else ""

    def _spend(self) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _TooLargeError(f"it has more than {MAX_VALUES:,} values")

    def _note(self, at: str, said: str) -> None:
        self.noted.append(Problem(at, said, "tables"))
        self._wrong.add(at)


def _is_of(value: Any, kind: Kind) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        case "whole":
            return isinstance(value, int) and not isinstance(value, bool)
        case "whole_or_text":
            return isinstance(value, int | str) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "object" | "resource":
            return isinstance(value, dict)


def _escaped(key: str) -> str:
    """A name as part of a JSON pointer: bounded, in one line."""
    return plain(storable(key[:400]), 80).replace("~", "~0").replace("/", "~1")


def _read(model: Any, document: dict[str, Any]) -> Iterator[Problem]:
    """What a model of fhir.resources objects to."""
    try:
        model.model_validate(document)
    except ValidationError as error:
        for said in error.errors(include_url=False, include_context=False, include_input=False):
            yield Problem(_pointer(said["loc"]), _in_words(said["type"], said["msg"]), "fhir.resources")
    except Exception as error:  # its validators raise what they like on what they do not expect
        yield Problem("", f"could not be read ({type(error).__name__})", "fhir.resources")


def _pointer(steps: tuple[int | str, ...]) -> str:
    names = [str(step) for step in steps if step not in {"root", "resource_type"}]
    return "".join(
        f"/{_escaped(f'_{name[:-5]}' if name.endswith('__ext') else name.removesuffix('_fhir'))}" for name in names
    )


_LIST = re.compile(r"\[(.+?)\]")
_FORM = re.compile(r"(?:Value error, )?(\w+) value string does not match spec regex")
_WORDS = {
    "missing": "is required, and missing",
    "model_field_validation.missing": "is required, and missing",
    "string_pattern_mismatch": "does not have the form that its type asks for",
    "string_too_long": "is longer than its type allows",
    "string_too_short": "is shorter than its type allows",
    "base64_decode": "is no Base64",
    "greater_than_equal": "is less than its type allows",
    "less_than_equal": "is more than its type allows",
}


def _in_words(kind: str, message: str) -> str:
    """A message of pydantic's or of a model's, in words that follow a pointer."""
    if kind in _WORDS:
        return _WORDS[kind]
    if kind.startswith(("date", "time")):
        return "is no date or time that there is"
    if match := _FORM.match(message):
        return f"is no {match[1][:1].lower()}{match[1][1:]} as FHIR writes it"
    if "value from this list" in message or "from this list" in message:
        names = re.findall(r"\w+", listed[1]) if (listed := _LIST.search(message)) else []
        stem = names[0] if names else ""
        while not all(name.startswith(stem) for name in names):
            stem = stem[:-1]
        choice = f"{stem}[x]"
        return f"has {'more than one' if 'multiple' in message else 'none'} of {choice}, and one is " + (
            "all that there can be" if "multiple" in message else "required"
        )
    return f"is objected to: {plain(message.removeprefix('Value error, '), 120)}"


_NUMBER = re.compile(r"/\d+(?=/|$)")


def _told(readers: dict[Reader, str], problems: list[Problem]) -> Validation:
    """Problems told, like ones together: the same words about the same element, in whichever entries of lists."""
    sorts: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        sorts.setdefault((_NUMBER.sub("/*", problem.pointer), problem.words), []).append(problem)
    told = [alike[0]._replace(more=len(alike) - 1) for alike in sorts.values()]
    return Validation(readers, tuple(told[:MAX_PROBLEMS]), len(problems))
