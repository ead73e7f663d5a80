"""Images to learn from, for a network of any shape."""

import numpy as np

from zoogen import ZooSpec
from zoogen.images.sets import ImageSet


def drawn_images(spec: ZooSpec, images: int) -> ImageSet:
    """Draw images whose classes can be told apart."""
    random, classes = np.random.default_rng(0), spec.network.classes
    centres = random.standard_normal((classes, *spec.network.image_shape))
    labels = random.integers(0, classes, 2 * images)
    noise = random.standard_normal((2 * images, *spec.network.image_shape))
    pixels = (centres[labels] + noise).astype(np.float32)
    return ImageSet(
        train_images=pixels[:images],
        train_labels=labels[:images],
        test_images=pixels[images:],
        test_labels=labels[images:],
        classes=classes,
    )
