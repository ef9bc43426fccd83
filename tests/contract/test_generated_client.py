"""The client that a contract is exported with: clean Python whatever the contract's author wrote."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interlock.contract.load import load_contract
from interlock.contract.resolve import resolve
from interlock.contract.skeletons import build
from interlock.contract.skeletons.client import CLIENT, client
from interlock.contract.skeletons.lock import lock
from interlock.contract.skeletons.names import identifier, need_names
from interlock.model.contract import Launch, Need, WorkflowContract
from interlock.model.organization import Organization
from tiers import rounds

ROOT = Path(__file__).resolve().parents[2]
#: Every sample's contract, and those that were written for tests.
CONTRACTS = {
    **{path.parent.name: path for path in sorted((ROOT / "samples" / "templates").glob("*/contract.yaml"))},
    **{path.stem: path for path in sorted((ROOT / "tests" / "contract" / "contracts").glob("*.yaml"))},
}
#: What our own code is held to; an error class of the client is named as the contract names the failure.
RULES = ("--isolated", "--line-length", "120", "--target-version", "py311")
SELECTED = "E,F,W,I,N,UP,B,A,C4,SIM,PTH,RUF,D1,ANN,ASYNC,S,PERF,T20,ERA"
IGNORED = "S101,RUF001,RUF002,RUF003,D107,D105,ANN401,N818"
OURS = 'lint.isort.known-first-party=["conftest","fhir_client"]'
HOSTILE = (
    '"""',
    "'''",
    '"\n\nimport os\n"',
    "{{7*7}}",
    "{patient}",
    "\\",
    "\\N{BULLET}",
    "# noqa",
    "ä\u2028𝕏",
    "`|`",
    "%s",
)


def files_of(contract: WorkflowContract, product: str = "Sentinel") -> dict[str, str]:
    org = Organization.model_validate({"id": "here", "name": "Here", "fhir_base_url": "https://ehr.example.org/fhir"})
    return build(resolve(contract, (org,), {}, product=product, description=None, made="2026-11-22"))


def code_of(contract: WorkflowContract) -> dict[str, str]:
    return {path: text for path, text in files_of(contract).items() if path.startswith(("client/", "tests/"))}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client and the suite of every sample."""
    folder = tmp_path_factory.mktemp("exported")
    for name, file in CONTRACTS.items():
        contract, _ = load_contract(file)
        for path, text in code_of(contract).items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text, "utf-8")
    return folder


def ruff(*arguments: str | Path) -> str:
    program = shutil.which("ruff", path=sysconfig.get_path("scripts"))
    assert program is not None
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_code_of_every_sample_is_clean(exported: Path) -> None:
    """By the rules that our own code is held to."""
    assert not ruff("check", *RULES, "--select", SELECTED, "--ignore", IGNORED, "--config", OURS, exported)
    assert not ruff("format", "--check", *RULES, exported)


@pytest.mark.long
def test_code_of_every_sample_is_typed(exported: Path) -> None:
    for name in CONTRACTS:
        folder = exported / name
        paths = [*(folder / "client").glob("*.py"), *(folder / "tests").glob("*.py")]
        cache = f"--cache-dir={exported / '.mypy_cache'}"
        ran = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", cache, *paths],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={"MYPYPATH": f"{folder / 'client'}:{folder / 'tests'}", "PATH": "/usr/bin"},
        )
        assert ran.returncode == 0, f"{name}: {ran.stdout}"


def test_an_own_name_for_each_need() -> None:
    vitals = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs"
    both = ("read", "search")
    contract = WorkflowContract(
        version="1",
        title="Names",
        inputs=(
            Need(resource="Patient", interactions=("read",)),
            Need(resource="Observation", profile=vitals, interactions=both),
            Need(resource="Observation", query=("category=laboratory",), interactions=both),
            Need(resource="Observation", query=("category=laboratory",), interactions=both),
            Need(resource="Observation", query=("category=search",), interactions=both),
            Need(resource="List", interactions=both),
        ),
        outputs=(Need(resource="Observation", interactions=("create",)), Need(resource="Patient")),
    )
    assert list(need_names(contract).values()) == [
        "patient",
        "vital_signs",
        "laboratory",
        "observation",
        "search_need",
        "list_",
        "observation_output",
        "patient_output",
    ]


def test_thousands_of_needs_have_names() -> None:
    needs = tuple(Need(resource="Observation", interactions=("read",)) for _ in range(3_000))
    names = need_names(WorkflowContract(version="1", title="Many", inputs=needs, outputs=needs))
    assert len(set(names.values())) == 6_000


@pytest.mark.parametrize(
    ("text", "name"),
    [("MedicationAdministration", "medication_administration"), ("_id", "id_"), ("class", "class_"), ("日本", "")],
)
def test_a_text_is_made_an_identifier(text: str, name: str) -> None:
    assert identifier(text) == name


def structure(code: str) -> list[str]:
    """What a module defines and does, without its getters and the table of needs."""
    tree = ast.parse(code)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Client":
            node.body = [one for one in node.body if not isinstance(one, ast.FunctionDef) or one.name in OWN_METHODS]
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "NEEDS":
            node.value = None
    return [ast.dump(node) for node in tree.body]


OWN = (ROOT / "skeletons" / CLIENT).read_text("utf-8")
OWN_METHODS = {
    one.name
    for node in ast.parse(OWN).body
    if isinstance(node, ast.ClassDef) and node.name == "Client"
    for one in node.body
    if isinstance(one, ast.FunctionDef)
}
OWN_STRUCTURE = structure(OWN)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=40))


def hostile(texts: list[str]) -> WorkflowContract:
    """A contract whose author wrote these texts wherever a text may stand."""
    needs = tuple(
        Need(
            resource="Observation",
            purpose=text,
            profile=text or None,
            interactions=("read", "search", "create", "update"),
            search_parameters=("patient", "date", text),
            required_fields=("status", text),
            operations=(text,),
        )
        for text in texts
    )
    return WorkflowContract(
        version=texts[0], title=texts[-1], launch=Launch(modes=("backend",)), inputs=needs, outputs=needs
    )


@settings(max_examples=rounds(9, 1000))
@example(list(HOSTILE))
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_hostile_contract_is_data(texts: list[str]) -> None:
    """It adds getters with names of ours, and no statement; what was written comes back from literals and the lock."""
    resolved = resolve(hostile(texts), (), {}, product=texts[0], description=None, made="2026-11-22")
    files = {**client(resolved), **lock(resolved)}
    code = files[CLIENT]
    compile(code, CLIENT, "exec")
    assert structure(code) == OWN_STRUCTURE
    written = {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}
    for text in texts:
        if identifier(text) and identifier(text) not in {"self", "since", "patient", "date"}:
            assert text in written
    lock_ = json.loads(files["contract.lock.json"])
    assert [need["purpose"] for need in lock_["contract"]["inputs"]] == texts
