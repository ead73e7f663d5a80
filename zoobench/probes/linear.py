"""Trained probes: a map on raw embeddings, most often linear, and how it was chosen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

ROWS_AT_ONCE = 4096


def row_blocks(rows: int) -> Iterator[slice]:
    """Cut rows into blocks small enough to hold in double precision."""
    for first in range(0, rows, ROWS_AT_ONCE):
        yield slice(first, min(first + ROWS_AT_ONCE, rows))


@dataclass(frozen=True, eq=False)
class LinearMap:
    """A linear function of raw features, in double precision.

    It includes all that a probe does to the features (centring, scaling, rotating), so the same map
    also applies to embeddings of other zoos.
    """

    weights: Float64[np.ndarray, "dim outputs"]
    intercept: Float64[np.ndarray, " outputs"]

    def __call__(
        self, features: Float[np.ndarray, "snapshots dim"]
    ) -> Float64[np.ndarray, "snapshots outputs"]:
        """Return ``features @ weights + intercept``, one row per snapshot.

        For a classification the outputs are logits: the largest names the class.
        """
        outputs = np.empty((len(features), len(self.intercept)))
        for rows in row_blocks(len(features)):
            np.matmul(
                features[rows].astype(np.float64, copy=False), self.weights, out=outputs[rows]
            )
        outputs += self.intercept
        return outputs


Outputs = Callable[[Float[np.ndarray, "snapshots dim"]], Float64[np.ndarray, "snapshots outputs"]]
"""A function of raw features, one row per snapshot."""


@dataclass(frozen=True)
class Fit:
    """A trained probe.

    Attributes:
        map: Function of embeddings with one output per regression target, or per class.
        penalties: L2 penalty chosen for each target; a single one for a classification.
        validation_scores: Scores of ``map`` on the validation split, in the same order: R², nan
            for a target that is constant there, or accuracy.
    """

    map: Outputs
    penalties: tuple[float, ...]
    validation_scores: tuple[float, ...]
