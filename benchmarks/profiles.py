"""Where the time goes: a cold ask, a warm ask and a build, sampled by py-spy.

    python benchmarks/profiles.py [cold] [warm] [build]

Prints for each the shares of the samples, as Markdown, also written to `benchmarks/out/`. A sample
counts for the import that it happens in, else for the innermost function of ours and what that
calls. Sampling slows a process down, so the shares count, not the seconds. py-spy has an
environment of its own in `.bench/` (it needs leave to look into other processes: on Linux root, or
`kernel.yama.ptrace_scope=0`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from environments import BENCH, ENVIRONMENT, OURS, ROOT, PeerError, last_line, rag_command, say
from made_corpus import made_corpus, need_shared, questions, real_documents
from prepared import prepare

PY_SPY = "py-spy==0.4.3"
_CHUNKS = 20_000
_SHOWN = 12
_FRAME = re.compile(r"^(?P<function>.+) \((?P<file>.+?)(:\d+)?\)$")
_LIBRARY = re.compile(r"(site-packages|python3\.\d+)/(?!site-packages)(?P<package>[^/]+)")
WARM = """
import sys, rag
index = rag.open(sys.argv[1])
questions = sys.argv[2:]
def asked():
    for question in questions:
        index.ask(question)
index.ask(questions[0])
asked()
"""


def py_spy() -> Path:
    """The profiler, installed once."""
    folder = BENCH / "py-spy"
    program = folder / "bin" / "py-spy"
    if not program.exists():
        say("installing py-spy")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", PY_SPY], check=True)
    return program


def record(name: str, rate: int, command: Sequence[str | Path]) -> list[tuple[list[str], int]]:
    """Stacks, outermost frame first, and how often each was seen.

    Raises:
        PeerError: py-spy or the command failed.
    """
    raw = BENCH / f"profile-{name}.txt"
    spy = [py_spy(), "record", "--format", "raw", "--full-filenames", "--function"]
    spy += ["--rate", str(rate), "--output", raw, "--", *command]
    result = subprocess.run(
        list(map(str, spy)), capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd=ROOT
    )
    if not raw.exists():
        raise PeerError(last_line(result.stderr))
    stacks = []
    for line in raw.read_text("utf-8").splitlines():
        frames, _, count = line.rpartition(" ")
        stacks.append((frames.split(";"), int(count)))
    return stacks


def cause(frames: Sequence[str]) -> str:
    """What a sample counts for."""
    places = [(m["function"], m["file"]) for f in frames if (m := _FRAME.match(f))]
    importing = [n for n, (function, _) in enumerate(places) if function == "_find_and_load"]
    if importing:
        for function, file in places[importing[0] :]:
            if function == "<module>" and "site-packages" in file:
                return f"import of {_package(file)}"
        return "other imports"
    ours = [n for n, (_, file) in enumerate(places) if str(ROOT / "rag") in file]
    if not ours:
        return "start and end of Python"
    function, file = places[ours[-1]]
    own = f"`{Path(file).relative_to(ROOT)}` {function}"
    package = _package(places[ours[-1] + 1][1]) if places[ours[-1] + 1 :] else ""
    return f"{own} → {package}" if package else own


def _package(file: str) -> str:
    found = _LIBRARY.search(file)
    return found["package"].removesuffix(".py").replace("/", ".") if found else ""


def summary(title: str, stacks: Sequence[tuple[list[str], int]]) -> str:
    """A table of the largest shares."""
    shares: Counter[str] = Counter()
    for frames, count in stacks:
        shares[cause(frames)] += count
    total = shares.total()
    rows = [f"| {name} | {count / total:.1%} |" for name, count in shares.most_common(_SHOWN)]
    rest = sum(count for _, count in shares.most_common()[_SHOWN:])
    rows.append(f"| {len(shares) - min(_SHOWN, len(shares))} others | {rest / total:.1%} |")
    header = [f"| {title}, {total:,} samples | share |", "| --- | --- |"]
    return "\n".join([*header, *rows])


def main() -> None:
    """Profile what is named, or all three."""
    wanted = sys.argv[1:] or ["cold", "warm", "build"]
    need_shared()
    large = prepare(made_corpus(_CHUNKS), BENCH / f"index-{_CHUNKS}").index(OURS)
    asked = questions(100)
    parts = []
    if "cold" in wanted:
        command = [rag_command(), "ask", asked[0], "--index", large]
        record("cold", 500, command)
        stacks = [own for _ in range(5) for own in record("cold", 500, command)]
        parts.append(summary(f"`rag ask`, cold, {_CHUNKS:,} chunks", stacks))
    if "warm" in wanted:
        stacks = record("warm", 200, [sys.executable, "-c", WARM, large, *asked])
        inside = [own for own in stacks if any(f.startswith("asked ") for f in own[0])]
        parts.append(summary(f"`ask`, warm, {len(asked)} questions", inside))
    if "build" in wanted:
        index = BENCH / "profile-index"
        shutil.rmtree(index, ignore_errors=True)
        corpus = real_documents(3)
        stacks = record("build", 100, [rag_command(), "build", corpus, "--index", index])
        shutil.rmtree(index)
        parts.append(summary("`rag build`, all threads", stacks))
    text = "\n\n".join(parts) + "\n"
    out = ROOT / "benchmarks" / "out" / "profiles.md"
    out.parent.mkdir(exist_ok=True)
    out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
