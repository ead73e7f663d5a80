"""Images as kernels read them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.images.sets import ImageSet


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Images, a row each, pixel by pixel, the channels of a pixel side by side; read-only."""

    images: Float32[np.ndarray, "images floats"]
    labels: Int64[np.ndarray, " images"]

    @classmethod
    def of(
        cls, images: Float32[np.ndarray, "images ..."], labels: Int64[np.ndarray, " images"]
    ) -> "Rows":
        """Lay images out; those of one channel are not copied."""
        innermost = np.moveaxis(images, 1, -1) if images.ndim == 4 else images
        flat = np.ascontiguousarray(innermost).reshape(len(images), -1)
        return cls(images=sealed(flat), labels=sealed(np.ascontiguousarray(labels)))

    def first(self, images: int) -> "Rows":
        """Return so many of them."""
        return Rows(images=self.images[:images], labels=self.labels[:images])

    def present(self, classes: int) -> Int64[np.ndarray, " classes"]:
        """Count the images of each class."""
        return np.bincount(self.labels, minlength=classes)


def sealed(array: np.ndarray) -> np.ndarray:
    """Return a view that cannot be written to: some processes are given no more than that."""
    view = array.view()
    view.flags.writeable = False
    return view


def train_and_test(images: ImageSet) -> tuple[Rows, Rows]:
    """Lay an image set out."""
    return (
        Rows.of(images.train_images, images.train_labels),
        Rows.of(images.test_images, images.test_labels),
    )
