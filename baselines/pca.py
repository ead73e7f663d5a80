"""Principal components of weight vectors: linear, cosine and Gaussian kernels.

The result equals scikit-learn's ``KernelPCA(n_components=50, kernel=...)`` fitted on every second
training row, as in the authors' code, up to the sign of each axis. The kernel matrix, 71 GB for the
94 500 rows of tetris-hyp, is never held in memory:

* The linear and cosine kernels are scalar products, of the rows as they are or at unit length, so
  their axes come exactly from the small covariance matrix.
* The Gaussian kernel is multiplied with a hundred vectors at once, a block of its rows at a time,
  recomputed on each pass; a block Krylov method needs six or seven passes in single precision.
  Coordinates are computed in double precision: large terms cancel in them, and in single precision
  the rest would depend on which rows are embedded together.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64

from zoobench import Embedder
from zoogen import Weights, ZooError

Kernel = Literal["linear", "cosine", "rbf"]

KERNEL_ROWS = 512
"""Kernel rows held at a time: 194 MB for tetris-hyp in single precision."""

TOLERANCE = 3e-6
"""Largest accepted residual over the largest eigenvalue; float32 reaches about 2e-7."""

ROUNDING = 1e-5
"""Axes below this share of the largest eigenvalue are dropped: float32 cannot resolve them."""

PASSES = 20
"""Most passes over the kernel; this bounds the memory of the search."""


@dataclass
class PCA:
    """Coordinates along the leading principal axes of the training weights in kernel space.

    Attributes:
        kernel: ``linear``; ``cosine``, which scales rows to unit length; or ``rbf``, the Gaussian
            kernel ``exp(-|x - y|² / params)``, whose cost grows with the square of the rows.
        dim: Number of axes; fewer if the training rows vary along fewer.
        every: Fit on every ``every``-th training row, in the order given.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, section 4.1: PCA_l, PCA_c and PCA_r. Kernel PCA:
        Schölkopf, Smola and Müller 1998, Neural Computation 10 (5).
    """

    kernel: Kernel = "linear"
    dim: int = 50
    every: int = 2
    name: str = field(init=False)

    def __post_init__(self) -> None:
        if self.dim < 1 or self.every < 1:
            raise ZooError(f"dim={self.dim}, every={self.every}: expected 1 or more of each")
        self.name = f"pca-{self.kernel}"

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "PCA":  # noqa: ARG002
        """Find the axes; the seed only sets where the search for ``rbf`` starts."""
        rows = train.take(slice(None, None, self.every))
        self.axes = (
            gaussian_axes(rows, self.dim, seed=seed)
            if self.kernel == "rbf"
            else linear_axes(rows, self.dim, unit_length=self.kernel == "cosine")
        )
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots dim"]:
        """Return the coordinates of each row."""
        return np.concatenate(
            [self.axes.coordinates(np.asarray(block)) for block in weights.blocks()]
        )


@dataclass(frozen=True)
class LinearAxes:
    """Orthogonal directions through the mean of the rows, as they are or at unit length."""

    unit_length: bool
    mean: Float64[np.ndarray, " params"]
    directions: Float64[np.ndarray, "params dim"]

    def coordinates(
        self, rows: Float32[np.ndarray, "rows params"]
    ) -> Float32[np.ndarray, "rows dim"]:
        """Project rows onto the directions."""
        centred = prepared(rows, unit_length=self.unit_length) - self.mean
        return np.asarray(centred @ self.directions, dtype=np.float32)


def prepared(
    rows: Float32[np.ndarray, "rows params"], *, unit_length: bool
) -> Float64[np.ndarray, "rows params"]:
    """Return rows in double precision, at unit length if asked for; zero rows stay zero."""
    values = rows.astype(np.float64)
    if unit_length:
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        values /= np.where(lengths > 0, lengths, 1)
    return values


def linear_axes(rows: Weights, dim: int, *, unit_length: bool) -> LinearAxes:
    """Find the ``dim`` leading eigenvectors of the covariance matrix of ``rows``."""
    from scipy.linalg import eigh

    params = rows.layout.params
    mean, covariance = np.zeros(params), np.zeros((params, params))
    for block in rows.blocks():
        mean += prepared(np.asarray(block), unit_length=unit_length).sum(axis=0) / len(rows)
    for block in rows.blocks():
        centred = prepared(np.asarray(block), unit_length=unit_length) - mean
        covariance += centred.T @ centred / len(rows)
    variances, directions = eigh(covariance, subset_by_index=(max(params - dim, 0), params - 1))
    varied = variances > 1e-12 * variances[-1]
    directions = directions[:, varied][:, ::-1]
    return LinearAxes(unit_length, mean, directions * fixed_signs(directions))


def fixed_signs(axes: Float[np.ndarray, "entries dim"]) -> Float32[np.ndarray, " dim"]:
    """Return the signs that make the largest entry of each axis positive."""
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)[0]
    return np.where(largest < 0, -1, 1).astype(np.float32)


@dataclass(frozen=True)
class GaussianAxes:
    """Directions in the space of the Gaussian kernel, as sums over the fitted rows.

    A coordinate is the centred kernel times the coefficients. The coefficients sum to zero, so
    centring reduces to one ``offset`` per axis, which depends on the training rows only: each row
    is embedded on its own.
    """

    mean: Float64[np.ndarray, " params"]
    fitted: Float64[np.ndarray, "fitted params"]
    coefficients: Float64[np.ndarray, "fitted dim"]
    offset: Float64[np.ndarray, " dim"]

    def coordinates(
        self, rows: Float32[np.ndarray, "rows params"]
    ) -> Float32[np.ndarray, "rows dim"]:
        """Project rows onto the axes."""
        coordinates = kernel_product(rows - self.mean, self.fitted, self.coefficients)
        return np.asarray(coordinates - self.offset, dtype=np.float32)


def gaussian_axes(rows: Weights, dim: int, *, seed: int) -> GaussianAxes:
    """Find the ``dim`` leading eigenvectors of the centred kernel matrix of ``rows``."""
    from threadpoolctl import threadpool_limits

    values = np.asarray(rows)
    mean = values.mean(axis=0)  # a shift changes no distance, and smaller norms round less
    fitted = values - mean
    # Torch computes the products on all cores; numpy's threads would only compete with it.
    with threadpool_limits(1, user_api="blas"):
        eigenpairs = leading_eigenpairs(
            lambda vectors: kernel_product(fitted, fitted, vectors), len(fitted), dim, seed=seed
        )
    scale = 1 / np.sqrt(eigenpairs.values)
    return GaussianAxes(
        mean.astype(np.float64),
        values - mean.astype(np.float64),
        eigenpairs.vectors * scale,
        eigenpairs.means * scale,
    )


def kernel_product(
    rows: Float[np.ndarray, "rows params"],
    fitted: Float[np.ndarray, "fitted params"],
    vectors: Float[np.ndarray, "fitted columns"],
) -> Float[np.ndarray, "rows columns"]:
    """Multiply the kernel ``exp(-|x - y|² / params)`` of ``rows`` and ``fitted`` with ``vectors``.

    All three share one precision, single or double, and the product has it too. Torch computes
    exponentials on all cores, numpy on one.
    """
    import torch

    gamma = 1 / rows.shape[1]
    left, right, weights = (torch.from_numpy(array) for array in (rows, fitted, vectors))
    left_norms, right_norms = (gamma * side.square().sum(dim=1) for side in (left, right))
    result = left.new_empty(len(rows), vectors.shape[1])
    memory = left.new_empty(min(KERNEL_ROWS, len(rows)), len(fitted))
    for first in range(0, len(rows), KERNEL_ROWS):
        block = left[first : first + KERNEL_ROWS]
        kernel = memory[: len(block)]
        torch.addmm(-right_norms, block, right.T, alpha=2 * gamma, out=kernel)
        kernel.sub_(left_norms[first : first + KERNEL_ROWS, None]).exp_()
        torch.mm(kernel, weights, out=result[first : first + KERNEL_ROWS])
    return result.numpy()


@dataclass(frozen=True)
class Eigenpairs:
    """Leading eigenpairs of a centred symmetric matrix, and the means removed by centring.

    Attributes:
        values: In descending order.
        vectors: One per column, of unit length and mean zero.
        means: Column means of the matrix before centring, times ``vectors``.
    """

    values: Float64[np.ndarray, " dim"]
    vectors: Float32[np.ndarray, "size dim"]
    means: Float64[np.ndarray, " dim"]


def leading_eigenpairs(
    product: Callable[[Float32[np.ndarray, "size _columns"]], Float32[np.ndarray, "size _columns"]],
    size: int,
    dim: int,
    *,
    seed: int,
) -> Eigenpairs:
    """Find the leading eigenpairs of a symmetric matrix, centred, from its products with vectors.

    A block Krylov method: the basis starts with ``2 * dim`` random vectors, and each pass adds the
    residuals of the best vectors found in it (Rayleigh-Ritz). The search ends when no residual is
    longer than ``TOLERANCE`` times the largest eigenvalue.

    Args:
        product: Multiplies the matrix before centring with several vectors.
        size: Number of rows of the matrix.
        dim: Number of eigenpairs; those below ``ROUNDING`` are dropped.
        seed: Seed of the first vectors.

    Source:
        Musco and Musco 2015, arXiv:1504.05477; full orthogonalisation as in Saad 2011, Numerical
        methods for large eigenvalue problems, chapter 6.
    """
    draw = np.random.default_rng(seed)
    new = draw.standard_normal((size, min(2 * dim, size - 1)), dtype=np.float32)
    basis = image = np.empty((size, 0), dtype=np.float32)
    means = np.empty(0)
    for _ in range(PASSES):
        new = orthonormal(new[:, : size - 1 - basis.shape[1]], basis)
        moved, moved_means = centred(product(new))
        basis, image = np.hstack([basis, new]), np.hstack([image, moved])
        means = np.concatenate([means, moved_means])
        values, mix = ritz_pairs(basis, image, 2 * dim)
        new = image @ mix - basis @ mix * values.astype(np.float32)
        residual = float(np.linalg.norm(new[:, :dim], axis=0).max() / values[0])
        if residual <= TOLERANCE:
            break
    else:
        warnings.warn(f"rbf axes are only exact to {residual:.0e}", RuntimeWarning, stacklevel=4)
    kept = int(np.sum(values[:dim] > ROUNDING * values[0]))
    vectors = basis @ mix[:, :kept]
    signs = fixed_signs(vectors)
    return Eigenpairs(values[:kept], vectors * signs, means @ mix[:, :kept] * signs)


def ritz_pairs(
    basis: Float32[np.ndarray, "size directions"],
    image: Float32[np.ndarray, "size directions"],
    count: int,
) -> tuple[Float64[np.ndarray, " count"], Float32[np.ndarray, "directions count"]]:
    """Diagonalise the matrix within the span of ``basis``: eigenvalues and basis coefficients."""
    inside = (basis.T @ image).astype(np.float64)
    values, mix = np.linalg.eigh((inside + inside.T) / 2)
    return values[::-1][:count], mix[:, ::-1][:, :count].astype(np.float32)


def orthonormal(
    vectors: Float32[np.ndarray, "size columns"], basis: Float32[np.ndarray, "size directions"]
) -> Float32[np.ndarray, "size columns"]:
    """Make vectors unit length, mean zero, and orthogonal to each other and to ``basis``."""
    for _ in range(2):  # one round leaves rounding errors if a vector lies almost in the basis
        vectors = np.linalg.qr(vectors - basis @ (basis.T @ vectors)).Q
        vectors, _ = centred(vectors)
    return vectors


def centred(
    columns: Float32[np.ndarray, "size columns"],
) -> tuple[Float32[np.ndarray, "size columns"], Float64[np.ndarray, " columns"]]:
    """Return columns minus their means, and the means, which float32 sums get wrong by 1e-5."""
    means = columns.mean(axis=0, dtype=np.float64)
    return columns - means.astype(np.float32), means


linear: Embedder = PCA("linear")
cosine: Embedder = PCA("cosine")
rbf: Embedder = PCA("rbf")
