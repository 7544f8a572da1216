"""Kept conversations and feedback as lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from rag.chat.conversations import MAX_LISTED, Summary
from rag.chat.feedback import Opinion, Unanswered
from rag.text import wording

_EMPTY = Markup("")
_MAX_ANSWER = 300


def conversations_html(found: Sequence[Summary]) -> Markup:
    """A list under the days on which the conversations were last continued."""
    more = Markup('<p class="dim">The newest {:,} are listed; a search finds older ones.</p>')
    return (more.format(MAX_LISTED) if len(found) == MAX_LISTED else _EMPTY) + _EMPTY.join(
        Markup('<section><h3>{}</h3><ul role="list">{}</ul></section>').format(
            wording.nice_date(day), _EMPTY.join(_conversation(one) for one in members)
        )
        for day, members in groupby(found, key=lambda one: one.updated[:10])
    )


def _conversation(one: Summary) -> Markup:
    return Markup(
        '<li data-conversation="{id}"><button type="button" class="talked">'
        '<span class="title">{name}</span><span class="when">{questions}</span></button>'
        '<button type="button" class="tool bare" data-rename aria-label="Rename “{name}”">'
        '<i class="icon pen"></i></button><button type="button" class="tool bare" data-delete '
        'aria-label="Delete “{name}”"><i class="icon bin"></i></button></li>'
    ).format(
        id=one.id,
        name=one.name,
        questions=f"{wording.counted(one.questions, 'question')} · {one.updated[11:16]} UTC",
    )


def review_html(opinions: Sequence[Opinion], unanswered: Sequence[Unanswered]) -> Markup:
    """What the owner of the corpus wants to know: what is missing, and what was thought."""
    return Markup(
        "<section><h3>Questions that the corpus could not answer</h3>{}</section>"
        "<section><h3>Feedback</h3>{}</section>"
    ).format(
        _list([_unanswered(one) for one in unanswered], "So far, every question had an answer."),
        _list([_opinion(one) for one in opinions], "Nobody has given any feedback yet."),
    )


def _list(entries: Sequence[Markup], none: str) -> Markup:
    if not entries:
        return Markup('<p class="dim">{}</p>').format(none)
    return Markup('<ul role="list">{}</ul>').format(_EMPTY.join(entries))


def _unanswered(one: Unanswered) -> Markup:
    return Markup(
        '<li><span class="asked">{question}</span><span class="dim">{times}{last} · index '
        "<code>{generation}</code></span></li>"
    ).format(
        question=one.question,
        times=f"{one.times:,} times, last " if one.times > 1 else "",
        last=wording.nice_time(one.last),
        generation=one.generation,
    )


def _opinion(one: Opinion) -> Markup:
    return Markup(
        '<li class="{verdict}"><span class="asked">{question}</span>'
        '<span class="verdict">{word}{reason}</span><span class="said">{answer}</span>'
        '<span class="dim">{given} · index <code>{generation}</code></span></li>'
    ).format(
        verdict=one.verdict,
        question=one.question,
        word="Helpful" if one.verdict == "up" else "Not helpful",
        reason=f": {one.reason}" if one.reason else "",
        answer=wording.shorten(one.answer, _MAX_ANSWER),
        given=wording.nice_time(one.given),
        generation=one.generation,
    )
