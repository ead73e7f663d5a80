"""The public image sets: MNIST, Fashion-MNIST, CIFAR-10 and SVHN, as torchvision reads them.

What is done to the pixels is fixed here once, see ``docs/decisions/0008-images.md``: one channel,
for some sets the centre alone, and bytes scaled to [-1, 1]. Every step is exact or rounded once, so
that an image set has the same checksum on every machine.
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
"""``MEAN`` is subtracted from pixels in [0, 1], what is left is divided by ``STD``."""

LUMA = (19595, 38470, 7471)
"""ITU-R 601 weights of red, green and blue, times 65536: 0.299, 0.587 and 0.114."""

AT_ONCE = 1024
"""Images that are prepared at once."""

Grey = Literal["mean", "luma"]
Part = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class Natural:
    """One way to look at a public image set.

    Attributes:
        source: Which set.
        grey: How colours become one channel: their ``mean`` (Unterthiner et al. 2020) or their
            ``luma``, in whole grey levels, as ``torchvision.transforms.Grayscale`` has it.
        crop: Side of the centre that is kept, in pixels; None keeps all.
        mean: Subtracted from pixels in [0, 1].
        std: What is left is divided by it.
        classes: Number of labels.
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
        natural: Which, and how to look at it.
        root: Folder that holds the set; None for the cache, see ``zoogen.images.public``.

    Raises:
        ZooError: If a file is missing or not the published one and cannot be downloaded.
    """
    place = published_root(natural.source, root)
    arrays: dict[str, Any] = {}
    parts: tuple[Part, ...] = ("train", "test")
    for part in parts:
        pixels, labels = read_part(natural.source, place, part)
        arrays[f"{part}_images"] = prepared(natural, channels_first(pixels))
        arrays[f"{part}_labels"] = np.asarray(labels, dtype=np.int64)
    return arrays


def read_part(source: Source, root: Path, part: Part) -> tuple[UInt8[np.ndarray, "..."], Any]:
    """Read pixels and labels as torchvision keeps them; the files are known to be whole.

    CIFAR-10 is published as pickles: torchvision opens them, after checking their MD5 itself.
    """
    from torchvision import datasets
    from torchvision.datasets.mnist import read_image_file, read_label_file

    if source == "CIFAR10":
        cifar = datasets.CIFAR10(root, train=part == "train")
        return cifar.data, cifar.targets
    if source == "SVHN":
        svhn = datasets.SVHN(root, split=part)
        return svhn.data, svhn.labels
    # Not by ``datasets.MNIST``: beside the published files it prefers those of an old torchvision.
    folder, name = root / source / "raw", "train" if part == "train" else "t10k"
    images = read_image_file(str(folder / f"{name}-images-idx3-ubyte"))
    return images.numpy(), read_label_file(str(folder / f"{name}-labels-idx1-ubyte")).numpy()


def channels_first(pixels: UInt8[np.ndarray, "images ..."]) -> UInt8[np.ndarray, "images _c _h _w"]:
    """Bring torchvision's three ways of keeping pixels to one."""
    if pixels.ndim == 3:
        return pixels[:, None]
    return pixels.transpose(0, 3, 1, 2) if pixels.shape[-1] == 3 else pixels


def prepared(
    natural: Natural, pixels: UInt8[np.ndarray, "images _c _h _w"]
) -> Float32[np.ndarray, "images 1 height width"]:
    """Turn bytes into what the networks see: cropped, grey, scaled; a few at a time, for memory."""
    cropped = centre(pixels, natural.crop) if natural.crop else pixels
    seen = np.empty((len(cropped), 1, *cropped.shape[2:]), np.float32)
    for start in range(0, len(cropped), AT_ONCE):
        some = cropped[start : start + AT_ONCE]
        grey = GREYS[natural.grey](some) if some.shape[1] == 3 else some
        seen[start : start + AT_ONCE] = scaled(grey, natural.mean, natural.std)
    return seen


def centre(
    pixels: UInt8[np.ndarray, "images _c _h _w"], side: int
) -> UInt8[np.ndarray, "images _c side side"]:
    """Cut out the centre, as ``torchvision.transforms.CenterCrop`` does; a view."""
    top, left = (round((length - side) / 2) for length in pixels.shape[2:])
    return pixels[:, :, top : top + side, left : left + side]


def mean_grey(
    colours: UInt8[np.ndarray, "images 3 height width"],
) -> Float32[np.ndarray, "images 1 height width"]:
    """Average the colours: a sum of three bytes is exact, the third of it rounded once."""
    grey: np.ndarray = colours.sum(axis=1, keepdims=True, dtype=np.float32)
    grey /= 3
    return grey


def luma_grey(
    colours: UInt8[np.ndarray, "images 3 height width"],
) -> UInt8[np.ndarray, "images 1 height width"]:
    """Weigh the colours as the eye does and round to whole levels, as Pillow's mode ``L``."""
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
    """Bring levels in [0, 255] to [-1, 1], as ``ToTensor`` and ``Normalize`` of torchvision do."""
    pixels = levels / np.float32(255)
    pixels -= mean
    pixels /= std
    return pixels
