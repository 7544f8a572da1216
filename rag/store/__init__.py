"""The index on disk: immutable generations, and one pointer that says which of them counts.

    index/
      CURRENT                      the pointer: the id of the published generation
      LOCK, LOCK.holder            the writer lock, and who holds it
      journal.sqlite               vectors of an unfinished build, so that it can go on
      seen.json                    how the files looked that it was made of; a hint, may be deleted
      corpus.json                  the folder that it was built from, which later builds take
      generations/<id>/
        manifest.json              counts, encoder, chunking, sizes and SHA-256 of the files below
        documents.sqlite           documents, texts, chunks, sentences; row i is the i-th
        chunks.faiss               FAISS index (flat, float32), row i belongs to chunk i
        inverted/                  of many chunks: int8 codes of their vectors in inverted lists
        sentences.npy              int8 codes of vectors, row i belongs to sentence i
        offsets.npy, moments.npy   sentences of each chunk; mean and covariance of the chunks
        lexical/                   BM25 index, text i is chunk i

A generation is written aside, synced, checked, and only then published by replacing `CURRENT` in
one rename. It is never changed afterwards. Nothing here is a pickle.

**Where damage is found.** The manifest holds size and SHA-256 of every file.

- Opening compares existence and size of all files, and the checksums of the smallest files until
  `CHECKED_AT_OPENING` bytes (256 MB) have been read: about 0.2 s at most, and all of an index of
  up to some 20,000 documents.
- Whatever the size, a text is compared with its own digest whenever it is read: nothing damaged
  is quoted, and an unreadable row is `IndexDamaged`.
- A build compares everything before it takes anything over, `rag rollback` before it publishes,
  and `rag check --deep` when asked, row by row.

A damaged current generation is refused with the file and the remedy; it is never repaired in
place. `history.py` lists, checks and publishes the earlier ones.
"""
