"""Speed of taking secrets out of a document that was written to make it slow."""

from __future__ import annotations

import json
import time

from measuring import Measured, best_of

HOSTILE = (
    "://" * 200_000,
    "?" * 500_000,
    "?a" * 300_000 + "=",
    "://a" * 200_000 + "@",
    "=?" * 300_000,
    "\\u0040" * 100_000,
)


def hostile_text() -> Measured:
    """Texts that would cost the square of their length, if any did, against harmless records of the same size."""
    from interlock.model.address_secrets import redacted_json

    size = sum(map(len, HOSTILE))
    record = json.dumps([{"url": "https://ehr.example/fhir/metadata?_format=json", "note": "a@b"}])
    harmless = (record * (size // len(record))).encode()
    hostile, base = best_of(
        3,
        lambda: [redacted_json(text.encode()) for text in HOSTILE],
        lambda: redacted_json(harmless),
        clock=time.process_time,
    )
    return Measured("redacting, hostile 3.7 MB", hostile, "harmless 3.7 MB", base, 3.0)
