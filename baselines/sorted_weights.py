"""Each tensor's weights by size: every quantile there is, and nothing of where a weight was."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from zoobench import Embedder
from zoogen import Weights

ROWS = 8192
"""Weight vectors read at a time."""


@dataclass
class SortedWeights:
    """The weights of each tensor in ascending order, tensor after tensor.

    All that the percentiles of ``s(W)`` are taken from. Hidden units may change places, and so may
    any two weights of a tensor.
    """

    name: str = field(default="sorted-weights", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "SortedWeights":  # noqa: ARG002
        """Return the embedder as it is: there is nothing to learn."""
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots params"]:
        """Sort each tensor of each snapshot, a block of them at a time."""
        blocks = (weights[first : first + ROWS] for first in range(0, len(weights), ROWS))
        return np.concatenate(
            [
                np.concatenate(
                    [np.sort(block[:, slot.slice], axis=1) for slot in weights.layout], axis=1
                )
                for block in blocks
            ]
        )


embedder: Embedder = SortedWeights()
