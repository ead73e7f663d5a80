"""Images for tests without an image set: scikit-learn's digits, enlarged."""

import numpy as np
from sklearn.datasets import load_digits

from zoogen.images.sets import ImageSet


def enlarged_digits(train: int, test: int) -> ImageSet:
    """Return the first and last of 1797 digits, enlarged from 8×8 to 28×28 pixels."""
    images, labels = load_digits(return_X_y=True)
    larger = images.reshape(-1, 8, 8).repeat(3, axis=1).repeat(3, axis=2)
    pixels = np.pad(larger, ((0, 0), (2, 2), (2, 2)))[:, None].astype(np.float32) / 8 - 1
    classes = labels.astype(np.int64)
    return ImageSet(
        train_images=pixels[:train],
        train_labels=classes[:train],
        test_images=pixels[-test:],
        test_labels=classes[-test:],
        classes=10,
    )
