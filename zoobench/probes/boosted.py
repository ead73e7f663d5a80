"""The supervised probe: gradient-boosted trees on an embedding, one fit for each property."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64, Shaped

from zoobench.probes.linear import Fit
from zoobench.probes.logistic import class_counts
from zoobench.task.metrics import accuracy, r2
from zoogen import progress_bar

PENALTIES = (100.0, 10.0, 1.0)
"""L2 on the values of leaves; a leaf of so many snapshots keeps half of its value."""
ROUNDS = 500
LEARNING_RATE = 0.1


def boosted_regression(
    train: Float[np.ndarray, "snapshots dim"],
    train_targets: Float64[np.ndarray, "snapshots targets"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_targets: Float64[np.ndarray, "held_out targets"],
) -> Fit:
    """Regress each target by boosted trees on raw features: no increasing function of one matters.

    Of three penalties and up to ``ROUNDS`` trees for each, those with the best validation R² are
    kept, the largest penalty of equals. Nothing is refitted on the validation split.

    Args:
        train: Embeddings the trees are grown on, finite.
        train_targets: One column per target, finite.
        validation: Embeddings the number of trees and the penalty are chosen on.
        validation_targets: Their targets; one that is constant keeps the mean and one tree.

    Source:
        Unterthiner et al. 2020, arXiv:2002.11448, whose trees are those of LightGBM.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    def grown(column: int, penalty: float) -> "Boosted":
        model = HistGradientBoostingRegressor(**settings(penalty))
        return best_rounds(
            model.fit(train, train_targets[:, column]),
            validation,
            lambda predicted: r2(validation_targets[:, column], predicted),
        )

    chosen = best_of(grown, columns=train_targets.shape[1])
    return Fit(
        map=Columns(chosen),
        penalties=tuple(each.model.l2_regularization for each in chosen),
        validation_scores=tuple(each.score for each in chosen),
    )


def boosted_classification(
    train: Float[np.ndarray, "snapshots dim"],
    labels: Int64[np.ndarray, " snapshots"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_labels: Int64[np.ndarray, " held_out"],
    *,
    classes: int,
) -> Fit:
    """Classify by boosted trees, chosen as those of ``boosted_regression``, by accuracy.

    Returns:
        A map to the logarithms of ``classes`` probabilities.

    Raises:
        ZooError: If a class has no snapshot in ``train``, or there is only one class.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    class_counts(labels, classes)

    def grown(_: int, penalty: float) -> "Boosted":
        model = HistGradientBoostingClassifier(**settings(penalty))
        return best_rounds(
            model.fit(train, labels),
            validation,
            lambda predicted: accuracy(validation_labels, predicted.argmax(axis=1)),
        )

    (chosen,) = best_of(grown, columns=1)
    return Fit(chosen, (chosen.model.l2_regularization,), (chosen.score,))


@dataclass(frozen=True, eq=False)
class Boosted:
    """The first rounds of a boosted model.

    Attributes:
        model: A regressor or classifier of scikit-learn, fitted.
        rounds: How many count.
        score: Of these rounds, on the validation split.
    """

    model: Any
    rounds: int
    score: float

    def __call__(
        self, features: Float[np.ndarray, "snapshots dim"]
    ) -> Float64[np.ndarray, "snapshots ..."]:
        """Return one number per snapshot, or the logarithm of each class's probability."""
        found: np.ndarray = next(islice(stages(self.model, features), self.rounds - 1, None))
        return found


@dataclass(frozen=True, eq=False)
class Columns:
    """One boosted model per output."""

    models: Sequence[Boosted]

    def __call__(
        self, features: Float[np.ndarray, "snapshots dim"]
    ) -> Float64[np.ndarray, "snapshots outputs"]:
        """Return one column per model."""
        return np.stack([model(features) for model in self.models], axis=1)


def settings(penalty: float) -> dict[str, Any]:
    """Return what all models share, and the penalty of one."""
    return {
        "l2_regularization": penalty,
        "max_iter": ROUNDS,
        "learning_rate": LEARNING_RATE,
        "early_stopping": False,  # it would hold out snapshots of networks that it trains on
        "random_state": 0,
    }


def stages(
    model: Any, features: Float[np.ndarray, "snapshots dim"]
) -> Iterator[Float64[np.ndarray, "snapshots ..."]]:
    """Yield what a model says after each of its rounds."""
    if not hasattr(model, "staged_predict_proba"):
        yield from model.staged_predict(features)
        return
    for probabilities in model.staged_predict_proba(features):
        yield np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def best_rounds(
    model: Any,
    validation: Float[np.ndarray, "held_out dim"],
    score: Callable[[Shaped[np.ndarray, "held_out ..."]], float],
) -> Boosted:
    """Keep as many rounds as do best on the validation split, the fewest of equals."""
    scores = np.array([score(predicted) for predicted in stages(model, validation)])
    best = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
    return Boosted(model, best + 1, float(scores[best]))


def best_of(grown: Callable[[int, float], Boosted], *, columns: int) -> list[Boosted]:
    """Grow a model for each column and penalty, and keep the best of each column."""
    from threadpoolctl import threadpool_limits

    chosen = []
    total = columns * len(PENALTIES)
    # On busy cores the threads of so small a problem spend minutes waiting for each other.
    with (
        threadpool_limits(1, user_api="openmp"),
        progress_bar("grow trees", things="models", total=total, unit="models") as report,
    ):
        for column in range(columns):
            tried = []
            for penalty in PENALTIES:
                tried.append(grown(column, penalty))
                report(1)
            chosen.append(max(tried, key=lambda each: np.nan_to_num(each.score, nan=-np.inf)))
    return chosen
