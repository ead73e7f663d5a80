"""The regression probes: ridge with a path of penalties, for all targets at once."""

import numpy as np
from jaxtyping import Float, Float64

from zoobench.probes.linear import Fit, LinearMap, row_blocks
from zoobench.probes.principal_axes import principal_axes
from zoobench.task.metrics import sum_of_squares

PAPER_PENALTIES = (
    *(1e3, 3e2, 1e2, 3e1, 1e1, 3e0, 1e0, 3e-1, 1e-1),
    *(3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5),
)
PENALTIES = tuple(10.0 ** (2 - 0.75 * step) for step in range(17))


def paper_ridge(
    train: Float[np.ndarray, "snapshots dim"],
    train_targets: Float64[np.ndarray, "snapshots targets"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_targets: Float64[np.ndarray, "held_out targets"],
) -> Fit:
    """Regress as the paper did: absolute penalties on raw features and on the intercept.

    Each target keeps the one of the 17 ``PAPER_PENALTIES`` with the best validation R², the largest
    of equals. The validation split is never fitted.

    Args:
        train: Embeddings to learn from, finite.
        train_targets: One column per target, finite.
        validation: Embeddings to choose the penalty on.
        validation_targets: Their targets; a constant target keeps the largest penalty.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, section 4; details of the authors' code.
    """
    path = paper_path(train, train_targets)
    return choose(path, PAPER_PENALTIES, validation, validation_targets)


def paper_path(
    features: Float[np.ndarray, "snapshots dim"], targets: Float64[np.ndarray, "snapshots targets"]
) -> LinearMap:
    """Solve ``(XᵀX + λI) b = Xᵀy``, ``X = [features, 1]``, for all targets and penalties.

    ``XᵀX``, most of the work, is computed once, then factorised for each penalty with all targets.
    One eigendecomposition could serve all penalties, but on raw features the rounding of large
    eigenvalues swallows the small ones; elimination avoids that. Where the rounding of a singular
    ``XᵀX`` swallows λ itself, the solution is the shortest one.

    Returns:
        One map whose outputs are the targets of the first penalty, of the second, ….
    """
    size = features.shape[1] + 1
    gram, products = np.zeros((size, size)), np.zeros((size, targets.shape[1]))
    for rows in row_blocks(len(features)):
        block = np.ones((rows.stop - rows.start, size))
        block[:, :-1] = features[rows]
        gram += block.T @ block
        products += block.T @ targets[rows]
    solutions = [solve(gram + penalty * np.eye(size), products) for penalty in PAPER_PENALTIES]
    path = np.hstack(solutions)
    return LinearMap(path[:-1], path[-1])


def solve(
    system: Float64[np.ndarray, "size size"], products: Float64[np.ndarray, "size targets"]
) -> Float64[np.ndarray, "size targets"]:
    """Solve a linear system, by least squares if it is singular."""
    try:
        return np.linalg.solve(system, products)
    except np.linalg.LinAlgError:
        shortest: np.ndarray = np.linalg.lstsq(system, products, rcond=None)[0]
        return shortest


def standard_ridge(
    train: Float[np.ndarray, "snapshots dim"],
    train_targets: Float64[np.ndarray, "snapshots targets"],
    validation: Float[np.ndarray, "held_out dim"],
    validation_targets: Float64[np.ndarray, "held_out targets"],
) -> Fit:
    """Regress on standardised features with a free intercept: no scale or offset matters.

    With features scaled to mean 0 and variance 1 on the train split, minimise
    ``mean((y - zw - b)²) + λ|w|²`` for the 17 penalties of ``PENALTIES``, 1e2 to 1e-10; each
    target keeps the one with the best validation R², the largest of equals.

    The grid is relative to the number of snapshots and to unit variance, so it can be fixed. The
    largest penalty leaves a hundredth of its weight even to a feature that explains everything,
    and silences noise spread over thousands of features. The smallest halves a direction whose
    variance is 1e-10 of a feature's. Most embeddings carry no meaning there, and it is still above
    the rounding of single-precision features and of the Gram matrix. R² changes little from one
    step of 10^0.75 to the next.

    A constant feature gets weight zero. All penalties and targets share one decomposition of the
    smaller Gram matrix.

    Args:
        train: Embeddings to learn from, finite.
        train_targets: One column per target, finite.
        validation: Embeddings to choose the penalty on.
        validation_targets: Their targets; a constant target keeps the largest penalty.
    """
    axes = principal_axes(train)
    centre = train_targets.mean(axis=0)
    covariance = axes.covariance(train, train_targets - centre)
    solutions = shrink(covariance, axes.variances, PENALTIES)
    path = axes.to_features(solutions, np.tile(centre, len(PENALTIES)))
    return choose(path, PENALTIES, validation, validation_targets)


def shrink(
    products: Float64[np.ndarray, "axes targets"],
    values: Float64[np.ndarray, " axes"],
    penalties: tuple[float, ...],
) -> Float64[np.ndarray, "axes outputs"]:
    """Solve the ridge on its eigenvectors; columns are the targets of the first penalty, then ….

    Args:
        products: Covariance of axes and targets.
        values: Variance of each axis.
        penalties: L2 penalties.
    """
    damped = values[:, None] + np.array(penalties)
    solutions: np.ndarray = products[:, None, :] / damped[:, :, None]
    return solutions.reshape(len(values), products.shape[1] * len(penalties))


def choose(
    path: LinearMap,
    penalties: tuple[float, ...],
    validation: Float[np.ndarray, "held_out dim"],
    targets: Float64[np.ndarray, "held_out targets"],
) -> Fit:
    """Keep for each target the first penalty of the path with the best validation R²."""
    count = targets.shape[1]
    errors = path(validation).reshape(len(targets), len(penalties), count)
    errors -= targets[:, None, :]
    scores = 1 - np.einsum("npt,npt->pt", errors, errors) / sum_of_squares(targets)
    best = np.argmax(scores, axis=0)
    columns = best * count + np.arange(count)
    return Fit(
        map=LinearMap(path.weights[:, columns], path.intercept[columns]),
        penalties=tuple(penalties[index] for index in best),
        validation_scores=tuple(scores[best, np.arange(count)].tolist()),
    )
