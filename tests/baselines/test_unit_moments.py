"""Second moments of units: independent of the order of units, and equal to explicit sums."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.unit_moments import UnitMoments
from tests.symmetric import NETWORKS, every_network, population, reordered
from zoogen import CNN, MLP, Layout, ZooError


@every_network
@given(data=st.data())
def test_the_order_of_hidden_units_does_not_matter(network: MLP | CNN, data: st.DataObject):
    weights = population(network.layout)
    permuted = reordered(network, weights, data)
    np.testing.assert_allclose(
        UnitMoments().transform(permuted), UnitMoments().transform(weights), rtol=1e-5, atol=1e-7
    )


def test_the_moments_of_a_deep_network_are_those_of_its_paths():
    weights = population(NETWORKS["deep mlp"].layout, 3)
    embedded = UnitMoments().transform(weights)
    for row, found in enumerate(embedded):
        first, second, last = (
            weights.tensor(f"fc{number}.weight")[row].astype(np.float64) for number in (1, 2, 3)
        )
        biases = [weights.tensor(f"fc{number}.bias")[row] for number in (1, 2)]
        layers = [
            np.column_stack([first, (last @ second).T, biases[0], np.ones(7)]),
            np.column_stack([second @ first, last.T, biases[1], np.ones(5)]),
        ]
        expected = [
            np.mean(units[:, one] * units[:, other])
            for units in layers
            for one, other in [*combinations_with_replacement(range(units.shape[1]), 2)][:-1]
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("tetris", [21]), ("the paper's cnn", [37] * 4), ("small cnn", [21] * 3)],
)
def test_an_embedding_holds_each_pair_of_numbers_once(name: str, numbers: list[int]):
    embedded = UnitMoments().transform(population(NETWORKS[name].layout))
    assert embedded.shape[1] == sum(count * (count + 1) // 2 - 1 for count in numbers)


def test_a_network_without_hidden_layers_is_refused():
    weights = population(Layout.of({"fc1.weight": (4, 16)}, ()))
    with pytest.raises(ZooError, match=r"cannot describe .* fc1\.weight: it has no hidden layer"):
        UnitMoments().fit(weights, weights, seed=0)
