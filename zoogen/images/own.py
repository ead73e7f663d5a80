"""Images of your own: four arrays in one ``.npz`` or ``.safetensors`` file."""

import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from textwrap import shorten
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np
from jaxtyping import Float32, Integer

from zoogen.errors import ZooError
from zoogen.images.natural import scaled

OWN_FORMATS = (".npz", ".safetensors")
PARTS = ("train", "test")
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    BadZipFile,
    zlib.error,
)
"""What numpy and safetensors raise for files that are not what they should be."""


def own_arrays(path: Path) -> dict[str, Any]:
    """Read and check the four arrays of an image set.

    Images are ``[images, height, width]``, ``[images, channels, height, width]`` or
    ``[images, pixels]``. Bytes (uint8) are scaled to [-1, 1] like the public image sets,
    floating-point images are taken as they are. Labels are whole numbers; the classes are those of
    the train images, from 0 up without a gap.

    Raises:
        ZooError: If the file cannot be read, or an array is missing or of the wrong shape, type or
            range; the message names array and value.
    """
    arrays = read_arrays(path)
    checked: dict[str, Any] = {}
    for part in PARTS:
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        checked[f"{part}_images"] = checked_images(path, f"{part}_images", images)
        check_labels(path, f"{part}_labels", labels, len(images))
        checked[f"{part}_labels"] = labels.astype(np.int64)
    check_alike(path, *(arrays[f"{part}_images"] for part in PARTS))
    check_classes(path, *(arrays[f"{part}_labels"] for part in PARTS))
    return checked


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the four arrays and nothing else of a file; nothing in it is executed."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ZooError(f"{path} is no file; expected {' or '.join(OWN_FORMATS)}")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                return read_each(path, file.keys(), file.get_tensor)
        if not is_zipfile(path):
            raise BadZipFile("no zip archive, which .npz files are")
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return read_each(path, archive.files, archive.__getitem__)
    except (*DAMAGED, SafetensorError) as error:
        raise ZooError(
            f"{path} cannot be read ({error}); expected {' or '.join(OWN_FORMATS)} "
            f"with {', '.join(ARRAYS)}"
        ) from error


def read_each(
    path: Path, names: Collection[str], read: Callable[[str], np.ndarray]
) -> dict[str, np.ndarray]:
    """Read the four arrays, or name the first that is not there or cannot be read."""
    arrays = {}
    for name in ARRAYS:
        if name not in names:
            found = shorten(", ".join(sorted(names)) or "nothing", 200, placeholder=" …")
            raise ZooError(f"{path} has no {name}; it holds {found}, expected {', '.join(ARRAYS)}")
        try:
            arrays[name] = np.asarray(read(name))
        except DAMAGED as error:
            raise ZooError(
                f"{path}: {name} cannot be read ({error}); expected an array of numbers"
            ) from error
    return arrays


def checked_images(path: Path, name: str, images: np.ndarray) -> Float32[np.ndarray, "images ..."]:
    """Return images as the networks take them, those without channels with one."""
    if images.ndim not in {2, 3, 4} or images.size == 0:
        raise ZooError(
            f"{path}: {name} is {list(images.shape)}, expected [images, height, width], "
            "[images, channels, height, width] or [images, pixels], none of them 0"
        )
    if images.dtype == np.uint8:
        pixels = scaled(images)
    elif np.issubdtype(images.dtype, np.floating):
        with np.errstate(over="ignore"):  # becomes infinite, and is refused as such
            pixels = images.astype(np.float32, copy=False)
    else:
        raise ZooError(f"{path}: {name} is {images.dtype}, expected uint8 or floating point")
    finite = np.isfinite(pixels)
    if not finite.all():
        place = tuple(map(int, np.unravel_index(np.argmin(finite), finite.shape)))
        raise ZooError(
            f"{path}: {name}{list(place)} is {images[place]}, expected what float32 can hold"
        )
    return pixels[:, None] if pixels.ndim == 3 else pixels


def check_labels(path: Path, name: str, labels: np.ndarray, images: int) -> None:
    """Refuse what is not one whole number for each image."""
    if labels.shape != (images,):
        raise ZooError(
            f"{path}: {name} is {list(labels.shape)}, expected [{images}], one label per image"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ZooError(f"{path}: {name} is {labels.dtype}, expected whole numbers")


def check_alike(path: Path, train: np.ndarray, test: np.ndarray) -> None:
    """Refuse train and test images of different shapes, or of which only one is in bytes."""
    if train.shape[1:] != test.shape[1:]:
        raise ZooError(
            f"{path}: one image of train_images is {list(train.shape[1:])}, "
            f"one of test_images {list(test.shape[1:])}; expected the same"
        )
    if (train.dtype == np.uint8) != (test.dtype == np.uint8):
        raise ZooError(
            f"{path}: train_images is {train.dtype}, test_images {test.dtype}; expected both in "
            "bytes, which are scaled, or neither"
        )


def check_classes(
    path: Path, train: Integer[np.ndarray, " train"], test: Integer[np.ndarray, " test"]
) -> None:
    """Refuse classes that do not count from 0 up, and test images of a class never trained."""
    classes = np.unique(train)
    for expected, found in enumerate(classes):
        if found != expected:
            raise ZooError(
                f"{path}: train_labels has {found} where {expected} is expected: "
                "classes count from 0 up, without a gap"
            )
    last = len(classes) - 1
    for found in (test.min(), test.max()):
        if not 0 <= found <= last:
            raise ZooError(f"{path}: test_labels has {found}, expected 0 to {last} as in training")
