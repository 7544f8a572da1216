"""The HTTP API for scripts: `rag serve`.

    replies ──→ app ──→ server

Requests and replies are JSON in UTF-8. An error is {"error": "one clear line"} with a status that
says whose fault it is.
"""
