"""The Tetris images: four tetrominoes on a 4×4 grid, drawn with noise.

The paper shows only the four shapes. Placement, noise, background and sizes were chosen by
measurement, see ``docs/decisions/0002-tetris-images.md``.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float64

SIDE = 4

TETROMINOES: dict[str, tuple[str, ...]] = {
    "I": ("XXXX",),
    "O": ("XX", "XX"),
    "T": ("XXX", ".X."),
    "S": (".XX", "XX."),
    "Z": ("XX.", ".XX"),
    "L": ("X.", "X.", "XX"),
    "J": (".X", ".X", "XX"),
}

Placement = Literal["centre", "two", "all"]


@dataclass(frozen=True, kw_only=True)
class Tetris:
    """How the images are drawn.

    Attributes:
        shapes: Letter of the tetromino of each class.
        placement: Where a shape may lie: in the centre, in two opposite corners, or anywhere.
        train_images: Number of train images, equally divided among the classes.
        test_images: Number of test images.
        train_noise: Standard deviation of the Gaussian noise on every train pixel.
        test_noise: The same for the test set. A harder test set makes the generalisation gap a
            property of the weights rather than of the draw.
        mean: Number subtracted from every pixel; the noise-free values are 0 and 1.
        seed: Seed of the noise.
    """

    shapes: tuple[str, ...] = ("I", "O", "T", "S")
    placement: Placement = "centre"
    train_images: int = 2000
    test_images: int = 2000
    train_noise: float = 0.4
    test_noise: float = 0.8
    mean: float = 0.18
    seed: int = 0


def placed(shape: str, placement: Placement) -> Float64[np.ndarray, "places 16"]:
    """Draw a tetromino without noise, once for each position it may have."""
    pattern = np.array([[cell == "X" for cell in row] for row in TETROMINOES[shape]], dtype=float)
    height, width = pattern.shape
    places = [(y, x) for y in range(SIDE - height + 1) for x in range(SIDE - width + 1)]
    if placement == "centre":
        places = [((SIDE - height) // 2, (SIDE - width) // 2)]
    elif placement == "two":
        places = [places[0], places[-1]]
    canvases = np.zeros((len(places), SIDE, SIDE))
    for canvas, (y, x) in zip(canvases, places, strict=True):
        canvas[y : y + height, x : x + width] = pattern
    return canvases.reshape(len(places), SIDE * SIDE)


def tetris_arrays(setting: Tetris) -> dict[str, Any]:
    """Draw train and test images, ``[images, 16]`` float32, and their labels.

    Classes and positions alternate, so only the noise is random.
    """
    random = np.random.default_rng(setting.seed)
    arrays: dict[str, Any] = {}
    portions = (
        ("train", setting.train_images, setting.train_noise),
        ("test", setting.test_images, setting.test_noise),
    )
    for portion, images, noise in portions:
        labels = np.arange(images) % len(setting.shapes)
        clean = np.empty((images, SIDE * SIDE))
        for label, shape in enumerate(setting.shapes):
            mine = np.flatnonzero(labels == label)
            canvases = placed(shape, setting.placement)
            clean[mine] = canvases[np.arange(len(mine)) % len(canvases)]
        noisy = clean + noise * random.standard_normal(clean.shape) - setting.mean
        arrays[f"{portion}_images"] = noisy.astype(np.float32)
        arrays[f"{portion}_labels"] = labels.astype(np.int64)
    return arrays
