"""Work items: what is open and what is to be found out, as an issue tracker understands it.

Their bodies are in the markup of each tracker; nothing quoted in them becomes markup, a mention or a link.
"""

from __future__ import annotations

import html
import re

from interlock.documents.markdown import escape
from interlock.model import words
from interlock.model.assessment import Assessment
from interlock.model.base import Model, Reference, Severity
from interlock.model.gap_graph import GapNode
from interlock.model.plan import PlanTask
from interlock.model.text import slug
from interlock.report import estimates, safe
from interlock.report.sections.summary import question

#: GitHub's limit for the name of a label.
LABEL_LIMIT = 50
#: A word joiner behind the sign keeps a tracker from reading a mention, an issue number or a macro.
_CALLS = re.compile(r"([@#!~\[{|*_^+])(?=\S)")
JOINER = "\u2060"


class WorkItem(Model):
    """One piece of work. Every text is one plain line; each writer escapes for its own medium.

    :ivar id: the task's own key (``AUTH-003@lakeshore``), stable from one export to the next.
    :ivar message, why, action: empty for a routine task, which is no gap.
    :ivar facts: what a tracker has no field for, as label and value.
    :ivar labels: in order, without duplicates; letters, digits, ``-`` and ``:``.
    :ivar severity: none for routine tasks.
    :ivar blocked_by: ids of other items of the same export that have to be closed first, sorted.
    """

    id: str
    title: str
    message: str
    why: str
    action: str
    facts: tuple[tuple[str, str], ...]
    references: tuple[Reference, ...]
    labels: tuple[str, ...]
    severity: Severity | None
    blocked_by: tuple[str, ...]


def work_items(assessment: Assessment, *, routine: bool = False) -> tuple[WorkItem, ...]:
    """The plan's tasks in order of wave and id.

    :param routine: with the tasks that every integration has; without them, an item waits for the items that it
        reaches through them.
    """
    tasks = {task.id: task for task in assessment.plan.tasks}
    kept = {key for key, task in tasks.items() if routine or task.kind != "routine"}
    nodes = {node.key: node for node in assessment.graph.nodes}
    names = {org.id: safe.name(org.name) for org in assessment.organizations}
    ordered = sorted((tasks[key] for key in kept), key=lambda task: (task.wave, task.id))
    return tuple(
        _item(assessment, task, nodes.get(task.id), names.get(task.org or "", ""), _before(tasks, kept, task.id))
        for task in ordered
    )


def _before(tasks: dict[str, PlanTask], kept: set[str], key: str) -> tuple[str, ...]:
    """Kept tasks that this one waits for, seen through those that are left out."""
    reached: set[str] = set()
    waiting = list(tasks[key].after)
    while waiting:
        name = waiting.pop()
        if name not in reached and name in tasks:
            reached.add(name)
            if name not in kept:
                waiting.extend(tasks[name].after)
    return tuple(sorted(reached & kept))


def _item(
    assessment: Assessment, task: PlanTask, node: GapNode | None, where: str, before: tuple[str, ...]
) -> WorkItem:
    rule = assessment.rules.get(node.rule) if node else None
    title = safe.name(task.title) if task.kind != "discovery" else question(node.title if node else task.title)
    kind = words.TASK[task.kind].phrase.replace(" ", "-")
    labels = ["interlock", kind, f"gate:{task.gate.value}", f"owner:{task.owner.value}"]
    if node is not None:
        labels += [f"severity:{node.severity.value}", node.gap_class.value.replace("_", "-")]
    if task.org:
        labels.append(f"org:{slug(task.org)}"[:LABEL_LIMIT])
    return WorkItem(
        id=safe.text(task.id, 200),
        title=f"{where}: {title}" if where else title,
        message=found(assessment, node) if node else "",
        why=words.sentence(safe.text(rule.why)) if rule else "",
        action=words.sentence(safe.text(rule.remediation.text, 1500)) if rule else "",
        facts=(
            ("Where", where or "the product"),
            ("Gate", words.GATE[task.gate].title),
            ("Owner", words.OWNER[task.owner].title),
            ("Effort", estimates.effort(task.effort)),
            ("Lead time of others", estimates.lead_time(task.lead_time)),
        ),
        references=tuple(map(_cited, rule.references)) if rule else (),
        labels=tuple(dict.fromkeys(labels)),
        severity=node.severity if node else None,
        blocked_by=before,
    )


def _cited(reference: Reference) -> Reference:
    """A reference as it may be shown: an address that is none of the web's is left out."""
    return Reference(title=safe.name(reference.title), url=safe.web_address(reference.url))


def found(assessment: Assessment, node: GapNode) -> str:
    """What was found; of something undecided only why it is, never the gap as a fact."""
    if node.kind == "gap":
        return safe.text(node.message)
    detail = next((finding.detail for finding in assessment.findings if finding.key == node.key), None)
    return words.capital(words.sentence(safe.text(detail or "not decided yet")))


def quiet(text: str) -> str:
    """Text that no tracker reads as a mention, an issue number, a link or a macro."""
    return _CALLS.sub(rf"\1{JOINER}", text)


def as_markdown(item: WorkItem) -> str:
    """GitHub-flavoured Markdown."""
    parts = [f"**{head}.** {_md(said)}" if head else _md(said) for head, said in _told(item)]
    facts = [f"- {label}: {_md(value)}" for label, value in item.facts]
    facts.append(f"- Waits for: {', '.join(f'`{_code(key)}`' for key in item.blocked_by) or 'nothing'}")
    parts.append("\n".join(facts))
    if item.references:
        cited = (f"- {_md(cite.title)}" + (f": <{cite.url}>" if cite.url else "") for cite in item.references)
        parts.append("\n".join(cited))
    parts.append(f"Interlock key: `{_code(item.id)}`")
    return "\n\n".join(parts) + "\n"


def as_text(item: WorkItem) -> str:
    """Lines of text for Jira, whose importer reads wiki markup."""
    parts = [quiet(f"{head}: {said}" if head else said) for head, said in _told(item)]
    parts.append(quiet("\n".join(f"{label}: {value}" for label, value in (*item.facts, _waits_for(item)))))
    if item.references:
        parts.append("\n".join(f"{quiet(cite.title)}: {cite.url}".removesuffix(": ") for cite in item.references))
    return "\n\n".join([*parts, f"Interlock key: {quiet(item.id)}"])


def as_html(item: WorkItem) -> str:
    """HTML for Azure Boards."""
    parts = [f"<p><b>{head}.</b> {_html(said)}</p>" if head else f"<p>{_html(said)}</p>" for head, said in _told(item)]
    facts = (*item.facts, _waits_for(item), ("Interlock key", item.id))
    parts.append("<ul>" + "".join(f"<li>{_html(label)}: {_html(value)}</li>" for label, value in facts) + "</ul>")
    if item.references:
        parts.append(f"<ul>{''.join(map(_html_cite, item.references))}</ul>")
    return "".join(parts)


def _told(item: WorkItem) -> list[tuple[str, str]]:
    """Paragraphs that say something, each with its heading; what was found has none."""
    told = (("", item.message), ("Why it matters", item.why), ("What to do", item.action))
    return [(head, said) for head, said in told if said]


def _waits_for(item: WorkItem) -> tuple[str, str]:
    return "Waits for", ", ".join(item.blocked_by) or "nothing"


def _html_cite(cite: Reference) -> str:
    title = _html(cite.title)
    return f'<li><a href="{html.escape(cite.url)}">{title}</a></li>' if cite.url else f"<li>{title}</li>"


def _md(value: str) -> str:
    # After the escape, so that its own backslashes stay in front of what they escape.
    return re.sub(r"([@#])(?=\w)", rf"\1{JOINER}", escape(value))


def _code(value: str) -> str:
    return value.replace("`", "'")


def _html(value: str) -> str:
    return html.escape(re.sub(r"([@#])(?=\w)", rf"\1{JOINER}", value))
