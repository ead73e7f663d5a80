"""The weights of each tensor in ascending order: every quantile, but no position."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from zoobench import Embedder
from zoogen import Layout, Weights


@dataclass
class SortedWeights:
    """The weights of each tensor in ascending order, tensor after tensor.

    The percentiles of ``s(W)`` can be read off it. Permuting hidden units does not change it, nor
    does swapping any two weights of a tensor.
    """

    name: str = field(default="sorted-weights", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "SortedWeights":  # noqa: ARG002
        """Return the embedder unchanged: there is nothing to learn."""
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots params"]:
        """Sort each tensor of each snapshot."""
        return np.concatenate(
            [sorted_tensors(np.asarray(block), weights.layout) for block in weights.blocks()]
        )


def sorted_tensors(
    rows: Float32[np.ndarray, "rows params"], layout: Layout
) -> Float32[np.ndarray, "rows params"]:
    """Sort the weights of each tensor within each row."""
    return np.concatenate([np.sort(rows[:, slot.slice], axis=1) for slot in layout], axis=1)


embedder: Embedder = SortedWeights()
