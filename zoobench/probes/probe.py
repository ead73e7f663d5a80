"""The registered probes, which turn an embedding into predictions."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64

from zoobench.probes.boosted import boosted_classification, boosted_regression
from zoobench.probes.linear import Fit
from zoobench.probes.logistic import standard_logistic
from zoobench.probes.ridge import paper_ridge, standard_ridge
from zoobench.probes.softmax_adam import paper_softmax
from zoogen import UnknownNameError


@runtime_checkable
class Regress(Protocol):
    """Learns numbers from embeddings, one for each column of ``train_targets``."""

    def __call__(
        self,
        train: Float[np.ndarray, "snapshots dim"],
        train_targets: Float64[np.ndarray, "snapshots targets"],
        validation: Float[np.ndarray, "held_out dim"],
        validation_targets: Float64[np.ndarray, "held_out targets"],
    ) -> Fit:
        """Fit on the train split and choose settings on the validation split."""


@runtime_checkable
class Classify(Protocol):
    """Learns labels from embeddings, 0 to ``classes - 1``."""

    def __call__(
        self,
        train: Float[np.ndarray, "snapshots dim"],
        labels: Int64[np.ndarray, " snapshots"],
        validation: Float[np.ndarray, "held_out dim"],
        validation_labels: Int64[np.ndarray, " held_out"],
        *,
        classes: int,
    ) -> Fit:
        """Fit and choose as a regression does; the outputs of the map are logits."""


@dataclass(frozen=True)
class Probe:
    """A way to predict both kinds of property from embeddings.

    Attributes:
        name: Name of the probe on the command line.
        regress: Predicts several numbers at once.
        classify: Predicts one label.
    """

    name: str
    regress: Regress
    classify: Classify


PROBES: dict[str, Probe] = {
    probe.name: probe
    for probe in (
        Probe(
            name="standard",
            regress=standard_ridge,
            classify=standard_logistic,
        ),
        Probe(
            name="paper",
            regress=paper_ridge,
            classify=paper_softmax,
        ),
        Probe(
            name="boosted",
            regress=boosted_regression,
            classify=boosted_classification,
        ),
    )
}


def find_probe(name: str) -> Probe:
    """Return the probe called ``name``.

    Raises:
        UnknownNameError: If no probe has that name.

    Example:
        >>> import zoobench
        >>> zoobench.find_probe("paper").name
        'paper'
    """
    if name not in PROBES:
        raise UnknownNameError("probe", name, PROBES)
    return PROBES[name]
