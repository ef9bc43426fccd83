"""Answers what a sample workspace answers nowhere yet, such as a new question, with the best option.

Each answer goes to the end of the file of answers and says that it is a default: change it where a sample should say
something else. Samples of the short profile are left alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import yaml

from interlock.documents.resources import data_dir
from interlock.judge.lint.proofs import best_answer
from interlock.usecases.initialize import initialize, templates
from interlock.usecases.judge import asked
from interlock.usecases.load import Inputs, load_inputs

NOTE = "The sample's default: the best option"
AT = "2026-11-30T12:00:00Z"
#: An answer may reveal further questions, which may reveal others.
MOST_ROUNDS = 5


def main() -> int:
    """Write the defaults, and name them."""
    for template in templates():
        for _ in range(MOST_ROUNDS):
            with tempfile.TemporaryDirectory() as folder:
                inputs = load_inputs(initialize(Path(folder) / template, template))
            if inputs.settings.profile != "full" or not _complete(inputs, template):
                break
    return 0


def _complete(inputs: Inputs, template: str) -> bool:
    """Write what is answered in no file of the sample; whether that was anything."""
    scopes = ("product", *(org.id for org in inputs.organizations))
    answered = {item for scope in scopes for item in inputs.answers(scope)}
    missing = {scope: [item for item in asked(inputs, scope) if item.id not in answered] for scope in scopes}
    for scope, items in missing.items():
        entries = {}
        for item in items:
            best = best_answer(item)
            given = {"status": "answered", "value": best} if best is not None else {"status": "unknown"}
            entries[item.id] = given | {"evidence": "asserted", "note": NOTE, "at": AT}
            print(f"{template}: {item.id} ({scope}): {'unknown' if best is None else best}")
        if entries:
            text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
            file = data_dir("samples") / "templates" / template / "responses" / f"{scope}.yaml"
            with file.open("a", encoding="utf-8") as stream:
                stream.writelines(f"  {line}\n" for line in text.splitlines())
    return any(missing.values())


if __name__ == "__main__":
    sys.exit(main())
