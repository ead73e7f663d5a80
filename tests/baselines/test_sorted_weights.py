import numpy as np
import pytest

from baselines import sorted_weights
from baselines.sorted_weights import SortedWeights
from zoogen import Layout, Weights

LAYOUT = Layout.of({"fc1.weight": (3, 4), "fc1.bias": (3,), "fc2.weight": (2, 3)})


def population(rows: int = 9) -> Weights:
    values = np.random.default_rng(0).normal(size=(rows, LAYOUT.params))
    return Weights([values.astype(np.float32)], LAYOUT)


def test_each_tensor_is_sorted_by_itself():
    weights = population()
    embedded = SortedWeights().transform(weights)
    for slot in LAYOUT:
        expected = np.sort(np.asarray(weights)[:, slot.slice], axis=1)
        np.testing.assert_array_equal(embedded[:, slot.slice], expected)


def test_blocks_of_rows_are_put_together_in_order(monkeypatch: pytest.MonkeyPatch):
    at_once = SortedWeights().transform(population())
    monkeypatch.setattr(sorted_weights, "ROWS", 4)
    np.testing.assert_array_equal(SortedWeights().transform(population()), at_once)
