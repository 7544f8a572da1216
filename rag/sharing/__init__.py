"""One process, many askers: what they share so that more of them cost less, not more.

    encoding   questions that arrive together are encoded together
    turns      only so many answers are computed at once; the others wait in line
    answers    the same question is answered once

All of it is about threads of one process and knows nothing of HTTP or of the chat.
"""
