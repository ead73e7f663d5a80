"""Public image sets: MNIST, Fashion-MNIST, CIFAR-10 and SVHN, read by torchvision.

Images are cropped to the centre (some sets), reduced to one channel and scaled to [-1, 1], see
``docs/decisions/0008-images.md``. Every step is exact or rounded once, so that an image set has
the same checksum on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, UInt8

from zoogen.images.public import Source, published_root

MEAN = 0.5
STD = 0.5
"""``MEAN`` is subtracted from pixels in [0, 1]; ``STD`` divides the difference."""

LUMA = (19595, 38470, 7471)
"""ITU-R 601 weights of red, green and blue, times 65536: 0.299, 0.587 and 0.114."""

CHUNK = 1024
"""Number of images prepared at a time."""

Grey = Literal["mean", "luma"]
Portion = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class Natural:
    """A public image set and how to prepare it.

    Attributes:
        source: Name of the set in ``torchvision.datasets``.
        grey: How colours become one channel: by their ``mean`` (Unterthiner et al. 2020) or their
            ``luma`` in whole grey levels, as in ``torchvision.transforms.Grayscale``.
        crop: Side of the central crop, in pixels; None keeps the whole image.
        mean: Number subtracted from pixels in [0, 1].
        std: Divisor of the difference.
        classes: Number of classes.
    """

    source: Source
    grey: Grey = "mean"
    crop: int | None = None
    mean: float = MEAN
    std: float = STD
    classes: int = 10


NATURAL = {
    "mnist": Natural(source="MNIST"),
    "mnist-standard": Natural(source="MNIST", mean=0.1307, std=0.3081),
    "fashion-mnist": Natural(source="FashionMNIST"),
    "svhn-28": Natural(source="SVHN", grey="luma", crop=28),
    "cifar10-grey": Natural(source="CIFAR10"),
    "svhn-grey": Natural(source="SVHN"),
}


def natural_arrays(natural: Natural, root: Path | None) -> dict[str, Any]:
    """Read train and test images, ``[images, 1, height, width]`` float32, and their labels.

    Args:
        natural: Image set and how to prepare it.
        root: Folder that holds the set; None for the cache, see ``zoogen.images.public``.

    Raises:
        ZooError: If a file is missing or damaged and cannot be downloaded.
    """
    place = published_root(natural.source, root)
    arrays: dict[str, Any] = {}
    portions: tuple[Portion, ...] = ("train", "test")
    for portion in portions:
        pixels, labels = read_portion(natural.source, place, portion)
        arrays[f"{portion}_images"] = prepared(natural, channels_first(pixels))
        arrays[f"{portion}_labels"] = np.asarray(labels, dtype=np.int64)
    return arrays


def read_portion(
    source: Source, root: Path, portion: Portion
) -> tuple[UInt8[np.ndarray, "..."], Any]:
    """Read pixels and labels with torchvision from files whose MD5 was checked.

    CIFAR-10 is published as pickles; torchvision checks their MD5 again before it opens them.
    """
    from torchvision import datasets
    from torchvision.datasets.mnist import read_image_file, read_label_file

    if source == "CIFAR10":
        cifar = datasets.CIFAR10(root, train=portion == "train")
        return cifar.data, cifar.targets
    if source == "SVHN":
        svhn = datasets.SVHN(root, split=portion)
        return svhn.data, svhn.labels
    # ``datasets.MNIST`` would prefer files that an old torchvision left beside the published ones.
    folder, name = root / source / "raw", "train" if portion == "train" else "t10k"
    images = read_image_file(str(folder / f"{name}-images-idx3-ubyte"))
    return images.numpy(), read_label_file(str(folder / f"{name}-labels-idx1-ubyte")).numpy()


def channels_first(pixels: UInt8[np.ndarray, "images ..."]) -> UInt8[np.ndarray, "images _c _h _w"]:
    """Convert any of torchvision's three pixel layouts to channels first."""
    if pixels.ndim == 3:
        return pixels[:, None]
    return pixels.transpose(0, 3, 1, 2) if pixels.shape[-1] == 3 else pixels


def prepared(
    natural: Natural, pixels: UInt8[np.ndarray, "images _c _h _w"]
) -> Float32[np.ndarray, "images 1 height width"]:
    """Crop, grey and scale images, a few at a time to save memory."""
    cropped = centre(pixels, natural.crop) if natural.crop else pixels
    images = np.empty((len(cropped), 1, *cropped.shape[2:]), np.float32)
    for start in range(0, len(cropped), CHUNK):
        some = cropped[start : start + CHUNK]
        grey = GREYS[natural.grey](some) if some.shape[1] == 3 else some
        images[start : start + CHUNK] = scaled(grey, natural.mean, natural.std)
    return images


def centre(
    pixels: UInt8[np.ndarray, "images _c _h _w"], side: int
) -> UInt8[np.ndarray, "images _c side side"]:
    """Return a view of the centre, as ``torchvision.transforms.CenterCrop`` crops it."""
    top, left = (round((length - side) / 2) for length in pixels.shape[2:])
    return pixels[:, :, top : top + side, left : left + side]


def mean_grey(
    colours: UInt8[np.ndarray, "images 3 height width"],
) -> Float32[np.ndarray, "images 1 height width"]:
    """Average the colours: the sum of three bytes is exact, and the division rounds once."""
    grey: np.ndarray = colours.sum(axis=1, keepdims=True, dtype=np.float32)
    grey /= 3
    return grey


def luma_grey(
    colours: UInt8[np.ndarray, "images 3 height width"],
) -> UInt8[np.ndarray, "images 1 height width"]:
    """Weight the colours by luminance and round to whole levels, as Pillow's mode ``L`` does."""
    shares = np.array(LUMA, np.uint32)
    weighed: np.ndarray = np.einsum("ichw,c->ihw", colours, shares, dtype=np.uint32)
    weighed += 1 << 15
    weighed >>= 16
    return weighed[:, None].astype(np.uint8)


GREYS: dict[Grey, Callable[[np.ndarray], np.ndarray]] = {"mean": mean_grey, "luma": luma_grey}


def scaled(
    levels: UInt8[np.ndarray, "*shape"] | Float32[np.ndarray, "*shape"],
    mean: float = MEAN,
    std: float = STD,
) -> Float32[np.ndarray, "*shape"]:
    """Scale levels from [0, 255] to [-1, 1], like torchvision's ``ToTensor`` and ``Normalize``."""
    pixels = levels / np.float32(255)
    pixels -= mean
    pixels /= std
    return pixels
