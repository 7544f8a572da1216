"""When one entry of a list would pass for all of it, so that the whole list is quoted."""

from __future__ import annotations

from rag.answering.evidence import Candidate, Evidence
from rag.answering.places import Place
from rag.store.lexical import terms
from rag.text.connectives import ALTERNATIVE, CONDITIONAL, TOGETHER

_FIRST, _AS_GOOD = 4, 0.15
"""Of the first so many sentences, those that score so little less than the best answer as well."""
_MOST_OF_IT = 0.5
"""More than this share of a question, weighted by rarity, is most of it."""


def wants_whole_list(place: Place, candidate: Candidate, evidence: Evidence) -> bool:
    """Whether one entry would pass for all: a list is asked for, or what is asked is above it.

    So would one of several conditions.
    """
    lead = place.sentence.lead
    if lead is None or evidence.kind in ("list", "procedure"):
        return evidence.kind in ("list", "procedure")
    if _must_all_hold(place):
        return True
    least = evidence.candidates[0].score - _AS_GOOD
    as_good = [
        one
        for one in evidence.candidates[:_FIRST]
        if one.score >= least and one.chunk == candidate.chunk and one.sentence.lead == lead
    ]
    return len(as_good) > 1 or _is_asked_above(place, evidence)


def _must_all_hold(entry: Place) -> bool:
    """Whether an entry is one of conditions that must all hold, as their lead-in or "and" says."""
    lead = _lead_text(entry)
    if not CONDITIONAL.search(lead) or ALTERNATIVE.search(lead):
        return False
    others = (Place(entry.chunk, at) for at in range(len(entry.chunk.sentences)))
    entries = [one.text.lower() for one in others if one.sentence.lead == entry.sentence.lead]
    if any(text.endswith(" or") for text in entries):
        return False
    return bool(TOGETHER.search(lead)) or any(text.endswith(" and") for text in entries)


def _lead_text(place: Place) -> str:
    """What leads in to an entry, as far as it stands in the passage."""
    if place.sentence.lead is None:
        return ""
    return place.chunk.cut(*place.sentence.lead)


def _is_asked_above(place: Place, evidence: Evidence) -> bool:
    """Whether most of the question stands in the lead and headings, and no more in the entry."""
    chunk, rarities = place.chunk, evidence.rarities
    above = set(terms(" ".join([chunk.title, *chunk.headings, _lead_text(place)])))
    covered = sum(own for term, own in rarities.items() if term in above)
    more = rarities.keys() & set(terms(place.text)) - above
    return not more and covered > _MOST_OF_IT * sum(rarities.values())
