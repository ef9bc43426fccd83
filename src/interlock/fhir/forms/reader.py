"""A FHIR document's elements read one by one: each error names the file and the JSON pointer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

from interlock.fhir.tolerant import kind_of
from interlock.model.errors import DocumentError, Location
from interlock.model.text import forbidden, plain

#: Longest text of any element, in characters.
MAX_PROSE = 100_000

Json = dict[str, Any]


class Reader:
    """Raises errors that name the file and the JSON pointer."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, message: str, pointer: str, remedy: str | None = None) -> NoReturn:
        """Raise a :class:`DocumentError` at a JSON pointer."""
        raise DocumentError(message, location=Location(file=self.file, pointer=pointer or "/"), remedy=remedy)

    def objects(self, parent: Json, key: str, at: str) -> Iterator[tuple[Json, str]]:
        """The objects of the list at ``key``, each with its pointer; none when it is absent."""
        value = parent.get(key)
        if value is None:
            return
        if not isinstance(value, list):
            self.fail(f"{key} is {kind_of(value)}, not a list", f"{at}/{key}")
        for index, entry in enumerate(value):
            if not isinstance(entry, dict):
                self.fail(f"{key} holds {kind_of(entry)} where an object belongs", f"{at}/{key}/{index}")
            yield entry, f"{at}/{key}/{index}"

    def text(self, parent: Json, key: str, at: str) -> str | None:
        """The string at ``key``."""
        value = parent.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            self.fail(f"{key} is {kind_of(value)}, not a string", f"{at}/{key}")
        if len(value) > MAX_PROSE:
            self.fail(f"{key} is {len(value):,} characters long, more than {MAX_PROSE:,}", f"{at}/{key}")
        value = value.replace("\r\n", "\n")
        wrong = forbidden(value)
        if wrong is not None:
            self.fail(f"{key} holds {wrong.description}", f"{at}/{key}", "remove it")
        return value

    def time(self, parent: Json, key: str, at: str) -> datetime | None:
        """The FHIR dateTime at ``key``; none when it is absent or coarser than a day."""
        text = self.text(parent, key, at)
        if text is None or len(text) < len("2026-01-01"):
            return None
        try:
            time = datetime.fromisoformat(text)
            return time if time.tzinfo else time.replace(tzinfo=UTC)
        except ValueError:
            self.fail(f"{plain(text, 40)!r} is not a dateTime", f"{at}/{key}", "write it like 2026-03-31T09:00:00Z")

    def known_modifiers(self, parent: Json, at: str) -> None:
        """A modifier extension changes what its element means, and none is known here (FHIR R4 extensibility.html)."""
        for key in ("modifierExtension", "implicitRules"):
            if parent.get(key):
                self.fail(f"{key} may change what this means, and it is not known here", f"{at}/{key}")
