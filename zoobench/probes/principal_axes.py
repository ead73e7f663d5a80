"""Standardised features on their principal axes, where an L2 penalty is one division."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64

from zoobench.probes.linear import LinearMap, row_blocks

NOISE_ULPS = 16
"""Largest spread of a constant feature, in roundings of its mean."""


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """The uncorrelated coordinates of standardised features.

    With ``z = (features - mean) / spread`` and orthonormal axes ``V``, the scores of a snapshot are
    ``z @ V``. An L2 penalty on the weights of ``z`` is the same penalty on the weights of the
    scores, and the covariance of the scores is diagonal.

    Attributes:
        mean: Mean of each feature over the train split.
        directions: ``V`` with each row divided by the spread of its feature, so that scores are
            ``(features - mean) @ directions``; zero for a constant feature.
        variances: Mean square of the train scores on each axis, positive.
    """

    mean: Float64[np.ndarray, " dim"]
    directions: Float64[np.ndarray, "dim axes"]
    variances: Float64[np.ndarray, " axes"]

    def scores(
        self, features: Float[np.ndarray, "snapshots dim"]
    ) -> Float32[np.ndarray, "snapshots axes"]:
        """Return the scores of each snapshot, in single precision rounded from double."""
        scores = np.empty((len(features), len(self.variances)), dtype=np.float32)
        for rows in row_blocks(len(features)):
            scores[rows] = (features[rows] - self.mean) @ self.directions
        return scores

    def covariance(
        self,
        features: Float[np.ndarray, "snapshots dim"],
        targets: Float64[np.ndarray, "snapshots targets"],
    ) -> Float64[np.ndarray, "axes targets"]:
        """Return the mean product of the scores on each axis with each centred target."""
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
    """Find the principal axes of standardised features; constant features are allowed.

    The eigenvectors come from the smaller of two Gram matrices: features × features, summed over
    blocks of rows so that the features never exist in double precision, or snapshots × snapshots.
    A feature whose spread is within 16 roundings of its size, in its own precision, counts as
    constant: it gets weight zero instead of a huge one. Axes whose variance is zero up to rounding
    are left out.

    Args:
        features: Embeddings, finite, at least one row; any scale, offset or correlation.
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
    """Average each feature as its first value plus the mean difference to it.

    So the mean of a constant feature is exact, and a large offset costs no digits.
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
    """Return one over each standard deviation, or zero where it is at most ``noise``."""
    spread = np.sqrt(variances)
    inverse: np.ndarray = np.zeros_like(spread)
    np.divide(1.0, spread, out=inverse, where=spread > noise)
    return inverse


def positive_eigenpairs(
    gram: Float64[np.ndarray, "size size"],
) -> tuple[Float64[np.ndarray, " axes"], Float64[np.ndarray, "size axes"]]:
    """Return the eigenpairs of a semi-definite matrix whose value is positive beyond rounding."""
    values, vectors = np.linalg.eigh(gram)
    positive = values > values[-1] * len(gram) * np.finfo(np.float64).eps
    return values[positive], vectors[:, positive]
