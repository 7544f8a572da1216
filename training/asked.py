"""The last layer of the reader, computed for the tokens whose logits are read and no others.

A passage has some two hundred tokens; read are the logits of [CLS] and of the first and last token
of each sentence. Their keys and values need every token, all that follows does not: a tenth of the
time of a passage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

ASKED = "asked"
"""Input of the graph: positions of the tokens, int64 ``[asked]``; ``start`` and ``end`` are then
float32 ``[1, asked]``, in their order."""
_MASK = "attention_mask"


def compute_what_is_asked(model: onnx.ModelProto) -> None:
    """Change an int8 graph: one passage a run, nothing padded, logits of ``asked`` tokens only.

    Args:
        model: with fused attention (``QAttention``) and layer norms spelt out.
    """
    graph = model.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    last = [node for node in graph.node if node.op_type == "QAttention"][-1]
    hidden = next(node.input[0] for node in graph.node if last.input[0] in node.output)
    here = f"{last.name}/hidden"
    mask, nodes, behind = {_MASK}, [], False
    for node in graph.node:
        if node.name == last.name:
            nodes += [_take(hidden, here), *_attention(graph, last, known)]
            behind = True
            continue
        if mask.intersection(node.input):
            # What is made of it alone, or beside the embeddings.
            mask.update(node.output if node.op_type == "Cast" else node.output[1:])
        if node.op_type == "Cast" and node.input[0] in mask:
            continue
        renamed = {hidden: here} if behind else {}
        wanted = ["" if name in mask else renamed.get(name, name) for name in node.input]
        _replace(node.input, wanted)
        nodes.append(node)
    _replace(graph.node, nodes)
    needed = {name for node in nodes for name in node.input}
    _replace(graph.initializer, [own for own in graph.initializer if own.name in needed])
    _replace(graph.input, [own for own in graph.input if own.name != _MASK])
    graph.input.append(helper.make_tensor_value_info(ASKED, TensorProto.INT64, [ASKED]))
    shape = [1, ASKED]
    named = [own.name for own in graph.output]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in named]
    _replace(graph.output, outputs)


def _attention(
    graph: onnx.GraphProto, node: onnx.NodeProto, known: Mapping[str, NDArray[np.generic]]
) -> list[onnx.NodeProto]:
    """The same attention with queries of the asked tokens."""
    tokens, weight, bias, scale, scales, _, zero, zeros = list(node.input)[:8]
    asked = f"{node.name}/asked"
    nodes = [_take(tokens, asked)]
    made = []
    columns = (np.split(known[name], 3, axis=-1) for name in (weight, scales, zeros, bias))
    for name, own in zip(("query", "key", "value"), zip(*columns, strict=True), strict=True):
        made.append(f"{node.name}/{name}")
        names = [f"{made[-1]}/{kind}" for kind in ("weight", "scales", "zeros", "bias")]
        for each, values in zip(names, own, strict=True):
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), each))
        nodes.append(
            helper.make_node(
                "MatMulIntegerToFloat",
                [
                    asked if name == "query" else tokens,
                    names[0], scale, names[1], zero, names[2], names[3],
                ],
                [made[-1]],
                f"{made[-1]}/product",
                domain="com.microsoft",
            )
        )  # fmt: skip
    heads = next(own.i for own in node.attribute if own.name == "num_heads")
    mixed = helper.make_node(
        "MultiHeadAttention",
        made,
        [node.output[0]],
        f"{node.name}/mixed",
        domain="com.microsoft",
        num_heads=heads,
    )
    return [*nodes, mixed]


def _take(tokens: str, name: str) -> onnx.NodeProto:
    return helper.make_node("Gather", [tokens, ASKED], [name], name, axis=1)


def _replace(field: Any, values: list[Any]) -> None:
    del field[:]
    field.extend(values)
