"""Atomic writing of safetensors files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from zoogen.atomic import atomic_path


def save_tensors(
    path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file atomically.

    Raises:
        ZooError: If the folder cannot be written or is full; no temporary file remains.
    """
    arrays = {name: np.require(tensor, requirements="C") for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(arrays, temporary, metadata=dict(metadata))
        except SafetensorError as error:  # wraps an OSError without its error number
            raise OSError(str(error)) from error
