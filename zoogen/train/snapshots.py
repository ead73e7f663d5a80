"""The snapshots of some models while they train: weights and measurements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from zoogen.spec.zoo_spec import ZooSpec


@dataclass(frozen=True)
class Snapshots:
    """Arrays with a row for each model and a column for each stored epoch."""

    weights: Float32[np.ndarray, "models stored params"]
    measured: dict[str, Float64[np.ndarray, "models stored"]]

    @classmethod
    def room(cls, spec: ZooSpec, models: int) -> "Snapshots":
        """Return empty arrays for all snapshots of some models."""
        stored = models, len(spec.stored_epochs)
        return cls(
            np.empty((*stored, spec.network.layout.params), np.float32),
            {name: np.empty(stored) for name in spec.measured},
        )

    def keep(
        self,
        places: Sequence[int],
        stored: int,
        weights: Float32[np.ndarray, "some params"],
        columns: Mapping[str, Float64[np.ndarray, " some"]],
    ) -> None:
        """Store the snapshots of some models at one stored epoch.

        Args:
            places: Rows of the models.
            stored: Column of the epoch.
            weights: Weight vectors.
            columns: Measurements by name.
        """
        self.weights[places, stored] = weights
        for name, column in columns.items():
            self.measured[name][places, stored] = column
