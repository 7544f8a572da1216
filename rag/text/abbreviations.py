"""Abbreviations of legal and policy prose after whose full stop a sentence goes on."""

from __future__ import annotations

import re

# The first kind goes on only before a number ("sec. 4", but "the answer is no."), the second before
# anything. English comes first, then German, then French, Italian and Spanish.
CONTINUES_WITH_NUMBER = re.compile(
    r"\b(?:secs?|sects?|subsecs?|paras?|cl|regs?|dirs?|stds?|recs?|sched|ch|pts?|nos?|figs?|arts?|"
    r"rms?|bldgs?|"
    r"appl?|ann|amend|vols?|pp?|tab|fn|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|"
    r"abs|aufl|bd|kap|nr|rn|rz|ziff|"
    r"al|núm|pág)\.$",
    re.IGNORECASE,
)
CONTINUES = re.compile(
    r"(?:\(ex|\b(?:max|min|approx|incl|excl|ext|tel|ca|cf|viz|resp|e\.g|i\.e|"
    r"abzgl|bzw|d\. ?h|evtl|exkl|ggf|inkl|sog|u\. ?a|vgl|z\. ?B|zzgl|"
    r"p\. ?e[xj]))\.$",
    re.IGNORECASE,
)
# A name follows.
TITLE = re.compile(
    r"(?<![\w.@&-])(?:Mr|Mrs|Ms|Messrs|Dr|Prof|Rev|Hon|Sen|Rep|Gov|Amb|Gen|Col|Maj|Lt|Capt|Sgt|St|"
    r"vs?|Dipl|Fr|Hr|Ing|MM?|Mgr|Mlles?|Mmes?|[Aa]vv|[Dd]ott|[Ss]ig|Sra?)\.$"
)
NUMBER = re.compile(r"[\d(§]|[IVX]+\b|Nos?\.")
