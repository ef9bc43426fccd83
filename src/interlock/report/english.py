"""What stays English on a page in another language: content, verdict and plan, marked as such for who hears the page.

Fixed words are translated; rules, questions, findings and the plan's sentences are not. A screen reader would speak
them as if they were of the page's language (WCAG 2.2, 3.1.2), so the elements that say them get a ``lang``. What the
team wrote itself (names, notes, the workflow contract) may be of any language, and gets none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from interlock.model.assessment import Assessment
from interlock.model.observation import Observation

#: What the team, and not Interlock, has the words of.
_THEIRS = frozenset(
    {"organizations", "contract", "answers", "product", "description", "name", "names", "note"}
    | {"by", "owner", "person", "contact", "value"}
)
#: Text between two tags; of what is no text for a reader only the tag that opens it is left.
_TEXT = re.compile(
    r"(<(?:style|script|title|svg)\b.*?</(?:style|script|title|svg)>)|(?<=>)([^<>]*[A-Za-z][^<>]*)(?=<)", re.DOTALL
)
_SENTENCE, _PART = re.compile(r"(?<=[.!?]) "), re.compile(r"(?<=[.!?:;]) ")


def sentences_of(assessment: Assessment, observations: Mapping[str, Observation]) -> frozenset[str]:
    """Every English sentence that a report of this assessment may show; a word alone may be of any language."""
    data: list[Any] = [assessment.model_dump(mode="json"), [answer.text for answer in assessment.answers]]
    # What was chosen has a label of ours; what was written is its own value.
    data.append([answer.said for answer in assessment.answers if answer.said != answer.response.value])
    data += [check.model_dump(mode="json") for each in observations.values() for check in each.checks]
    return frozenset(said for text in _texts(data) for said in (_bare(text), *_split(_SENTENCE, text)) if " " in said)


def marked(page: str, english: frozenset[str]) -> str:
    """The page with ``lang="en"`` at every text that is English and nothing else."""

    def mark(match: re.Match[str]) -> str:
        text = match[2]
        if text is None or not _is_english(unescape(text), english):
            return match[0]
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f'{before}<span lang="en">{text.strip()}</span>{after}'

    return _TEXT.sub(mark, page)


def _is_english(text: str, english: frozenset[str]) -> bool:
    ways = ([_bare(text)], _split(_SENTENCE, text), _split(_PART, text))
    return any(parts and english.issuperset(parts) for parts in ways)


def _split(at: re.Pattern[str], text: str) -> list[str]:
    return [bare for part in at.split(text) if (bare := _bare(part))]


def _bare(text: str) -> str:
    """A sentence without what may stand around it on a page, and however it begins."""
    return " ".join(text.split()).strip(" .:;,“”").casefold()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _THEIRS:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
