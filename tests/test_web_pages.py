"""What was fetched and is kept in the corpus: under which name, as what, and in place of what."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from awkward import lines_pdf
from websites import PAGE, Site, get

from rag.errors import UsageError, WebError
from rag.loaders import load
from rag.store.files import replace_file
from rag.web.fetching import Fetched
from rag.web.pages import Added, keep

TODAY = date(2024, 6, 2)


def add(found: Fetched, corpus: Path, **options: Any) -> Added:
    return keep(found, corpus, TODAY, **options)


def test_the_main_text_of_a_page_is_kept_as_markdown(site: Site, tmp_path: Path) -> None:
    site.page("/policies/leave.html", PAGE, Last_Modified="Wed, 01 May 2024 10:00:00 GMT")
    added = add(get(site.url("/policies/leave.html")), tmp_path, collection="handbook")
    name = f"web/127.0.0.1-{site.port}/policies/leave.md"
    assert added == Added(site.url("/policies/leave.html"), name, "added")
    document = load(tmp_path / name, name)
    assert document.title == "Annual leave"
    expected = {
        "source": site.url("/policies/leave.html"),
        "author": "People Office",
        "published": "2024-05-01",
        "language": "en",
        "modified": "2024-05-01",
        "retrieved": "2024-06-02",
        "collection": "handbook",
    }
    assert expected.items() <= dict(document.metadata).items()
    blocks = [(b.kind, document.text[b.start : b.end].split("\n")[0]) for b in document.blocks]
    assert ("heading", "How to ask") in blocks
    assert ("item", "Open the leave form.") in blocks
    assert any(kind == "row" and "G1" in text for kind, text in blocks)
    assert "Imprint" not in document.text
    assert "All our policies" not in document.text


def test_other_documents_are_kept_as_they_are(site: Site, tmp_path: Path) -> None:
    data = lines_pdf(["Staff get 13 days."])
    site.page("/get?id=7", data, "application/pdf")
    added = add(get(site.url("/get?id=7")), tmp_path)
    path = tmp_path / added.document
    assert path.suffix == ".pdf"
    assert path.read_bytes() == data
    metadata = load(path, added.document).metadata
    assert metadata["source"] == site.url("/get?id=7")
    assert metadata["retrieved"] == "2024-06-02"


def test_a_page_that_is_only_served_as_newer_is_unchanged(site: Site, tmp_path: Path) -> None:
    for day, what in (("01", "added"), ("02", "unchanged")):
        url = site.page("/leave", PAGE, Last_Modified=f"Wed, {day} May 2024 10:00:00 GMT")
        assert add(get(url), tmp_path).what == what


def test_a_changed_page_replaces_only_itself(site: Site, tmp_path: Path) -> None:
    url = site.page("/leave", PAGE)
    first = add(get(url), tmp_path)
    path = tmp_path / first.document
    text = path.read_text("utf-8").replace("title:", "tags: [mine]\ntitle:", 1)
    path.write_text(text, "utf-8")
    assert add(get(url), tmp_path).what == "unchanged"
    assert path.read_text("utf-8") == text
    site.page("/leave", PAGE.replace("13 days", "15 days"))
    again = keep(get(url), tmp_path, date(2025, 1, 1))
    assert again == Added(url, first.document, "changed")
    document = load(path, first.document)
    assert "15 days" in document.text
    assert document.metadata["retrieved"] == "2025-01-01"
    assert document.metadata["tags"] == ["mine"]
    assert [p.name for p in path.parent.iterdir()] == ["leave.md"]


def test_a_collection_that_is_new_is_noted_with_a_page_that_is_not(
    site: Site, tmp_path: Path
) -> None:
    found = get(site.page("/leave", PAGE))
    for collection, what in (("", "added"), ("handbook", "changed"), ("handbook", "unchanged"),
                             ("", "unchanged"), ("guides", "changed")):  # fmt: skip
        added = keep(found, tmp_path, date(2025, 1, 1), collection=collection)
        assert added.what == what, collection
    path = tmp_path / added.document
    assert load(path, added.document).metadata["collection"] == "guides"


@pytest.mark.parametrize("kind", ["text/html", "text/plain"])
def test_a_document_that_is_gone_or_not_what_is_noted_is_written_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    found = get(site.page("/leave", PAGE, kind))
    path = tmp_path / add(found, tmp_path).document
    content = path.read_bytes()
    path.unlink()
    assert add(found, tmp_path).what == "added"
    assert path.read_bytes() == content
    newer = get(site.page("/leave", PAGE.replace("13 days", "15 days"), kind))

    def full(target: Path, data: bytes) -> None:
        if target == path:
            raise OSError(28, "No space left on device")
        replace_file(target, data)

    with monkeypatch.context() as patched:
        patched.setattr("rag.web.pages.replace_file", full)
        with pytest.raises(WebError, match="No space left on device"):
            add(newer, tmp_path)
    assert add(newer, tmp_path).what == "changed"
    assert b"15 days" in path.read_bytes()


def test_an_address_that_changes_its_kind_keeps_one_file(site: Site, tmp_path: Path) -> None:
    page = add(get(site.page("/leave", PAGE)), tmp_path)
    found = get(site.page("/leave", "Staff get 15 days.", "text/plain"))
    text = add(found, tmp_path, collection="handbook")
    assert (Path(page.document).name, Path(text.document).name) == ("leave.md", "leave.txt")
    assert text.what == "changed"
    folder = (tmp_path / text.document).parent
    by_hand = folder / "leave.pdf"
    by_hand.write_bytes(b"saved by hand")
    by_hand.with_name("leave.pdf.meta.yaml").write_text(f"source: {text.url}\n")
    assert add(get(site.page("/leave", PAGE)), tmp_path).document == page.document
    assert sorted(p.name for p in folder.iterdir()) == [
        "leave.md", "leave.pdf", "leave.pdf.meta.yaml",
    ]  # fmt: skip
    assert load(tmp_path / page.document, page.document).metadata["collection"] == "handbook"


def test_an_address_goes_to_the_same_file_when_a_better_name_is_free(
    site: Site, tmp_path: Path
) -> None:
    first = add(get(site.page("/leave", PAGE)), tmp_path)
    second = add(get(site.page("/leave/", PAGE)), tmp_path)
    (tmp_path / first.document).unlink()
    assert add(get(site.url("/leave/")), tmp_path) == Added(
        second.url, second.document, "unchanged"
    )


def test_metadata_alone_are_a_change(site: Site, tmp_path: Path) -> None:
    path = tmp_path / add(get(site.page("/leave", PAGE)), tmp_path).document
    found = get(site.page("/leave", PAGE.replace("2024-05-01", "2025-05-01")))
    assert [add(found, tmp_path).what for _ in range(2)] == ["changed", "unchanged"]
    assert load(path, "leave.md").metadata["published"] == "2025-05-01"


def test_a_page_whose_structure_would_be_lost_is_kept_as_it_is(site: Site, tmp_path: Path) -> None:
    short = (
        "<title>Canteen rules</title><nav><a href='/'>Home</a> | <a href='/x'>About</a></nav>"
        "<h1>Canteen rules</h1><p>Open on working days.</p><h2>Prices</h2><table><tr><th>Meal</th>"
        "<th>Price</th></tr><tr><td>Soup</td><td>3 euro</td></tr></table>"
    )
    added = add(get(site.page("/canteen", short)), tmp_path)
    document = load(tmp_path / added.document, added.document)
    assert document.text == (
        "Canteen rules\n\nOpen on working days.\n\nPrices\n\nMeal | Price\nSoup | 3 euro"
    )


def test_a_hidden_folder_is_refused_since_builds_leave_it_out(site: Site, tmp_path: Path) -> None:
    found = get(site.page("/leave", PAGE))
    for folder in (".hidden", "web/.hidden"):
        with pytest.raises(UsageError, match="is hidden, which builds leave out: name another"):
            keep(found, tmp_path, date(2025, 1, 1), folder=folder)
    assert keep(found, tmp_path, date(2025, 1, 1), folder="./web").what == "added"


def test_a_file_from_elsewhere_is_never_replaced(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / f"web/127.0.0.1-{site.port}"
    folder.mkdir(parents=True)
    (folder / "leave.md").write_text("written by hand")
    (folder / "rates.csv").write_text("a,b")
    page = add(get(site.page("/leave", PAGE)), tmp_path)
    table = add(get(site.page("/rates.csv", "x,y\n1,2\n", "text/csv")), tmp_path)
    assert (folder / "leave.md").read_text() == "written by hand"
    assert (folder / "rates.csv").read_text() == "a,b"
    assert Path(page.document).name.startswith("leave-")
    assert Path(table.document).name.startswith("rates-")
    (tmp_path / page.document).write_text("now by hand as well")
    with pytest.raises(WebError, match="is there already and from elsewhere: rename or remove it"):
        add(get(site.url("/leave")), tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/x",
        "/..%2f..%2fx",
        "/.hidden",
        "/" + "long" * 100,
        "/a" * 40,
        "/%00/x",
        "/a.md.meta.yaml",
        "/",
    ],
)
def test_names_stay_inside_and_can_be_indexed(site: Site, tmp_path: Path, path: str) -> None:
    from rag.building.corpus import scan

    site.answers[path] = (200, {"Content-Type": "text/plain"}, b"Text.")
    found = Fetched(site.url(path), b"Text.", "text/plain", "", "")
    added = add(found, tmp_path / "corpus")
    assert [p.name for p in tmp_path.iterdir()] == ["corpus"]
    scanned = scan(tmp_path / "corpus")
    assert [file.id for file in scanned.files] == [added.document]
    assert scanned.skipped == ()
    assert add(found, tmp_path / "corpus").what == "unchanged"


def test_links_and_folders_that_lead_out_are_refused(site: Site, tmp_path: Path) -> None:
    found = get(site.page("/leave", PAGE))
    corpus, outside = tmp_path / "corpus", tmp_path / "outside"
    with pytest.raises(UsageError, match=r"the folder \.\./outside leads out of the corpus"):
        add(found, corpus, folder="../outside")
    outside.mkdir()
    (corpus / "web").mkdir(parents=True)
    (corpus / f"web/127.0.0.1-{site.port}").symlink_to(outside)
    with pytest.raises(WebError, match="is there already and from elsewhere"):
        add(found, corpus)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("image/png", b"x", "is image/png, which cannot be indexed: save its text by hand"),
        ("", b"x", "is something unknown, which cannot be indexed"),
        ("text/html", b"<script>draw()</script>", "has no text (is it made by scripts?)"),
        ("text/html", b"", "is empty: save it from a browser"),
    ],
)
def test_what_cannot_be_indexed_is_not_kept(
    site: Site, tmp_path: Path, kind: str, body: bytes, reason: str
) -> None:
    found = get(site.page("/x", body, kind))
    with pytest.raises(WebError) as caught:
        add(found, tmp_path)
    assert reason in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("kind", "path", "suffix"),
    [
        ("text/plain", "/a.md", ".md"),
        ("application/octet-stream", "/a.docx", ".docx"),
        ("text/html; charset=utf-8", "/a.pdf", ".md"),
        ("application/pdf", "/a.html", ".pdf"),
        ("text/xml", "/feed", ".xml"),
        ("", "/page", ".md"),
    ],
)
def test_the_kind_is_what_the_server_says(
    site: Site, tmp_path: Path, kind: str, path: str, suffix: str
) -> None:
    found = get(site.page(path, PAGE, kind))
    assert Path(add(found, tmp_path).document).suffix == suffix


def test_pages_in_other_encodings(site: Site, tmp_path: Path) -> None:
    page = PAGE.replace("13 days", "13 Tage für alle").encode("iso-8859-1")
    found = get(site.page("/x", page, "text/html; charset=ISO-8859-1"))
    assert "13 Tage für alle" in (tmp_path / add(found, tmp_path).document).read_text("utf-8")


def test_an_encoding_that_cannot_be_used_is_no_obstacle(site: Site, tmp_path: Path) -> None:
    page = PAGE.replace("13 days", "13 Tage für alle").encode("iso-8859-1")
    for path, kind in (("/x", "text/html; charset=undefined"), ("/y", "text/html")):
        found = get(site.page(path, page, kind))
        assert "13 Tage für alle" in (tmp_path / add(found, tmp_path).document).read_text("utf-8")
