"""The wheel carries everything: installed into an empty environment, it does the main job."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=ROOT)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_carries_the_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for data in ("questionnaires", "rulesets", "reports", "samples", "skeletons"):
        files = [path for path in (ROOT / data).rglob("*") if path.is_file() and path.parent.name != "__pycache__"]
        shipped = {f"interlock/_data/{path.relative_to(ROOT)}" for path in files}
        assert shipped <= set(names)
    tables = ROOT / "src" / "interlock" / "fhir" / "tables" / "data"
    assert {f"interlock/fhir/tables/data/{path.name}" for path in tables.iterdir()} <= set(names)
    assert any(name.endswith("/licenses/NOTICE") for name in names)
    assert not any(name.startswith(("tests/", "interlock/_data/tests")) for name in names)


@pytest.mark.wheel
@pytest.mark.long
def test_the_installed_wheel_does_the_main_job(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    uv = shutil.which("uv")
    python = environment / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    if uv:
        call(uv, "venv", "--quiet", "--python", sys.executable, environment, cwd=tmp_path)
        call(uv, "pip", "install", "--quiet", "--python", python, "--constraint", constraints, wheel, cwd=tmp_path)
    else:
        venv.create(environment, with_pip=True)
        call(python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel, cwd=tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    done = call(environment / "bin" / "interlock", "demo", cwd=tmp_path, HOME=str(home))
    assert "Verdict" in done.stdout
    reports = tmp_path / "demo" / "reports"
    assert {"report.md", "report.html", "report.json"} <= {path.name for path in reports.iterdir()}
    assert (reports / "contract" / "capability-statement.json").exists()


def built_from_a_copy(folder: Path, umask: int, moment: int) -> bytes:
    """The wheel, built from a copy whose files have other modes and times."""
    wanted = [
        "src",
        "questionnaires",
        "rulesets",
        "reports",
        "samples",
        "skeletons",
        "README.md",
        "LICENSE",
        "pyproject.toml",
    ]
    folder.mkdir()
    for name in wanted:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for path in folder.rglob("*"):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
        os.utime(path, (moment, moment))
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist", cwd=folder,
         SOURCE_DATE_EPOCH="1700000000", TZ=f"X{moment % 12}", PYTHONHASHSEED=str(moment))  # fmt: skip
    (built,) = (folder / "dist").glob("*.whl")
    return built.read_bytes()


def test_the_same_sources_give_the_same_wheel(tmp_path: Path) -> None:
    first = built_from_a_copy(tmp_path / "first", 0o022, 1_600_000_000)
    assert built_from_a_copy(tmp_path / "second-elsewhere", 0o077, 1_650_000_007) == first
