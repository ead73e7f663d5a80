"""The supervised probe: gradient-boosted trees on an embedding, one fit per property."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64, Shaped

from zoobench.probes.linear import Fit
from zoobench.probes.logistic import class_counts
from zoobench.task.metrics import accuracy, r2
from zoogen.progress import progress_bar

PENALTIES = (100.0, 10.0, 1.0)
"""L2 penalties on leaf values; a leaf with as many snapshots as its penalty halves its value."""
ROUNDS = 500
LEARNING_RATE = 0.1


def boosted_regression(
    train: Float[np.ndarray, "snapshots dim"],
    train_targets: Float64[np.ndarray, "snapshots targets"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_targets: Float64[np.ndarray, "held_out targets"],
) -> Fit:
    """Regress each target by boosted trees on raw features; increasing transforms change nothing.

    Of three penalties, with up to ``ROUNDS`` trees each, keep the model with the best validation
    R², and of equals the one with the largest penalty. The validation split is never fitted.

    Args:
        train: Embeddings to grow trees on, finite.
        train_targets: One column per target, finite.
        validation: Embeddings to choose the number of trees and the penalty on.
        validation_targets: Their targets; a constant target keeps the mean and one tree.

    Source:
        Unterthiner et al. 2020, arXiv:2002.11448, whose trees are those of LightGBM.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    def grow(column: int, penalty: float) -> "Boosted":
        model = HistGradientBoostingRegressor(**settings(penalty))
        return best_rounds(
            model.fit(train, train_targets[:, column]),
            validation,
            lambda predicted: r2(validation_targets[:, column], predicted),
        )

    chosen = best_of(grow, columns=train_targets.shape[1])
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
    """Classify by boosted trees, chosen as in ``boosted_regression`` but by accuracy.

    Returns:
        A map to the logarithms of ``classes`` probabilities.

    Raises:
        ZooError: If a class has no snapshot in ``train``, or there is only one class.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    class_counts(labels, classes)

    def grow(_: int, penalty: float) -> "Boosted":
        model = HistGradientBoostingClassifier(**settings(penalty))
        return best_rounds(
            model.fit(train, labels),
            validation,
            lambda predicted: accuracy(validation_labels, predicted.argmax(axis=1)),
        )

    (chosen,) = best_of(grow, columns=1)
    return Fit(chosen, (chosen.model.l2_regularization,), (chosen.score,))


@dataclass(frozen=True, eq=False)
class Boosted:
    """The first rounds of a boosted model.

    Attributes:
        model: Fitted regressor or classifier of scikit-learn.
        rounds: Number of rounds to use.
        score: Score of these rounds on the validation split.
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
    """Return the settings of a model with this penalty."""
    return {
        "l2_regularization": penalty,
        "max_iter": ROUNDS,
        "learning_rate": LEARNING_RATE,
        "early_stopping": False,  # it would hold out snapshots of models it trains on
        "random_state": 0,
    }


def stages(
    model: Any, features: Float[np.ndarray, "snapshots dim"]
) -> Iterator[Float64[np.ndarray, "snapshots ..."]]:
    """Yield the outputs of a model after each of its rounds."""
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
    """Keep the number of rounds that scores best on the validation split, the fewest of equals."""
    scores = np.array([score(predicted) for predicted in stages(model, validation)])
    best = int(np.argmax(np.nan_to_num(scores, nan=-np.inf)))
    return Boosted(model, best + 1, float(scores[best]))


def best_of(grow: Callable[[int, float], Boosted], *, columns: int) -> list[Boosted]:
    """Grow a model for each column and penalty, and keep the best of each column."""
    from threadpoolctl import threadpool_limits

    chosen = []
    total = columns * len(PENALTIES)
    # On busy cores, threads wait minutes for each other on so small a problem.
    with (
        threadpool_limits(1, user_api="openmp"),
        progress_bar("grow trees", things="models", total=total, unit="models") as report,
    ):
        for column in range(columns):
            tried = []
            for penalty in PENALTIES:
                tried.append(grow(column, penalty))
                report(1)
            chosen.append(max(tried, key=lambda each: np.nan_to_num(each.score, nan=-np.inf)))
    return chosen
