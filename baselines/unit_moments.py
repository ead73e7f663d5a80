"""Second moments of the units of each layer: sums of squares and products, nothing learned."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64

from zoobench import Embedder
from zoogen import Weights, ZooError, chained_layers

ROWS = 1024
"""Weight vectors read at a time: 20 MB of products for a CNN."""


@dataclass
class UnitMoments:
    """How units are made, on average over each hidden layer: the mean of ``x xᵀ``.

    A unit is described by numbers that depend on the order of no hidden layer: what the images are
    to it, its bias, what it is to each class, and 1. What a unit of the first layer hears is its
    weights; of a later one the sum over all paths from there of the products of weights along
    them, as if activations passed on what they get, and what it is to a class likewise. Kernels
    after the first are summed over their pixels.

    The mean over units of all products of two of these numbers knows variances and covariances,
    end-to-end weights and, by the 1, means.
    """

    name: str = field(default="unit-moments", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "UnitMoments":  # noqa: ARG002
        """Return the embedder as it is: there is nothing to learn.

        Raises:
            ZooError: If no layer feeds another: there are no hidden units.
        """
        if not chained_layers(train.layout):
            raise ZooError(f"no hidden layer among {', '.join(train.layout.shapes)}")
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots moments"]:
        """Describe each snapshot, a block of them at a time."""
        blocks = (
            weights.take(slice(first, first + ROWS)) for first in range(0, len(weights), ROWS)
        )
        return np.concatenate(
            [np.concatenate([moments(each) for each in units(block)], axis=1) for block in blocks]
        )


def units(weights: Weights) -> Iterator[Float64[np.ndarray, "snapshots _units numbers"]]:
    """Describe the units of each hidden layer."""
    hidden = chained_layers(weights.layout)
    names = [layer.name for layer in hidden]
    first = weights.tensor(f"{names[0]}.weight").astype(np.float64)
    heard = [first.reshape(*first.shape[:2], -1)]
    passed = [joint(weights, layer.axes[-1][0], layer.units) for layer in hidden]
    for weight in passed[:-1]:
        heard.append(weight @ heard[-1])
    spoken = [passed[-1]]
    for weight in reversed(passed[:-1]):
        spoken.insert(0, spoken[0] @ weight)
    for name, images, classes in zip(names, heard, spoken, strict=True):
        parts = [images, classes.swapaxes(1, 2)]
        if f"{name}.bias" in weights.layout.shapes:
            parts.append(weights.tensor(f"{name}.bias")[:, :, None])
        yield np.concatenate([*parts, np.ones((*images.shape[:2], 1))], axis=2)


def joint(
    weights: Weights, name: str, senders: int
) -> Float64[np.ndarray, "snapshots _receivers _senders"]:
    """Read one weight from unit to unit, summed over the pixels of kernels and images."""
    tensor = weights.tensor(name)
    by_unit = tensor.reshape(*tensor.shape[:2], senders, -1)
    return np.asarray(by_unit.sum(axis=3, dtype=np.float64))


def moments(
    units: Float64[np.ndarray, "snapshots units numbers"],
) -> Float32[np.ndarray, "snapshots moments"]:
    """Return the mean product of each two numbers, each pair once, but for 1 times 1."""
    products = units.swapaxes(1, 2) @ units / units.shape[1]
    first, second = (places[:-1] for places in np.triu_indices(units.shape[2]))
    return np.asarray(products[:, first, second], dtype=np.float32)


embedder: Embedder = UnitMoments()
