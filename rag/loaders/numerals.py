"""Numbers as lists write them."""

from __future__ import annotations

_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_LARGEST_ROMAN = 3999


def roman(number: int) -> str:
    """In capital Roman digits; as it is if they do not reach so far."""
    if not 0 < number <= _LARGEST_ROMAN:
        return str(number)
    result = ""
    for value, digits in _ROMAN:
        result += digits * (number // value)
        number %= value
    return result
