"""Abbreviations of legal and policy prose after whose full stop a sentence goes on."""

from __future__ import annotations

import re

# The first kind goes on only before a number ("sec. 4", but "the answer is no."), the second before
# anything.
CONTINUES_WITH_NUMBER = re.compile(
    r"\b(?:secs?|sects?|subsecs?|paras?|cl|regs?|dirs?|stds?|recs?|sched|ch|pts?|nos?|figs?|arts?|"
    r"appl?|ann|amend|vols?|pp?|tab|fn|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.$",
    re.IGNORECASE,
)
CONTINUES = re.compile(
    r"(?:(?:\(ex|\b(?:max|min|approx|incl|excl|ext|tel|ca|cf|viz|resp|e\.g|i\.e))\.)$",
    re.IGNORECASE,
)
# A name follows.
TITLE = re.compile(
    r"(?<![\w.@-])(?:Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Sen|Rep|Gov|Amb|Gen|Col|Maj|Lt|Capt|Sgt|vs)\.$"
)
NUMBER = re.compile(r"[\d(§]|[IVX]+\b|Nos?\.")
