from __future__ import annotations

import numpy as np
from training_fakes import rows

from rag.reader import MODEL
from training.data import encode, load_tokenizer, whole_pair
from training.judge import onnx_scorer, torch_scorer
from training.model import encoder_folder
from training.restored import restored


def test_the_network_that_ships_can_be_trained_on() -> None:
    """Its logits are those of the file, but for int8 activations and products in bfloat16."""
    encoded = encode([whole_pair(row) for row in rows(4)], load_tokenizer(encoder_folder()))
    model = restored(MODEL)
    for own, shipped in zip(torch_scorer(model)(encoded), onnx_scorer(MODEL)(encoded), strict=True):
        assert own.shape == shipped.shape
        assert np.abs(own - shipped).max() < 0.7
        assert own.argmax() == shipped.argmax()
    assert all(weight.requires_grad for weight in model.parameters())
