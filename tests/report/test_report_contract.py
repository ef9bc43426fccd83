"""The report's section with the whole contract: all that it says, each organisation's settings, hostile text."""

from __future__ import annotations

from datetime import date

import pytest
from markdown_it import MarkdownIt

from interlock.contract.page import workflow_markdown
from interlock.model.assessment import Assessment
from interlock.model.contract import ClinicalEvent, SurfaceSetting, WorkflowContract
from interlock.model.contract_page import contract_parts
from interlock.report import html, markdown, view
from interlock.report.sections import contract as section
from interlock.usecases.assess import assess
from interlock.usecases.initialize import initialize
from interlock.usecases.load import Inputs, load_inputs
from interlock.usecases.recipient import for_recipient

pytestmark = pytest.mark.fast


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return load_inputs(initialize(tmp_path_factory.mktemp("contract") / "ws", "sepsis"))


@pytest.fixture(scope="module")
def demo(inputs: Inputs) -> Assessment:
    return assess(inputs, today=date(2026, 11, 30), runs=50)


def alone(inputs: Inputs, org: str) -> Assessment:
    return assess(for_recipient(inputs, org), today=date(2026, 11, 30), runs=50)


def built(assessment: Assessment, *, brief: bool = False) -> view.ReportView:
    return view.build(
        assessment,
        generated=None,
        interlock_version="0.1.0",
        observations={},
        sections=("contract",),
        brief=brief,
    )


def texts(assessment: Assessment, *, brief: bool = False) -> str:
    return html.render(built(assessment, brief=brief))


def said(contract: WorkflowContract) -> set[str]:
    """Every line that an account of the contract has, but for its settings."""
    parts = [part for part in contract_parts(contract, {}) if part.title != "Configuration surface"]
    return {line for part in parts for row in part.rows for cell in row for line in cell}


def test_all_of_it_is_in_html_and_markdown_as_on_the_page_to_sign(demo: Assessment) -> None:
    assert demo.contract is not None
    page = MarkdownIt().enable("table").render(workflow_markdown(demo.contract, "Sentinel"))
    source = MarkdownIt().enable("table").render(markdown.render(built(demo)))
    shown = texts(demo)
    settings = [(one.name, one.description or one.name) for one in demo.contract.organization_surface]
    for line in (*said(demo.contract), *(name for names in settings for name in names)):
        escaped = line.replace("&", "&amp;").replace('"', "&#34;").replace("'", "&#39;")
        assert escaped in shown, line
        plain = line.replace("&", "&amp;").replace('"', "&quot;")
        assert plain in source and plain in page, line
    assert demo.contract_hash in shown and demo.contract_hash in source


def test_each_organisations_settings_are_told_with_what_is_only_the_default(demo: Assessment) -> None:
    parts = {part["title"]: part for part in built(demo).sections[0]["content"]["parts"]}
    table = parts["Configuration surface, by organisation"]
    assert table["columns"][2:] == tuple(org.name for org in demo.organizations)
    rows = {row[0][0]["text"]: [[line["text"] for line in cell] for cell in row[2:]] for row in table["rows"]}
    where = {org.id: number for number, org in enumerate(demo.organizations)}
    assert rows["risk_threshold"][where["riverside"]] == ["0.62"]
    assert rows["risk_threshold"][where["pinecrest"]] == ["0.6", "default"]
    assert rows["downtime_contact"][where["pinecrest"]] == ["undecided"]


def test_a_brief_report_says_what_it_leaves_out(demo: Assessment) -> None:
    content = built(demo, brief=True).sections[0]["content"]
    assert "the product's own endpoints (9) and test path (8). report.html has the whole text." in content["lead"]
    titles = [part["title"] for part in content["parts"]]
    assert "Test path" not in titles and {"Safeguards", "Owners", "Approvals", "When the output is wrong"} <= set(
        titles
    )
    (reads,) = (part["rows"] for part in content["parts"] if part["title"] == "What it reads")
    assert len(reads) == 1 and "us-core-vital-signs" in reads[0][1][0]["text"]
    assert "http://loinc.org|2524-7" not in texts(demo, brief=True)


def test_an_organisations_own_report_has_the_hash_of_its_own_text(inputs: Inputs, demo: Assessment) -> None:
    own = alone(inputs, "lakeshore")
    shown = texts(own)
    assert own.contract_hash != demo.contract_hash and "this one" in shown and "another:" not in shown
    assert "Oyelaran" not in shown and "Solheim" in shown
    assert "riverside" not in shown.casefold() and "ORU^R01" in shown
    assert "ORU^R01" not in texts(alone(inputs, "pinecrest"))


def test_without_a_contract_it_says_so_and_undecided_parts_stand_out(demo: Assessment) -> None:
    none = texts(demo.but(contract=None, contract_hash=""))
    assert "There is no workflow contract yet" in none and "<table" not in none
    early = texts(demo.but(contract=WorkflowContract(version="1", title="Early"), fit=()))
    assert early.count("<em>undecided</em>") > 10 and "None." in early


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "\x1b[31mred\u202e", "[x](javascript:alert(1))", "| a | b |\n\n# head", "x" * 5_000],
)
def test_hostile_text_stays_text_and_short(demo: Assessment, hostile: str) -> None:
    assert demo.contract is not None
    setting = SurfaceSetting(name="a", surface="universal", type="string", description=hostile)
    event = ClinicalEvent(trigger=hostile, actor=hostile, setting=hostile, states=(hostile,))
    contract = demo.contract.but(clinical_event=event, title=hostile, organization_surface=(setting,))
    for brief in (False, True):
        assessment = demo.but(contract=contract, fit=())
        page = texts(assessment, brief=brief)
        assert "<script>alert" not in page and "\x1b" not in page and "\u202e" not in page
        assert "x" * (section.MAX_LENGTH + 1) not in page
        source = MarkdownIt("commonmark", {"html": False}).render(markdown.render(built(assessment, brief=brief)))
        assert 'href="javascript' not in source and "<h1>head" not in source


def test_a_contract_without_end_is_counted(demo: Assessment) -> None:
    assert demo.contract is not None
    need = demo.contract.inputs[0]
    many = demo.contract.but(inputs=tuple(need.but(purpose=str(number)) for number in range(section.MAX_ROWS + 7)))
    content = built(demo.but(contract=many)).sections[0]["content"]
    reads = next(part for part in content["parts"] if part["title"] == "What it reads")
    assert (len(reads["rows"]), reads["more"]) == (section.MAX_ROWS, "7 more rows in contract.yaml")


@pytest.mark.long
def test_it_takes_three_pages_of_the_demos_pdf_at_most(demo: Assessment) -> None:
    weasyprint = pytest.importorskip("weasyprint", reason="WeasyPrint is not installed", exc_type=ImportError)
    whole = weasyprint.HTML(string=texts(demo, brief=True)).render()
    cover = 1
    assert len(whole.pages) - cover <= 3
