"""ONNX files of the reader: float32, fused, and int8, as it ships."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from torch import Tensor, nn

from rag.encoders.norms import spell_out_norms
from rag.store.files import digests_of
from training.asked import compute_what_is_asked
from training.model import INPUTS, OUTPUTS, Reader

OPSET = 17


class _Plain(nn.Module):
    """The same network with attention spelt out in the form that onnxruntime knows how to fuse."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        encoder = self.reader.encoder
        heads = encoder.config.num_attention_heads
        embeddings = encoder.embeddings
        positions = embeddings.position_ids[:, : input_ids.shape[1]]
        hidden = embeddings.word_embeddings(input_ids) + embeddings.token_type_embeddings(
            token_type_ids
        )
        hidden = embeddings.LayerNorm(hidden + embeddings.position_embeddings(positions))
        shut_out = (1.0 - attention_mask[:, None, None, :].float()) * -10000.0
        for layer in encoder.encoder.layer:
            own = layer.attention.self

            def split(x: Tensor) -> Tensor:
                return x.view(x.shape[0], x.shape[1], heads, -1).permute(0, 2, 1, 3)

            query, key, value = (
                split(own.query(hidden)),
                split(own.key(hidden)),
                split(own.value(hidden)),
            )
            weights = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
            mixed = torch.softmax(weights + shut_out, dim=-1) @ value
            mixed = mixed.permute(0, 2, 1, 3).contiguous()
            mixed = mixed.view(mixed.shape[0], mixed.shape[1], encoder.config.hidden_size)
            output = layer.attention.output
            hidden = output.LayerNorm(output.dense(mixed) + hidden)
            inner = nn.functional.gelu(layer.intermediate.dense(hidden))
            hidden = layer.output.LayerNorm(layer.output.dense(inner) + hidden)
        logits = self.reader.head(hidden)
        return logits[..., 0], logits[..., 1]


def export_float(model: Reader, path: Path) -> None:
    """Write the float32 graph with BERT's attention, GELU and layer norms fused.

    Inputs are int64 ``[batch, seq]``, outputs float32 ``[batch, seq]``; both axes are free.
    """
    model.eval()
    ids = torch.tensor([[101, 2054, 102, 2023, 102], [101, 2054, 102, 102, 0]])
    example = (ids, (ids > 0).long(), torch.tensor([[0, 0, 0, 1, 1], [0, 0, 0, 1, 0]]))
    axes: Any = {name: {0: "batch", 1: "seq"} for name in (*INPUTS, *OUTPUTS)}
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(
            _Plain(model),
            example,
            str(plain),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        config = model.encoder.config
        fused = optimize_model(
            str(plain),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            optimization_options=FusionOptions("bert"),
        )
    aside = path.with_suffix(".tmp")
    fused.save_model_to_file(str(aside))
    onnx.checker.check_model(str(aside))
    aside.replace(path)


def export_int8(source: Path, path: Path) -> None:
    """Quantise a float32 graph: weights int8, activations on the fly, word embeddings included.

    The graph goes to `path`, its weights beside it into a file that ends in `.weights`.

    The matrix that closes the first layer's feed-forward part stays float32 (1.8 MB more): its
    activations have outliers, and alone cause a third of the squared error of the logits.
    """
    aside = path.with_suffix(".tmp")
    graph = onnx.load(source).graph
    sizes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    closing = [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and sizes.get(node.input[1], [0]) == [1536, 384]
    ]
    quantize_dynamic(
        source,
        aside,
        per_channel=True,
        nodes_to_exclude=closing[:1],
        # Seven bits: on processors without VNNI, eight would overflow the 16-bit sums of products.
        reduce_range=True,
        weight_type=QuantType.QInt8,
        # Shapes are not inferred through the fused operators; every tensor of theirs is float32.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    small = onnx.load(aside)
    aside.unlink()
    save_as_shipped(small, path)


def save_as_shipped(model: onnx.ModelProto, path: Path) -> None:
    """Write an int8 graph as the product reads it: see `training.asked` and `rag.encoders.norms`.

    Its weights lie in a file of their own, because they are then mapped, not read and copied.
    """
    spell_out_norms(model)
    compute_what_is_asked(model)
    weights = path.with_suffix(".weights")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        graph = Path(folder) / path.name
        onnx.save(model, graph, save_as_external_data=True, location=weights.name)
        onnx.checker.check_model(str(graph))
        (Path(folder) / weights.name).chmod(graph.stat().st_mode)  # onnx keeps them to the owner
        (Path(folder) / weights.name).replace(weights)
        graph.replace(path)


def describe(*paths: Path) -> dict[str, dict[str, object]]:
    """Size in bytes and digests of files, by name."""
    described = {}
    for path in paths:
        sha256, xxh3 = digests_of(path)
        described[path.name] = {"size": path.stat().st_size, "sha256": sha256, "xxh3": xxh3}
    return described
