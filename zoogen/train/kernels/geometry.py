"""The layers of a network as kernels see them: convolutions, and the places of their numbers.

A fully connected layer is a convolution whose kernel is as large as its map. Maps lie in memory row
by row, pixel by pixel, with the channels of a pixel side by side.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from jaxtyping import Int32, Int64

from zoogen.train.kernels.widths import IN_A_LINE, LANES, full

TILE = 8
"""Most registers of sums held at once: an AVX2 processor has sixteen registers."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One convolution with its pooling.

    Attributes:
        weight: Place of the first weight in the flat vector, ``[outputs, inputs, height, width]``.
        bias: Place of the first bias; None without biases.
        inputs: Channels of the map it reads.
        map: Height and width of that map.
        outputs: Channels of its own map.
        kernel: Height and width of its kernels.
        stride: Stride of the convolution.
        pool: Window and stride of max pooling.
        first: Whether it reads images; their channels are not padded to whole registers.
        active: Whether an activation follows.
        dropout: Number of the layer in a dropout mask; 0 without dropout.
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
        """Height and width of its own map, pooled."""
        height, width = (
            ((side - kernel) // self.stride + 1) // self.pool
            for side, kernel in zip(self.map, self.kernel, strict=True)
        )
        return height, width

    @property
    def pitch(self) -> int:
        """Floats from one pixel to the next in the map it reads."""
        return self.inputs if self.first else full(self.inputs)

    @property
    def line(self) -> int:
        """Floats from one row to the next in the map it reads; image rows fill cache lines."""
        row = self.map[1] * self.pitch
        return -(-row // IN_A_LINE) * IN_A_LINE if self.first else row

    @property
    def floats(self) -> int:
        """Floats of the map it reads."""
        return self.map[0] * self.line

    @property
    def second(self) -> int:
        """Place of the image's second copy, shifted by half a cache line.

        A register that would cross two cache lines in one copy does not in the other.
        """
        return self.floats + LANES

    @property
    def out_pitch(self) -> int:
        """Floats from one pixel to the next in its own map."""
        return full(self.outputs)

    @property
    def size(self) -> int:
        """Floats of its own map."""
        return prod(self.out) * self.out_pitch

    @property
    def blocks(self) -> int:
        """Registers for the channels of a pixel in its own map."""
        return self.out_pitch // LANES

    @property
    def chunks(self) -> int:
        """Number of chunks that a row of a kernel is read in; each fits into registers."""
        return -(-full(self.kernel[1] * self.pitch) // (LANES * TILE * 3 // 4))

    @property
    def chunk(self) -> int:
        """Registers of each chunk."""
        return -(-full(self.kernel[1] * self.pitch) // (LANES * self.chunks))

    @property
    def row(self) -> int:
        """Floats of a row of a kernel, padded to whole chunks."""
        return self.chunks * self.chunk * LANES

    @property
    def places(self) -> Int32[np.ndarray, "outputs inputs height width"]:
        """Place of each weight in the flat vector."""
        shape = (self.outputs, self.inputs, *self.kernel)
        return np.arange(self.weight, self.weight + prod(shape), dtype=np.int32).reshape(shape)

    def by_output(self, nothing: int) -> Int32[np.ndarray, " floats"]:
        """Return the order of the weights for the forward pass: eight outputs side by side.

        Args:
            nothing: A place that holds zero, for outputs that pad a register.
        """
        places = np.full((self.out_pitch, self.inputs, *self.kernel), nothing, np.int32)
        places[: self.outputs] = self.places
        by_block = places.reshape(self.blocks, LANES, self.inputs, *self.kernel)
        return by_block.transpose(0, 3, 2, 4, 1).ravel()

    def by_row(self, nothing: int) -> Int32[np.ndarray, "outputs height row"]:
        """Return the order of the weights for the backward pass: row by row, as in a map.

        Args:
            nothing: A place that holds zero, for padding.
        """
        height, width = self.kernel
        rows = np.full((self.outputs, height, width, self.pitch), nothing, np.int32)
        rows[..., : self.inputs] = self.places.transpose(0, 2, 3, 1)
        filled = np.full((self.outputs, height, self.row), nothing, np.int32)
        filled[..., : width * self.pitch] = rows.reshape(self.outputs, height, -1)
        return filled

    def biases(self, nothing: int) -> Int32[np.ndarray, " out_pitch"]:
        """Return the place of each output's bias."""
        places = np.full(self.out_pitch, nothing, np.int32)
        if self.bias is not None:
            places[: self.outputs] = self.bias + np.arange(self.outputs)
        return places

    @property
    def windows(self) -> Int32[np.ndarray, " floats"]:
        """Place where the patch of each unit begins, before pooling chooses among several."""
        rows, columns = np.indices(self.out) * self.stride * self.pool
        begin = columns * self.pitch
        across = self.first & (begin % IN_A_LINE > LANES)
        places = rows * self.line + begin + np.where(across, self.second, 0)
        return np.repeat(places.ravel(), self.out_pitch).astype(np.int32)

    @property
    def pairs(self) -> Int64[np.ndarray, " pairs"]:
        """Number of each pair of units in a dropout mask, pixel by pixel."""
        pixels, taken = prod(self.out), -(-self.outputs // 2)
        numbers = np.zeros((pixels, self.out_pitch // 2), np.int64)
        numbers[:, :taken] = np.arange(pixels * taken).reshape(pixels, taken)
        return numbers.ravel()


@dataclass(frozen=True, kw_only=True)
class Mean:
    """The mean of every channel of a map.

    Attributes:
        inputs: Channels of the map it reads.
        map: Height and width of that map.
        active: Always false: no activation follows.
        dropout: Always 0: nothing is dropped.
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
        """Zeros: nothing is dropped."""
        return np.zeros(self.size // 2, np.int64)

    @property
    def size(self) -> int:
        """Floats of its own map."""
        return full(self.inputs)
