"""The assessment as JSON: keys sorted, floats rounded, no time of writing, so that same inputs give same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from interlock.documents.visible import json_bytes
from interlock.model.assessment import Assessment

DIGITS = 4


def render(assessment: Assessment) -> bytes:
    """JSON that :meth:`Assessment.model_validate_json` reads back; ends with a line feed."""
    data: dict[str, Any] = assessment.model_dump(mode="json", by_alias=True)
    _round(data, data.items())
    return json_bytes(data, sort_keys=True)


def _round(holder: Any, items: Iterable[tuple[Any, Any]]) -> None:
    """Round the floats of a dictionary or list in place, to any depth."""
    for key, value in items:
        kind = type(value)
        if kind is float:
            holder[key] = round(value, DIGITS) if math.isfinite(value) else None
        elif kind is dict:
            _round(value, value.items())
        elif kind is list:
            _round(value, enumerate(value))
