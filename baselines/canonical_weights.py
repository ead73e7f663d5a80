"""Weight vectors whose hidden units stand in an order of their own, whatever order they came in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int64

from zoobench import Embedder
from zoogen import HiddenLayer, Layout, Weights, ZooError, chained_layers

ROWS = 8192
"""Weight vectors read at a time."""


@dataclass
class CanonicalWeights:
    """The flat weight vector of an equal network whose hidden units are sorted.

    They are sorted by how much they speak for the first class: the sum over all paths from a unit
    to that class of the products of the weights along them, as if activations passed on what they
    get. No order of hidden units changes those sums, so networks that differ in that order alone
    come out as one vector. Two units with almost equal sums may change places when weights change
    a little; nothing else leaps. Why not by their norms: ``docs/decisions/0016-stronger-rows.md``.
    """

    name: str = field(default="canonical-weights", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "CanonicalWeights":  # noqa: ARG002
        """Return the embedder as it is: there is nothing to learn.

        Raises:
            ZooError: If no layer feeds another: there is nothing to put in order.
        """
        if not chained_layers(train.layout):
            raise ZooError(
                f"no hidden layer to put in order among {', '.join(train.layout.shapes)}; "
                "raw-weights embeds such networks"
            )
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots params"]:
        """Return each vector with its units in order, a block of rows at a time."""
        blocks = (weights[first : first + ROWS] for first in range(0, len(weights), ROWS))
        return np.concatenate([in_order(block, weights.layout) for block in blocks])


def in_order(
    rows: Float32[np.ndarray, "rows params"], layout: Layout
) -> Float32[np.ndarray, "rows params"]:
    """Put the units of every hidden layer in order, those that speak most for a class first."""
    tensors = {slot.name: rows[:, slot.slice].reshape(len(rows), *slot.shape) for slot in layout}
    for hidden, votes in [*votes_of(tensors, chained_layers(layout))]:
        order = np.argsort(-votes, axis=1, kind="stable")
        for name, axis in hidden.axes:
            tensors[name] = reordered(tensors[name], axis, order)
    return np.concatenate([tensor.reshape(len(rows), -1) for tensor in tensors.values()], axis=1)


def votes_of(
    tensors: Mapping[str, Float32[np.ndarray, "rows ..."]], layers: tuple[HiddenLayer, ...]
) -> Iterator[tuple[HiddenLayer, Float64[np.ndarray, "rows _units"]]]:
    """Yield how much each unit speaks for the first class, from the last hidden layer to the first.

    In double precision, so that rounding, which depends on the order of the units, sorts no two.
    """
    votes = None
    for hidden in reversed(layers):
        heard = tensors[hidden.axes[-1][0]]
        by_unit = heard.reshape(*heard.shape[:2], hidden.units, -1).sum(axis=3, dtype=np.float64)
        votes = by_unit[:, 0] if votes is None else np.einsum("nr,nru->nu", votes, by_unit)
        yield hidden, votes


def reordered(
    tensor: Float32[np.ndarray, "rows ..."], axis: int, order: Int64[np.ndarray, "rows units"]
) -> Float32[np.ndarray, "rows ..."]:
    """Put the units along an axis of a tensor in order; each may hold a run of the axis."""
    along = np.moveaxis(tensor, axis + 1, 1)
    by_unit = along.reshape(*order.shape, -1)
    moved = np.take_along_axis(by_unit, order[:, :, None], axis=1)
    return np.moveaxis(moved.reshape(along.shape), 1, axis + 1)


embedder: Embedder = CanonicalWeights()
