"""Shards: the weights of a run of models as one float32 tensor in one safetensors file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from zoogen.errors import IntegrityError
from zoogen.spec.layout import Layout
from zoogen.tensors import save_tensors

TENSOR = "weights"
LARGEST_HEADER = 1 << 20


def shard_name(number: int) -> str:
    """Return the path of a shard inside the folder of its zoo."""
    return f"weights/{number:05d}.safetensors"


def write_shard(
    path: Path, weights: Float32[np.ndarray, "snapshots params"], layout: Layout
) -> None:
    """Write one shard atomically, with the layout in its header.

    The same weights give the same bytes. That needs a single entry of metadata, because safetensors
    writes several in random order.
    """
    save_tensors(path, {TENSOR: weights}, {"layout": json.dumps(layout.shapes)})


def map_shard(path: Path, rows: int, params: int) -> Float32[np.ndarray, "rows params"]:
    """Map the tensor of a shard into memory, read-only.

    The safetensors library would copy it; the header is simple enough to find the tensor directly.

    Raises:
        IntegrityError: If the file is missing, or does not hold ``[rows, params]`` float32.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
            size = int.from_bytes(head, "little")
            head += file.read(min(size, LARGEST_HEADER))
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} is missing; build or fetch the zoo again") from error
    check_header(head, path.stat().st_size, rows, params, named=str(path))
    mapped = np.memmap(path, np.float32, "r", 8 + size, (rows, params))
    return np.asarray(mapped)


def check_header(head: bytes, size: int, rows: int, params: int, *, named: str) -> None:
    """Refuse a shard whose header does not describe a ``[rows, params]`` float32 tensor.

    Args:
        head: Beginning of the file, with the whole header unless that is too long.
        size: Size of the whole file, in bytes.
        rows: Expected number of rows.
        params: Expected number of weights in a row.
        named: Name of the file, for the message.

    Raises:
        IntegrityError: If the header or the size of the file is not the expected one.
    """
    expected = {"dtype": "F32", "shape": [rows, params], "data_offsets": [0, rows * params * 4]}
    header_bytes = int.from_bytes(head[:8], "little")
    if header_bytes > LARGEST_HEADER:
        raise IntegrityError(
            f"{named}: the header has {header_bytes} bytes, expected at most {LARGEST_HEADER}"
        )
    try:
        header = json.loads(head[8 : 8 + header_bytes])
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{named}: not a safetensors file ({error})") from error
    found = header.get(TENSOR) if isinstance(header, dict) else None
    if found != expected:
        raise IntegrityError(f"{named}: holds {found}, the manifest names {expected}")
    wanted = 8 + header_bytes + rows * params * 4
    if size != wanted:
        raise IntegrityError(
            f"{named}: {size} bytes, expected {wanted}; it is truncated or altered"
        )


@dataclass(frozen=True)
class MappedShard:
    """The file and shape of a mapped array, with which another process can map it too."""

    path: Path
    rows: int
    params: int

    def map(self) -> Float32[np.ndarray, "rows params"]:
        """Map the shard in this process."""
        return map_shard(self.path, self.rows, self.params)


def mapped_shard(array: Any) -> MappedShard | None:
    """Return the file behind an array from ``map_shard``, or None for any other array."""
    base = getattr(array, "base", None)
    if not isinstance(base, np.memmap) or base.filename is None or base.shape != array.shape:
        return None
    return MappedShard(Path(base.filename), *base.shape)
