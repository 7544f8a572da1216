"""The chat page: a conversation on the left, its evidence on the right.

    markup ─→ reading ───────────────┐
    wording ─→ payloads ─────────────┤
    examples, versions, library ─────┼─→ service ─→ page
    pages (pictures of PDF pages) ───┤
    render ──────────────────────────┘

The library, the other view of the page, stands beside it and goes its own way there:

    library_names ─→ library_files ──→ library_upload (the way in for files) ─┐
    origin ─→ owner (who has signed in) ─→ library_access (who may) ──────────┤
    library_rows ─→ library_html ─────────────────────────────────────────────┼─→ library_service
    library_worker (a process) ─→ library_builds ─────────────────────────────┘

`owner` is also whom `desk` asks before it shows what people asked and thought: one role, one way to
sign in.

`hosts` stands before both and lets no request through that was meant for another host.

`page` is the entry point. Everything that the browser shows is made here as HTML whose text is
escaped by `markupsafe`; the script in `assets/` only moves it about. Gradio reads its environment
when it is imported, so its telemetry is switched off here, before any module of this package
imports it.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
