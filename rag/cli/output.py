"""Lines for people: whatever a document holds, it cannot steer the terminal that shows it."""

from __future__ import annotations

import re

import click

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and what turns the direction of the text after it.

The marks that only hold a place (U+061C, U+200E, U+200F) belong to Hebrew and Arabic text.
"""


def say(text: str, *, err: bool = False) -> None:
    """Print for people; JSON and texts that are to be exact are printed as they are."""
    click.echo(visible(text), err=err)


def visible(text: str) -> str:
    """The text with a sign such as "[U+202E]" for each character that would steer a terminal."""
    return _STEERING.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
