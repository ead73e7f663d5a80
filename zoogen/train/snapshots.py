"""The snapshots of some models while they are made: weights and measurements, model by model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from zoogen.spec.zoo_spec import ZooSpec


@dataclass(frozen=True)
class Snapshots:
    """Row i of an array is the i-th of some models, its stored epochs along the second axis."""

    weights: Float32[np.ndarray, "models stored params"]
    measured: dict[str, Float64[np.ndarray, "models stored"]]

    @classmethod
    def room(cls, spec: ZooSpec, models: int) -> "Snapshots":
        """Make room for all snapshots of some models."""
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
        """Keep the snapshots that some models have come to."""
        self.weights[places, stored] = weights
        for name, column in columns.items():
            self.measured[name][places, stored] = column
