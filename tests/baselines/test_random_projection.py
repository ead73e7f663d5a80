import numpy as np
import pytest

from baselines.random_projection import RandomProjection
from zoogen import Layout, Weights, ZooError

LAYOUT = Layout.of({"fc1.weight": (5, 16), "fc2.weight": (4, 5)})


def population(rows: int) -> Weights:
    values = np.random.default_rng(0).standard_normal((rows, LAYOUT.params), dtype=np.float32)
    return Weights([values], LAYOUT)


def test_squared_lengths_are_kept_on_average_over_seeds() -> None:
    weights = population(1)
    length = np.sum(np.asarray(weights) ** 2)
    ratios = []
    for seed in range(400):
        embedded = RandomProjection(dim=50).fit(weights, weights, seed=seed).transform(weights)
        ratios.append(np.sum(embedded**2) / length)
    assert abs(np.mean(ratios) - 1) < 4 * np.sqrt(2 / 50 / 400)
    assert np.std(ratios) == pytest.approx(np.sqrt(2 / 50), rel=0.2)


def test_another_seed_gives_other_directions() -> None:
    weights = population(3)
    first, second = (
        RandomProjection().fit(weights, weights, seed=seed).transform(weights) for seed in (0, 1)
    )
    assert np.abs(first - second).min() > 0


def test_the_training_weights_do_not_matter() -> None:
    weights = population(30)
    first = RandomProjection().fit(weights, weights, seed=0).transform(weights)
    second = RandomProjection().fit(weights.take([7]), weights, seed=0).transform(weights)
    np.testing.assert_array_equal(first, second)


def test_a_projection_without_directions_is_refused() -> None:
    with pytest.raises(ZooError, match="dim=0"):
        RandomProjection(dim=0)
