"""What all tests share: a clean environment, an encoder, a small index, a command, a web server."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from commands import Ran, Run
from filelock import FileLock
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pieces import WINDOW, Cut
from remembered import RememberedEncoder
from websites import Site
from workshop import QUESTIONS, SMALL_CORPUS, Workshop, write_corpus

from rag import cli
from rag.building.indexing import build_index
from rag.chunking import chunk_document
from rag.encoders import Encoder, load_encoder
from rag.encoders.minilm import adapted_path
from rag.index import Index, open_index
from rag.reader import Reader
from rag.settings import Settings
from rag.types import BuildReport, Chunk, Document

# The machine may be busy: a slow example is no failure. Failures are the same every time.
hypothesis_settings.register_profile(
    "rag",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("rag")

ROOT = Path(__file__).parent.parent

_LOAD_ENCODER, _LOAD_READER = cache(load_encoder), cache(Reader)

KEPT = ("RAG_SHARED", "RAG_STORM")
"""Variables that are about the tests, not settings."""


def pytest_collection_finish() -> None:
    """What has been imported stays: the garbage collector need not look through it any more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of the developer's reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("RAG_") and name not in KEPT:
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def in_empty_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test works in an empty folder: no rag.toml, corpus or index lies about."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(scope="session")
def small_corpus() -> dict[str, str]:
    """Name → text of the documents that most tests ask."""
    return dict(SMALL_CORPUS)


@pytest.fixture(scope="session")
def questions() -> tuple[str, ...]:
    """Questions about them: answerable, unanswerable, and hardly questions."""
    return QUESTIONS


@pytest.fixture(scope="session")
def real_encoder() -> Encoder:
    """The default encoder, on one thread."""
    return load_encoder("default", threads=1)


@pytest.fixture(scope="session")
def encoder(pytestconfig: pytest.Config, real_encoder: Encoder) -> Iterator[Encoder]:
    """Its vectors, each computed once: most tests embed the same few documents."""
    folder = pytestconfig.cache.mkdir(adapted_path().stem)
    remembered = RememberedEncoder(real_encoder, folder)
    yield remembered
    remembered.keep(os.environ.get("PYTEST_XDIST_WORKER", "alone"))


@pytest.fixture(autouse=True)
def loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked in this process shares its networks: loading one takes most of a test."""
    for module in ("rag.pipeline", "rag.live"):
        monkeypatch.setattr(f"{module}.load_encoder", _LOAD_ENCODER)
    monkeypatch.setattr("rag.pipeline.Reader", _LOAD_READER)


@pytest.fixture(scope="session")
def bundled_index(pytestconfig: pytest.Config, encoder: Encoder) -> Path:
    """The index of the bundled corpus; read only, and kept until the code changes."""
    code = hashlib.sha256()
    for path in sorted((ROOT / "rag").rglob("*.py")):
        code.update(path.read_bytes())
    folder = pytestconfig.cache.mkdir("bundled")
    with FileLock(folder / "LOCK"):
        settings = Settings(corpus=ROOT / "corpus", index=folder / code.hexdigest()[:16])
        for old in folder.glob("[0-9a-f]*"):
            if old != settings.index:
                shutil.rmtree(old)
        assert build_index(settings, encoder=encoder).failed == []
    return settings.index


@pytest.fixture(scope="session")
def small_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose index of the small corpus is built; read only."""
    folder = tmp_path_factory.mktemp("small")
    write_corpus(folder / "corpus", SMALL_CORPUS)
    return Settings(corpus=folder / "corpus", index=folder / "index", reader=False, threads=1)


@pytest.fixture(scope="session")
def small_report(small_settings: Settings, encoder: Encoder) -> BuildReport:
    """What the build of the small index reported."""
    return build_index(small_settings, encoder=encoder)


@pytest.fixture(scope="session")
def small_index(small_settings: Settings, small_report: BuildReport) -> Iterator[Index]:
    """The small index, opened without the reader."""
    assert small_report.failed == []
    with open_index(small_settings.index, small_settings) as index:
        yield index


@pytest.fixture
def workshop(tmp_path: Path, encoder: Encoder) -> Callable[..., Workshop]:
    """Make a `Workshop` with these documents."""

    def make(texts: dict[str, str] | None = None, name: str = "workshop") -> Workshop:
        return Workshop(tmp_path / name, encoder, dict(texts or {}))

    return make


@pytest.fixture
def index(small_settings: Settings, small_report: BuildReport) -> Path:
    """The folder of the small index."""
    assert small_report.documents
    return small_settings.index


@pytest.fixture
def run(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> Run:
    """Run a command in this process, with everything that `main` does and the shared encoder."""
    for module in ("rag.pipeline", "rag.building.indexing"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda *_: encoder)

    def call(*arguments: str | Path, stdin: str = "") -> Ran:
        Path("stdin").write_text(stdin, "utf-8")
        capfdbinary.readouterr()
        with Path("stdin").open(encoding="utf-8") as given, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", given)
            with pytest.raises(SystemExit) as ended:
                cli.main([str(argument) for argument in arguments])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, out.decode(), err.decode())

    return call


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server whose pages a test sets; gone after it."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="session")
def cut(encoder: Encoder) -> Cut:
    """Cut a document into chunks."""

    def chunks(made: Document, max_tokens: int = 180, window: int = WINDOW) -> list[Chunk]:
        return chunk_document(made, encoder.count_tokens, max_tokens, window)

    return chunks
