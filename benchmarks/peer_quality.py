"""How well each system finds, on the shared retrieval sets: the same chunks, the same judgements.

Peers get the chunks that we cut, and the last turn of a conversation, as they have no idea of one.
Ours is what `rag eval retrieval` computes, with the conversation and with the last turn alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from environments import BENCH, OURS, PeerError, Server, System, say
from measures import Figures
from prepared import Prepared, digest, prepare

from rag.evaluation.bootstrap import estimate
from rag.evaluation.datasets import Beir, read_beir, write_corpus
from rag.evaluation.retrieval import RankedPassage, measure, rank_all
from rag.index import open_index

MEASURES = ("recall@5", "nDCG@5", "nDCG@10")
LAST_TURN = "rag, last turn"
_DEPTH = 100
"""Chunks asked for, as `rag eval retrieval` does: a passage has the rank of its best chunk."""


def quality(peers: Sequence[System], source: Path, limit: int | None) -> Figures:
    """Measures with 95 % intervals on a BEIR folder.

    Args:
        peers: systems beside ours.
        source: the folder.
        limit: judge only so many queries; None judges all.
    """
    beir = read_beir(source)
    beir = replace(beir, queries=beir.judged[:limit])
    folder = BENCH / f"quality-{source.name}"
    shutil.rmtree(folder / "corpus", ignore_errors=True)
    passage_of = write_corpus(beir, folder / "corpus")
    prepared = prepare(folder / "corpus", folder / "index")
    figures: Figures = {}
    for system in peers:
        say(f"quality on {source.name}  {system.title}")
        try:
            figures[system.name] = _peer(system, beir, prepared, passage_of)
        except PeerError as error:
            say(f"{system.title} is left out: {error}")
    say(f"quality on {source.name}  {OURS.title}")
    with open_index(prepared.index(OURS)) as index:
        turns = {OURS.name: beir}
        if any(query.history for query in beir.queries):
            alone = tuple(replace(query, history=()) for query in beir.queries)
            turns[LAST_TURN] = replace(beir, queries=alone)
        for name, asked in turns.items():
            figures[name] = _summary([r.values for r in rank_all(asked, index, passage_of)])
    return {
        "queries": len(beir.queries),
        "passages": len(beir.passages),
        "chunks": prepared.chunks,
        "systems": figures,
    }


def _peer(system: System, beir: Beir, prepared: Prepared, passage_of: Mapping[str, str]) -> Figures:
    """What a peer finds does not change with us: kept, until its script or the set changes."""
    texts = [query.text for query in beir.queries]
    kept = prepared.folder / f"{system.name}-{len(texts)}.json"
    key = digest(system, prepared)
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if known.get("of") != key:
        # One thread finds the same and does not mind what else runs here.
        with Server(system, OMP_NUM_THREADS="1") as server:
            server.ask("build", passages=prepared.passages)
            known = {"of": key, **server.ask("search", queries=texts, k=_DEPTH)}
        kept.write_text(json.dumps(known), "utf-8")
    rankings = {}
    for query, ids in zip(beir.queries, known["ids"], strict=True):
        passages = dict.fromkeys(passage_of[chunk.rpartition("#")[0]] for chunk in ids)
        rankings[query.id] = [RankedPassage(p, -float(rank)) for rank, p in enumerate(passages)]
    values = measure(beir.qrels, rankings)
    return _summary([values[query.id] for query in beir.queries])


def _summary(values: Sequence[Mapping[str, float]]) -> Figures:
    found = {name: estimate(np.array([own[name] for own in values])) for name in MEASURES}
    return {name: [one.value, one.low, one.high] for name, one in found.items()}
