"""UMAP of weight vectors, with a rule that embeds each new row on its own.

The paper's authors fit UMAP on every third training row and embed the rest with its ``transform``.
This embedder differs in four ways:

* UMAP's ``transform`` refines new rows by stochastic gradient steps that share one stream of random
  numbers, so a row's embedding depends on its batch. Here a new row stays where UMAP starts it:
  at the mean of its nearest fitted rows, weighted by membership strength.
* Neighbours are exact, not approximate; in these dimensions the exact search is also faster.
* The layout starts from principal components, which work as well as UMAP's default spectral start
  (Kobak and Linderman 2021, Nature Biotechnology 39). The neighbour graph of tetris-hyp is not
  connected; on such a graph the spectral start is experimental and takes longer than everything
  else together. ``init="spectral"`` selects it.
* The random state is the seed; the authors set none. A fixed state limits the layout to one core.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64

from zoobench import Embedder
from zoogen import Weights, ZooError
from zoogen.exact_umap import exact_umap

ROWS = 2048
"""Weight vectors placed at a time: 10 MB of coordinates for 25 neighbours in 50 dimensions."""

HALVINGS = 50
"""Bisection steps for the scale of a row: enough for the last digits of a double."""

SMALLEST_SCALE = 1e-3
"""Least scale of a row, relative to its mean distance, as in UMAP."""


@dataclass
class UMAPProjection:
    """Coordinates that keep the nearest neighbours of the training weights.

    Attributes:
        dim: Number of coordinates, at most the number of fitted rows and of params.
        neighbours: Number of nearest rows to use, counting the row itself; 3 or more.
        min_distance: Smallest distance between rows, in units of the embedding, 0 to 1.
        every: Fit on every ``every``-th training row, in the order given.
        init: Where the layout starts.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, section 4.1; settings of the authors' code. UMAP:
        McInnes, Healy and Melville 2018, arXiv:1802.03426.
    """

    dim: int = 50
    neighbours: int = 25
    min_distance: float = 0.001
    every: int = 3
    init: Literal["pca", "spectral"] = "pca"
    name: str = field(default="umap", init=False)

    def __post_init__(self) -> None:
        if self.dim < 1 or self.every < 1:
            raise ZooError(f"dim={self.dim}, every={self.every}: expected 1 or more of each")
        if self.neighbours < 3:
            raise ZooError(f"neighbours={self.neighbours}: expected 3 or more")
        if not 0 <= self.min_distance <= 1:
            raise ZooError(f"min_distance={self.min_distance}: expected 0 to 1")

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "UMAPProjection":  # noqa: ARG002
        """Lay out every ``every``-th training row.

        Raises:
            ZooError: If umap-learn is not installed.
        """
        rows = np.asarray(train.take(slice(None, None, self.every)))
        self.fitted, self.search = exact_umap(
            rows,
            neighbours=min(self.neighbours, len(rows)),
            seed=seed,
            what="this embedder",
            n_components=min(self.dim, *rows.shape),
            min_dist=self.min_distance,
            metric="euclidean",
            init=self.init,
        )
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Place each row at the weighted mean of its nearest fitted rows."""
        return np.concatenate([self.place(np.asarray(block)) for block in weights.blocks(ROWS)])

    def place(self, rows: Float32[np.ndarray, "rows params"]) -> Float32[np.ndarray, "rows dim"]:
        """Return the mean coordinates of each row's neighbours, weighted by membership strength.

        UMAP starts a fitted row at its own coordinates. Here it is placed like any other row, so
        that training rows and new rows are embedded by the same rule.
        """
        distances, neighbours = self.search.kneighbors(rows)
        strengths = membership_strengths(distances)
        shares = strengths / strengths.sum(axis=1, keepdims=True)
        placed = np.einsum("rn,rnd->rd", shares, self.fitted[neighbours])
        return np.asarray(placed, dtype=np.float32)


def membership_strengths(
    distances: Float[np.ndarray, "rows neighbours"],
) -> Float64[np.ndarray, "rows neighbours"]:
    """Return how strongly each row belongs with each of its neighbours, in [0, 1].

    UMAP's rule for new rows: ``exp(-distance / scale)``, with the scale of a row such that all
    neighbours but the first sum to ``log2(neighbours)``. UMAP bounds the scale below by a share of
    the mean distance in the batch; here it is a share of the row's own mean, so that batches do not
    matter.

    Args:
        distances: Ascending in each row, to 3 or more neighbours.

    Source:
        ``smooth_knn_dist`` and ``compute_membership_strengths`` of umap-learn.
    """
    count = distances.shape[1]
    target = np.log2(count)
    rest = distances[:, 1:].astype(np.float64)
    low, high = np.zeros(len(rest)), rest[:, -1] / np.log((count - 1) / target)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = strengths_at(rest, middle).sum(axis=1) >= target
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return strengths_at(distances, np.maximum(high, SMALLEST_SCALE * distances.mean(axis=1)))


def strengths_at(
    distances: Float[np.ndarray, "rows neighbours"], scale: Float64[np.ndarray, " rows"]
) -> Float64[np.ndarray, "rows neighbours"]:
    """Return ``exp(-distance / scale)``; 1 where both are zero."""
    bounded = np.maximum(scale, np.finfo(np.float64).tiny)
    return np.asarray(np.exp(-distances / bounded[:, None]))


embedder: Embedder = UMAPProjection()
