"""Use a scikit-learn transformer as an embedder."""

from typing import Any

import numpy as np
from jaxtyping import Float

from zoobench.embedders.alone import EmbedderError
from zoogen import Weights


class ScikitEmbedder:
    """An embedder around a scikit-learn estimator, which gets the weights as a plain array."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator
        self.name = type(estimator).__name__.lower()

    @property
    def settings(self) -> dict[str, Any]:
        """The estimator's own parameters."""
        return dict(self.estimator.get_params(deep=False))

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "ScikitEmbedder":  # noqa: ARG002
        """Fit on the training weights; the seed sets ``random_state`` if the estimator has one.

        Raises:
            EmbedderError: If the estimator rejects its settings or the weights.
        """
        if "random_state" in self.settings:
            self.estimator.set_params(random_state=seed)
        try:
            self.estimator.fit(np.asarray(train))
        except ValueError as error:  # scikit-learn checks settings only here
            raise EmbedderError(f"{self.name} cannot be fitted: {error}") from error
        return self

    def transform(self, weights: Weights) -> Float[np.ndarray, "snapshots dim"]:
        """Transform the weights."""
        return np.asarray(self.estimator.transform(np.asarray(weights)))
