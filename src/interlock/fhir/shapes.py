"""What elements a FHIR type has in JSON, as the models of ``fhir.resources`` say; of R4 with what R4B has otherwise."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, cast, get_args, get_origin

from interlock.model.observation import FhirRelease

#: What stands in JSON where an element is; ``number_or_text`` is R5's integer64, a string that servers write as number.
Kind = Literal["boolean", "number", "number_or_text", "string", "object", "resource"]

#: Types of R4 that R4B has not, or has with other elements throughout (hl7.org/fhir/R4B/diff.html, compared element by
#: element with R4 4.0.1): models of R4B say nothing about them.
R4_ALONE = frozenset(
    {
        "EffectEvidenceSynthesis",
        "Evidence",
        "EvidenceVariable",
        "MedicinalProduct",
        "MedicinalProductAuthorization",
        "MedicinalProductContraindication",
        "MedicinalProductIndication",
        "MedicinalProductIngredient",
        "MedicinalProductInteraction",
        "MedicinalProductManufactured",
        "MedicinalProductPackaged",
        "MedicinalProductPharmaceutical",
        "MedicinalProductUndesirableEffect",
        "RiskEvidenceSynthesis",
        "SubstanceNucleicAcid",
        "SubstancePolymer",
        "SubstanceProtein",
        "SubstanceReferenceInformation",
        "SubstanceSourceMaterial",
        "SubstanceSpecification",
    }
)
#: Types of R4B that R4 has not.
R4B_ALONE = frozenset(
    {
        "AdministrableProductDefinition",
        "Citation",
        "ClinicalUseDefinition",
        "EvidenceReport",
        "Ingredient",
        "ManufacturedItemDefinition",
        "MedicinalProductDefinition",
        "NutritionProduct",
        "PackagedProductDefinition",
        "RegulatedAuthorization",
        "SubscriptionStatus",
        "SubscriptionTopic",
        "SubstanceDefinition",
    }
)
#: Types of both whose choices R4B changed, and those of their choices that it took away.
_WITHOUT_META = {
    "Extension": ("valueMeta",),
    "ElementDefinition": ("defaultValueMeta", "fixedMeta", "patternMeta"),
    "ElementDefinitionExample": ("valueMeta",),
}
#: How the choices that it added to those are called.
_ADDED = ("CodeableReference", "RatioRange")


@dataclass(frozen=True)
class Element:
    """One element: what stands in JSON, whether in a list, and the shape of what is in it.

    :ivar foreign: the reading model does not know it, though the release has it: it is looked at here alone.
    """

    kind: Kind
    many: bool
    inner: Callable[[], Shape] | None = None
    foreign: bool = False
    required: bool = False


@dataclass(frozen=True)
class Shape:
    """The elements of a type, or of a part of one, by their names in JSON; those of primitives' extensions too."""

    name: str
    elements: Mapping[str, Element]
    model: Any = None


@dataclass(frozen=True)
class Models:
    """The models of a release, by the names of resource types."""

    release: FhirRelease
    package: str

    def resource(self, name: object) -> Shape | None:
        """The shape of a resource type; none when the release has none of this name."""
        if not isinstance(name, str) or not (name.isascii() and name.isalpha() and len(name) <= 64):
            return None
        if self.release == "R4" and (name in R4_ALONE or name in R4B_ALONE):
            return None
        try:
            model = _finder(self.package)(name)
        except ValueError:
            return None
        if not model.has_resource_base() or name in {"Resource", "DomainResource"}:
            return None
        return _shape(model, self.release == "R4")


def models_of(release: FhirRelease) -> Models | None:
    """The models that read a release: R4B's read R4; nothing reads DSTU2."""
    package = {"STU3": "STU3", "R4": "R4B", "R4B": "R4B", "R5": "R5"}.get(release)
    return None if package is None else Models(release, package)


def _finder(package: str) -> Callable[[str], Any]:
    from fhir.resources import R4B, STU3, get_fhir_model_class

    found: Callable[[str], Any] = {
        "STU3": STU3.get_fhir_model_class,
        "R4B": R4B.get_fhir_model_class,
        "R5": get_fhir_model_class,
    }[package]
    return found


@cache
def _shape(model: Any, as_r4: bool) -> Shape:
    name = str(model.__name__)
    elements = {key: element for key, element in _elements(model, as_r4) if not (as_r4 and _is_of_r4b_alone(name, key))}
    if as_r4 and name in _WITHOUT_META:
        meta = _finder("R4B")("Meta")
        inner = _later(meta, as_r4)
        elements |= {key: Element("object", False, inner, foreign=True) for key in _WITHOUT_META[name]}
    return Shape(name, elements, model)


def _is_of_r4b_alone(name: str, key: str) -> bool:
    """Whether R4B added an element to a type; ``subjectCanonical`` is of ActivityDefinition and PlanDefinition."""
    return key in {"subjectCanonical", "_subjectCanonical"} or (name in _WITHOUT_META and key.endswith(_ADDED))


def _elements(model: Any, as_r4: bool) -> Iterator[tuple[str, Element]]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key == "fhir_comments":  # of DSTU2; the models keep it in every release
            continue
        leaf, many = _leaf(field.annotation), _is_list(field.annotation)
        if isinstance(leaf, str):
            yield key, Element(cast(Kind, leaf), many)
        elif (inner := leaf.get_model_klass()).__name__ == "Resource":
            yield key, Element("resource", many)
        else:
            yield key, Element("object", many, _later(inner, as_r4))


def _later(model: Any, as_r4: bool) -> Callable[[], Shape]:
    return lambda: _shape(model, as_r4)


def _leaf(annotation: Any) -> Any:
    """The kind of a primitive's JSON, or the class that leads to the model of anything else."""
    if hasattr(annotation, "get_model_klass"):
        return annotation
    if annotation is bool:
        return "boolean"
    if annotation in (int, decimal.Decimal, float):
        return "number"
    metadata = getattr(annotation, "__metadata__", ())
    if any(type(entry).__name__ == "Integer64" for entry in metadata):
        return "number_or_text"
    arguments = [part for part in get_args(annotation) if part is not type(None)]
    return _leaf(arguments[0]) if arguments else "string"


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_is_list(part) for part in get_args(annotation))
