"""UMAP of weight vectors, and a rule for new rows that looks at each row alone.

The paper's authors fit UMAP on every third training row and embed the rest with its ``transform``.
Four things differ here:

* ``transform`` refines new rows by stochastic gradient steps that share one stream of random
  numbers, so a row's embedding depends on its batch. Here a new row stays where UMAP starts it:
  at the mean of its nearest fitted rows, weighted by the strength of membership.
* Neighbours are exact, not approximate; in these dimensions that is also the faster search.
* The layout starts from principal components, which serve UMAP as well as the spectral start it
  uses by default (Kobak and Linderman 2021, Nature Biotechnology 39). The neighbours of tetris-hyp
  form a graph in pieces, for which the spectral start takes longer than all the rest together and
  is experimental. ``init="spectral"`` has it.
* The random state is the seed, which the authors leave unset. It binds the layout to one core.
"""

import warnings
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64

from zoobench import Embedder
from zoogen import Weights, ZooError, extra_package

ROWS = 2048
"""Weight vectors placed at a time: with 25 neighbours in 50 dimensions, 10 MB of coordinates."""

HALVINGS = 50
"""Bisection steps for the scale of a row, to the last digits of a double."""

SMALLEST_SCALE = 1e-3
"""Least scale of a row, relative to its mean distance, as in UMAP."""


@dataclass
class UMAPProjection:
    """Coordinates that keep the nearest neighbours of the training weights.

    Attributes:
        dim: Number of coordinates; fewer where the rows fitted on, or their params, are fewer.
        neighbours: Nearest rows that count, 3 or more; the row itself is one of them.
        min_distance: How close rows may lie in the embedding, in its units.
        every: Fit on each ``every``-th training row, in the order given.
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
        """Lay out every third training row.

        Raises:
            ZooError: If umap-learn is not installed.
        """
        from sklearn.neighbors import NearestNeighbors

        umap = extra_package("umap", "this embedder")
        rows = np.asarray(train.take(slice(None, None, self.every)))
        count = min(self.neighbours, len(rows))
        self.search = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(rows)
        distances, others = self.search.kneighbors(n_neighbors=count - 1)
        neighbours = np.column_stack([np.arange(len(rows)), others])
        lengths = np.column_stack([np.zeros(len(rows)), distances]).astype(np.float32)
        layout = umap.UMAP(
            n_components=min(self.dim, *rows.shape),
            n_neighbors=count,
            min_dist=self.min_distance,
            metric="euclidean",
            init=self.init,
            precomputed_knn=(neighbours, lengths),
            random_state=seed,
            n_jobs=1,
        )
        with warnings.catch_warnings():  # UMAP's own transform, which it says is off, is not used
            warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
            self.fitted: Float32[np.ndarray, "fitted dim"] = layout.fit(rows).embedding_
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Place each row at the weighted mean of its nearest fitted rows."""
        blocks = (weights[first : first + ROWS] for first in range(0, len(weights), ROWS))
        return np.concatenate([self.place(block) for block in blocks])

    def place(self, rows: Float32[np.ndarray, "rows params"]) -> Float32[np.ndarray, "rows dim"]:
        """Return the mean fitted coordinates of the neighbours, by strength of membership.

        UMAP starts a row it was fitted on at its own coordinates. Here it is a row like any other,
        so that training rows are not embedded in a way no new row can be.
        """
        distances, neighbours = self.search.kneighbors(rows)
        strengths = membership_strengths(distances)
        shares = strengths / strengths.sum(axis=1, keepdims=True)
        placed = np.einsum("rn,rnd->rd", shares, self.fitted[neighbours])
        return np.asarray(placed, dtype=np.float32)


def membership_strengths(
    distances: Float[np.ndarray, "rows neighbours"],
) -> Float64[np.ndarray, "rows neighbours"]:
    """Return how much each row belongs with each of its neighbours, in [0, 1].

    ``exp(-distance / scale)``, the scale of a row being such that all but the first neighbour sum
    to ``log2(neighbours)``: UMAP's rule for new rows. UMAP bounds the scale of a row from below by
    the mean distance in its batch; here the bound is the row's own mean, so batches do not matter.

    Args:
        distances: Ascending in each row, 3 or more.

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
