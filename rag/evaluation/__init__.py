"""How good search and answers are: data sets, metrics, intervals, reports.

    datasets                         questions with the evidence that answers them (read by `jsonl`)
    engine                           what is judged
    retrieval, metrics, bootstrap    how good search is, how good answers are, and how sure that is
    reliability, misses, ablation    what confidence is worth, what went wrong, what a step adds
    run                              the two evaluations, from files to results
    results, report, page, plots     what they found, as files, as text, as one page
    comparison                       two runs over the same questions

Nothing here knows how an index works: whatever has `ask`, `retrieve` and `text` can be judged.
"""
