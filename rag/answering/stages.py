"""The steps between question and answer, each with a switch: what is one of them worth?"""

from __future__ import annotations

from dataclasses import dataclass

from rag.answering.evidence import Weights


@dataclass(frozen=True, slots=True)
class Stages:
    """Which steps are taken. The product takes all; an evaluation leaves out one at a time.

    Attributes:
        adapter: the default encoder embeds questions with weights of their own.
        dense: embeddings have a share in the ranking.
        lexical: BM25 has a share in the ranking.
        sentences: half of the embeddings' score is that of the passage's best sentence.
        history: earlier questions are searched for as well, with falling weights.
        follow_ups: the conversation is looked at at all; without, history does not count either.
        parts: a question that asks two things is answered part by part.
        reader: the reader judges the sentences.
        reader_confidence: the reader has a say in how sure the answer is.
        context: what a sentence cannot be understood without is quoted along with it.
        abstention: an answer that is not sure enough is held back.
        weights: what each sign of an answer counts.
    """

    adapter: bool = True
    dense: bool = True
    lexical: bool = True
    sentences: bool = True
    history: bool = True
    follow_ups: bool = True
    parts: bool = True
    reader: bool = True
    reader_confidence: bool = True
    context: bool = True
    abstention: bool = True
    weights: Weights = Weights()

    def dense_weight(self, setting: float) -> float:
        """The share of the embeddings, given what it is with both of them."""
        if not self.lexical:
            return 1.0
        return setting if self.dense else 0.0


ALL_STAGES = Stages()
