"""Shards: a fixed run of models as one float32 tensor in one safetensors file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError
from safetensors.numpy import save_file

from zoogen.atomic import atomic_path
from zoogen.errors import IntegrityError
from zoogen.spec.layout import Layout

TENSOR = "weights"
LARGEST_HEADER = 1 << 20


def shard_name(number: int) -> str:
    """Path of a shard inside its zoo's folder."""
    return f"weights/{number:05d}.safetensors"


def write_shard(
    path: Path, weights: Float32[np.ndarray, "snapshots params"], layout: Layout
) -> None:
    """Write one shard atomically, its layout in the header so that the file explains itself.

    The same weights give the same bytes: hence a single entry of metadata, for safetensors writes
    several in an order of chance.
    """
    save_tensors(path, {TENSOR: weights}, {"layout": json.dumps(layout.shapes)})


def save_tensors(
    path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file atomically.

    Raises:
        ZooError: If the folder cannot be written or is full; nothing is left behind.
    """
    arrays = {name: np.require(tensor, requirements="C") for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(arrays, temporary, metadata=dict(metadata))
        except SafetensorError as error:  # of the file system: what it says is all there is
            raise OSError(str(error)) from error


def map_shard(path: Path, rows: int, params: int) -> Float32[np.ndarray, "rows params"]:
    """Map a shard's tensor into memory, read-only, copying nothing.

    The safetensors library copies into numpy; the header is simple enough to map by.

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
    """Refuse a shard whose beginning does not say that it holds ``[rows, params]`` float32.

    Args:
        head: The beginning of the file, the header in full unless it is too long.
        size: Bytes of the whole file.
        rows: How many there must be.
        params: Of each row.
        named: What the file is called in a message.

    Raises:
        IntegrityError: If it says anything else, or the file has not the size for it.
    """
    expected = {"dtype": "F32", "shape": [rows, params], "data_offsets": [0, rows * params * 4]}
    header_bytes = int.from_bytes(head[:8], "little")
    if header_bytes > LARGEST_HEADER:
        raise IntegrityError(f"{named}: a header of {header_bytes} bytes is no shard's")
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
    """Which file an array is a map of: what another process needs to map it too."""

    path: Path
    rows: int
    params: int

    def map(self) -> Float32[np.ndarray, "rows params"]:
        """Map it here."""
        return map_shard(self.path, self.rows, self.params)


def mapped_shard(array: Any) -> MappedShard | None:
    """Return what ``map_shard`` has mapped, or None if the array is something else."""
    base = getattr(array, "base", None)
    if not isinstance(base, np.memmap) or base.filename is None or base.shape != array.shape:
        return None
    return MappedShard(Path(base.filename), *base.shape)
