import sys
from typing import Literal

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.umap_projection import UMAPProjection, membership_strengths
from zoogen import Layout, Weights, ZooError

LAYOUT = Layout.of({"fc1.weight": (3, 4), "fc2.weight": (2, 3)})
DISTANCES = arrays.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(3, 25)),
    elements=st.floats(0.01, 100),
).map(lambda values: np.sort(values, axis=1))


def along_a_curve(positions: np.ndarray, seed: int) -> Weights:
    """Draw rows close to a curve through weight space."""
    draw = np.random.default_rng(seed)
    curve = np.stack([np.sin(rate * positions) for rate in np.linspace(0.3, 1.2, 18)], axis=1)
    values = curve + 0.01 * draw.standard_normal(curve.shape)
    return Weights([values.astype(np.float32)], LAYOUT)


@pytest.mark.parametrize("init", ["pca", "spectral"])
def test_new_rows_are_placed_beside_similar_training_rows(
    init: Literal["pca", "spectral"],
) -> None:
    known = np.random.default_rng(0).permutation(np.linspace(0, 3, 300))
    unknown = np.linspace(0.1, 2.9, 50)
    train, new = along_a_curve(known, seed=1), along_a_curve(unknown, seed=2)
    embedder = UMAPProjection(dim=3, every=1, init=init).fit(train, train, seed=0)
    apart = np.linalg.norm(embedder.transform(new)[:, None] - embedder.fitted, axis=2)
    assert np.abs(known[apart.argmin(axis=1)] - unknown).max() < 0.3


def test_only_every_third_training_row_counts() -> None:
    train = along_a_curve(np.linspace(0, 3, 150), seed=0)
    values = np.asarray(train)
    values[1::3] = values[2::3] = 100
    first, second = (
        UMAPProjection(dim=2).fit(weights, weights, seed=0).fitted
        for weights in (train, Weights([values], LAYOUT))
    )
    np.testing.assert_array_equal(first, second)


def test_strengths_are_those_from_which_umap_places_new_rows() -> None:
    from umap.umap_ import smooth_knn_dist

    draw = np.random.default_rng(0)
    distances = np.sort(draw.uniform(1, 3, (40, 25)), axis=1).astype(np.float32)
    scales, _ = smooth_knn_dist(distances, 25.0, local_connectivity=0.0)
    np.testing.assert_allclose(
        membership_strengths(distances), np.exp(-distances / scales[:, None]), rtol=1e-3
    )


@given(DISTANCES)
def test_strengths_fall_with_distance_and_all_but_the_first_sum_to_log2(
    distances: np.ndarray,
) -> None:
    strengths = membership_strengths(distances)
    assert np.all(np.diff(strengths, axis=1) <= 0)
    sums = strengths[:, 1:].sum(axis=1)
    bound = 1e-3 * distances.mean(axis=1)  # UMAP's least scale raises the sum
    at_bound = np.exp(-distances[:, 1:] / bound[:, None]).sum(axis=1)
    expected = np.maximum(np.log2(distances.shape[1]), at_bound)
    np.testing.assert_allclose(sums, expected, rtol=1e-6)


@given(DISTANCES)
def test_strengths_of_a_row_do_not_depend_on_other_rows(distances: np.ndarray) -> None:
    alone = [membership_strengths(row[None])[0] for row in distances]
    np.testing.assert_array_equal(membership_strengths(distances), alone)


def test_neighbours_at_distance_zero_have_equal_strength() -> None:
    np.testing.assert_array_equal(membership_strengths(np.zeros((2, 25))), np.ones((2, 25)))


def test_a_missing_package_is_reported_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    weights = along_a_curve(np.linspace(0, 3, 90), seed=0)
    with pytest.raises(ZooError, match=r"pip install 'zoobench\[umap\]'"):
        UMAPProjection().fit(weights, weights, seed=0)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ZooError, match="dim=0"):
        UMAPProjection(dim=0)
    with pytest.raises(ZooError, match="every=0"):
        UMAPProjection(every=0)
    with pytest.raises(ZooError, match="neighbours=2"):
        UMAPProjection(neighbours=2)
    with pytest.raises(ZooError, match="min_distance=-1"):
        UMAPProjection(min_distance=-1.0)
