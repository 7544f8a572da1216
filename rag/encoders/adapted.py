"""Make the graph for questions: `python -m rag.encoders.adapted PASSAGES TARGET`.

It is that for passages with other weights, so torch is not needed. What is added to them comes from
`rag.encoders.adapter`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from rag.encoders import Vectors
from rag.encoders.adapter import changes
from rag.encoders.graphs import write_graph
from rag.errors import EncoderError

_ATTENTION = ("query", "key", "value")
_PRODUCTS = ("attention.output.dense", "intermediate.dense", "output.dense")


def adapt(passages: Path, target: Path) -> None:
    """Write the graph for questions to `target`, whole or not at all, and its weights beside it.

    Raises:
        EncoderError: the adapter is damaged, or does not belong to this graph.
    """
    model = onnx.load(passages)
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, change in _by_initializer(model.graph, known, changes()):
        changed = numpy_helper.to_array(known[name]) + change
        known[name].CopyFrom(numpy_helper.from_array(changed, name))
    write_graph(model, target)


def _by_initializer(
    graph: onnx.GraphProto, known: Mapping[str, onnx.TensorProto], changes: Mapping[str, Vectors]
) -> Iterator[tuple[str, Vectors]]:
    """The changes as the graph has its weights: (in, out), those of attention side by side."""
    attentions, products = [], []
    for node in graph.node:
        if node.op_type == "Attention":
            attentions.append(node.input[1])
        elif node.op_type == "MatMul" and node.input[1] in known:
            products.append(node.input[1])
    if len(changes) != 3 * len(attentions) + len(products) or (
        len(products) != len(_PRODUCTS) * len(attentions)
    ):
        raise EncoderError("the adapter does not belong to this encoder: reinstall rag")
    for layer, attention in enumerate(attentions):
        here = f"encoder.layer.{layer}"
        own = [changes[f"{here}.attention.self.{kind}.weight"] for kind in _ATTENTION]
        yield attention, np.concatenate(own).T
        for place, product in zip(_PRODUCTS, products[3 * layer : 3 * layer + 3], strict=True):
            yield product, changes[f"{here}.{place}.weight"].T


if __name__ == "__main__":
    adapt(Path(sys.argv[1]), Path(sys.argv[2]))
