"""Hits → answer: score sentences, choose the fewest that answer, cite them, or abstain."""
