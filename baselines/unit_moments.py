"""Second moments of the units of each hidden layer: mean squares and products, nothing learned."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64

from zoobench import Embedder
from zoogen import Weights

ROWS = 1024
"""Weight vectors read at a time: 20 MB of products for a CNN."""


@dataclass
class UnitMoments:
    """The second moment of each hidden layer: the mean of ``x xᵀ`` over its units ``x``.

    A unit is described by its weights from the images, its bias, its weights to the classes, and 1.
    Where other layers lie between, a weight from the images or to a class is the sum, over all
    paths, of the product of the weights along the path, as if there were no activations. Kernels
    after the first layer are summed over their pixels. None of these numbers depends on the order
    of the units of any other hidden layer, and the mean does not depend on the order of its own.

    The moment holds variances, covariances and end-to-end weights and, because of the 1, means.
    """

    name: str = field(default="unit-moments", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "UnitMoments":  # noqa: ARG002
        """Return the embedder unchanged: there is nothing to learn.

        Raises:
            ZooError: If the network has no hidden layers that form a chain.
        """
        train.layout.hidden_chain(self.name)
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots moments"]:
        """Return the moments of each hidden layer, layer after layer."""
        return np.concatenate(
            [
                np.concatenate([moments(units) for units in units_by_layer(block)], axis=1)
                for block in weights.blocks(ROWS)
            ]
        )


def units_by_layer(weights: Weights) -> Iterator[Float64[np.ndarray, "snapshots _units numbers"]]:
    """Yield the numbers that describe each unit, one hidden layer at a time."""
    hidden = weights.layout.hidden_chain("unit-moments")
    names = [layer.name for layer in hidden]
    first = weights.tensor(f"{names[0]}.weight").astype(np.float64)
    outgoing = [unit_to_unit(weights, layer.outgoing[0][0], layer.units) for layer in hidden]
    from_images = [first.reshape(*first.shape[:2], -1)]
    for weight in outgoing[:-1]:
        from_images.append(weight @ from_images[-1])
    to_classes = [outgoing[-1]]
    for weight in reversed(outgoing[:-1]):
        to_classes.insert(0, to_classes[0] @ weight)
    for name, images, classes in zip(names, from_images, to_classes, strict=True):
        parts = [images, classes.swapaxes(1, 2)]
        if f"{name}.bias" in weights.layout.shapes:
            parts.append(weights.tensor(f"{name}.bias")[:, :, None])
        yield np.concatenate([*parts, np.ones((*images.shape[:2], 1))], axis=2)


def unit_to_unit(
    weights: Weights, name: str, senders: int
) -> Float64[np.ndarray, "snapshots _receivers _senders"]:
    """Read a tensor as one weight per pair of units, summed over the pixels of kernels and maps."""
    tensor = weights.tensor(name)
    by_unit = tensor.reshape(*tensor.shape[:2], senders, -1)
    return np.asarray(by_unit.sum(axis=3, dtype=np.float64))


def moments(
    units: Float64[np.ndarray, "snapshots units numbers"],
) -> Float32[np.ndarray, "snapshots moments"]:
    """Return the mean product of every pair of numbers, without the last: 1 times 1."""
    products = units.swapaxes(1, 2) @ units / units.shape[1]
    first, second = (places[:-1] for places in np.triu_indices(units.shape[2]))
    return np.asarray(products[:, first, second], dtype=np.float32)


embedder: Embedder = UnitMoments()
