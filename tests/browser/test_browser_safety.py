"""Text from documents, file names and questions is inert, wherever the page shows it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Server, Visitor, build, open_index
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

RUNS = "window.hacked=1"
PAYLOADS = (
    f"<script>{RUNS}</script>",
    f"<img src=x onerror={RUNS}>",
    f"<svg onload={RUNS}></svg>",
    '<style>.rag{display:none}</style>',
    '<link rel=stylesheet href=//evil.example/x.css>',
    "![pixel](http://evil.example/pixel.png)",
    f"[click](javascript:{RUNS})",
    "<gradio-app src=//evil.example></gradio-app>",
    f"<iframe srcdoc='<script>parent.{RUNS}</script>'></iframe>",
    f"${{{RUNS}}} {{{{{RUNS}}}}}",
)  # fmt: skip
OURS = ", ".join(
    "article aside b bdi blockquote button caption circle code datalist dd details dialog div dl "
    "dt em form h1 h2 h3 h4 h5 h6 header i input kbd label li mark nav ol option p path pre "
    "progress q rect s section select span strong summary svg table tbody td template textarea th "
    "thead tr ul".split()
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, serve: Server) -> Iterator[str]:
    """The address of a page over documents full of payloads, in every place that can hold one."""
    folder = tmp_path_factory.mktemp("hostile")
    corpus = folder / "corpus" / "<b onmouseover=alert(1)>"
    corpus.mkdir(parents=True)
    name = f"<img src=x onerror={RUNS}>&quot;.md"
    everything = "\n\n".join(
        f"## {payload}\n\nUnused annual leave lapses in March {payload} without pay.\n\n"
        f"- {payload}\n\n> {payload}"
        for payload in PAYLOADS
    )
    title = PAYLOADS[0] + PAYLOADS[1]
    (corpus / name).write_text(
        f"---\ntitle: '{title}'\nauthor: '{PAYLOADS[2]}'\n---\n\n# {title}\n\n{everything}\n",
        "utf-8",
    )
    (corpus / "plain.txt").write_text("\n\n".join(PAYLOADS), "utf-8")
    index = folder / "index"
    build(folder / "corpus", index)
    engine = open_index(index)
    yield serve(engine)
    engine.close()


def test_documents_names_titles_and_questions_are_inert(visit: Visitor, hostile: str) -> None:
    visit_ = visit(hostile)
    page = visit_.page
    for question in ("When does unused annual leave lapse?", *PAYLOADS):
        visit_.ask(question)
        for button in page.locator(".turn:last-child :is(.cite, .near)").all()[:2]:
            button.click()
            expect(page.locator(".panel-doc mark.active").first).to_be_attached()
            button.hover()
    page.locator(".panel [data-do=list]").click()
    for document in page.locator(".document").all():
        document.click()
        expect(page.locator(".doc-title")).to_be_visible()
        page.locator(".panel [data-do=list]").click()
    assert page.evaluate("window.hacked") is None
    assert page.locator(f".rag :not(style):not({OURS})").count() == 0
    assert page.locator(".rag [onerror], .rag [onload], .rag [src], .rag [href]").count() == 0
    expect(page.locator(".rag")).to_be_visible()


def test_a_script_in_a_document_is_shown_as_text(visit: Visitor, hostile: str) -> None:
    page = visit(hostile).page
    page.locator("[data-do=panel]").click()
    page.locator(".document", has_text="plain").click()
    expect(page.locator(".doc-body")).to_contain_text(f"<script>{RUNS}</script>")
