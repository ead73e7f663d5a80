"""Models in training, by whichever kernels: what they have in common."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.progress import Report
from zoogen.train.kernels.rows import Rows
from zoogen.train.tally import Tally


@runtime_checkable
class Group(Protocol):
    """Models of one kind that train together; none knows of another."""

    def train(
        self, rows: Rows, orders: Int64[np.ndarray, "models images"], report: Report
    ) -> Int64[np.ndarray, " models"]:
        """Train for one epoch, each model on images in its own order; count who was right."""

    def weights(self) -> Float32[np.ndarray, "models params"]:
        """Return the weights as they are now."""

    def measure(self, rows: Rows) -> Tally:
        """Classify images with every model."""
