"""Strict validation of FHIR documents: what is wrong, and where, as another program reads them.

``fhir.resources`` reads STU3, R4B and R5, and R4 as R4B with what differs (:mod:`interlock.fhir.shapes`). Names, lists
and kinds of JSON are looked at here, because its models take a good deal that FHIR does not (``"true"`` for a boolean,
JSON in a string); required elements, choices, the forms of dates, codes and addresses are its reading. It looks at no
code list, no invariant and no profile.

Nothing here raises for anything that :func:`json.loads` can return.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from interlock.fhir.shapes import R4_ALONE, Element, Kind, Shape, models_of
from interlock.fhir.tolerant import kind_of, storable
from interlock.model import words
from interlock.model.observation import FhirRelease
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
    "number_or_text": "a number",
    "string": "a string",
    "object": "an object",
    "resource": "an object",
}


class Problem(NamedTuple):
    """Something that is wrong: where (a JSON pointer, RFC 6901), in words that follow it, and how often more."""

    pointer: str
    words: str
    more: int = 0


@dataclass(frozen=True)
class Validation:
    """What a strict reader says of a document.

    :ivar reader: who says so, and reads it as what: ``fhir.resources 8.3.0, as R4B``.
    :ivar problems: the first of each sort, at most :data:`MAX_PROBLEMS`.
    :ivar total: places that are wrong, all in all.
    :ivar unread: why it was not read, so that nothing can be said of it; none when it was.
    """

    reader: str
    problems: tuple[Problem, ...] = ()
    total: int = 0
    unread: str | None = None

    def sentence(self, limit: int = 3) -> str:
        """What is wrong, in a sentence without a full stop; the first ``limit`` sorts of it in full."""
        if self.unread is not None:
            return f"not read strictly: {self.unread}"
        if not self.problems:
            return f"{self.reader} finds nothing wrong with it"
        told = [
            f"{problem.pointer or 'the document'} {problem.words}"
            + (f" (and {words.count(problem.more, 'place')} like it)" if problem.more else "")
            for problem in self.problems[:limit]
        ]
        left = self.total - sum(1 + problem.more for problem in self.problems[:limit])
        more = f"; and {left} more" if left else ""
        return f"{self.reader}, objects to {words.count(self.total, 'place')}: {'; '.join(told)}{more}"


class InvalidDocumentError(RuntimeError):
    """This program was about to write a document that is not valid FHIR: its own mistake, never the user's."""


def require_valid(document: dict[str, Any], release: FhirRelease, what: str) -> None:
    """Look at a document of ours before it is written.

    :raises InvalidDocumentError: it is not valid, or cannot be read strictly; tells where.
    """
    validation = validate(document, release)
    if validation.problems:
        raise InvalidDocumentError(f"{what} would not be valid FHIR {release}: {validation.sentence()}")


def validate(document: object, release: FhirRelease) -> Validation:
    """What is wrong with a document as a resource of a release; never raises."""
    models = models_of(release)
    if models is None:
        return Validation("", unread=f"nothing at hand reads {release} strictly")
    reader = _reader(release, models.package)
    name = document.get("resourceType") if isinstance(document, dict) else None
    shape = models.resource(name)
    if not isinstance(document, dict) or shape is None:
        return _without_shape(document, name, release, reader)
    sieve = _Sieve(models.resource)
    try:
        kept = sieve.object_of(document, shape, "", 0)
    except _TooLargeError as error:
        return Validation(reader, unread=str(error))
    found = sieve.found
    for problem in _read(shape.model, kept):
        if not any(problem.pointer == at or problem.pointer.startswith(f"{at}/") for at in sieve.above(problem)):
            found.append(problem)
    return _told(reader, found)


def _reader(release: str, package: str) -> str:
    from importlib.metadata import version

    stated = f"fhir.resources {version('fhir.resources')}"
    return f"{stated}, reading {release}" + (f" as {package} with what differs" if package != release else "")


def _without_shape(document: object, name: object, release: str, reader: str) -> Validation:
    """What is said of a document that is of no known type."""
    if release == "R4" and isinstance(name, str) and name in R4_ALONE:
        return Validation(reader, unread=f"fhir.resources does not know R4's {name}")
    if not isinstance(document, dict):
        said = f"is {kind_of(document)}, not an object"
    elif name is None:
        said = "does not say what resource it is (resourceType)"
    else:
        said = f"is of no resource type of {release}: {plain(storable(str(name)[:400]), 60)}"
    return Validation(reader, (Problem("", said),), 1)


class _TooLargeError(Exception):
    """The document is larger than what is read strictly."""


class _Sieve:
    """Looks at names, lists and kinds of JSON, and keeps what a model can be given without harm.

    :ivar found: what is wrong, in the order of the document.
    """

    def __init__(self, resource: Any) -> None:
        self._resource = resource
        self._values = 0
        self.found: list[Problem] = []
        self._wrong: set[str] = set()

    def above(self, problem: Problem) -> Iterator[str]:
        """The places that were found wrong already at a problem's place or above it."""
        at = problem.pointer
        while True:
            if at in self._wrong:
                yield at
            if not at:
                return
            at = at.rpartition("/")[0]

    def object_of(self, value: dict[str, Any], shape: Shape, at: str, depth: int) -> dict[str, Any]:
        """What of an object its model can be given."""
        if depth > MAX_DEPTH:
            raise _TooLargeError(f"it is nested deeper than {MAX_DEPTH} objects")
        kept = {}
        for key, inner in value.items():
            where = f"{at}/{_escaped(key)}"
            if key == "resourceType" and key not in shape.elements and self._resource(inner) is not None:
                kept[key] = inner
                continue
            element = shape.elements.get(key)
            if element is None:
                self._note(where, f"is no element of {shape.name}")
                continue
            taken = self._element(inner, element, where, depth)
            if taken is not None and not element.foreign:
                kept[key] = taken
        return kept

    def _element(self, value: Any, element: Element, at: str, depth: int) -> Any:
        self._spend()
        if value is None:
            return self._note(at, "is null: FHIR leaves out what has no value")
        if value in ([], {}):
            return self._note(at, "is empty: FHIR leaves out what has no value")
        if isinstance(value, list) != element.many:
            belongs = "a list" if element.many else f"{_NAMES[element.kind]}, of which there can be one"
            return self._note(at, f"is {kind_of(value)}, not {belongs}")
        if not element.many:
            return self._one(value, element, at, depth)
        return [self._entry(entry, element, f"{at}/{position}", depth) for position, entry in enumerate(value)]

    def _entry(self, value: Any, element: Element, at: str, depth: int) -> Any:
        """An entry of a list; null stands for a primitive, or its extensions, where the other list has something."""
        nullable = element.inner is None or at.rpartition("/")[0].rpartition("/")[2].startswith("_")
        if value is None and nullable:
            return None
        taken = self._one(value, element, at, depth)
        return 0 if taken is None and not nullable else taken  # a model takes no null, and its objection is known

    def _one(self, value: Any, element: Element, at: str, depth: int) -> Any:
        self._spend()
        if not _is_of(value, element.kind):
            return self._note(at, f"is {kind_of(value)}, not {_NAMES[element.kind]}")
        if element.kind == "resource":
            shape = self._resource(value.get("resourceType"))
            if shape is None:
                name = value.get("resourceType")
                said = "is of no resource type of this release" if name else "does not say what resource it is"
                self._note(at, said + (f": {plain(storable(str(name)[:400]), 60)}" if name else " (resourceType)"))
                return _STAND_IN
            return self.object_of(value, shape, at, depth + 1)
        if element.inner is not None:
            return self.object_of(value, element.inner(), at, depth + 1)
        return value

    def _spend(self) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _TooLargeError(f"it has more than {MAX_VALUES:,} values")

    def _note(self, at: str, said: str) -> None:
        self.found.append(Problem(at, said))
        self._wrong.add(at)


def _is_of(value: Any, kind: Kind) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "number_or_text":
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
            yield Problem(_pointer(said["loc"]), _in_words(said["type"], said["msg"]))
    except Exception as error:  # its validators raise what they like on what they do not expect
        yield Problem("", f"could not be read by fhir.resources ({type(error).__name__})")


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
        names = re.findall(r"\w+", found[1]) if (found := _LIST.search(message)) else []
        stem = names[0] if names else ""
        while not all(name.startswith(stem) for name in names):
            stem = stem[:-1]
        choice = f"{stem}[x]"
        return f"has {'more than one' if 'multiple' in message else 'none'} of {choice}, and one is " + (
            "all that there can be" if "multiple" in message else "required"
        )
    return f"is objected to: {plain(message.removeprefix('Value error, '), 120)}"


_NUMBER = re.compile(r"/\d+(?=/|$)")


def _told(reader: str, found: list[Problem]) -> Validation:
    """Problems told, like ones together: the same words about the same element, in whichever entries of lists."""
    sorts: dict[tuple[str, str], list[Problem]] = {}
    for problem in found:
        sorts.setdefault((_NUMBER.sub("/*", problem.pointer), problem.words), []).append(problem)
    told = [problems[0]._replace(more=len(problems) - 1) for problems in sorts.values()]
    return Validation(reader, tuple(told[:MAX_PROBLEMS]), len(found))
