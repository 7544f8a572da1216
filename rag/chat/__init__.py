"""The chat page: a conversation on the left, its evidence on the right.

    markup ─→ reading ───────────────┐
    wording ─→ payloads ─────────────┤
    examples, versions, library ─────┼─→ service ─→ page
    pages (pictures of PDF pages) ───┤
    render ──────────────────────────┘

`page` is the entry point. Everything that the browser shows is made here as HTML whose text is
escaped by `markupsafe`; the script in `assets/` only moves it about. Gradio reads its environment
when it is imported, so its telemetry is switched off here, before any module of this package
imports it.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
