"""Weight vectors with their hidden units sorted: one vector for all orders of the same units."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int64

from zoobench import Embedder
from zoogen import HiddenLayer, Layout, Weights


@dataclass
class CanonicalWeights:
    """The flat weight vector of an equivalent network with sorted hidden units.

    The sort key of a unit is its vote for the first class: the sum, over all paths from the unit to
    that class, of the product of the weights along the path, as if there were no activations.
    Permuting hidden units does not change the votes, so networks that differ only in the order of
    their units get the same vector. Two units with almost equal votes may swap places when weights
    change a little; nothing else jumps. ``docs/decisions/0016-stronger-rows.md`` compares the vote
    with other keys, such as norms.
    """

    name: str = field(default="canonical-weights", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "CanonicalWeights":  # noqa: ARG002
        """Return the embedder unchanged: there is nothing to learn.

        Raises:
            ZooError: If the network has no hidden layers that form a chain.
        """
        train.layout.hidden_chain(self.name)
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots params"]:
        """Return each vector with its units sorted."""
        return np.concatenate(
            [with_sorted_units(np.asarray(block), weights.layout) for block in weights.blocks()]
        )


def with_sorted_units(
    rows: Float32[np.ndarray, "rows params"], layout: Layout
) -> Float32[np.ndarray, "rows params"]:
    """Sort the units of every hidden layer, the largest vote for the first class first."""
    tensors = {slot.name: rows[:, slot.slice].reshape(len(rows), *slot.shape) for slot in layout}
    for hidden, votes in [*layer_votes(tensors, layout.hidden_chain("canonical-weights"))]:
        order = np.argsort(-votes, axis=1, kind="stable")
        for name, axis in hidden.axes:
            tensors[name] = reordered(tensors[name], axis, order)
    return np.concatenate([tensor.reshape(len(rows), -1) for tensor in tensors.values()], axis=1)


def layer_votes(
    tensors: Mapping[str, Float32[np.ndarray, "rows ..."]], layers: tuple[HiddenLayer, ...]
) -> Iterator[tuple[HiddenLayer, Float64[np.ndarray, "rows _units"]]]:
    """Yield each unit's vote for the first class, from the last hidden layer back to the first.

    Votes are in double precision: rounding depends on the order of units, but must not decide it.
    """
    votes = None
    for hidden in reversed(layers):
        outgoing = tensors[hidden.outgoing[0][0]]
        joined = outgoing.reshape(*outgoing.shape[:2], hidden.units, -1)
        by_unit = joined.sum(axis=3, dtype=np.float64)
        votes = by_unit[:, 0] if votes is None else np.einsum("nr,nru->nu", votes, by_unit)
        yield hidden, votes


def reordered(
    tensor: Float32[np.ndarray, "rows ..."], axis: int, order: Int64[np.ndarray, "rows units"]
) -> Float32[np.ndarray, "rows ..."]:
    """Reorder the units along an axis of a tensor; a unit may take up several entries of it."""
    along = np.moveaxis(tensor, axis + 1, 1)
    by_unit = along.reshape(*order.shape, -1)
    moved = np.take_along_axis(by_unit, order[:, :, None], axis=1)
    return np.moveaxis(moved.reshape(along.shape), 1, axis + 1)


embedder: Embedder = CanonicalWeights()
