"""One command a file. Each registers itself lazily: its imports stay inside its callback."""

from __future__ import annotations

import typer

from interlock.cli.commands import (
    answer,
    assess,
    config,
    contract,
    demo,
    diff,
    doctor,
    export,
    gaps,
    import_,
    init,
    lint,
    milestone,
    next_question,
    observe,
    org,
    patterns,
    plan,
    probe,
    questions,
    report,
    sandbox,
    score,
    serve,
)


def register(app: typer.Typer) -> None:
    """Add every command to ``app``, in the order in which a person meets them."""
    app.command("demo")(demo.demo)
    app.command("init")(init.init)
    app.command("assess")(assess.assess)
    app.command("questions")(questions.questions)
    app.command("next")(next_question.next_question)
    app.command("answer")(answer.answer)
    app.add_typer(org.app, name="org")
    app.command("probe")(probe.probe)
    app.command("observe")(observe.observe)
    app.command("score")(score.score)
    app.command("gaps")(gaps.gaps)
    app.command("patterns")(patterns.patterns)
    app.command("plan")(plan.plan)
    app.command("report")(report.report)
    app.add_typer(contract.app, name="contract")
    app.add_typer(milestone.app, name="milestone")
    app.command("diff")(diff.diff)
    app.add_typer(export.app, name="export")
    app.add_typer(import_.app, name="import")
    app.command("lint")(lint.lint)
    app.command("sandbox")(sandbox.sandbox)
    app.command("serve")(serve.serve)
    app.command("doctor")(doctor.doctor)
    app.add_typer(config.app, name="config")
