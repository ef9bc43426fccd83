"""The lines of a fleet's file: observations in which what they have in common stands once for the whole file.

A line is a JSON object of schema version 2: an :class:`Observation` without what is empty, whose ``checks`` and the
resource types of its statement (``resources``) are keys of pieces. The line that needs a piece first brings it, in
``shared``; a check's title, severity and references are a piece named by the check's id. Evidence is the number of an
address in ``urls`` and a pointer. ``anew`` on a line says that earlier pieces hold no more. docs/fleets.md shows one.

Keys come from the pieces' content, so several processes make the same ones without asking each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, NamedTuple

import msgspec
from pydantic import TypeAdapter

from interlock.documents.visible import visible_json
from interlock.model.facts import ResourceFacts
from interlock.model.observation import Check, Observation

_OBSERVATION = TypeAdapter(Observation)
_APART: Any = {"schema_version": True, "checks": True, "facts": {"capability": {"resources"}}}
_VERSION = "2"
#: Pieces that a process remembers having made; and text of pieces that a reader has to keep, then all begins anew.
_MAX_MADE = 20_000
_MAX_SHARED = 16 * 1024 * 1024
#: What a piece costs its reader besides its text.
_PIECE_BYTES = 200


class Line(NamedTuple):
    """One observation's line, and the text of every piece that it needs, by key.

    Of lines that are made together the first may bring the pieces of all.
    """

    text: str
    pieces: dict[str, str]


class LineMaker:
    """Turns observations into lines; remembers the pieces that it made, because alike servers have them in common."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], tuple[str, str]] = {}
        self._heads: dict[str, str] = {}

    def make(self, observation: Observation) -> Line:
        """The line of an observation."""
        pieces: dict[str, str] = {}
        urls: dict[str, int] = {}
        checks = [self._check(check, urls, pieces) for check in observation.checks]
        text = _OBSERVATION.dump_json(observation, exclude=_APART, exclude_defaults=True).decode()
        parts = [f'{{"schema_version":"{_VERSION}",{visible_json(text)[1:-1]}', f'"checks":{_listed(checks)}']
        capability = observation.facts.capability
        if capability is not None:
            resources = {name: self._resource(facts, pieces) for name, facts in capability.resources.items()}
            parts.append(f'"resources":{_encoded(resources)}')
        parts.append(f'"urls":{_encoded(list(urls))}')
        return Line(",".join(parts), pieces)

    def _check(self, check: Check, urls: dict[str, int], pieces: dict[str, str]) -> str:
        evidence: tuple[tuple[int, str], ...] = ()
        for where in check.evidence:  # most have one
            evidence += ((urls.setdefault(where.url, len(urls)), where.pointer),)
        # By the outcome's text: an enumeration's member hashes in Python, 170 times a line.
        check_id = check.id
        named = (check_id, check.outcome._value_, check.message, evidence)
        made = self._made.get(named)
        if made is None:
            value: dict[str, Any] = {"id": check_id, "outcome": check.outcome.value, "message": check.message}
            made = self._keep(named, value | ({"evidence": evidence} if evidence else {}))
            self._note_head(check)
        key, pieces[key] = made
        pieces[check_id] = self._heads[check_id]
        return key

    def _note_head(self, check: Check) -> None:
        if check.id not in self._heads:
            title = {"title": check.title, "severity": check.severity.value}
            cites = [cited.model_dump(mode="json") for cited in check.references]
            self._heads[check.id] = _encoded(title | ({"references": cites} if cites else {}))

    def _resource(self, facts: ResourceFacts, pieces: dict[str, str]) -> str:
        named = tuple(facts.__dict__.values())
        made = self._made.get(named) or self._keep(named, facts.model_dump(mode="json", exclude_defaults=True))
        key, pieces[key] = made
        return key

    def _keep(self, named: tuple[object, ...], value: object) -> tuple[str, str]:
        """The key and the text of a piece."""
        if len(self._made) >= _MAX_MADE:
            self._made.clear()
        text = _encoded(value)
        digest = hashlib.blake2b(text.encode(), digest_size=9).digest()
        made = self._made[named] = (base64.urlsafe_b64encode(digest).decode(), text)
        return made


class LineWriter:
    """Finishes the lines of one file: each brings the pieces that no line before it brought."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._size = 0
        self._anew = True  # whatever stands in the file before: another run, perhaps another version

    def finish(self, line: Line) -> bytes:
        """The bytes of a line, its line feed included."""
        if self._size > _MAX_SHARED and line.pieces:
            self._known.clear()
            self._size, self._anew = 0, True
        new = {key: line.pieces[key] for key in sorted(line.pieces.keys() - self._known)}
        self._known.update(new)
        self._size += sum(len(text) + _PIECE_BYTES for text in new.values())
        shared = f',"shared":{{{",".join([f"{_encoded(key)}:{text}" for key, text in new.items()])}}}' if new else ""
        anew = ',"anew":true' if self._anew else ""
        self._anew = False
        return f"{line.text}{anew}{shared}}}\n".encode()


class LineReader:
    """Reads the lines of a file in their order: those of a fleet, and whole observations (schema version 1)."""

    def __init__(self) -> None:
        self._shared: dict[str, Any] = {}

    def read(self, line: bytes) -> Observation:
        """The observation of a line.

        :raises ValueError: it is none, or needs a piece that no earlier line brought.
        """
        try:
            document = json.loads(line)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(document, dict) or document.get("schema_version") != _VERSION:
            return Observation.model_validate_json(line)
        try:
            whole = self._whole(document)
        except (TypeError, AttributeError, IndexError) as error:
            raise ValueError("it is no line of a fleet") from error
        return Observation.model_validate_json(msgspec.json.encode(whole))

    def _whole(self, line: dict[str, Any]) -> dict[str, Any]:
        if line.pop("anew", False):
            self._shared.clear()
        self._shared.update(line.pop("shared", {}))
        urls = line.pop("urls", [])
        checks = [self._check(self._piece(key), urls) for key in line["checks"]]
        resources = {name: self._piece(key) for name, key in line.pop("resources", {}).items()}
        if resources:
            line["facts"]["capability"]["resources"] = resources
        return line | {"schema_version": "1", "checks": checks}

    def _check(self, check: dict[str, Any], urls: list[str]) -> dict[str, Any]:
        evidence = [{"url": urls[number], "pointer": pointer} for number, pointer in check.get("evidence", [])]
        head: dict[str, Any] = self._piece(check["id"])
        return head | check | {"evidence": evidence}

    def _piece(self, key: str) -> Any:
        if key not in self._shared:
            raise ValueError(f"it needs the piece {key!r:.40}, which no earlier line of the file brought")
        return self._shared[key]


def _listed(keys: list[str]) -> str:
    joined = '","'.join(keys)
    return f'["{joined}"]' if keys else "[]"


def _encoded(value: object) -> str:
    return visible_json(msgspec.json.encode(value).decode())
