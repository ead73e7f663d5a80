"""Images as kernels read them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.images.sets import ImageSet


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Images, one per row, pixel by pixel, the channels of a pixel side by side; read-only."""

    images: Float32[np.ndarray, "images floats"]
    labels: Int64[np.ndarray, " images"]

    @classmethod
    def of(
        cls, images: Float32[np.ndarray, "images ..."], labels: Int64[np.ndarray, " images"]
    ) -> "Rows":
        """Return images as rows; images of one channel are not copied."""
        innermost = np.moveaxis(images, 1, -1) if images.ndim == 4 else images
        flat = np.ascontiguousarray(innermost).reshape(len(images), -1)
        return cls(images=sealed(flat), labels=sealed(np.ascontiguousarray(labels)))

    def first(self, images: int) -> "Rows":
        """Return the first images."""
        return Rows(images=self.images[:images], labels=self.labels[:images])

    def present(self, classes: int) -> Int64[np.ndarray, " classes"]:
        """Count the images of each class."""
        return np.bincount(self.labels, minlength=classes)


def sealed(array: np.ndarray) -> np.ndarray:
    """Return a read-only view: kernels are compiled for it, for some processes get no other."""
    view = array.view()
    view.flags.writeable = False
    return view


def train_and_test(images: ImageSet) -> tuple[Rows, Rows]:
    """Return the train and the test images of an image set as rows."""
    return (
        Rows.of(images.train_images, images.train_labels),
        Rows.of(images.test_images, images.test_labels),
    )
