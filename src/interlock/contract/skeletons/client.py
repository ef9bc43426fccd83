"""``client/fhir_client.py``: one file that reads and writes what the contract says, with a getter for each need.

What the contract's author wrote is read from the lock when the client runs. Of it stand in the code: names that were
made identifiers, parameters as string literals, and one line of a purpose in a docstring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interlock.contract.fhir_names import searched_by_code
from interlock.contract.scopes import keyed_needs
from interlock.contract.skeletons.names import identifier, need_names
from interlock.documents.resources import data_dir
from interlock.fhir.tables import release as tables_of
from interlock.model.contract import Need, WorkflowContract
from interlock.model.resolved import ResolvedContract
from interlock.model.text import plain

CLIENT = "client/fhir_client.py"
_NEEDS, _BY_CODE = "NEEDS: dict[str, str] = {}\n", "BY_CODE: frozenset[str] = frozenset()\n"
_FIRST, _LAST = "    # getters: ", "    # end of getters\n"
#: Parameters that name whose records are asked for, and so come first.
_WHOSE = ("patient", "subject")
_MAX_PURPOSE, _MAX_ABOUT = 60, 90
_MAX_PARAMETERS = 40


def client(resolved: ResolvedContract) -> Mapping[str, str]:
    """The client, with the names of this contract's needs and their getters in it."""
    contract = resolved.contract
    text = (data_dir("skeletons") / CLIENT).read_text("utf-8")
    names = "".join(f'    "{key}": "{name}",\n' for key, name in need_names(contract).items())
    before, _, rest = text.partition(_FIRST)
    _, _, after = rest.partition(_LAST)
    getters = "\n".join("\n".join(lines) + "\n" for lines in _getters(contract))
    made = before.replace(_NEEDS, f"NEEDS: dict[str, str] = {{\n{names}}}\n" if names else _NEEDS)
    made = made.replace(_BY_CODE, _by_code(contract)) + getters
    return {CLIENT: made + ("\n" if getters else "") + after.lstrip("\n")}


def _by_code(contract: WorkflowContract) -> str:
    names = need_names(contract)
    by_code = [names[key] for key, need in keyed_needs(contract) if searched_by_code(contract.fhir_release, need)]
    listed = "".join(f'        "{name}",\n' for name in by_code)
    return f"BY_CODE: frozenset[str] = frozenset(\n    {{\n{listed}    }}\n)\n" if by_code else _BY_CODE


def _getters(contract: WorkflowContract) -> Iterator[list[str]]:
    names = need_names(contract)
    for key, need in keyed_needs(contract):
        name = names[key]
        about = f"{need.resource}: {plain(need.purpose, _MAX_PURPOSE)}" if need.purpose else need.resource
        about = plain(about, _MAX_ABOUT).translate({ord('"'): "'", ord("\\"): "/"}).rstrip(" .…") + "."
        if key.startswith("outputs"):
            yield from _writers(need, name, about)
        elif "search" in need.interactions:
            yield _search(contract, need, name, about)
            if "read" in need.interactions:
                yield _method(
                    f"read_{name}", ["logical_id: str"], "Resource", about, f'self.read("{name}", logical_id)'
                )
        else:
            yield _method(name, ["logical_id: str"], "Resource", about, f'self.read("{name}", logical_id)')


def _writers(need: Need, name: str, about: str) -> Iterator[list[str]]:
    if "create" in need.interactions:
        arguments = ["resource: Resource", "keys: Mapping[str, str] | None = None"]
        yield _method(f"create_{name}", arguments, "Resource", about, f'self.create("{name}", resource, keys)')
    if "update" in need.interactions:
        yield _method(f"update_{name}", ["resource: Resource"], "Resource", about, f'self.update("{name}", resource)')


def _method(name: str, arguments: list[str], result: str, about: str, value: str) -> list[str]:
    return [
        f"    def {name}(self, {', '.join(arguments)}) -> {result}:",
        f'        """{about}"""',
        f"        return {value}",
    ]


def _search(contract: WorkflowContract, need: Need, name: str, about: str) -> list[str]:
    """A getter with one argument for each search parameter; ``since`` stands for the first that is a date."""
    known = tables_of(contract.fhir_release).parameters(need.resource)
    fixed = {query.partition("=")[0] for query in need.query}
    declared = dict.fromkeys(
        (*need.search_parameters, *(name for here in need.here for name in here.search_parameters or ()))
    )
    arguments: list[str] = []
    sent: list[str] = []
    taken = {"self", "since"}
    since = next(
        (name for name in declared if name in known and known[name].type == "date" and name != "birthdate"), None
    )
    for parameter in list(declared)[:_MAX_PARAMETERS]:
        argument = identifier(parameter)
        if parameter in fixed or parameter == since or not argument or argument in taken:
            continue
        taken.add(argument)
        first = parameter in _WHOSE and not arguments
        arguments.append(f"{argument}: str" if first else f"{argument}: str | None = None")
        sent.append(f"{_literal(parameter)}: {argument},")
    whose = arguments[:1] if arguments and arguments[0].endswith(": str") else []
    if since is not None:
        sent.append(f'{_literal(since)}: f"ge{{since}}" if since else None,')
    lines = [f"    def {name}(", "        self,", *(f"        {line}," for line in whose)]
    lines += ["        since: str | None = None,"] if since is not None else []
    rest = arguments[len(whose) :]
    lines += ["        *,", *(f"        {line}," for line in rest)] if rest else []
    lines += ["    ) -> Found:", f'        """{about}"""']
    if not sent:
        return [f"    def {name}(self) -> Found:", lines[-1], f'        return self.search("{name}", {{}})']
    inner = [f"                {line}" for line in sent]
    return [
        *lines,
        "        return self.search(",
        f'            "{name}",',
        "            {",
        *inner,
        "            },",
        "        )",
    ]


def _literal(text: str) -> str:
    """A text as a string literal in ASCII, whatever stands in it."""
    escaped = text.encode("unicode_escape", "backslashreplace").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"'
