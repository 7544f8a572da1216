"""What words, lines and sentences of policy prose are: knows nothing of files, indexes, questions.

sentences      a block of text into sentences, with exact offsets
abbreviations  full stops after which a sentence goes on
enumerators    numbers and letters in front of list entries, paragraphs and headings
leads          what leads in to list entries
connectives    words by which a sentence leans on the one before, or takes something back
markup         Markdown's signs within a line
wording        dates, places, counts and degrees of certainty, in words
tokens         sizes as language models count them
"""
