"""`rag add`: documents from the web into the corpus."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from websites import PAGE, Site

from rag.cli import main

if TYPE_CHECKING:
    from workshop import Workshop


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["add", *arguments])
    out, err = capsys.readouterr()
    return int(exit_.value.code or 0), out, err


def test_the_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    url = site.page("/leave", PAGE)
    code, out, err = run(capsys, url, "--web-allow-private")
    name = f"web/127.0.0.1-{site.port}/leave.md"
    assert (code, out) == (0, f"+ {name}  (added, from {url})\n")
    assert err == "Run `rag build` to index what was added.\n"
    assert (Path("corpus") / name).is_file()
    code, out, err = run(capsys, url, site.url("/none"), "--web-allow-private", "--json")
    assert code == 1
    rows = json.loads(out)
    assert rows[0] == {"url": url, "document": name, "what": "unchanged"}
    assert rows[1]["error"] == f"{site.url('/none')} answered with status 404: check the address"


def test_what_is_added_goes_where_the_index_was_made_from(
    site: Site, capsys: pytest.CaptureFixture[str], workshop: Callable[..., Workshop]
) -> None:
    made = workshop({})
    made.build()
    Path("rag.toml").write_text(f'index = "{made.index}"\nweb_allow_private = true\n')
    url = site.page("/leave", PAGE)
    code, _, err = run(capsys, url)
    assert (code, err) == (0, "Run `rag build` to index what was added.\n")
    assert [path.name for path in made.corpus.rglob("*.md")] == ["leave.md"]
    assert "`rag build 'my corpus'`" in run(capsys, url, "--corpus", "my corpus")[2]
    shutil.rmtree(made.corpus)
    assert f"no folder {made.corpus}, which the index was built from" in run(capsys, url)[2]
    assert not made.corpus.exists()


def test_the_command_refuses_private_addresses_unless_allowed(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.page("/leave", PAGE)
    code, out, err = run(capsys, url)
    assert (code, out) == (1, "")
    assert err.startswith("rag: 127.0.0.1 is at 127.0.0.1, an address of this machine")
    assert "--web-allow-private" in err
    assert not Path("corpus").exists()
    Path("rag.toml").write_text("web_allow_private = true\nweb_max_mb = 1\n")
    assert run(capsys, url)[0] == 0
    monkeypatch.setenv("RAG_WEB_ALLOW_PRIVATE", "off")
    assert run(capsys, url)[0] == 1
