"""How models classified images, and the properties of a snapshot that follow from it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How some models classified the same images: row i is model i.

    Attributes:
        loss: Mean cross-entropy, in nats.
        claimed: Images put into each class.
        hits: Those of them that belong there.
        present: Images of each class.
    """

    loss: Float64[np.ndarray, " models"]
    claimed: Int64[np.ndarray, "models classes"]
    hits: Int64[np.ndarray, "models classes"]
    present: Int64[np.ndarray, " classes"]

    @property
    def accuracy(self) -> Float64[np.ndarray, " models"]:
        """Share of the images put into their class."""
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
        train: Of the train images a model is shown.
        test: Of all test images.
        running: Share of the train images that were right as they were shown during the epoch.
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
