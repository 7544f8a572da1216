"""Texts that encoders stumble over: empty, foreign, damaged, longer than the window."""

from __future__ import annotations

TEXTS = (
    "",
    " ",
    "leave",
    "How many days of annual leave do staff get?",
    "Art. 5(2)(a) applies to part-time staff, e.g. at 50 %.",
    "Қазақстан мен Қытай 文件 😀 İstanbul ﬁne ñandú",
    "| low | five days | team lead |",
    "a" * 500,
    "word " * 254,
    "word " * 255,
    "The director approves it. " * 120,
    "\u200b\u0000\ufffd",
)
