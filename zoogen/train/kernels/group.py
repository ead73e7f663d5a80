"""The interface of models in training, whichever kernels train them."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.progress import Report
from zoogen.train.kernels.rows import Rows
from zoogen.train.tally import Tally


@runtime_checkable
class Group(Protocol):
    """Models of one kind that train together but do not affect each other."""

    def train(
        self, rows: Rows, orders: Int64[np.ndarray, "models images"], report: Report
    ) -> Int64[np.ndarray, " models"]:
        """Train for one epoch, each model on images in its own order; count correct images."""

    def weights(self) -> Float32[np.ndarray, "models params"]:
        """Return a copy of the current weights."""

    def measure(self, rows: Rows) -> Tally:
        """Classify images with every model."""
