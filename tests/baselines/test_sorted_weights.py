import numpy as np

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
