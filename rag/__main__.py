"""`python -m rag` is `rag`."""

from rag.cli import entry

entry()
