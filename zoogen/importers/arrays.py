"""Reads the weights in a ``.npy`` file, a few rows at a time."""

import re
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from jaxtyping import Float32
from numpy.lib import format as npy

from zoogen.errors import IntegrityError
from zoogen.importers.sources import KIB, Member

LARGEST_HEADER = 64 * KIB
BLOCK_BYTES = 4 << 20
READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def float_rows(member: Member, columns: int) -> int:
    """Read the header of a ``.npy`` file of float32 rows and return the number of rows.

    Raises:
        IntegrityError: If the header is too large, does not describe float32 ``[rows, columns]``
            in C order, or disagrees with the size of the file.
    """
    start = member.read(8)
    version, width = (start[6:7] + start[7:8]), 2 if start[6:7] == b"\x01" else 4
    if start[:6] != b"\x93NUMPY" or tuple(version) not in READERS:
        raise IntegrityError(
            f"{member} is not a .npy file of version 1 or 2; it starts with {start!r}"
        )
    length = member.read(width)
    header = int.from_bytes(length, "little")
    if header > LARGEST_HEADER:
        raise IntegrityError(
            f"{member} has a header of {header} bytes, expected at most {LARGEST_HEADER}"
        )
    text = member.read(header)
    try:
        shape, fortran, dtype = READERS[version[0], version[1]](BytesIO(length + text))
    except ValueError as error:
        what = re.sub(r"\s+", " ", str(error))[:200]
        raise IntegrityError(f"{member} has an unreadable header: {what}") from error
    if len(shape) != 2 or shape[1] != columns or fortran or dtype != np.dtype("<f4"):
        order = "Fortran" if fortran else "C"
        raise IntegrityError(
            f"{member} holds {dtype} {list(shape)} in {order} order, "
            f"expected float32 [rows, {columns}] in C order"
        )
    rows, holds = int(shape[0]), member.size - len(start) - width - header
    if rows * columns * 4 != holds:
        raise IntegrityError(
            f"{member} declares {rows} rows of {columns} float32, {rows * columns * 4} bytes, "
            f"but holds {holds}; it is truncated or altered, get the file again"
        )
    return rows


def row_blocks(
    member: Member, rows: int, columns: int
) -> Iterator[Float32[np.ndarray, "_rows columns"]]:
    """Yield the rows after the header, a few megabytes at a time; the next block reuses the memory.

    Raises:
        IntegrityError: If the file ends early.
    """
    some = max(1, BLOCK_BYTES // (4 * columns))
    buffer = np.empty((some, columns), "<f4")
    for first in range(0, rows, some):
        block = buffer[: min(some, rows - first)]
        member.into(memoryview(block.data).cast("B"))
        yield block
