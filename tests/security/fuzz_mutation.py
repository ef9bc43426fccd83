"""Damaging a document the way that strangers and editors do: at its words, its lines and its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from hostile_text import HOSTILE

#: What stands in the place of a word: values at the edge of every type, of every notation, and references to itself.
ODD = (
    '0', '-1', '1e999', '-0.0', '1e-320', '99999999999999999999999', '9' * 5000, '0x7f', '0o17', '1_000',
    '.nan', 'NaN', 'Infinity', '"NaN"', 'null', '~', 'true', 'yes', 'No', '""', "''", '" "', '[]', '{}', '[[]]',
    '[null]', '[{}]', '{"": ""}', '[' * 70 + ']' * 70, '{"a":' * 70 + '1' + '}' * 70, '&a [*a]', '*a', '<<: *a',
    '!!python/name:os.system', '!!binary AAAA', '? [a, b] : c', '--- ', '...', '%YAML 9.9', '|', '>-', '@x',
    '`', '# ', '"\\ud800"', '"\\u0000"', '"\\', "'", '"', '"0001-01-01"', '"9999-12-31"', '"2024-02-30"',
    '"2024-06-31T25:61:61Z"', '"2026-11-29T10:00:00+99:99"', '"+10000-01-01"', '"http://[::1"',
    '"http://a:99999999/"', '"https://user:pw@h.example/?token=x"', '"sandbox://x+y+z"', '"file:///etc/passwd"',
    '"//h.example"', '"http://xn--a.example/"', '"https://h.example/\\u202e"', '"https://\uff48.example"',
    '"a" * 10', '1 / 0', 'x.all(y, y)', 'has(a.b)', '"x".matches("(a+)+$")', 'size(responses)', 'value',
    'responses.x.y', '!' * 60, '(' * 60, '-' * 60, 'con', '../../x', '/', '.', '\x1b[2J', '\u202e', '\ufeff',
    '\x00', '\x85', '\u2028', '\U000e0041', '\t', 'x' * 3000, '<<<<<<< HEAD', '=======', '>>>>>>> theirs',
    *HOSTILE.values(),
)  # fmt: skip
_WORD = re.compile(rb'"(?:[^"\\\n]|\\.)*"|[\w.:/+-]+|[\[\]{},:]')


def mutated(data: bytes, random: Random) -> bytes:
    """The document with one to four pieces of damage."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(_WAYS)(data, random)
    return data


def _odd(random: Random) -> bytes:
    return random.choice(ODD).encode("utf-8", "surrogatepass")


def _replace_word(data: bytes, random: Random) -> bytes:
    word, another = (_WORD.search(data, random.randrange(len(data) + 1)) for _ in range(2))
    if word is None:
        return data + _odd(random)
    other = another[0] if another is not None and random.random() < 0.3 else _odd(random)
    return data[: word.start()] + other + data[word.end() :]


def _change_lines(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = b"  " + lines[at]
        case _:
            lines[at] = lines[at].lstrip()
    return b"\n".join(lines)


def _change_bytes(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 1, 2, 8, 64, 512)))
    match random.randrange(5):
        case 0:
            return data[:start] + data[end:]
        case 1:
            return data[:start] + data[start:end] * random.choice((2, 3, 40)) + data[end:]
        case 2:
            return data[:start] + bytes([random.randrange(256)]) + data[start + 1 :]
        case 3:
            return data[:start]
        case _:
            return data[:start] + _odd(random) + data[end:]


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (_replace_word, _replace_word, _change_lines, _change_bytes)
