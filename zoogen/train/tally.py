"""Counts of how models classified images, and the properties that follow from them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts of how some models classified the same images: row i is model i.

    Attributes:
        loss: Mean cross-entropy, in nats.
        claimed: Number of images classified as each class.
        hits: Number of these that are of the class.
        present: Number of images of each class.
    """

    loss: Float64[np.ndarray, " models"]
    claimed: Int64[np.ndarray, "models classes"]
    hits: Int64[np.ndarray, "models classes"]
    present: Int64[np.ndarray, " classes"]

    @property
    def accuracy(self) -> Float64[np.ndarray, " models"]:
        """Share of the images that were classified correctly."""
        accuracy: np.ndarray = self.hits.sum(1) / self.present.sum()
        return accuracy

    @property
    def f1(self) -> Float64[np.ndarray, "models classes"]:
        """F1 of each class; 0 where a class is neither claimed nor present."""
        f1: np.ndarray = 2 * self.hits / np.maximum(self.claimed + self.present, 1)
        return f1


def properties(
    train: Tally, test: Tally, running: Float64[np.ndarray, " models"]
) -> dict[str, Float64[np.ndarray, " models"]]:
    """Return the columns of ``ZooSpec.measured``.

    Accuracies and F1 are shares in [0, 1], ``generalisation_gap`` is train minus test accuracy,
    losses are in nats.

    Args:
        train: Tally of the train images that the models are shown.
        test: Tally of all test images.
        running: Share of the train images classified correctly when the epoch showed them.
    """
    return {
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "running_train_accuracy": running,
        "test_loss": test.loss,
        "test_accuracy": test.accuracy,
        "generalisation_gap": train.accuracy - test.accuracy,
        **{f"f1_class_{label}": column for label, column in enumerate(test.f1.T)},
    }
