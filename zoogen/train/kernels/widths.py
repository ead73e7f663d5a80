"""The width of a register, and arrays that begin at a cache line."""

from math import prod

import numpy as np

LANES = 8
"""Floats in a register, the same on every processor: sums keep their order."""

LINE = 64
"""Bytes of a cache line; a register that crosses two of them takes twice as long to store."""

IN_A_LINE = LINE // 4
"""Floats of a cache line."""


def full(length: int) -> int:
    """Round a number of floats up to whole registers."""
    return -(-length // LANES) * LANES


def zeros(*shape: int) -> np.ndarray:
    """Return float32 zeros that begin at a cache line."""
    size = prod(shape) * 4
    room = np.zeros(size + LINE, np.uint8)
    begin = -room.ctypes.data % LINE
    return room[begin : begin + size].view(np.float32).reshape(shape)
