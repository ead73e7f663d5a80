"""Your own images: four arrays in one ``.npz`` or ``.safetensors`` file."""

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
PORTIONS = ("train", "test")
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")
READ_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    MemoryError,
    BadZipFile,
    zlib.error,
)
"""Errors that numpy and safetensors raise for damaged files."""


def own_arrays(path: Path) -> dict[str, Any]:
    """Read and check the four arrays of an image set.

    Images are ``[images, height, width]``, ``[images, channels, height, width]`` or
    ``[images, pixels]``. Bytes (uint8) are scaled to [-1, 1] like the public image sets,
    floating-point images are not changed. Labels are whole numbers; those of the train images
    define the classes, which count up from 0 without a gap.

    Raises:
        ZooError: If the file cannot be read, or an array is missing or has the wrong shape, type or
            range; the message names the array and the value.
    """
    arrays = read_arrays(path)
    checked: dict[str, Any] = {}
    for portion in PORTIONS:
        images, labels = arrays[f"{portion}_images"], arrays[f"{portion}_labels"]
        checked[f"{portion}_images"] = checked_images(path, f"{portion}_images", images)
        check_labels(path, f"{portion}_labels", labels, len(images))
        checked[f"{portion}_labels"] = labels.astype(np.int64)
    check_alike(path, *(arrays[f"{portion}_images"] for portion in PORTIONS))
    check_classes(path, *(arrays[f"{portion}_labels"] for portion in PORTIONS))
    return checked


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read only the four arrays of a file, without executing code from it."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ZooError(f"{path} is not a file; expected {' or '.join(OWN_FORMATS)}")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="numpy") as file:
                return read_each(path, file.keys(), file.get_tensor)
        if not is_zipfile(path):
            raise BadZipFile("not a zip archive, as .npz files are")
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return read_each(path, archive.files, archive.__getitem__)
    except (*READ_ERRORS, SafetensorError) as error:
        raise ZooError(
            f"{path} cannot be read ({error}); expected {' or '.join(OWN_FORMATS)} "
            f"with {', '.join(ARRAYS)}"
        ) from error


def read_each(
    path: Path, names: Collection[str], read: Callable[[str], np.ndarray]
) -> dict[str, np.ndarray]:
    """Read the four arrays; on failure, name the first that is missing or cannot be read."""
    arrays = {}
    for name in ARRAYS:
        if name not in names:
            found = shorten(", ".join(sorted(names)) or "nothing", 200, placeholder=" …")
            raise ZooError(f"{path} has no {name}; it holds {found}, expected {', '.join(ARRAYS)}")
        try:
            arrays[name] = np.asarray(read(name))
        except READ_ERRORS as error:
            raise ZooError(
                f"{path}: {name} cannot be read ({error}); expected an array of numbers"
            ) from error
    return arrays


def checked_images(path: Path, name: str, images: np.ndarray) -> Float32[np.ndarray, "images ..."]:
    """Return the images as finite float32, with one channel if they had none."""
    if images.ndim not in {2, 3, 4} or images.size == 0:
        raise ZooError(
            f"{path}: {name} is {list(images.shape)}, expected [images, height, width], "
            "[images, channels, height, width] or [images, pixels], without empty axes"
        )
    if images.dtype == np.uint8:
        pixels = scaled(images)
    elif np.issubdtype(images.dtype, np.floating):
        with np.errstate(over="ignore"):  # overflow becomes infinite and is refused below
            pixels = images.astype(np.float32, copy=False)
    else:
        raise ZooError(f"{path}: {name} is {images.dtype}, expected uint8 or floating point")
    finite = np.isfinite(pixels)
    if not finite.all():
        place = tuple(map(int, np.unravel_index(np.argmin(finite), finite.shape)))
        raise ZooError(
            f"{path}: {name}{list(place)} is {images[place]}, expected a finite float32 number"
        )
    return pixels[:, None] if pixels.ndim == 3 else pixels


def check_labels(path: Path, name: str, labels: np.ndarray, images: int) -> None:
    """Refuse labels that are not one whole number per image."""
    if labels.shape != (images,):
        raise ZooError(
            f"{path}: {name} is {list(labels.shape)}, expected [{images}], one label per image"
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ZooError(f"{path}: {name} is {labels.dtype}, expected whole numbers")


def check_alike(path: Path, train: np.ndarray, test: np.ndarray) -> None:
    """Refuse train and test images of different shapes, or bytes mixed with floats."""
    if train.shape[1:] != test.shape[1:]:
        raise ZooError(
            f"{path}: one image of train_images is {list(train.shape[1:])}, "
            f"one of test_images {list(test.shape[1:])}; expected the same"
        )
    if (train.dtype == np.uint8) != (test.dtype == np.uint8):
        raise ZooError(
            f"{path}: train_images is {train.dtype}, test_images {test.dtype}; expected both as "
            "uint8, which is scaled, or neither"
        )


def check_classes(
    path: Path, train: Integer[np.ndarray, " train"], test: Integer[np.ndarray, " test"]
) -> None:
    """Refuse classes that do not count up from 0, and test classes without train images."""
    classes = np.unique(train)
    for expected, found in enumerate(classes):
        if found != expected:
            raise ZooError(
                f"{path}: train_labels has {found} where {expected} is expected: "
                "classes must count up from 0 without a gap"
            )
    last = len(classes) - 1
    for found in (test.min(), test.max()):
        if not 0 <= found <= last:
            raise ZooError(
                f"{path}: test_labels has {found}, expected 0 to {last} as in train_labels"
            )
