"""A reconstruction is compared with the same networks, their units in another order."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from zoobench.embedders.reconstruct import permuted, squared_errors
from zoobench.results.bootstrap import reconstruction_interval
from zoogen import Weights, Zoo


def test_permuted_networks_compute_what_they_did(seed_zoo: Zoo):
    weights = seed_zoo.test.weights
    moved = permuted(weights, np.random.default_rng(0))
    images = np.random.default_rng(1).normal(size=(7, 16))

    def logits(vector: np.ndarray) -> np.ndarray:
        first, second = vector[:80].reshape(5, 16), vector[80:].reshape(4, 5)
        return np.tanh(images @ first.T) @ second.T

    before, after = np.asarray(weights), np.asarray(moved)
    assert not np.array_equal(before, after)
    for old, new in zip(before, after, strict=True):
        assert np.allclose(logits(old), logits(new), atol=1e-5)


def test_each_network_is_permuted_in_its_own_way(seed_zoo: Zoo):
    same = Weights([np.repeat(np.asarray(seed_zoo.test.weights)[:1], 50, axis=0)], seed_zoo.layout)
    moved = np.asarray(permuted(same, np.random.default_rng(0)))
    assert len(np.unique(moved, axis=0)) > 25


def test_squared_errors_add_up_to_r2(seed_zoo: Zoo):
    weights = seed_zoo.test.weights
    rows = np.asarray(weights, dtype=np.float64)
    decoded = rows + np.random.default_rng(0).normal(scale=0.1, size=rows.shape)
    wrong, spread = squared_errors(weights, decoded).sum(axis=1)
    expected = r2_score(rows, decoded, multioutput="variance_weighted")
    assert 1 - wrong / spread == pytest.approx(expected)


def test_the_interval_of_a_reconstruction_resamples_models():
    draw = np.random.default_rng(0)
    models = np.repeat(np.arange(20), 3)
    errors = np.stack([draw.uniform(0, 1, 60), np.full(60, 2.0)])[None]
    low, high = reconstruction_interval(errors, models)
    assert low < 1 - errors[0, 0].sum() / 120 < high
    alike = np.stack([np.full(60, 0.5), np.full(60, 2.0)])[None]
    assert reconstruction_interval(alike, models) == pytest.approx((0.75, 0.75))
    assert reconstruction_interval(errors, models, less=errors) == (0, 0)
    low, high = reconstruction_interval(errors / [[2], [1]], models, less=errors)
    assert 0 < low < high
    # Snapshots of a model are drawn together: more of the same add no information.
    more = np.repeat(errors, 5, axis=2), np.repeat(models, 5)
    assert reconstruction_interval(*more) == pytest.approx(reconstruction_interval(errors, models))
    assert np.isnan(reconstruction_interval(errors, np.zeros(60, dtype=np.int64))).all()
