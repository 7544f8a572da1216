"""What a rebuild costs, as a share of the full build, on a made corpus.

    python benchmarks/rebuild.py                      10,000 documents
    python benchmarks/rebuild.py --documents 2000     fewer

Each document is a handful of sentences of our own, put together anew, so that no two are equal.
Every step is a build in a process of its own, as `rag build` would run it. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PARTS = """
Staff|Managers|New employees|Contractors|The records office|Heads of unit|Trainees
may ask for|must report|keep a copy of|hand in|review|sign|file|approve|check|return
the leave form|every travel claim|the security log|their equipment|the yearly plan|a contract
within {} days|before the {}th of the month|at least {} hours ahead|for {} years|in week {}
in the main office|through the portal|with the consent of the director|by letter|on paper
"""
WHO, DOES, WHAT, WHEN, WHERE = (line.split("|") for line in PARTS.strip().splitlines())


def sentence(chance: random.Random) -> str:
    """One of some hundred thousand."""
    when = chance.choice(WHEN).format(chance.randint(2, 90))
    return (
        f"{chance.choice(WHO)} {chance.choice(DOES)} {chance.choice(WHAT)} {when} "
        f"{chance.choice(WHERE)}."
    )


def document(number: int) -> str:
    """The text of one document: a title and two sections."""
    chance = random.Random(number)
    parts = [" ".join(sentence(chance) for _ in range(chance.randint(2, 4))) for _ in range(2)]
    return f"# Rule {number}\n\n{parts[0]}\n\n## Exceptions\n\n{parts[1]}\n"


BUILD = """
import json, resource, sys, time
from pathlib import Path
started = time.perf_counter()
from dataclasses import asdict
from rag.building.indexing import build_index
from rag.settings import Settings
corpus, index, threads = sys.argv[1:]
report = asdict(build_index(Settings(corpus=Path(corpus), index=Path(index), threads=int(threads))))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
keys = ("generation", "documents", "chunks", "embedded", "reused")
print(json.dumps({**{k: report[k] for k in keys}, "peak_mb": round(peak),
                  "seconds": round(time.perf_counter() - started, 2)}))
"""


def build(folder: Path, threads: int) -> dict[str, Any]:
    """One build in a fresh process."""
    command = [sys.executable, "-c", BUILD, str(folder / "corpus"), str(folder / "index")]
    result = subprocess.run([*command, str(threads)], capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stderr)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def measure(folder: Path, count: int, threads: int) -> dict[str, Any]:
    """The full build, and then one small change after the other."""
    corpus = folder / "corpus"
    for number in range(count):
        path = corpus / f"{number // 500:03d}" / f"rule-{number:05d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document(number), "utf-8")
    middle = corpus / f"{count // 2 // 500:03d}"
    victim = min(middle.iterdir())

    def change() -> None:
        victim.write_text(document(count + 1), "utf-8")

    def touch_all() -> None:
        for path in corpus.rglob("*.md"):
            os.utime(path)

    steps = {
        "full": lambda: None,
        "nothing": lambda: None,
        "one changed": change,
        "one added": lambda: (middle / "added.md").write_text(document(count + 2), "utf-8"),
        "one deleted": lambda: sorted(middle.iterdir())[1].unlink(),
        "one renamed": lambda: sorted(middle.iterdir())[2].rename(corpus / "moved.md"),
        "one copied": lambda: (corpus / "copy.md").write_bytes((corpus / "moved.md").read_bytes()),
        "all touched": touch_all,
        "touched before": lambda: None,
    }
    results: dict[str, Any] = {}
    for name, prepare in steps.items():
        prepare()
        time.sleep(0.1)
        results[name] = build(folder, threads)
        share = results[name]["seconds"] / results["full"]["seconds"]
        results[name]["share"] = round(share, 4)
        print(f"{name:15} {results[name]}", file=sys.stderr, flush=True)
    return results


def main() -> None:
    """Run the steps and print what they cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        results = measure(Path(name), options.documents, options.threads)
    print(
        json.dumps(
            {"documents": options.documents, "threads": options.threads, **results}, indent=1
        )
    )


if __name__ == "__main__":
    main()
