"""The index on disk: immutable generations, and one pointer that says which of them counts.

    index/
      CURRENT                      the pointer: the id of the published generation
      LOCK, LOCK.holder            the writer lock, and who holds it
      journal.sqlite               vectors of an unfinished build, so that it can go on
      generations/<id>/
        manifest.json              counts, encoder, chunking, sizes and SHA-256 of the files below
        documents.sqlite           documents, chunks and sentences; row i of each is its position
        chunks.faiss               FAISS index, vector i belongs to chunk i
        sentences.npy              float16 matrix, row i belongs to sentence i
        lexical/                   BM25 index, document i is chunk i

A generation is written aside, synced, checked, and only then published by replacing `CURRENT` in
one rename. It is never changed afterwards. Nothing here is a pickle.
"""
