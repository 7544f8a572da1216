"""The default encoder on OpenVINO: slower to start, faster to run, so it embeds passages.

A text's vector is the same to the last bit, whatever it is encoded together with: without padding
no sum of these kernels depends on the other rows.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Literal

import numpy as np

from rag.encoders import Vectors
from rag.encoders.engine import Ids, Network, feeds

# Where it can be imported, `import openvino` reports to its makers over the network.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402


class OpenVinoEngine:
    """OpenVINO on the CPU."""

    tokens_together = 2048
    """512 passages with their sentences in bf16 take 14.7 s of processor time, with 1,024 tokens in
    a batch 15.4 s."""

    def __init__(self, *, exact: bool) -> None:
        """Compute in bf16 where the processor multiplies it natively and `exact` is false."""
        self._core = openvino.Core()
        native = "BF16" in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision: Literal["fp32", "bf16"] = "bf16" if native and not exact else "fp32"

    def open(self, path: Path, threads: int) -> Network:
        """Load the graph; a batch a thread."""
        compiled = self._core.compile_model(
            str(path),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[self.precision],
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": threads,
                # Documents are read by other processes meanwhile.
                "ENABLE_CPU_PINNING": False,
                # Kernels are made for each shape; keeping all of them takes 1 MB for every shape.
                "CPU_RUNTIME_CACHE_CAPACITY": 200,
            },
        )
        local = threading.local()

        def network(ids: Ids) -> Vectors:
            if not hasattr(local, "request"):
                local.request = compiled.create_infer_request()
            local.request.infer(feeds(ids), share_inputs=True)
            vectors: Vectors = local.request.get_output_tensor(0).data.copy()
            return vectors

        # Two threads at once in OpenVINO's first conversion of an array wait for each other for
        # ever (a C++ static is initialised while the GIL changes hands): run once alone first.
        network(np.zeros((1, 1), dtype=np.int64))
        return network
