"""What opens the block that a sentence stands in, and says who or what it is about.

| the block begins with | and is brought by |
| --- | --- |
| a question: "Is gear lent? Yes. It is free." | every sentence of its answer |
| a speaker: "Mr Horn: Farmers complain. …" | every sentence of the turn, in minutes |
| a label: "Trainees. The notice is two weeks." | the sentence behind it |
"""

from __future__ import annotations

import re

from rag.answering.places import Place
from rag.text.connectives import BARE_REPLY, REPLY

_LABEL_WORDS = 2
_NO_LABEL = re.compile(
    r"(?:not?|none|never|always|yes|often|sometimes|i|you|we|he|she|it|they|this|that)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"(?:(?:the )?(?:mr|mrs|ms|miss|dr|prof|professor|sir|dame|lord|lady|baroness|councillor|cllr|"
    r"minister|chair(?:man|woman|person)?|president|speaker|mayor|senator|deputy)\b\.?)"
    r"(?: [^\s:]+){0,5}: \S",
    re.IGNORECASE,
)
_FEWEST_TURNS = 2


def is_label(text: str) -> bool:
    """Whether a sentence only names what the next one is about: "Opening hours."."""
    return (
        len(text.split()) <= _LABEL_WORDS
        and text[:1].isupper()
        and text.endswith(".")
        and not _NO_LABEL.match(text)
    )


def is_half(before: Place, place: Place) -> bool:
    """Whether a sentence says nothing without the one before it: its question, reply or label."""
    if place.text.endswith("?"):
        return False
    text, together = before.text, in_one_block(before, place)
    if BARE_REPLY.match(text):
        return True
    if text.endswith("?"):
        # "Why not?" in the middle of a text may only lead on.
        return not together or _begins_block(before) or bool(REPLY.match(place.text))
    return is_label(text) and together and _begins_block(before)


def opener(place: Place) -> Place | None:
    """The question or speaker of an answer or turn of which this is a later sentence."""
    first = _block_before(place)[-1]
    if not _begins_block(first):
        return None
    if first.at < place.at and (first.text.endswith("?") or _is_turn(first)):
        return first
    before = first.joined_before
    # A question that is a block of its own; its answer is the whole next one.
    asks = before is not None and before.text.endswith("?") and _begins_block(before)
    return before if asks and first.at < place.at else None


def asked_in_turn(place: Place) -> Place | None:
    """The later question that ends a speaker's turn, to which the next one replies.

    "Ms Falk: It was promised for May. Will it be ready? Mr Reza: No."
    """
    last = place
    while (following := last.joined) and in_one_block(last, following):
        last = following
    if last.at == place.at or not last.text.endswith("?") or last.joined is None:
        return None
    return last if _is_turn(_block_before(place)[-1]) and _is_turn(last.joined) else None


def in_one_block(place: Place, following: Place) -> bool:
    """Whether no blank line is between two sentences that are joined."""
    chunk = place.chunk
    between = chunk.text[place.sentence.end - chunk.start : following.sentence.start - chunk.start]
    return "\n\n" not in between


def _begins_block(place: Place) -> bool:
    before = place.joined_before
    return before is None or not in_one_block(before, place)


def _block_before(place: Place) -> list[Place]:
    """This sentence and those before it in its block, nearest first, back to a question."""
    found = [place]
    while (
        not found[-1].text.endswith("?")
        and (before := found[-1].joined_before)
        and in_one_block(before, found[-1])
    ):
        found.append(before)
    return found


def _is_turn(first: Place) -> bool:
    """Whether a block begins with a speaker, as others in the passage do."""
    if not _SPEAKER.match(first.text):
        return False
    others = (Place(first.chunk, at) for at in range(len(first.chunk.sentences)))
    return sum(bool(_SPEAKER.match(other.text)) for other in others) >= _FEWEST_TURNS
