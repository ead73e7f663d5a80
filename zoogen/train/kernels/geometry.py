"""A network as the kernels see it: a chain of convolutions and where their numbers lie.

A fully connected layer is a convolution whose kernel is as large as its map. Maps lie row by row,
pixel by pixel, the channels of a pixel side by side.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from jaxtyping import Int32, Int64

from zoogen.train.kernels.widths import IN_A_LINE, LANES, full

TILE = 8
"""Registers of sums that are kept at once, at most: an AVX2 processor has sixteen in all."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One convolution with its pooling.

    Attributes:
        weight: Place of the first weight in the flat vector, ``[outputs, inputs, height, width]``.
        bias: Place of the first bias; None if there is none.
        inputs: Channels of the map it reads.
        map: Height and width of that map.
        outputs: Channels of the map it makes.
        kernel: Height and width.
        stride: Of the convolution.
        pool: Window and stride of the max pooling.
        first: Whether it reads images, whose channels are not filled up to whole registers.
        active: Whether an activation follows.
        dropout: Number of the layer in a dropout mask; 0 where nothing is dropped.
    """

    weight: int
    bias: int | None
    inputs: int
    map: tuple[int, int]
    outputs: int
    kernel: tuple[int, int]
    stride: int = 1
    pool: int = 1
    first: bool = False
    active: bool = True
    dropout: int = 0

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the map it makes, pooled."""
        height, width = (
            ((side - kernel) // self.stride + 1) // self.pool
            for side, kernel in zip(self.map, self.kernel, strict=True)
        )
        return height, width

    @property
    def pitch(self) -> int:
        """Floats from one pixel it reads to the next."""
        return self.inputs if self.first else full(self.inputs)

    @property
    def line(self) -> int:
        """Floats from one row of pixels it reads to the next; those of an image begin at a line."""
        row = self.map[1] * self.pitch
        return -(-row // IN_A_LINE) * IN_A_LINE if self.first else row

    @property
    def floats(self) -> int:
        """Floats of the map it reads."""
        return self.map[0] * self.line

    @property
    def second(self) -> int:
        """Where an image lies once more, half a cache line on.

        A register at a place that would lie across two lines in one copy does not in the other.
        """
        return self.floats + LANES

    @property
    def out_pitch(self) -> int:
        """Floats from one pixel it makes to the next."""
        return full(self.outputs)

    @property
    def size(self) -> int:
        """Floats of the map it makes."""
        return prod(self.out) * self.out_pitch

    @property
    def blocks(self) -> int:
        """Registers to the channels of a pixel it makes."""
        return self.out_pitch // LANES

    @property
    def chunks(self) -> int:
        """In how many parts a row of a kernel is read, so that each fits into registers."""
        return -(-full(self.kernel[1] * self.pitch) // (LANES * TILE * 3 // 4))

    @property
    def chunk(self) -> int:
        """Registers to each of these parts."""
        return -(-full(self.kernel[1] * self.pitch) // (LANES * self.chunks))

    @property
    def row(self) -> int:
        """Floats to a row of a kernel, filled up to whole parts."""
        return self.chunks * self.chunk * LANES

    @property
    def places(self) -> Int32[np.ndarray, "outputs inputs height width"]:
        """Where each weight lies in the flat vector."""
        shape = (self.outputs, self.inputs, *self.kernel)
        return np.arange(self.weight, self.weight + prod(shape), dtype=np.int32).reshape(shape)

    def by_output(self, nothing: int) -> Int32[np.ndarray, " floats"]:
        """Return which weight lies where for the forward pass: eight outputs side by side.

        Args:
            nothing: A place that holds zero, for outputs that only fill a register.
        """
        places = np.full((self.out_pitch, self.inputs, *self.kernel), nothing, np.int32)
        places[: self.outputs] = self.places
        by_block = places.reshape(self.blocks, LANES, self.inputs, *self.kernel)
        return by_block.transpose(0, 3, 2, 4, 1).ravel()

    def by_row(self, nothing: int) -> Int32[np.ndarray, "outputs height row"]:
        """Return which weight lies where for the backward pass: rows of a kernel, as maps lie.

        Args:
            nothing: A place that holds zero, for what only fills a register.
        """
        height, width = self.kernel
        rows = np.full((self.outputs, height, width, self.pitch), nothing, np.int32)
        rows[..., : self.inputs] = self.places.transpose(0, 2, 3, 1)
        filled = np.full((self.outputs, height, self.row), nothing, np.int32)
        filled[..., : width * self.pitch] = rows.reshape(self.outputs, height, -1)
        return filled

    def biases(self, nothing: int) -> Int32[np.ndarray, " out_pitch"]:
        """Return which bias belongs to each output."""
        places = np.full(self.out_pitch, nothing, np.int32)
        if self.bias is not None:
            places[: self.outputs] = self.bias + np.arange(self.outputs)
        return places

    @property
    def windows(self) -> Int32[np.ndarray, " floats"]:
        """Where the patch of each unit begins, before pooling chooses among several."""
        rows, columns = np.indices(self.out) * self.stride * self.pool
        begin = columns * self.pitch
        across = self.first & (begin % IN_A_LINE > LANES)
        places = rows * self.line + begin + np.where(across, self.second, 0)
        return np.repeat(places.ravel(), self.out_pitch).astype(np.int32)

    @property
    def pairs(self) -> Int64[np.ndarray, " pairs"]:
        """The number of each pair of units in a dropout mask, pixel by pixel."""
        pixels, taken = prod(self.out), -(-self.outputs // 2)
        numbers = np.zeros((pixels, self.out_pitch // 2), np.int64)
        numbers[:, :taken] = np.arange(pixels * taken).reshape(pixels, taken)
        return numbers.ravel()


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The mean of every channel of a map.

    Attributes:
        inputs: Channels.
        map: Height and width of what it reads.
    """

    inputs: int
    map: tuple[int, int]
    active: bool = False
    dropout: int = 0

    @property
    def windows(self) -> Int32[np.ndarray, " floats"]:
        """Zeros: it has no windows."""
        return np.zeros(self.size, np.int32)

    @property
    def pairs(self) -> Int64[np.ndarray, " pairs"]:
        """Zeros: nothing is dropped behind it."""
        return np.zeros(self.size // 2, np.int64)

    @property
    def size(self) -> int:
        """Floats of the map it makes."""
        return full(self.inputs)
