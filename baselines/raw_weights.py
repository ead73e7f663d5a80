"""The weights themselves as an embedding: what any learned embedding has to beat."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from zoobench import Embedder
from zoogen import Weights


@dataclass
class RawWeights:
    """The flat weight vector, neither scaled nor centred: ``W`` in the paper's tables.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, section 4.1.
    """

    name: str = field(default="raw-weights", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "RawWeights":  # noqa: ARG002
        """Return the embedder unchanged: there is nothing to learn."""
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots params"]:
        """Return the weight vectors."""
        return np.asarray(weights)


embedder: Embedder = RawWeights()
