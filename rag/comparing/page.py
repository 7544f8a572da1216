"""A comparison as text for a terminal and as one HTML page to send to a colleague."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape
from itertools import groupby, zip_longest

from rag.comparing.generations import Difference, DocumentChange, SentenceChange, word_runs
from rag.text.wording import short_time

_SIGNS = {"added": "+", "removed": "-", "renamed": ">", "changed": "~"}
_HEADINGS = {
    "added": "Added",
    "removed": "Removed",
    "renamed": "Renamed, with the same text",
    "changed": "Changed",
}
_LAYOUT = "only layout or markup changed"


def summary(difference: Difference) -> str:
    """One line: how many documents differ in which way."""
    counts = [
        f"{count} {kind}"
        for kind in ("added", "removed", "renamed", "changed")
        if (count := difference.count(kind))
    ]
    return f"{', '.join(counts) or 'no document differs'}; {difference.unchanged} unchanged"


def to_text(difference: Difference, width: int = 100) -> str:
    """For reading in a terminal of `width` columns: before on the left, after on the right."""
    lines = [
        f"before  {difference.before}  {short_time(difference.before_created)}",
        f"after   {difference.after}  {short_time(difference.after_created)}",
        summary(difference),
    ]
    for change in difference.documents:
        was = f"  (was {change.was})" if change.was else ""
        lines += ["", f"{_SIGNS[change.kind]} {change.document}  {change.title}{was}"]
        if change.kind == "changed" and not change.lines:
            lines.append(f"    {_LAYOUT}")
        for section, sentences in groupby(change.lines, key=lambda s: s.section):
            lines += ["", f"    {section}"] if section else [""]
            for sentence in sentences:
                lines += _side_by_side(sentence, width)
    return "\n".join(lines)


def _side_by_side(sentence: SentenceChange, width: int) -> Iterator[str]:
    column = max(20, (width - 11) // 2)
    left = textwrap.wrap(sentence.before or "", column)
    right = textwrap.wrap(sentence.after or "", column)
    for row, (one, other) in enumerate(zip_longest(left, right, fillvalue="")):
        minus = "-" if row == 0 and left else " "
        plus = "+" if row == 0 and right else " "
        yield f"    {minus} {one:{column}} | {plus} {other}".rstrip()


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;
color:#1b1b1b;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;border-bottom:1px solid #ccc}
h3{font-size:1rem;margin:1.8rem 0 .3rem}h3 span,.where{color:#555;font-weight:normal}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th{text-align:left;font-weight:normal;color:#555}
td,th{vertical-align:top;padding:.4rem .6rem;border-top:1px solid #ddd;overflow-wrap:anywhere}
td.section{font-weight:600;background:#f5f5f5}
del{background:#fde2e0;text-decoration:line-through}ins{background:#d9f2dd;text-decoration:none;
font-weight:600}
@media print{body{margin:0;max-width:none;font-size:10.5pt}tr,h3{break-inside:avoid}
h2,h3{break-after:avoid}ins{text-decoration:underline}}
"""


def to_html(difference: Difference) -> str:
    """One page that needs nothing else: no script, no network, printable; texts are escaped."""
    sections = "\n".join(
        f"<h2>{_HEADINGS[kind]}</h2>\n{''.join(_document(change) for change in changes)}"
        for kind, changes in groupby(difference.documents, key=lambda change: change.kind)
    )
    before, after = map(short_time, (difference.before_created, difference.after_created))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What changed: {escape(summary(difference))}</title><style>{_STYLE}</style></head><body>
<h1>What changed</h1>
<p>{escape(summary(difference))}</p>
<p class="where">Before: {escape(difference.before)}, {escape(before)}
<br>After: {escape(difference.after)}, {escape(after)}</p>
{sections}
</body></html>
"""


def _document(change: DocumentChange) -> str:
    was = f", was {escape(change.was)}" if change.was else ""
    title = f"<h3>{escape(change.title)} <span>{escape(change.document)}{was}</span></h3>\n"
    if not change.lines:
        return f"{title}<p>{_LAYOUT}</p>\n" if change.kind == "changed" else title
    rows = []
    for section, sentences in groupby(change.lines, key=lambda sentence: sentence.section):
        if section:
            rows.append(f'<tr><td class="section" colspan="2">{escape(section)}</td></tr>')
        rows += map(_row, sentences)
    head = "<tr><th scope='col'>Before</th><th scope='col'>After</th></tr>"
    return (
        f"{title}<table><thead>{head}</thead><tbody>\n" + "\n".join(rows) + "\n</tbody></table>\n"
    )


def _row(sentence: SentenceChange) -> str:
    if sentence.before is None or sentence.after is None:
        before = f"<del>{escape(sentence.before)}</del>" if sentence.before else ""
        after = f"<ins>{escape(sentence.after)}</ins>" if sentence.after else ""
    else:
        before, after = (
            " ".join(f"<{tag}>{escape(t)}</{tag}>" if differs else escape(t) for differs, t in runs)
            for tag, runs in zip(
                ("del", "ins"), word_runs(sentence.before, sentence.after), strict=True
            )
        )
    return f"<tr><td>{before}</td><td>{after}</td></tr>"
