"""Layer norms as ONNX Runtime computes them quickest."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper


def spell_out_norms(model: onnx.ModelProto) -> None:
    """Replace the fused layer norms of `model` by plain operators."""
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "SkipLayerNormalization":
            nodes += _plain_norm(node)
            small = next(own.f for own in node.attribute if own.name == "epsilon")
            value = numpy_helper.from_array(np.array(small, np.float32), f"{node.name}/epsilon")
            model.graph.initializer.append(value)
        else:
            nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _plain_norm(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, of x + skip + bias."""
    x, skip, gamma, beta, bias = node.input
    name, (normed,) = node.name, node.output
    steps = (
        ("Add", (x, bias), "biased"),
        ("Add", ("biased", skip), "sum"),
        ("ReduceMean", ("sum",), "mean"),
        ("Sub", ("sum", "mean"), "centred"),
        ("Mul", ("centred", "centred"), "squares"),
        ("ReduceMean", ("squares",), "variance"),
        ("Add", ("variance", f"{name}/epsilon"), "positive"),
        ("Sqrt", ("positive",), "deviation"),
        ("Reciprocal", ("deviation",), "scale"),
        ("Mul", ("centred", "scale"), "scaled"),
        ("Mul", ("scaled", gamma), "weighted"),
        ("Add", ("weighted", beta), normed),
    )
    own = {made: f"{name}/{made}" for _, _, made in steps if made != normed}
    return [
        helper.make_node(
            kind,
            [own.get(each, each) for each in needed],
            [own.get(made, made)],
            own.get(made, f"{name}/normed"),
            **({"axes": [-1], "keepdims": 1} if kind == "ReduceMean" else {}),
        )
        for kind, needed, made in steps
    ]
