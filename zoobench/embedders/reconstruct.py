"""How much of the weights an embedding keeps: what it decodes to against what went in."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64
from numpy.random import Generator

from zoogen import Layout, Weights, permutation_index

ROWS = 4096
"""Weight vectors compared at a time."""


@runtime_checkable
class Reconstructs(Protocol):
    """An embedder that finds the way back from an embedding to weights."""

    def reconstruct(
        self, embeddings: Float[np.ndarray, "snapshots dim"]
    ) -> Float[np.ndarray, "snapshots params"] | None:
        """Return the weights each embedding stands for; None if no way back was learned."""


def permuted(weights: Weights, draw: Generator) -> Weights:
    """Return the same networks, the hidden units of each in an order of its own.

    Networks that share their first weights keep their units in place, so a decoder could pass by
    knowing the places; here it has to know the weights.

    Source:
        Schürholt et al. 2021, Table 3: reconstruction is scored on permuted test weights.
    """
    layout = weights.layout
    rows = np.stack([row[drawn_index(layout, draw)] for row in np.asarray(weights)])
    return Weights([rows], layout)


def drawn_index(layout: Layout, draw: Generator) -> Int64[np.ndarray, " params"]:
    """Draw an order of the units of each hidden layer; return the index that puts them there."""
    layers = layout.declared_symmetry("reconstruction")
    orders = {layer.name: draw.permutation(layer.units) for layer in layers}
    return permutation_index(layout, layers, orders)


def squared_errors(
    weights: Weights, decoded: Float[np.ndarray, "snapshots params"]
) -> Float64[np.ndarray, "2 snapshots"]:
    """Return how far each row lies from what it decodes to, and from the mean of all rows.

    Both are sums of squares over the weights of a row, so the R² of a reconstruction is
    ``1 - errors[0].sum() / errors[1].sum()``.
    """
    mean = np.asarray(weights).mean(axis=0, dtype=np.float64)
    errors = np.empty((2, len(weights)))
    for first in range(0, len(weights), ROWS):
        block = slice(first, first + ROWS)
        rows = weights[block].astype(np.float64)
        errors[0, block] = np.square(rows - decoded[block]).sum(axis=1)
        errors[1, block] = np.square(rows - mean).sum(axis=1)
    return errors
