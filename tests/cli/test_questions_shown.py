"""How a question is shown, and what is said after it was answered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def service(command: Callable[..., Any], tmp_path: Path) -> Path:
    """A back-end service with one organisation and no answer."""
    root = tmp_path / "ws"
    command("init", root, "--kind", "backend_service")
    command("org", "add", "Alder Hospital", "--id", "alder", "-w", root)
    return root


def test_an_option_that_the_kind_of_product_cannot_have_says_so(command: Callable[..., Any], service: Path) -> None:
    shown = " ".join(command("questions", "auth.launch_modes", "-w", service).out.split())
    assert shown.count("[not of a back-end service without a screen of its own]") == 3
    assert "(backend services) cds_hooks" in shown


def test_next_says_how_to_answer_without_a_value(command: Callable[..., Any], service: Path) -> None:
    first = command("next", "-w", service).err
    assert "interlock answer boundary.output_stable VALUE\nor, in place of a value, --status unknown\n" in first
    command("answer", "boundary.output_stable", "changing", "-w", service)  # settles the verdict
    several = command("next", "--org", "product", "-w", service).err
    assert "interlock answer auth.launch_modes VALUE[,VALUE …]\n" in several


def test_an_answer_about_an_organisation_tells_of_its_score(command: Callable[..., Any], service: Path) -> None:
    said = command("answer", "org.client_registered", "non_production", "--org", "alder", "-w", service).err
    assert "Saved. Alder Hospital: " in said
    assert "Product: " not in said
    assert "Saved. Product: " in command("answer", "boundary.output_stable", "frozen", "-w", service).err
