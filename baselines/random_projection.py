"""Random directions instead of learned ones: what a low dimension alone costs."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from zoobench import Embedder
from zoogen import Weights, ZooError

ROWS = 8192
"""Weight vectors read at a time."""


@dataclass
class RandomProjection:
    """Weight vectors projected on ``dim`` Gaussian directions, the same for every row.

    Directions have independent entries of variance ``1 / dim``, so squared lengths and distances
    keep their expected value, with a relative standard deviation of ``sqrt(2 / dim)``. The paper
    has no such row; its dimension is that of the other projections.

    Attributes:
        dim: Number of directions, 1 or more.

    Source:
        Johnson and Lindenstrauss 1984, Extensions of Lipschitz mappings into a Hilbert space.
    """

    dim: int = 50
    name: str = field(default="random-projection", init=False)

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ZooError(f"dim={self.dim}: expected the number of directions, at least 1")

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "RandomProjection":  # noqa: ARG002
        """Draw the directions from the seed; of the weights only their number counts."""
        draw = np.random.default_rng(seed)
        directions = draw.standard_normal((train.layout.params, self.dim)) / np.sqrt(self.dim)
        self.directions = directions.astype(np.float32)
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Return the scalar product of each weight vector with each direction."""
        blocks = (weights[first : first + ROWS] for first in range(0, len(weights), ROWS))
        return np.concatenate([block @ self.directions for block in blocks])


embedder: Embedder = RandomProjection()
