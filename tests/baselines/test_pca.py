import numpy as np
import pytest
from sklearn.decomposition import KernelPCA

from baselines import pca
from baselines.pca import PCA, Kernel, leading_eigenpairs
from zoogen import Layout, Weights, ZooError

LAYOUT = Layout.of({"fc1.weight": (5, 16), "fc2.weight": (4, 5)})
KERNELS: tuple[Kernel, ...] = ("linear", "cosine", "rbf")


def population(rows: int = 400, seed: int = 0, decay: float = 0.93) -> Weights:
    """Draw rows whose variance falls by the factor ``decay`` from one direction to the next."""
    draw = np.random.default_rng(seed)
    mixing = np.linalg.qr(np.random.default_rng(7).standard_normal((LAYOUT.params,) * 2)).Q
    deviations = 3 * np.sqrt(decay) ** np.arange(LAYOUT.params)
    values = draw.standard_normal((rows, LAYOUT.params)) * deviations @ mixing + 0.1
    return Weights([values.astype(np.float32)], LAYOUT)


def embedded(embedder: PCA, train: Weights, weights: Weights, seed: int = 0) -> np.ndarray:
    return embedder.fit(train, train, seed=seed).transform(weights)


def relative_change(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the largest change of each column over its standard deviation."""
    return np.asarray(np.abs(first - second).max(axis=0) / second.std(axis=0))


@pytest.mark.parametrize(
    ("kernel", "tolerance"), [("linear", 1e-5), ("cosine", 1e-5), ("rbf", 1e-3)]
)
def test_coordinates_of_new_rows_are_those_of_kernel_pca_up_to_signs(
    kernel: Kernel, tolerance: float
) -> None:
    train, new = population(), population(50, seed=1)
    peer = KernelPCA(n_components=50, kernel=kernel).fit(np.asarray(train, np.float64)[::2])
    expected = peer.transform(np.asarray(new, np.float64))
    found = embedded(PCA(kernel), train, new)
    assert found.shape == expected.shape
    signs = np.sign(np.sum(found * expected, axis=0))
    change = relative_change(found * signs, expected)
    gaps = -np.diff(peer.eigenvalues_) / peer.eigenvalues_[0]
    apart = np.minimum(gaps, np.insert(gaps[:-1], 0, np.inf)) > 1e-3
    assert apart.sum() > 20
    assert change[:-1][apart].max() < tolerance


def test_the_gaussian_axes_span_the_same_space_as_those_of_kernel_pca() -> None:
    train, new = population(decay=0.8), population(50, seed=1, decay=0.8)
    peer = KernelPCA(n_components=20, kernel="rbf").fit(np.asarray(train, np.float64)[::2])
    expected = peer.transform(np.asarray(new, np.float64))
    found = embedded(PCA("rbf", dim=20), train, new)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_only_every_second_training_row_counts(kernel: Kernel) -> None:
    train, new = population(), population(20, seed=1)
    values = np.asarray(train)
    values[1::2] = 100
    changed = Weights([values], LAYOUT)
    np.testing.assert_array_equal(
        embedded(PCA(kernel), changed, new), embedded(PCA(kernel), train, new)
    )


@pytest.mark.parametrize("kernel", KERNELS)
def test_neither_the_order_of_training_rows_nor_the_seed_flips_an_axis(kernel: Kernel) -> None:
    train, new = population(), population(50, seed=1)
    reverse = train.take(slice(None, None, -1))
    first = embedded(PCA(kernel, dim=20, every=1), train, new, seed=0)
    second = embedded(PCA(kernel, dim=20, every=1), reverse, new, seed=1)
    assert relative_change(first, second).max() < 1e-2


@pytest.mark.parametrize("kernel", KERNELS)
def test_small_blocks_of_rows_give_the_same_axes(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, new = population(200), population(50, seed=1)
    at_once = embedded(PCA(kernel, dim=10), train, new)
    blocks = Weights.blocks
    monkeypatch.setattr(Weights, "blocks", lambda weights: blocks(weights, 33))
    monkeypatch.setattr(pca, "KERNEL_ROWS", 7)
    assert relative_change(embedded(PCA(kernel, dim=10), train, new), at_once).max() < 1e-3


@pytest.mark.parametrize("kernel", ["linear", "cosine"])
def test_axes_without_variance_are_dropped(kernel: Kernel) -> None:
    values = np.zeros((100, LAYOUT.params), dtype=np.float32)
    values[:, :3] = np.random.default_rng(0).standard_normal((100, 3))
    weights = Weights([values], LAYOUT)
    assert embedded(PCA(kernel), weights, weights).shape == (100, 3)


def test_a_row_of_zeros_has_a_cosine_embedding() -> None:
    values = np.asarray(population())
    values[0] = 0
    weights = Weights([values], LAYOUT)
    assert np.isfinite(embedded(PCA("cosine"), weights, weights)).all()


@pytest.mark.parametrize("size", [30, 100, 700])
def test_leading_eigenpairs_are_those_of_the_centred_matrix(size: int) -> None:
    points = np.random.default_rng(0).standard_normal((size, 40)).astype(np.float32) + 1
    matrix = points @ points.T
    found = leading_eigenpairs(lambda vectors: matrix @ vectors, size, 10, seed=0)
    off_mean = np.eye(size) - 1 / size
    values = np.linalg.eigvalsh(off_mean @ matrix @ off_mean)[::-1]
    np.testing.assert_allclose(found.values, values[:10], rtol=1e-4)
    left = off_mean @ matrix @ found.vectors - found.vectors * found.values
    assert np.linalg.norm(left, axis=0).max() < 1e-5 * values[0]
    np.testing.assert_allclose(found.vectors.T @ found.vectors, np.eye(10), atol=1e-5)
    np.testing.assert_allclose(found.means, matrix.mean(axis=0) @ found.vectors, atol=1e-3)


def test_a_search_that_does_not_reach_its_tolerance_reports_its_precision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pca, "PASSES", 1)
    weights = population()
    with pytest.warns(RuntimeWarning, match=r"only exact to \de[-+]\d\d"):
        PCA("rbf", dim=10).fit(weights, weights, seed=0)


def test_settings_below_one_are_refused() -> None:
    with pytest.raises(ZooError, match="dim=0"):
        PCA(dim=0)
    with pytest.raises(ZooError, match="every=0"):
        PCA(every=0)
