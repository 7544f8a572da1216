"""Figures as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.evaluation.bootstrap import Estimate

Figures = Mapping[str, Estimate]

_MEASURES_A_BLOCK = 5
_ONE_DIGIT = {"length", "took_ms"}
_NAMES = {
    "evidence_hit": "evidence hit",
    "evidence_recall": "evidence recall",
    "length": "length (words)",
    "false_answer_rate": "false answers",
    "false_abstention_rate": "false abstentions",
    "auroc": "AUROC",
    "took_ms": "time (ms)",
}


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns set flush left, two spaces apart; the first row is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(padded)


def name(measure: str) -> str:
    """What a measure is called in a table."""
    return _NAMES.get(measure, measure)


def show(figure: Estimate, digits: int = 3, *, signed: bool = False) -> str:
    """A figure as "0.813 [0.790, 0.835]", or a dash if nothing defines it."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    form = f"{'+' if signed else ''}.{digits}f"
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"


def groups_table(groups: Mapping[str, Figures]) -> str:
    """One row a measure, one column a group of questions, each cell with its own n.

    The first group is all questions; one that is empty or the same again is left out.
    """
    whole, *parts = groups.items()
    shown = [whole, *((group, figures) for group, figures in parts if _adds(figures, whole[1]))]
    rows = [["", *(group for group, _ in shown)]]
    rows += [
        [name(measure), *(_counted(figures[measure], measure) for _, figures in shown)]
        for measure in whole[1]
    ]
    return table(rows)


def kinds_table(kinds: Mapping[str, Figures], measures: Sequence[str]) -> str:
    """One row a kind of question, one column a measure."""
    rows = [["kind", *map(name, measures)]]
    rows += [
        [kind, *(_counted(figures[measure], measure, 2) for measure in measures)]
        for kind, figures in kinds.items()
    ]
    return table(rows)


def ablation_table(ablation: Mapping[str, Figures], base: Figures) -> str:
    """One row a variant, one column a measure; differences beyond noise are starred.

    Args:
        ablation: what was left out → measure → difference.
        base: the figures with everything on.
    """
    blocks = ["without each step, minus everything on; * if the interval excludes 0"]
    measures = list(base)
    for first in range(0, len(measures), _MEASURES_A_BLOCK):
        chosen = measures[first : first + _MEASURES_A_BLOCK]
        rows = [["", *map(name, chosen)]]
        rows.append(["everything on", *(show(base[each], _digits(each, 3)) for each in chosen)])
        rows += [
            [f"- {variant}", *(_starred(figures[each], each) for each in chosen)]
            for variant, figures in ablation.items()
        ]
        blocks.append(table(rows))
    return "\n\n".join(blocks)


def _adds(part: Figures, whole: Figures) -> bool:
    return part != whole and any(figure.n for figure in part.values())


def _digits(measure: str, otherwise: int) -> int:
    return 1 if measure in _ONE_DIGIT else otherwise


def _counted(figure: Estimate, measure: str, digits: int = 3) -> str:
    shown = show(figure, _digits(measure, digits))
    return shown if figure.value is None else f"{shown} n={figure.n}"


def _starred(figure: Estimate, measure: str) -> str:
    shown = show(figure, _digits(measure, 3), signed=True)
    return f"{shown} *" if figure.excludes_zero else shown
