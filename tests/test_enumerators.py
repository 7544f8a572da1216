"""What counts as the number of an entry, and what only looks like one."""

from __future__ import annotations

import pytest

from rag.text.enumerators import Enumerator, is_enumerator, match, without_number

ENUMERATORS = {
    "1.": ("number", "1"),
    "12)": ("number", "12"),
    "(3)": ("number", "3"),
    "12a.": ("number", "12a"),
    "5.1": ("parts", "5.1"),
    "5.1.12.": ("parts", "5.1.12"),
    "5.1)": ("parts", "5.1"),
    "(5.1)": ("parts", "5.1"),
    "a.": ("letter", "a"),
    "A.": ("letter", "A"),
    "b)": ("letter", "b"),
    "(C)": ("letter", "C"),
    "l)": ("letter", "l"),
    "(ж)": ("letter", "ж"),
    "(aa)": ("letter", "aa"),
    "bbb)": ("letter", "bbb"),
    "(za)": ("letter", "za"),
    "(i)": ("roman", "i"),
    "iv)": ("roman", "iv"),
    "XII.": ("roman", "XII"),
    "(xlix)": ("roman", "xlix"),
}


@pytest.mark.parametrize(("written", "expected"), ENUMERATORS.items(), ids=ENUMERATORS)
def test_what_counts(written: str, expected: tuple[str, str]) -> None:
    found = Enumerator(*expected, len(written))
    assert match(written) == match(f"{written} Dogs stay out.") == found
    assert match(f"{written}\tDogs") == match(f"{written}\nDogs") == found
    assert match(f"{written}Dogs") is None
    assert is_enumerator(written)
    assert not is_enumerator(f"{written} Dogs")
    assert without_number(f"{written}  Dogs stay out.") == "Dogs stay out."
    # Where nothing follows, the number is all that is said.
    assert without_number(written) == written


@pytest.mark.parametrize(
    "text",
    ["A staff member", "5 days", "5", "2024.", "(2019) 3 All ER 5", "Art. 5", "no. 5", "Yes.",
     "(C) 2024 The agency", "(a staff member)", "(1 of 3)", "ab) and so on", "(mix) it", "iiii)",
     "(Iv) it", "(5.1 metres)", "1.5%", "12.03.2024", "- a dash", "• a dot", "()", "(", "", " 1. "],
)  # fmt: skip
def test_what_does_not_count(text: str) -> None:
    assert match(text) is None
    assert without_number(text) == text
    assert not is_enumerator(text)
