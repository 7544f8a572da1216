"""An incremental build ends up where a full one would."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from builds import LEAVE, SAFETY, assert_same, assert_same_answers, changes, content

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


# Incremental equals full


def test_an_incremental_build_equals_a_full_one(
    workshop: Make, small_corpus: dict[str, str], questions: tuple[str, ...]
) -> None:
    made = workshop({"gone.md": SAFETY, "leave/annual.md": LEAVE, "travel.txt": "Old.\n"})
    made.build()
    (made.corpus / "gone.md").unlink()
    for name, text in small_corpus.items():
        made.write(name, text)
    made.build()
    full = workshop({}, "full")
    shutil.copytree(made.corpus, full.corpus, dirs_exist_ok=True)
    full.build()
    assert_same(content(made), content(full))
    with made.open() as one, full.open() as other:
        assert_same_answers(one, other, questions)


def test_a_storm_of_changes_ends_where_a_dict_does(workshop: Make) -> None:
    """Random adds, changes, deletes, renames and touches, against a plain dict."""
    chance = random.Random(5)
    made = workshop({})
    expected: dict[str, str] = {}
    for round_ in range(int(os.environ.get("RAG_STORM", "8"))):
        before = dict(expected)
        for _ in range(chance.randint(0, 4)):
            name = f"{chance.choice('abcde')}.{chance.choice(['md', 'txt'])}"
            action = chance.choice(["write", "write", "delete", "rename", "touch"])
            path = made.corpus / name
            if action == "write":
                expected[name] = f"# Rule {name}\n\nIt holds for {chance.randint(1, 3)} days.\n"
                made.write(name, expected[name])
            elif name in expected and action == "delete":
                path.unlink()
                del expected[name]
            elif name in expected and action == "rename":
                expected["moved-" + name] = expected.pop(name)
                path.rename(made.corpus / f"moved-{name}")
            elif name in expected and action == "touch":
                os.utime(path, (round_, round_))
        report = made.build()
        with made.open() as index:
            assert {info.id: index.text(info.id) for info in index.documents()} == expected
            for hit in index.retrieve("How many days?", 50):
                chunk = hit.chunk
                assert expected[chunk.document][chunk.start : chunk.end] == chunk.text
        added, changed, removed, _ = changes(report)
        assert set(added) == expected.keys() - before.keys()
        assert set(removed) == before.keys() - expected.keys()
        assert set(changed) == {n for n in expected.keys() & before if expected[n] != before[n]}
        assert len(made.generations()) <= made.settings.keep_generations
    full = workshop(expected, "full")
    full.build()
    assert_same(content(made), content(full))
