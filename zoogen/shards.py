"""Shards: a fixed run of models as one float32 tensor in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError
from safetensors.numpy import save_file

from zoogen.atomic import atomic_path
from zoogen.errors import IntegrityError
from zoogen.layout import Layout

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
    expected = {"dtype": "F32", "shape": [rows, params], "data_offsets": [0, rows * params * 4]}
    try:
        with path.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            if header_bytes > LARGEST_HEADER:
                raise IntegrityError(f"{path}: a header of {header_bytes} bytes is no shard's")
            header = json.loads(file.read(header_bytes))
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} is missing; build or fetch the zoo again") from error
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a safetensors file ({error})") from error
    found = header.get(TENSOR) if isinstance(header, dict) else None
    if found != expected:
        raise IntegrityError(f"{path}: holds {found}, the manifest names {expected}")
    size, wanted = path.stat().st_size, 8 + header_bytes + rows * params * 4
    if size != wanted:
        raise IntegrityError(f"{path}: {size} bytes, expected {wanted}; it is truncated or altered")
    mapped = np.memmap(path, np.float32, "r", 8 + header_bytes, (rows, params))
    return np.asarray(mapped)
