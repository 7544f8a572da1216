"""How good search and answers are: data sets, metrics, intervals, reports.

Nothing here knows how an index works: whatever has `ask`, `retrieve` and `text` can be judged.
"""
