"""Power cuts, full disks, and folders that cannot be written: the old index answers, or the new."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from awkward import unprivileged
from power_cut import Recorder, recording

from rag.building.indexing import build_index
from rag.errors import IndexNotFound, RagError
from rag.index import open_index
from rag.settings import Settings
from rag.store import files as store_files
from rag.store.history import check, rollback
from rag.store.manifest import current_generation

if TYPE_CHECKING:
    from conftest import Workshop

    from rag.encoders import Encoder

    Make = Callable[..., Workshop]

LEAVE = "# Leave\n\nStaff get {} days of leave.\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def cut(made: Workshop, monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> Recorder:
    """Do something to the index while what is durable is recorded."""
    made.index.mkdir(exist_ok=True)
    with recording(made.index, monkeypatch) as recorder:
        action()
    assert len(recorder.snapshots) > 6
    return recorder


def texts_after(recorder: Recorder, made: Workshop, folder: Path) -> Iterator[tuple[str, str]]:
    """For every moment and several ways of losing what was not synced: what answers then."""
    chance = random.Random(3)
    ways: dict[str, Callable[[], bool]] = {
        "nothing unsynced": lambda: False,
        "all names": lambda: True,
        "some names": lambda: chance.random() < 0.5,
    }
    for number, snapshot in enumerate(recorder.snapshots):
        for way, keep in ways.items():
            found = folder / f"{number}-{way.split()[0]}"
            snapshot.restore(found, keep)
            when = f"{snapshot.event}, {way} survived"
            try:
                with open_index(found, made.settings) as index:
                    index._models.__dict__["encoder"] = made.encoder
                    text = index.text("leave.md")
                    assert index.retrieve("How many days?"), when
                check(found, deep=True)
                yield when, text
            except IndexNotFound:
                yield when, ""
            if number % 7 == 0 and way == "some names":
                # Whatever is left: the next build succeeds and leaves nothing behind.
                settings = Settings(**{**vars(made.settings), "index": found})
                build_index(settings, encoder=made.encoder)
                assert check(found, deep=True).documents == 1, when
                left = [path.name for path in (found / "generations").iterdir()]
                assert not [name for name in left if name.startswith(".")], when


@linux
@pytest.mark.slow
def test_a_power_cut_during_a_build_leaves_the_old_or_the_new(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = workshop({"leave.md": LEAVE.format(13)})
    made.build()
    made.write("leave.md", LEAVE.format(14))
    recorder = cut(made, monkeypatch, made.build)
    seen = dict(texts_after(recorder, made, tmp_path))
    assert set(seen.values()) == {LEAVE.format(13), LEAVE.format(14)}
    # Once the build has said that it is done, nothing can take it back.
    last = [text for when, text in seen.items() if when.startswith("at the end")]
    assert last == [LEAVE.format(14)] * 3


@linux
@pytest.mark.slow
def test_a_power_cut_during_the_first_build_leaves_none_or_all(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = workshop({"leave.md": LEAVE.format(13)})
    recorder = cut(made, monkeypatch, made.build)
    seen = dict(texts_after(recorder, made, tmp_path))
    assert set(seen.values()) == {"", LEAVE.format(13)}
    last = [text for when, text in seen.items() if when.startswith("at the end")]
    assert last == [LEAVE.format(13)] * 3


@linux
def test_a_power_cut_during_a_rollback_leaves_one_of_the_two(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = workshop({"leave.md": LEAVE.format(13)})
    made.build()
    made.write("leave.md", LEAVE.format(14))
    made.build()
    made.index.joinpath("note").touch()
    with recording(made.index, monkeypatch) as recorder:
        rollback(made.index)
    seen = dict(texts_after(recorder, made, tmp_path))
    assert set(seen.values()) == {LEAVE.format(13), LEAVE.format(14)}


@linux
def test_the_disk_that_forgets_shows_a_missing_sync(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The instrument itself: without the syncs of the data, cuts are seen to lose it."""
    made = workshop({"leave.md": LEAVE.format(13)})
    made.build()
    made.write("leave.md", LEAVE.format(14))
    with monkeypatch.context() as patch:
        for module in ("rag.store.generation", "rag.store.files"):
            patch.setattr(f"{module}.sync_file", lambda _: None)
        recorder = cut(made, monkeypatch, made.build)
    assert store_files.sync_file is not None
    with pytest.raises(RagError):
        dict(texts_after(recorder, made, tmp_path))


# Full disk


FULL = """
import sys
from pathlib import Path
from rag.encoders import load_encoder
from rag.errors import RagError
from rag.index import open_index
from rag.building.indexing import build_index
from rag.settings import Settings

corpus, disk = Path(sys.argv[1]), Path(sys.argv[2])
settings = Settings(corpus=corpus, index=disk / "index", reader=False, threads=1)
encoder = load_encoder("default", 1)
ballast = disk / "ballast"
failed = 0
for room in [10_000, 40_000, 100_000, 200_000, 300_000, 600_000, 1_500_000, None]:
    ballast.unlink(missing_ok=True)
    if room is not None:
        import os
        status = os.statvfs(disk)
        with ballast.open("wb") as file:
            file.write(bytes(max(0, status.f_bavail * status.f_bsize - room)))
    try:
        build_index(settings, encoder=encoder)
        break
    except RagError as error:
        assert "cannot be written" in str(error), error
        assert "\\n" not in str(error)
        failed += 1
    with open_index(settings.index, settings) as index:
        assert "13 days" in index.text("leave.md")
        assert index.ask("How many days of leave do staff get?").citations
print(failed)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        done = False
    if not done:
        pytest.skip("this user may not mount a file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk_is_all_or_nothing(workshop: Make, small_disk: Path) -> None:
    made = workshop({"leave.md": LEAVE.format(13)})
    made.index = small_disk / "index"
    made.settings = Settings(**{**vars(made.settings), "index": made.index})
    made.build()
    made.write("leave.md", LEAVE.format(14))
    for number in range(30):
        made.write(f"{number}.md", f"# Rule {number}\n\n" + f"It holds for {number} days. " * 9)
    command = [sys.executable, "-c", FULL, str(made.corpus), str(small_disk)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) >= 3
    (small_disk / "ballast").unlink(missing_ok=True)
    assert check(made.index, deep=True).documents == 31
    left = sorted(path.name for path in made.index.iterdir())
    assert left == ["CURRENT", "LOCK", "corpus.json", "generations", "seen.json"]


# Folders that cannot be written


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions as Unix has them")
def test_a_read_only_index_answers_and_refuses_a_build(
    encoder: Encoder, small_corpus: dict[str, str]
) -> None:
    with unprivileged() as home:
        corpus = home / "corpus"
        corpus.mkdir()
        (corpus / "leave.md").write_text(small_corpus["leave/annual.md"], "utf-8")
        settings = Settings(corpus=corpus, index=home / "index", reader=False, threads=1)
        first = build_index(settings, encoder=encoder).generation
        (corpus / "leave.md").write_text(LEAVE.format(14), "utf-8")
        folders = [settings.index, *(p for p in settings.index.rglob("*") if p.is_dir())]
        files = [path for path in settings.index.rglob("*") if path.is_file()]
        before = {path: path.read_bytes() for path in files if path.name != "LOCK"}
        try:
            for path in (*files, *folders):
                path.chmod(0o444 if path in files else 0o555)
            for action in (
                lambda: build_index(settings, encoder=encoder),
                lambda: rollback(settings.index, first),
            ):
                with pytest.raises(RagError) as caught:
                    action()
                message = str(caught.value)
                assert message.startswith(f"the index {settings.index} cannot be written: ")
                assert "Permission denied" in message
                assert "\n" not in message
            with open_index(settings.index, settings) as index:
                index._models.__dict__["encoder"] = encoder
                assert "13 days" in index.text("leave.md")
                assert index.retrieve("How many days of leave?")
            assert check(settings.index, deep=True).generation == first
            assert {path: path.read_bytes() for path in before} == before
        finally:
            for path in (*folders, *files):
                path.chmod(0o755)
        build_index(settings, encoder=encoder)
        assert current_generation(settings.index) != first
