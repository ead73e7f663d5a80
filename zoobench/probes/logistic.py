"""The standard classification probe: multinomial logistic regression, run to convergence."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from zoobench.probes.linear import Fit, LinearMap, row_blocks
from zoobench.probes.principal_axes import principal_axes
from zoobench.task.metrics import accuracy
from zoogen import ZooError

log = logging.getLogger(__name__)

PENALTIES = (1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
LARGEST_SLOPE = 1e-5
DENSE = 512
"""Largest number of unknowns for which the whole Hessian is worth its cost."""

Scores = Float32[np.ndarray, "snapshots axes"]
Flat = Float64[np.ndarray, " unknowns"]


def standard_logistic(
    train: Float[np.ndarray, "snapshots dim"],
    labels: Int64[np.ndarray, " snapshots"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_labels: Int64[np.ndarray, " held_out"],
    *,
    classes: int,
) -> Fit:
    """Classify standardised features by softmax with a free intercept: no scale or offset matters.

    Minimise ``mean cross-entropy + λ/2 |w|²`` for each λ of ``PENALTIES`` and keep the one with
    the best validation accuracy, the strongest of equals. scikit-learn's ``LogisticRegression``
    has the same minimum at ``C = 1 / (λ snapshots)``.

    Args:
        train: Embeddings to learn from, finite; copied once in single precision.
        labels: Their classes, 0 to ``classes - 1``.
        validation: Embeddings to choose the penalty on.
        validation_labels: Their classes.
        classes: Number of classes.

    Returns:
        A map to ``classes`` logits, and the chosen penalty.

    Raises:
        ZooError: If a class has no snapshot in ``train``, or there is only one class.
    """
    fits = []
    path = logistic_path(train, labels, classes=classes)
    for penalty, logits in zip(PENALTIES, path, strict=True):
        score = accuracy(validation_labels, logits(validation).argmax(axis=1))
        fits.append(Fit(logits, (penalty,), (score,)))
    return max(fits, key=lambda fit: fit.validation_scores)


def logistic_path(
    features: Float[np.ndarray, "snapshots dim"],
    labels: Int64[np.ndarray, " snapshots"],
    *,
    classes: int,
) -> Iterator[LinearMap]:
    """Solve for each penalty, starting from the solution of the stronger one.

    L-BFGS works in coordinates in which the curvature of the objective at the start is about 1, see
    ``coordinates``. It takes about ten steps per penalty. Half the squared gradient estimates what
    is left to gain: about 1e-10 nats per unknown at the end.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    shares = class_counts(labels, classes) / len(labels)
    axes = principal_axes(features)
    scores = axes.scores(features)
    means = class_sums(scores, labels, classes) / len(labels)
    weights, intercept = np.zeros_like(means), np.log(shares)
    for penalty in PENALTIES:
        start = np.vstack([weights, intercept])
        # Thin products gain nothing from threads, and are slow with them on busy cores.
        with threadpool_limits(1, user_api="blas"):
            moves = coordinates(scores, start, axes.variances, penalty)
            found = minimize(
                penalised_loss(scores, means, shares, start=start, moves=moves, penalty=penalty),
                np.zeros(start.size),
                jac=True,
                method="L-BFGS-B",
                options={
                    "gtol": LARGEST_SLOPE,
                    "ftol": 0,
                    "maxcor": 20,
                    "maxiter": 10_000,
                    "maxfun": 100_000,
                },
            )
        slope = float(np.abs(found.jac).max())
        if slope > 10 * LARGEST_SLOPE:
            log.warning("classification stopped at slope %.1g for penalty %g", slope, penalty)
        solution = start + (moves @ found.x).reshape(start.shape)
        weights, intercept = solution[:-1], solution[-1]
        yield axes.to_features(weights, intercept)


def class_counts(labels: Int64[np.ndarray, " snapshots"], classes: int) -> Int64[np.ndarray, " _"]:
    """Count the snapshots of each class.

    Raises:
        ZooError: If a class has none, or there is only one class.
    """
    if classes < 2:
        raise ZooError(
            "every snapshot is of the same class, expected at least 2 classes; "
            "build the zoo with more models"
        )
    counts = np.bincount(labels, minlength=classes)
    if not counts.all():
        missing = ", ".join(map(str, np.flatnonzero(counts == 0)))
        raise ZooError(
            f"no training snapshot of class {missing}, expected all of 0 to {classes - 1}; "
            "build the zoo with more models"
        )
    return counts


def class_sums(
    scores: Scores,
    labels: Int64[np.ndarray, " snapshots"],
    classes: int,
) -> Float64[np.ndarray, "axes classes"]:
    """Add up the scores of each class."""
    sums = [scores[labels == label].sum(axis=0, dtype=np.float64) for label in range(classes)]
    return np.stack(sums, axis=1)


def penalised_loss(
    scores: Scores,
    means: Float64[np.ndarray, "axes classes"],
    shares: Float64[np.ndarray, " classes"],
    *,
    start: Float64[np.ndarray, "unknowns_per_class classes"],
    moves: Any,
    penalty: float,
) -> Callable[[Flat], tuple[float, Flat]]:
    """Return loss and gradient as a function of ``flat`` in ``start + moves @ flat``, in nats.

    The loss is linear in the logits of the true classes, so labels enter only through the mean
    score and the share of each class.
    """
    snapshots = len(scores)

    def loss_and_gradient(flat: Flat) -> tuple[float, Flat]:
        unknowns = start + (moves @ flat).reshape(start.shape)
        weights, intercept = unknowns[:-1], unknowns[-1]
        partition, gradient = 0.0, np.zeros_like(unknowns)
        for rows in row_blocks(snapshots):
            block = scores[rows].astype(np.float64)
            logarithms, probabilities = softmax(block, weights, intercept)
            partition += float(logarithms.sum())
            gradient[:-1] += (probabilities @ block).T
            gradient[-1] += probabilities.sum(axis=1)
        gradient /= snapshots
        gradient[:-1] += penalty * weights - means
        gradient[-1] -= shares
        loss = partition / snapshots - np.vdot(means, weights) - np.vdot(shares, intercept)
        return loss + penalty / 2 * np.vdot(weights, weights), moves.T @ gradient.ravel()

    return loss_and_gradient


def softmax(
    block: Float64[np.ndarray, "rows axes"],
    weights: Float64[np.ndarray, "axes classes"],
    intercept: Float64[np.ndarray, " classes"],
) -> tuple[Float64[np.ndarray, " rows"], Float64[np.ndarray, "classes rows"]]:
    """Return the logarithm of each row's partition sum, and its probabilities class by class."""
    logits = weights.T @ block.T + intercept[:, None]
    largest = logits.max(axis=0)
    probabilities = np.exp(np.subtract(logits, largest, out=logits), out=logits)
    total = probabilities.sum(axis=0)
    probabilities /= total
    return np.log(total) + largest, probabilities


def coordinates(
    scores: Scores,
    start: Float64[np.ndarray, "unknowns_per_class classes"],
    variances: Float64[np.ndarray, " axes"],
    penalty: float,
) -> Any:
    """Return a matrix of moves along which the curvature at ``start`` is about 1.

    For few unknowns it is ``R⁻ᵀ`` of the Hessian's Cholesky factor ``R``: the second derivative of
    the mean loss in the weights of axes i, j and classes a, b is the mean of
    ``z_i z_j (δ_ab p_a - p_a p_b)``. For many it is the diagonal as if classes and axes were
    independent. Both keep the sum of the classes' weights at zero.
    """
    from scipy.sparse import diags_array

    if start.size > DENSE:
        curvature = mean_curvature(scores, start[:-1], start[-1])
        scale = 1 / np.sqrt(np.append(curvature * variances + penalty, curvature))
        return diags_array(np.repeat(scale, start.shape[1]))
    inputs, classes = start.shape
    products, crosses = np.zeros((inputs, start.size)), np.zeros((start.size, start.size))
    for rows in row_blocks(len(scores)):
        block = scores[rows].astype(np.float64)
        probabilities = softmax(block, start[:-1], start[-1])[1]
        block = np.column_stack([block, np.ones(len(block))])
        weighted = (block[:, :, None] * probabilities.T[:, None, :]).reshape(len(block), -1)
        products += block.T @ weighted
        crosses += weighted.T @ weighted
    hessian = -crosses.reshape(inputs, classes, inputs, classes)
    for label in range(classes):
        hessian[:, label, :, label] += products.reshape(inputs, inputs, classes)[:, :, label]
    hessian /= len(scores)
    # Moving all intercepts alike changes nothing, so any curvature will do along that move.
    hessian[-1, :, -1, :] += 1 / classes
    flat = hessian.reshape(start.size, start.size)
    flat[np.diag_indices(start.size - classes)] += penalty
    return np.linalg.inv(np.linalg.cholesky(flat)).T


def mean_curvature(
    scores: Scores,
    weights: Float64[np.ndarray, "axes classes"],
    intercept: Float64[np.ndarray, " classes"],
) -> float:
    """Average the loss's second derivative over snapshots and directions in the logits.

    For probabilities p it is ``diag(p) - ppᵀ``, with trace ``1 - Σp²``. It is flat where all logits
    move together, which leaves ``classes - 1`` directions.
    """
    trace = 0.0
    for rows in row_blocks(len(scores)):
        probabilities = softmax(scores[rows].astype(np.float64), weights, intercept)[1]
        trace += len(scores[rows]) - float(np.square(probabilities).sum())
    return trace / len(scores) / (len(intercept) - 1)
