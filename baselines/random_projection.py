"""Random directions instead of learned ones: the price of a low dimension alone."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32

from zoobench import Embedder
from zoogen import Weights, ZooError


@dataclass
class RandomProjection:
    """Weight vectors projected on ``dim`` Gaussian directions, the same for every row.

    The entries of the directions are independent with variance ``1 / dim``, so squared lengths and
    distances keep their expected value, with a relative standard deviation of ``sqrt(2 / dim)``.
    The paper has no such row; the default dimension is that of its PCA and UMAP.

    Attributes:
        dim: Number of directions, 1 or more.

    Source:
        Johnson and Lindenstrauss 1984, Extensions of Lipschitz mappings into a Hilbert space.
    """

    dim: int = 50
    name: str = field(default="random-projection", init=False)

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ZooError(f"dim={self.dim}: expected 1 or more directions")

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "RandomProjection":  # noqa: ARG002
        """Draw the directions from the seed; the weights only say how long they are."""
        draw = np.random.default_rng(seed)
        directions = draw.standard_normal((train.layout.params, self.dim)) / np.sqrt(self.dim)
        self.directions = directions.astype(np.float32)
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Return the scalar product of each weight vector with each direction."""
        return np.concatenate([np.asarray(block) @ self.directions for block in weights.blocks()])


embedder: Embedder = RandomProjection()
