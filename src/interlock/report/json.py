"""The assessment as JSON: keys sorted, floats rounded, no time of writing, so that same inputs give same bytes."""

from __future__ import annotations

import math
from typing import Any

from interlock.documents.visible import to_json
from interlock.model.assessment import Assessment

DIGITS = 4


def render(assessment: Assessment) -> str:
    """JSON that :meth:`Assessment.model_validate_json` reads back; ends with a line feed."""
    data = _rounded(assessment.model_dump(mode="json", by_alias=True))
    return to_json(data, sort_keys=True)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
