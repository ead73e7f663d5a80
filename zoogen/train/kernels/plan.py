"""The places of a network's numbers in the arrays that its kernels share."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod

import numpy as np
from jaxtyping import Int32, Int64

from zoogen.train.kernels.geometry import Layer, Mean
from zoogen.train.kernels.widths import LANES


@dataclass(frozen=True, kw_only=True)
class Offsets:
    """The places where the numbers of a layer begin.

    Attributes:
        forward: Place of the weights by output, in the packed weights.
        backward: Place of the weights by row, in the packed weights.
        bias: Place of the biases, in the packed weights.
        gradient: Place of the weights' gradient, in the packed gradient.
        bias_gradient: Place of the biases' gradient, in the packed gradient.
    """

    forward: int
    backward: int
    bias: int
    gradient: int
    bias_gradient: int


@dataclass(frozen=True)
class Plan:
    """The arrays of a chain of layers.

    Attributes:
        layers: Layers from input to output.
        params: Length of the flat weight vector; the place behind it holds zero.
    """

    layers: tuple[Layer | Mean, ...]
    params: int

    @property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers with weights."""
        return tuple(layer for layer in self.layers if isinstance(layer, Layer))

    @property
    def pixels(self) -> int:
        """Floats of an image."""
        first = self.weighted[0]
        return prod(first.map) * first.pitch

    @property
    def shown(self) -> int:
        """Floats of a shown image: two copies, with rows that begin at cache lines."""
        return self.weighted[0].second + self.weighted[0].floats

    @property
    def lines(self) -> Int64[np.ndarray, " 4"]:
        """Of a shown image: rows, floats per row, floats to the next row and to the second copy."""
        first = self.weighted[0]
        return np.array([first.map[0], first.map[1] * first.pitch, first.line, first.second])

    @property
    def slack(self) -> int:
        """Most floats read behind a map: a kernel's row is padded to whole registers."""
        return max(layer.row for layer in self.weighted)

    @cached_property
    def outs(self) -> tuple[int, ...]:
        """Place where the map of each layer begins, and where the last one ends."""
        return tuple(accumulate((layer.size for layer in self.layers), initial=LANES))

    @property
    def maps(self) -> int:
        """Floats of all maps of one image."""
        return self.outs[-1] + self.slack

    @property
    def packings(self) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Order of the weights by output, of the weights by row, and of the biases, by layer."""
        return (
            [layer.by_output(self.params) for layer in self.weighted],
            [layer.by_row(self.params) for layer in self.weighted],
            [layer.biases(self.params) for layer in self.weighted],
        )

    @cached_property
    def pack(self) -> Int32[np.ndarray, " packed"]:
        """Order of the weights in the packed weights."""
        return joined(array for arrays in self.packings for array in arrays)

    @cached_property
    def gradients(self) -> list[np.ndarray]:
        """Order of the weights in the packed gradient: outputs in pairs, then biases."""
        _, rows, biases = self.packings
        pairs = [np.pad(row, ((0, len(row) % 2), (0, 0), (0, 0)), mode="edge") for row in rows]
        for row, pair in zip(rows, pairs, strict=True):
            pair[len(row) :] = self.params
        return [*pairs, *biases]

    @cached_property
    def sums(self) -> int:
        """Floats of the packed gradient."""
        return sum(array.size for array in self.gradients)

    @cached_property
    def unpack(self) -> Int32[np.ndarray, " params"]:
        """Place of each weight's gradient in the packed gradient."""
        places = np.zeros(self.params + 1, np.int32)
        places[joined(self.gradients)] = np.arange(self.sums)
        return places[:-1].copy()

    @cached_property
    def offsets(self) -> tuple[Offsets, ...]:
        """Offsets of the layers with weights."""
        packed = starts(array for arrays in self.packings for array in arrays)
        sums, depth = starts(self.gradients), len(self.weighted)
        thirds = (packed[i : i + depth] for i in range(0, 3 * depth, depth))
        halves = (sums[i : i + depth] for i in range(0, 2 * depth, depth))
        return tuple(
            Offsets(
                forward=forward,
                backward=backward,
                bias=bias,
                gradient=gradient,
                bias_gradient=bias_gradient,
            )
            for forward, backward, bias, gradient, bias_gradient in zip(
                *thirds, *halves, strict=True
            )
        )

    @property
    def reads(self) -> tuple[int, ...]:
        """Place that each layer reads: the first an image, the others the map before it."""
        return 0, *self.outs[:-2]

    @cached_property
    def stages(self) -> Int64[np.ndarray, "layers 5"]:
        """The table of ``zoogen.train.kernels.training.READS``."""
        rows = [
            (read, out, layer.size, layer.active, layer.dropout)
            for layer, read, out in zip(self.layers, self.reads, self.outs, strict=False)
        ]
        return np.array(rows, np.int64)

    @cached_property
    def windows(self) -> Int32[np.ndarray, " maps"]:
        """Pixel at which the window of each unit begins."""
        windows = joined(layer.windows for layer in self.layers)
        return np.pad(windows, (LANES, self.slack))

    @cached_property
    def pairs(self) -> Int64[np.ndarray, " pairs"]:
        """Numbers of the pairs of units, in the order of the maps."""
        pairs = joined(layer.pairs for layer in self.layers)
        return np.pad(pairs, (LANES // 2, 0))

    @property
    def scratch(self) -> int:
        """Floats of the largest row of maps before it is pooled."""
        rows = (layer.blocks * layer.pool**2 * layer.out[1] for layer in self.weighted)
        return LANES * max(rows)

    @cached_property
    def evaluated(self) -> Int64[np.ndarray, "layers 3"]:
        """Beginning and size of the maps of eight images, and whether an activation follows."""
        sizes = [
            LANES * (prod(layer.out) * layer.outputs if isinstance(layer, Layer) else layer.inputs)
            for layer in self.layers
        ]
        active = (layer.active for layer in self.layers)
        rows = zip(accumulate(sizes, initial=0), sizes, active, strict=False)
        return np.array(list(rows), np.int64)

    @property
    def evaluated_places(self) -> tuple[list[int], list[int]]:
        """Places that each layer reads and writes, with eight images side by side."""
        outs = [int(out) for out in self.evaluated[:, 0]]
        return [0, *outs[:-1]], outs


def joined(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """Flatten arrays into one vector."""
    return np.concatenate([array.ravel() for array in arrays])


def starts(arrays: Iterable[np.ndarray]) -> list[int]:
    """Return where each array begins in the vector of ``joined``."""
    return list(accumulate((array.size for array in arrays), initial=0))[:-1]
