"""Image sets: what the networks of a zoo are trained and tested on."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.errors import UnknownNameError
from zoogen.tetris import Tetris, tetris_arrays


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """Images and labels, train and test, as the networks see them."""

    train_images: Float32[np.ndarray, "train ..."]
    train_labels: Int64[np.ndarray, " train"]
    test_images: Float32[np.ndarray, "test ..."]
    test_labels: Int64[np.ndarray, " test"]
    classes: int

    @property
    def checksum(self) -> str:
        """SHA-256 over the four arrays, in the order of the fields, shapes included."""
        digest = sha256()
        for field in fields(self):
            value = np.asarray(getattr(self, field.name))
            digest.update(repr((field.name, value.shape)).encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()


def tetris() -> ImageSet:
    """Return the Tetris images at their published setting, see ``zoogen.tetris``."""
    return tetris_set(Tetris())


def tetris_set(setting: Tetris) -> ImageSet:
    """Draw the Tetris images at any setting; the sweep in ``docs/decisions`` goes through here."""
    return ImageSet(**tetris_arrays(setting), classes=len(setting.shapes))


IMAGES: dict[str, Callable[[], ImageSet]] = {"tetris": tetris}


@cache
def load_images(name: str) -> ImageSet:
    """Return the image set called ``name``; drawn or read once per process.

    Raises:
        UnknownNameError: If there is none; the message lists the closest names.
    """
    if name not in IMAGES:
        raise UnknownNameError("image set", name, IMAGES)
    return IMAGES[name]()
