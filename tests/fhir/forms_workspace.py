"""A workspace whose own questionnaire has every type of item, and conditions within and across questionnaires.

And the FHIR responses to it, as another tool may write them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from interlock.model.response import Response
from interlock.usecases.load import Inputs, load_inputs
from interlock.workspace.store import Workspace

BASE = "https://interlock.example/fhir"
Json = dict[str, Any]
OWN = """\
id: zoo
version: "2.1"
title: Every type
description: One of each.
items:
  - id: zoo.group
    type: group
    text: The first group
    items:
      - id: zoo.choice
        type: choice
        text: Which one?
        help: The one that you can prove.
        why: Because it matters.
        na: with_reason
        priority: core
        source: [S01, S02]
        references: [{title: A page, url: "https://example.org/page"}]
        options:
          - {value: none, label: None of them, weight: 0}
          - {value: some, label: Some of them, weight: 0.5, rationale: Half way.}
          - {value: all, label: All of them, weight: 1.0}
      - id: zoo.several
        type: multi_choice
        text: Which ones?
        enable_when:
          - {question: zoo.choice, operator: "!=", answer: none}
        options:
          - {value: nothing, label: Nothing, exclusive: true}
          - {value: red, label: Red, weight: 0.5}
          - {value: blue, label: Blue, weight: 0.5}
      - id: zoo.boolean
        type: boolean
        text: Is it?
        na: with_reason
        enable_behavior: any
        enable_when:
          - {question: zoo.choice, operator: "=", answer: all}
          - {question: zoo.several, operator: "=", answer: red}
  - id: zoo.integer
    type: integer
    text: How many?
    min: 0
    max: 12
  - id: zoo.late_group
    type: group
    text: Only for many
    enable_when:
      - {question: zoo.integer, operator: ">=", answer: 5}
    items:
      - id: zoo.date
        type: date
        text: Since when?
      - id: zoo.url
        type: url
        text: Where is it described?
  - id: zoo.string
    type: string
    text: What is it called?
    na: with_reason
    enable_when:
      - {question: zoo.url, operator: exists, answer: true}
  - id: zoo.text
    type: text
    text: Tell us more.
  - id: zoo.elsewhere
    type: text
    text: What does a user without a chart see?
    enable_behavior: any
    enable_when:
      - {question: auth.launch_modes, operator: "=", answer: standalone_launch}
      - {question: zoo.boolean, operator: "=", answer: true}
  - id: zoo.there
    type: boolean
    scope: org
    text: Is it so at this organisation?
    na: with_reason
  - id: zoo.why_there
    type: string
    scope: org
    text: Why there?
    enable_when:
      - {question: zoo.there, operator: "=", answer: true}
"""


def make(root: Path, *organizations: str) -> Workspace:
    files = {
        "interlock.yaml": b'name: Trial\nproduct: "Sepsis & Co"\nstart: "2026-01-05"\n',
        "questionnaires/zoo.yaml": OWN.encode(),
    }
    for org in organizations:
        files[f"orgs/{org}.yaml"] = f"id: {org}\nname: {org.title()} Health\n".encode()
    return Workspace.create(root, files)


def inputs_of(root: Path, *organizations: str) -> Inputs:
    return load_inputs(make(root, *organizations))


def with_answers(inputs: Inputs, answers: dict[str, dict[str, Response]]) -> Inputs:
    """The inputs with these answers only: scope → item → response."""
    by_org = {org.id: answers.get(org.id, {}) for org in inputs.organizations}
    return replace(inputs, product=answers.get("product", {}), by_org=by_org)


def subject(kind: str, value: str) -> Json:
    return {"identifier": {"system": f"{BASE}/{kind}", "value": value}}


PRODUCT = subject("product", "Sepsis & Co")


def response(*items: Json, **changed: Any) -> Json:
    """A QuestionnaireResponse about the product; a key changed to none is left out."""
    document = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{BASE}/Questionnaire/zoo|2.1",
        "status": "completed",
        "subject": PRODUCT,
        "item": list(items),
    }
    return {key: value for key, value in (document | changed).items() if value is not None}


def given(name: str, *answers: Json) -> Json:
    return {"linkId": f"zoo.{name}", "answer": list(answers)}


def choice(code: str, **more: Any) -> Json:
    return given("choice", {"valueCoding": {"code": code} | more})


def integer(value: Any) -> Json:
    return given("integer", {"valueInteger": value})
