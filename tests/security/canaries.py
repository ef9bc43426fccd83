"""Secrets made for one test, and the search for them in everything that was written or printed, in every spelling."""

from __future__ import annotations

import contextlib
import gzip
import html
import io
import json
import re
import zipfile
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


def spellings(secret: str) -> set[bytes]:
    """A secret as it is, in addresses, JSON, HTML and Python, in base64 wherever it stands in a text, and in hex."""
    raw = secret.encode()
    texts = {
        secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret), repr(secret)[1:-1],
        json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], raw.hex(), raw.hex().upper(),
    }  # fmt: skip
    for offset in range(3):
        for encode in (b64encode, urlsafe_b64encode):
            encoded = encode(b"x" * offset + raw).decode()
            texts.add(encoded[(offset * 8 + 5) // 6 : (offset + len(raw)) * 8 // 6])
    return {text.encode() for text in texts}


def unpacked(content: bytes) -> Iterator[bytes]:
    """A file's bytes, and what is packed in them: gzip, zip (workbooks), the streams of a PDF."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(content)
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    elif content.startswith(b"%PDF"):
        for stream in _STREAM.findall(content):
            with contextlib.suppress(zlib.error):
                yield zlib.decompress(stream)


@dataclass
class Search:
    """What must appear nowhere, and everything in which it was looked for.

    :ivar folders: everything below is searched.
    """

    folders: tuple[Path, ...]
    secrets: dict[str, str] = field(default_factory=dict)
    printed: list[tuple[str, bytes]] = field(default_factory=list)

    def add(self, name: str, secret: str) -> str:
        """One more secret; returned as it is."""
        self.secrets[name] = secret
        return secret

    def add_all(self, secrets: Mapping[str, str]) -> None:
        """More secrets."""
        self.secrets |= secrets

    def check(self, *, besides: frozenset[Path] = frozenset()) -> int:
        """Search everything; returns how many pairs of a secret and an output that was.

        :param besides: files that the test itself wrote a secret into.
        """
        files = [
            path for folder in self.folders for path in folder.rglob("*") if path.is_file() and path not in besides
        ]
        outputs = [*self.printed, *((str(path), path.read_bytes()) for path in files)]
        spelled = {name: spellings(secret) for name, secret in self.secrets.items()}
        hits = [
            f"{name} as {spelling!r} in {where}: …{content[max(0, content.index(spelling) - 80) :][:300]!r}"
            for where, packed in outputs
            for content in unpacked(packed)
            for name, forms in spelled.items()
            for spelling in forms
            if spelling in content
        ]
        assert not hits, "\n".join(hits[:5])
        return len(self.secrets) * len(outputs)
