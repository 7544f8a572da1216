"""Hits → answer: score sentences, choose the fewest that answer, cite them, or abstain.

    questions   what kind of answer is asked for
    evidence    every sentence of the best hits, scored      mentions  what names are known at all
    confidence  how sure that is: answer or abstain
    select      the fewest sentences that answer             context   what they are quoted with
    elsewhere   what belongs to them farther away            whole_lists when no entry stands alone
    compose     quotations → citations
    caveats     is it still the last word?                   conflicts who says otherwise?
    text        citations → the text of the answer
    stages      all of it, each step with a switch

What these know of prose: `places`, `numbered` and `turns` of where a sentence stands, `figures` and
`numerals` of what it counts.
"""
