"""Standardised features on their principal axes, where every L2 penalty is one division."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from zoobench.probes.linear import LinearMap, row_blocks

NOISE_ULPS = 16


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The uncorrelated coordinates of standardised features.

    With ``z = (features - mean) / spread`` and orthonormal axes ``V``, a snapshot has the scores
    ``z @ V``. An L2 penalty on the weights of ``z`` is the same penalty on the weights of the
    scores, and the scores' covariance is diagonal.

    Attributes:
        mean: Of each feature over the train split.
        directions: ``V`` with each row divided by the spread of its feature, so that scores are
            ``(features - mean) @ directions``; zero for a feature that says nothing.
        variances: Mean square of the train scores on each axis; all are positive.
    """

    mean: Float64[np.ndarray, " dim"]
    directions: Float64[np.ndarray, "dim axes"]
    variances: Float64[np.ndarray, " axes"]

    def scores(
        self, features: Float[np.ndarray, "snapshots dim"]
    ) -> Float32[np.ndarray, "snapshots axes"]:
        """Return the coordinates of each snapshot, rounded to single precision at the end."""
        scores = np.empty((len(features), len(self.variances)), dtype=np.float32)
        for rows in row_blocks(len(features)):
            scores[rows] = (features[rows] - self.mean) @ self.directions
        return scores

    def covariance(
        self,
        features: Float[np.ndarray, "snapshots dim"],
        targets: Float64[np.ndarray, "snapshots targets"],
    ) -> Float64[np.ndarray, "axes targets"]:
        """Return the mean product of each axis's scores with each centred target."""
        products = np.zeros((len(self.mean), targets.shape[1]))
        for rows in row_blocks(len(features)):
            products += (features[rows] - self.mean).T @ targets[rows]
        return self.directions.T @ products / len(features)

    def to_features(
        self,
        weights: Float64[np.ndarray, "axes outputs"],
        intercept: Float64[np.ndarray, " outputs"],
    ) -> LinearMap:
        """Turn a map of the scores into the same map of raw features."""
        raw = self.directions @ weights
        return LinearMap(raw, intercept - self.mean @ raw)


def principal_axes(features: Float[np.ndarray, "snapshots dim"]) -> PrincipalAxes:
    """Find the principal axes of standardised features, none of which has to be informative.

    The eigenvectors come from the smaller of the two Gram matrices: features × features, summed
    over blocks of rows so that the features never exist in double precision, or snapshots ×
    snapshots. A feature whose spread is within 16 roundings of its own size (in the precision it
    is given in) is constant for all we know: it gets no weight instead of a huge one. Axes within
    rounding of zero variance are left out.

    Args:
        features: Finite, at least one row; any scale, offset or correlation.
    """
    mean = column_means(features)
    noise = NOISE_ULPS * float(np.finfo(features.dtype).eps) * np.abs(mean)
    snapshots, dim = features.shape
    if dim <= snapshots:
        gram = np.zeros((dim, dim))
        for rows in row_blocks(snapshots):
            centred = features[rows] - mean
            gram += centred.T @ centred
        gram /= snapshots
        inverse = inverse_spread(np.diagonal(gram), noise)
        variances, axes = positive_eigenpairs(gram * inverse * inverse[:, None])
        return PrincipalAxes(mean, axes * inverse[:, None], variances)
    standardised = features - mean
    inverse = inverse_spread(np.square(standardised).mean(axis=0), noise)
    standardised *= inverse
    variances, rotation = positive_eigenpairs(standardised @ standardised.T / snapshots)
    axes = standardised.T @ (rotation / np.sqrt(variances * snapshots))
    return PrincipalAxes(mean, axes * inverse[:, None], variances)


def column_means(features: Float[np.ndarray, "snapshots dim"]) -> Float64[np.ndarray, " dim"]:
    """Average each feature as its first value plus the mean distance to it.

    A constant feature then averages to itself exactly, and none loses digits to a large offset.
    """
    first = features[0].astype(np.float64)
    mean: np.ndarray = np.zeros(features.shape[1])
    for rows in row_blocks(len(features)):
        mean += (features[rows] - first).sum(axis=0) / len(features)
    mean += first
    return mean


def inverse_spread(
    variances: Float64[np.ndarray, " dim"], noise: Float64[np.ndarray, " dim"]
) -> Float64[np.ndarray, " dim"]:
    """Return one over each standard deviation, zero where it is no more than ``noise``."""
    spread = np.sqrt(variances)
    inverse: np.ndarray = np.zeros_like(spread)
    np.divide(1.0, spread, out=inverse, where=spread > noise)
    return inverse


def positive_eigenpairs(
    gram: Float64[np.ndarray, "size size"],
) -> tuple[Float64[np.ndarray, " axes"], Float64[np.ndarray, "size axes"]]:
    """Return the eigenpairs of a positive semi-definite matrix that rounding did not make up."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * len(gram) * np.finfo(np.float64).eps
    return values[kept], vectors[:, kept]
