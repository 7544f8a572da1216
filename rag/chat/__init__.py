"""The chat page: a conversation on the left, its evidence on the right.

    markup ─→ reading ─┐
    wording ───────────┼→ render → service → page
    examples ──────────┘

`page` is the entry point. Gradio reads its environment when it is imported, so its telemetry and
its look-ups at model hubs are switched off here, before any module of this package imports it.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
