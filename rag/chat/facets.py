"""Filters as people choose them: one value a kind, offered with the number of documents.

In the page, in the link and in what is kept they are a small object such as
`{"collection": "Handbook", "as_of": "2024-06-01"}`; `conditions` makes of it what `ask` is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.catalogue.conditions import DATE, parse_where
from rag.catalogue.described import Described
from rag.catalogue.filters import select, values
from rag.chat.payloads import json_safe
from rag.chat.wording import language
from rag.errors import UsageError
from rag.text import wording

Filters = Mapping[str, str]

_MAX_VALUE = 500
_MAX_OFFERED = 1_000
_EMPTY = Markup("")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of filter.

    Attributes:
        field: the field of a condition, see `rag.catalogue.filters`.
        operator: of the condition.
        label: before the value, on a chip.
        any_value: what the choice of no filter is called.
    """

    field: str
    operator: str
    label: str
    any_value: str


KINDS: Mapping[str, Kind] = {
    "collection": Kind("collection", "=", "Collection", "All collections"),
    "document": Kind("path", "=", "Document", "All documents"),
    "language": Kind("language", "=", "Language", "All languages"),
    "since": Kind("effective_date", ">=", "In effect since", "Any date"),
    "published": Kind("published", ">=", "Published since", "Any date"),
    "as_of": Kind("as_of", "=", "As of", ""),
}
_YEARS = ("since", "published")


def checked(value: object) -> dict[str, str]:
    """Filters from outside.

    Raises:
        UsageError: there is a kind that nobody offered, or a value that is none.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageError("The filters are not understood: take them away and choose again.")
    found: dict[str, str] = {}
    for kind, chosen in value.items():
        if kind not in KINDS or not isinstance(chosen, str) or len(chosen) > _MAX_VALUE:
            raise UsageError("A filter is not understood: take it away and choose again.")
        if chosen.strip():
            found[kind] = json_safe(chosen.strip())
    parse_where(conditions(found))
    return found


def conditions(filters: Filters) -> list[str]:
    """What `ask` is given as `where`."""
    return [f'{KINDS[kind].field}{KINDS[kind].operator}"{filters[kind]}"'
            for kind in KINDS if kind in filters]  # fmt: skip


def searched(infos: Sequence[Described], filters: Filters) -> int:
    """How many documents are searched with these filters."""
    return select(parse_where(conditions(filters)), infos).documents if filters else len(infos)


def words(infos: Sequence[Described], kind: str, value: str) -> str:
    """A value as people read it: a document by its title, a date in full."""
    if kind == "document":
        return _titles(infos).get(value, wording.shorten(value, 60))
    if kind == "language":
        return language(value)
    return wording.nice_date(value) if kind == "as_of" else wording.shorten(value, 60)


def described(infos: Sequence[Described], filters: Filters) -> list[str]:
    """The filters in words, e.g. ["Collection: Handbook", "As of: 1 June 2024"]."""
    return [f"{KINDS[kind].label}: {words(infos, kind, filters[kind])}"
            for kind in KINDS if kind in filters]  # fmt: skip


def chips_html(infos: Sequence[Described], filters: Filters) -> Markup:
    """Each filter as a chip that says what it is and goes away at a click."""
    return _EMPTY.join(
        Markup(
            '<li class="filter"><span class="dim">{label}</span> <span>{value}</span>'
            '<button type="button" data-unfilter="{kind}" aria-label="Remove the filter {label}: '
            '{value}"><i class="icon cross"></i></button></li>'
        ).format(label=KINDS[kind].label, value=words(infos, kind, filters[kind]), kind=kind)
        for kind in KINDS
        if kind in filters
    )


def choices_html(infos: Sequence[Described], filters: Filters) -> Markup:
    """A field for each kind that this index can be filtered by, with what is chosen now.

    Each value says how many documents it leaves, the other filters given.
    """
    return _EMPTY.join(_field(infos, filters, kind) for kind in KINDS)


def _field(infos: Sequence[Described], filters: Filters, kind: str) -> Markup:
    chosen = filters.get(kind, "")
    if kind == "as_of":
        return _day(infos, chosen)
    others = {name: value for name, value in filters.items() if name != kind}
    offered = _offered(_meeting(infos, others), kind)
    if chosen and all(value != chosen for value, _ in offered):
        offered.append((chosen, f"{words(infos, kind, chosen)} (0)"))
    # One value alone makes no difference; one year does, for documents may have no date.
    if not chosen and len(_offered(infos, kind)) < (1 if kind in _YEARS else 2):
        return _EMPTY
    options = _EMPTY.join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else "", label
        )
        for value, label in offered
    )
    return Markup(
        '<label class="field"><span>{label}</span><select data-filter="{kind}">'
        '<option value="">{none}</option>{options}</select></label>'
    ).format(label=KINDS[kind].label, kind=kind, none=KINDS[kind].any_value, options=options)


def _day(infos: Sequence[Described], chosen: str) -> Markup:
    days = sorted(
        day for info in infos for day in (_dates(info, "effective_date") or
                                          _dates(info, "published"))[:1]
    )  # fmt: skip
    if not days and not chosen:
        return _EMPTY
    hint = (
        f"the version in effect on that day; dates here go from {wording.nice_date(days[0])} to "
        f"{wording.nice_date(days[-1])}"
        if days
        else "no document here has a date"
    )
    return Markup(
        '<label class="field"><span>As of</span><input type="date" data-filter="as_of" '
        'value="{}" aria-describedby="rag-as-of-hint"></label>'
        '<p class="hint" id="rag-as-of-hint">As of: {}.</p>'
    ).format(chosen, hint)


def _offered(infos: Sequence[Described], kind: str) -> list[tuple[str, str]]:
    """Values with their labels, e.g. ("Handbook", "Handbook (22)")."""
    if kind == "document":
        named = sorted(
            _titles(infos).items(), key=lambda one: (wording.natural_order(one[1]), one[0])
        )
        return named[:_MAX_OFFERED]
    if kind in _YEARS:
        latest = Counter(max(own)[:4] for info in infos if (own := _dates(info, KINDS[kind].field)))
        years = sorted(latest, reverse=True)
        counted = {y: sum(n for year, n in latest.items() if year >= y) for y in years}
        return [(year, f"{year} ({counted[year]})") for year in years]
    found = Counter(value for info in infos for value in values(info, KINDS[kind].field))
    by_name = sorted(found.items(), key=lambda one: wording.natural_order(one[0]))[:_MAX_OFFERED]
    if kind == "language":
        return [(value, f"{language(value)} ({n})") for value, n in by_name]
    return [(value, f"{wording.shorten(value, 60)} ({n})") for value, n in by_name]


def _dates(info: Described, field: str) -> list[str]:
    """The dates of a field; text such as "spring 2019" meets no condition on a date."""
    return [value for value in values(info, field) if DATE.fullmatch(value)]


def _titles(infos: Sequence[Described]) -> dict[str, str]:
    """Titles by id; a title that several documents have is followed by the id."""
    titles = {info.id: wording.shorten(info.title, 80) for info in infos}
    often = Counter(titles.values())
    return {name: f"{title} ({name})" if often[title] > 1 else title
            for name, title in titles.items()}  # fmt: skip


def _meeting(infos: Sequence[Described], filters: Filters) -> Sequence[Described]:
    if not filters:
        return infos
    rows = set(select(parse_where(conditions(filters)), infos).rows.tolist())
    return [info for info in infos if info.chunks and info.first_chunk in rows]
