"""The HTTP API for scripts: `rag serve`.

    hosts ──→ app ──→ server
    replies ──┘

Requests and replies are JSON in UTF-8. An error is {"error": "one clear line"} with a status that
says whose fault it is.
"""
