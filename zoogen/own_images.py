"""Images of your own: four arrays in one ``.npz`` or ``.safetensors`` file."""

from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.errors import ZooError

OWN_FORMATS = (".npz", ".safetensors")
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


def own_arrays(path: Path) -> dict[str, Any]:
    """Read and check the four arrays of an image set.

    Images are ``[images, height, width]``, ``[images, channels, height, width]`` or
    ``[images, pixels]``. Bytes (uint8) are scaled to [-1, 1], floating-point images are taken as
    they are. Labels are whole numbers from 0 to the number of classes less 1.

    Raises:
        ZooError: If the file cannot be read, or an array is missing or of the wrong shape, type or
            range; the message names array and value.
    """
    arrays = read_arrays(path)
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise ZooError(
            f"{path} has no {missing[0]}; it holds {', '.join(sorted(arrays)) or 'nothing'}, "
            f"expected {', '.join(ARRAYS)}"
        )
    checked: dict[str, Any] = {}
    for part in ("train", "test"):
        images = checked_images(path, f"{part}_images", arrays[f"{part}_images"])
        labels = checked_labels(path, f"{part}_labels", arrays[f"{part}_labels"], len(images))
        checked |= {f"{part}_images": images, f"{part}_labels": labels}
    train, test = (checked[f"{part}_images"].shape[1:] for part in ("train", "test"))
    if train != test:
        raise ZooError(f"{path}: train images are {list(train)}, test images {list(test)}")
    classes = checked["train_labels"].max() + 1
    if checked["test_labels"].max() >= classes:
        raise ZooError(
            f"{path}: test_labels has {checked['test_labels'].max()}, "
            f"train_labels only 0 to {classes - 1}"
        )
    return checked


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a file, executing nothing."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with np.load(path, allow_pickle=False) as archive:
            return dict(archive)
    except (OSError, ValueError, TypeError, BadZipFile, SafetensorError) as error:
        raise ZooError(
            f"{path} cannot be read ({error}); expected {' or '.join(OWN_FORMATS)} "
            f"with {', '.join(ARRAYS)}"
        ) from error


def checked_images(path: Path, name: str, images: np.ndarray) -> Float32[np.ndarray, "images ..."]:
    """Return images as the networks take them."""
    shape = list(images.shape)
    if images.ndim not in {2, 3, 4} or images.size == 0:
        raise ZooError(
            f"{path}: {name} is {shape}, expected [images, height, width], "
            "[images, channels, height, width] or [images, pixels], none of them 0"
        )
    if images.dtype == np.uint8:
        scaled = images.astype(np.float32) / np.float32(127.5) - 1
    elif np.issubdtype(images.dtype, np.floating):
        scaled = images.astype(np.float32)
    else:
        raise ZooError(f"{path}: {name} is {images.dtype}, expected uint8 or floating point")
    if not np.isfinite(scaled).all():
        raise ZooError(f"{path}: {name} holds a number that is not finite")
    return scaled[:, None] if scaled.ndim == 3 else scaled


def checked_labels(
    path: Path, name: str, labels: np.ndarray, images: int
) -> Int64[np.ndarray, " images"]:
    """Return labels as the networks take them."""
    if labels.shape != (images,):
        raise ZooError(
            f"{path}: {name} is {list(labels.shape)}, expected [{images}], one per image"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ZooError(f"{path}: {name} is {labels.dtype}, expected whole numbers")
    if labels.min() < 0:
        raise ZooError(f"{path}: {name} holds {labels.min()}, expected 0 or more")
    return labels.astype(np.int64)
