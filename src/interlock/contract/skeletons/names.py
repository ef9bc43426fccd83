"""What a need is called in code and in the ids of tests: ``vital_signs``, ``observation``."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from interlock.contract.scopes import category_of, keyed_needs
from interlock.model.contract import Need, WorkflowContract

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_MAX_LENGTH = 40
#: Names of the client's own methods; its getters share their place, and a need never takes one.
_OWN = frozenset({"backend", "create", "organization", "read", "resource", "resources", "search", "token", "update"})
_PREFIXES = ("create_", "read_", "update_")


def need_names(contract: WorkflowContract) -> Mapping[str, str]:
    """The name of each need by its key in the contract (``inputs/2``): an identifier, and no other need's.

    It is the resource type's, or the category's where a side has several needs of one type: ``vital_signs``. A second
    need of the same name has a number, and an output that reads like an input ``_output``.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    several = {
        side: Counter(need.resource for need in needs)
        for side, needs in (("inputs", contract.inputs), ("outputs", contract.outputs))
    }
    for key, need in keyed_needs(contract):
        side = key.partition("/")[0]
        name = next((name for name in _candidates(side, need, several[side]) if name not in taken), "")
        usual = identifier(need.resource) or "need"
        while not name or name in taken:
            numbers[usual] += 1
            name = f"{usual}_{numbers[usual] + 1}"
        taken.add(name)
        names[key] = name
    return names


def identifier(text: str) -> str:
    """A text as a Python name in lower case that hides none of Python's; empty where no letter can stand in one."""
    name = "_".join(word.lower() for word in _WORDS.findall(text))[:_MAX_LENGTH].strip("_")
    if not name[:1].isalpha():
        return ""
    taken = keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name)
    return f"{name}_" if taken else name


def _candidates(side: str, need: Need, on_side: Counter[str]) -> Iterator[str]:
    """Names that say what a need is, the shortest first."""
    several = on_side[need.resource] > 1
    texts = [category_of(need) or "", (need.profile or "").partition("|")[0].rpartition("/")[2]] if several else []
    for text in (*texts, need.resource):
        name = identifier(text)
        if name in _OWN or name.startswith(_PREFIXES):
            name = f"{name}_need"
        if name:
            yield name
            if side == "outputs":
                yield f"{name}_output"
