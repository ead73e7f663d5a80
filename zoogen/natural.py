"""The public image sets: MNIST, Fashion-MNIST, CIFAR-10 and SVHN, as torchvision reads them.

What is done to the pixels is fixed here once: grey, crop, and one constant mean and scale.
"""

import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, UInt8

from zoogen.errors import ZooError
from zoogen.places import cache_folder

log = logging.getLogger(__name__)

LUMA = (0.299, 0.587, 0.114)
"""ITU-R 601 weights of red, green and blue, those of torchvision's ``Grayscale``."""

MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
FASHION_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}

Source = Literal["MNIST", "FashionMNIST", "CIFAR10", "SVHN"]


@dataclass(frozen=True, kw_only=True)
class Natural:
    """One way to look at a public image set.

    Attributes:
        source: Class of ``torchvision.datasets``.
        grey: How colour becomes one channel: the ``mean`` of red, green and blue, as Unterthiner
            et al. 2020, or their ``luma``.
        crop: Side of the centre that is kept, in pixels; None keeps all.
        mean: Subtracted from pixels in [0, 1].
        std: What is left is divided by.
        classes: Number of labels.
    """

    source: Source
    grey: Literal["mean", "luma"] = "mean"
    crop: int | None = None
    mean: float = 0.5
    std: float = 0.5
    classes: int = 10


NATURAL = {
    "mnist": Natural(source="MNIST"),
    "fashion-mnist": Natural(source="FashionMNIST"),
    "svhn-28": Natural(source="SVHN", grey="luma", crop=28),
    "cifar10-grey": Natural(source="CIFAR10"),
    "svhn-grey": Natural(source="SVHN"),
}


def natural_arrays(natural: Natural, root: Path | None) -> dict[str, Any]:
    """Read train and test images, ``[images, 1, height, width]`` float32, and their labels.

    Args:
        natural: Which, and how.
        root: Folder that holds them, or None for ``$ZOOGEN_IMAGES`` or the cache.

    Raises:
        ZooError: If a file is missing or not the published one and cannot be downloaded.
    """
    from torchvision import datasets

    place = image_root(root)
    if faults(natural.source, place):
        fetch(natural.source, place, allowed=root is None and "ZOOGEN_IMAGES" not in os.environ)
    opener = getattr(datasets, natural.source)
    arrays: dict[str, Any] = {}
    for part in ("train", "test"):
        which = {"split": part} if natural.source == "SVHN" else {"train": part == "train"}
        opened = opener(place, **which)
        labels = opened.labels if natural.source == "SVHN" else opened.targets
        arrays[f"{part}_images"] = prepared(natural, channels_first(np.asarray(opened.data)))
        arrays[f"{part}_labels"] = np.asarray(labels, dtype=np.int64)
    return arrays


def image_root(root: Path | None) -> Path:
    """Return where the public image sets are: as asked, ``$ZOOGEN_IMAGES``, or the cache."""
    return root or Path(os.environ.get("ZOOGEN_IMAGES") or cache_folder() / "images").expanduser()


def channels_first(pixels: UInt8[np.ndarray, "images ..."]) -> UInt8[np.ndarray, "images _c _h _w"]:
    """Bring torchvision's three ways of keeping pixels to one."""
    if pixels.ndim == 3:
        return pixels[:, None]
    return pixels.transpose(0, 3, 1, 2) if pixels.shape[-1] == 3 else pixels


def prepared(
    natural: Natural, pixels: UInt8[np.ndarray, "images _c _h _w"]
) -> Float32[np.ndarray, "images 1 height width"]:
    """Turn bytes into what the networks see: grey, cropped, normalised."""
    if natural.crop is not None:
        top = (pixels.shape[2] - natural.crop) // 2
        left = (pixels.shape[3] - natural.crop) // 2
        pixels = pixels[:, :, top : top + natural.crop, left : left + natural.crop]
    if pixels.shape[1] == 1:
        grey = pixels.astype(np.float32)
    else:
        shares = LUMA if natural.grey == "luma" else (1 / 3, 1 / 3, 1 / 3)
        colours = np.moveaxis(pixels, 1, -1).astype(np.float32)
        grey = (colours @ np.array(shares, np.float32))[:, None]
    grey /= 255
    grey -= natural.mean
    grey /= natural.std
    return grey


def published_files(source: Source) -> Mapping[str, str]:
    """Name the files torchvision reads below its root, and the MD5 each was published with."""
    from torchvision import datasets

    if source in {"MNIST", "FashionMNIST"}:
        known = MNIST_MD5 if source == "MNIST" else FASHION_MD5
        return {f"{source}/raw/{name}": md5 for name, md5 in known.items()}
    if source == "CIFAR10":
        cifar = datasets.CIFAR10
        folder = cifar.base_folder
        listed = [*cifar.train_list, *cifar.test_list, [cifar.meta["filename"], cifar.meta["md5"]]]
        return {f"{folder}/{name}": md5 for name, md5 in listed}
    return {
        name: md5 for _, name, md5 in (datasets.SVHN.split_list[at] for at in ("train", "test"))
    }


def faults(source: Source, root: Path) -> list[str]:
    """Say of every file that is missing or not the published one what is wrong with it."""
    found = []
    for name, expected in published_files(source).items():
        path = root / name
        if not path.is_file():
            found.append(f"{path} is missing, expected the published file with MD5 {expected}")
        elif (md5 := md5_of(path)) != expected:
            found.append(f"{path} is damaged: MD5 {md5}, expected {expected}")
    return found


def md5_of(path: Path) -> str:
    """Hash a file as the image sets' authors did."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def fetch(source: Source, root: Path, *, allowed: bool) -> None:
    """Download an image set, or say how to get it; a folder the user named is only read.

    Raises:
        ZooError: If that is not allowed or fails, or what arrived is not what was published.
    """
    from torchvision import datasets

    (first, *others) = faults(source, root)
    more = f" (and {len(others)} more)" if others else ""
    way_out = (
        f'to download it there: python -c "from torchvision.datasets import {source} as D; '
        f'{arguments(source)}"; to use another folder: --images or ZOOGEN_IMAGES'
    ).replace("ROOT", str(root))
    if not allowed:
        raise ZooError(f"{first}{more}; {way_out}")
    log.warning("downloading %s to %s", source, root)
    try:
        for name in published_files(source):
            (root / name).unlink(missing_ok=True)
        for part in ("train", "test") if source == "SVHN" else (None,):
            getattr(datasets, source)(root, download=True, **({"split": part} if part else {}))
    except (OSError, RuntimeError) as error:
        raise ZooError(f"{first}{more}; the download failed ({error}); {way_out}") from error
    if wrong := faults(source, root):
        raise ZooError(f"{wrong[0]}, after the download; {way_out}")


def arguments(source: Source) -> str:
    """Return the Python that downloads every part of an image set to ROOT."""
    if source == "SVHN":
        return "[D('ROOT', split=s, download=True) for s in ('train', 'test')]"
    return "D('ROOT', download=True)"
