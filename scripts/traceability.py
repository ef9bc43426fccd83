"""From each statement to what asks about it, looks at it, judges it and shows it: writes docs/traceability.md.

Ends with 1 when a statement has a hole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from interlock.content.compile import CompiledRule, compile_rules
from interlock.documents.resources import data_dir
from interlock.model.base import GapClass, Model, Scope
from interlock.model.pattern import Pattern
from interlock.model.statements import STATEMENTS, Statement
from interlock.report.view import SECTIONS
from interlock.usecases.load import Content, load_content

PAGE = Path(__file__).resolve().parents[1] / "docs" / "traceability.md"
#: Names of facts that are shown: ``probe.smart`` of ``probe.smart.token_endpoint``.
_FACT_PARTS = 2
_BLOCKERS = frozenset({GapClass.PRODUCT_BLOCKER, GapClass.INTEGRATION_BLOCKER})


class Trace(Model):
    """Everything that cites one statement, by id.

    :ivar checks: probe checks that rules of this statement read.
    :ivar facts: what these rules read of a server's documents and of their comparison with the contract.
    :ivar rules: those that hold for every vendor; ``vendor_rules`` are those of one.
    :ivar sections: the report's sections that show findings about this statement, by their names in the report.
    """

    statement: Statement
    questions: tuple[str, ...]
    checks: tuple[str, ...]
    facts: tuple[str, ...]
    rules: tuple[str, ...]
    vendor_rules: tuple[str, ...]
    patterns: tuple[str, ...]
    sections: tuple[str, ...]

    def holes(self) -> Iterator[str]:
        """Gaps in the tracing, in words that follow "has"; none when the statement is asked, judged and reported."""
        if not (self.questions or self.checks):
            yield "no question and no check"
        if not self.rules:
            yield "no rule that holds for every vendor"
        if not self.sections:
            yield "no section in the report"


def traces(content: Content) -> tuple[Trace, ...]:
    """One trace a statement, in order. Deprecated rules do not count."""
    rules = compile_rules(content.ruleset)
    return tuple(
        _trace(
            statement,
            [item.id for item in content.items.values() if statement.id in item.source],
            [rule for rule in rules if statement.id in rule.rule.source],
            [pattern for pattern in content.patterns.patterns if statement.id in pattern.source],
        )
        for statement in STATEMENTS
    )


def _trace(
    statement: Statement,
    questions: Sequence[str],
    rules: Sequence[CompiledRule],
    patterns: Sequence[Pattern],
) -> Trace:
    reads = [name.split(".") for rule in rules for name in rule.reads]
    checks = {parts[1] for parts in reads if parts[0] == "checks" and len(parts) == _FACT_PARTS}
    facts = {".".join(parts[:_FACT_PARTS]) for parts in reads if parts[0] in {"probe", "fit"}}
    shown = {section for rule in rules for section in _sections(rule)} | ({"patterns"} if patterns else set())
    return Trace(
        statement=statement,
        questions=tuple(questions),
        checks=tuple(sorted(checks)),
        facts=tuple(sorted(facts)),
        rules=tuple(rule.rule.id for rule in rules if not rule.rule.vendors),
        vendor_rules=tuple(rule.rule.id for rule in rules if rule.rule.vendors),
        patterns=tuple(pattern.id for pattern in patterns),
        sections=tuple(section for section in SECTIONS if section in shown),
    )


def _sections(compiled: CompiledRule) -> Iterator[str]:
    """Where a finding of this rule can be seen: open, undecided, or as work to do."""
    rule = compiled.rule
    yield from ("gaps", "unknowns", "tasks", "statements")
    if rule.verdict is not None or rule.gap_class in _BLOCKERS:
        yield "summary"
    if rule.scope is Scope.ORG:
        yield "organizations"
    if any(name.partition(".")[0] == "fit" for name in compiled.reads):
        yield "fit"
    if rule.remediation.lead_time is not None:
        yield "plan"


def page(all_traces: Iterable[Trace], content: Content) -> str:
    """The traces as ``docs/traceability.md``: Markdown, with links into the files."""
    links = _links(content)
    lines = [
        "# Traceability",
        "",
        "Made by `make docs` from the questionnaires, rulesets, patterns and checks that are shipped; a test fails",
        "when it is stale, and when a statement has no question or check, no rule, or no section in the report.",
        "",
        "Each statement of the article that the method follows, and what puts it to the test. *Checks* are the",
        "probe's checks that rules about the statement read, *observed* the facts of a server's documents, and of",
        "their comparison with the workflow contract, that they read. *Report* names the sections that show findings",
        "about it; `interlock report --sections` takes the same names. `statements` lists every rule by statement.",
    ]
    theme = None
    for trace in all_traces:
        if trace.statement.theme != theme:
            theme = trace.statement.theme
            lines += ["", f"## {theme}"]
        lines += ["", f"### {trace.statement.id} {trace.statement.title}", "", trace.statement.text, ""]
        lines += [f"- {name}: {', '.join(entries)}" for name, entries in _rows(trace, links)]
    return "\n".join(lines) + "\n"


def _rows(trace: Trace, links: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    groups = (
        ("Questions", [_link(name, links) for name in trace.questions]),
        ("Checks", list(trace.checks)),
        ("Observed", [f"`{name}`" for name in trace.facts]),
        ("Rules", [_link(name, links) for name in trace.rules]),
        ("Vendors' rules", [_link(name, links) for name in trace.vendor_rules]),
        ("Patterns", [_link(name, links) for name in trace.patterns]),
        ("Report", [f"`{name}`" for name in trace.sections]),
    )
    return ((name, entries) for name, entries in groups if entries)


def _link(name: str, links: Mapping[str, str]) -> str:
    return f"[{name}](../{links[name]})"


def _links(content: Content) -> dict[str, str]:
    """The file of each rule, pattern and question, relative to the checkout."""
    rulesets, questionnaires = data_dir("rulesets"), data_dir("questionnaires")
    links = {path.stem: f"rulesets/{path.relative_to(rulesets).as_posix()}" for path in rulesets.rglob("*.yaml")}
    by_id = {_first_id(path): f"questionnaires/{path.name}" for path in sorted(questionnaires.glob("*.yaml"))}
    for questionnaire in content.questionnaires:
        links |= {item.id: by_id[questionnaire.id] for item in questionnaire.questions()}
    return links


def _first_id(path: Path) -> str:
    return next(
        line.partition(":")[2].strip() for line in path.read_text("utf-8").splitlines() if line.startswith("id:")
    )


def main() -> int:
    """Write the page, and name every hole."""
    content = load_content(None)
    found = traces(content)
    PAGE.write_text(page(found, content), "utf-8")
    print(f"Made {PAGE}")
    holes = [f"{trace.statement.id} has {hole}" for trace in found for hole in trace.holes()]
    for hole in holes:
        print(hole, file=sys.stderr)
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
