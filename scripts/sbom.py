"""Writes a software bill of materials (CycloneDX, JSON) of what an installation with every extra runs with.

The packages are those that ``interlock[all]`` needs on this machine, in the versions that are installed here. The same
installation gives the same bytes: the time is SOURCE_DATE_EPOCH (otherwise that of the last commit, otherwise none).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def needed(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Packages that a package with these extras needs here, each with the extras asked of it."""
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


def closure(name: str, extras: frozenset[str]) -> dict[str, set[str]]:
    """Every package that is needed, directly or not, with those that it needs itself."""
    edges: dict[str, set[str]] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    waiting = [(name, extras)]
    while waiting:
        package = waiting.pop()
        if package in done:
            continue
        done.add(package)
        following = list(needed(*package))
        edges.setdefault(package[0], set()).update(other for other, _ in following if other != package[0])
        waiting += following
    return edges


def licence(package: Distribution) -> str | None:
    """The licence as the package states it: an SPDX expression, else its own words, else its classifier."""
    metadata = package.metadata
    stated = metadata.get("License-Expression") or (metadata.get("License") or "").strip()
    if stated and "\n" not in stated:
        return stated
    classifiers = [text for text in metadata.get_all("Classifier") or () if text.startswith("License :: ")]
    return classifiers[0].rpartition(" :: ")[2] if classifiers else None


def component(name: str, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    """One installed package."""
    package = distribution(name)
    stated = licence(package)
    made = LicenseFactory().make_from_string(stated) if stated else None
    if isinstance(made, DisjunctiveLicense) and made.id is None:
        made = DisjunctiveLicense(name=stated)
    url = PackageURL("pypi", None, name, package.version)
    return Component(
        name=name, version=package.version, type=kind, purl=url, bom_ref=str(url), licenses=[made] if made else []
    )


def moment() -> datetime:
    """When: SOURCE_DATE_EPOCH, or the last commit's time, or the beginning of time."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not stated:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        stated = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return datetime.fromtimestamp(int(stated) if re.fullmatch(r"\d{1,11}", stated) else 0, UTC)


def bill() -> str:
    """The bill as JSON."""
    edges = closure("interlock", frozenset({"all"}))
    parts = {name: component(name) for name in sorted(edges) if name != "interlock"}
    product = component("interlock", ComponentType.APPLICATION)
    bom = Bom(components=parts.values(), metadata=BomMetaData(component=product, timestamp=moment()))
    for name, others in sorted(edges.items()):
        bom.register_dependency(parts.get(name, product), [parts[other] for other in sorted(others) if other in parts])
    bom.serial_number = uuid5(NAMESPACE_URL, " ".join(str(part.purl) for part in (product, *parts.values())))
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "interlock.cdx.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(bill(), "utf-8")
    print(out)
