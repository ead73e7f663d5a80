"""Image sets that the networks of a zoo are trained and tested on."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.errors import UnknownNameError
from zoogen.images.natural import NATURAL, natural_arrays
from zoogen.images.own import OWN_FORMATS, own_arrays
from zoogen.images.public import is_at_hand
from zoogen.images.tetris import Tetris, tetris_arrays
from zoogen.places import named_image_folder


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Train and test images with labels, as the networks see them."""

    train_images: Float32[np.ndarray, "train ..."]
    train_labels: Int64[np.ndarray, " train"]
    test_images: Float32[np.ndarray, "test ..."]
    test_labels: Int64[np.ndarray, " test"]
    classes: int

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of all fields in their order, with the shapes of the arrays."""
        digest = sha256()
        for field in fields(self):
            value = np.asarray(getattr(self, field.name))
            digest.update(repr((field.name, value.shape)).encode())
            digest.update(np.ascontiguousarray(value).data)
        return digest.hexdigest()

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        return self.train_images.shape[1:]


def tetris_set(setting: Tetris) -> ImageSet:
    """Draw the Tetris images with any setting."""
    return ImageSet(**tetris_arrays(setting), classes=len(setting.shapes))


def natural_set(name: str, root: Path | None) -> ImageSet:
    """Read a public image set, see ``zoogen.images.natural``."""
    return ImageSet(**natural_arrays(NATURAL[name], root), classes=NATURAL[name].classes)


def own_set(path: Path) -> ImageSet:
    """Read your own image set, see ``zoogen.images.own``."""
    arrays = own_arrays(path)
    return ImageSet(**arrays, classes=int(arrays["train_labels"].max()) + 1)


IMAGES: dict[str, Callable[[Path | None], ImageSet]] = {
    "tetris": lambda _: tetris_set(Tetris()),
    **{name: partial(natural_set, name) for name in NATURAL},
}
"""Loader of each image set by name; its argument is the folder of the public image sets."""


IN_USE: "WeakValueDictionary[tuple[str, Path | None], ImageSet]" = WeakValueDictionary()
"""Loaded sets; each may take hundreds of megabytes and is freed with its last user."""


def load_images(name: str, root: Path | None = None) -> ImageSet:
    """Return the image set called ``name``, or the one in your own file.

    A registered set is read once while it is in use. A file is read every time, because it may
    have changed.

    Args:
        name: A registered name, or the path of a ``.npz`` or ``.safetensors`` file, see
            ``zoogen.images.own``.
        root: Folder of the public image sets in torchvision's layout. By default
            ``$ZOOGEN_IMAGES``, or the user's cache, to which zoogen downloads them.

    Raises:
        UnknownNameError: If ``name`` is neither; the message lists the closest names.
        ZooError: If a file is missing, damaged or does not hold images and labels.

    Example:
        >>> import zoogen
        >>> zoogen.load_images("tetris").train_images.shape
        (2000, 16)
    """
    if name in IMAGES:
        return load_named(name, root or named_image_folder())
    if Path(name).suffix in OWN_FORMATS:
        return own_set(Path(name))
    raise UnknownNameError(f"image set or {' or '.join(OWN_FORMATS)} file", name, IMAGES)


def images_at_hand(name: str) -> bool:
    """Tell whether ``load_images`` needs no download.

    Raises:
        UnknownNameError: If ``name`` is neither an image set nor a file of your own.
    """
    if name in NATURAL:
        return is_at_hand(NATURAL[name].source, named_image_folder())
    if name not in IMAGES and Path(name).suffix not in OWN_FORMATS:
        raise UnknownNameError(f"image set or {' or '.join(OWN_FORMATS)} file", name, IMAGES)
    return True


def load_named(name: str, root: Path | None) -> ImageSet:
    """Return a registered image set, reading it only if it is not in use."""
    images = IN_USE.get((name, root))
    if images is None:
        images = IN_USE[name, root] = IMAGES[name](root)
    return images
