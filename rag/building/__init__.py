"""Corpus folder → published generation.

corpus     which files of a folder are documents
changes    which of them the published generation knows, and which have to be read
reading    files → documents and chunks, in order, the slow ones ahead
isolation  one document read in a process of its own
rows       the rows of the new generation: taken over, and new ones between
writing    vectors and BM25, written while documents are being read
outcome    what is noted on the way, and the report that comes of it
progress   how far a build is, and how long it will take
indexing   all of that: a build
watch      a build after every change, until it is stopped
"""
