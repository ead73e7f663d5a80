import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.weight_statistics import WeightStatistics, embedder, row_percentiles, wide
from zoogen import Layout, Weights, ZooError, zoo_spec

MLP = zoo_spec("tetris-seed").network.layout
CNN = zoo_spec("mnist-seed").network.layout
SMALL_CNN = zoo_spec("mnist-hyp").network.layout
PERCENTILES = (1.0, 25.0, 50.0, 75.0, 99.0)
FLOATS = st.floats(-100, 100, width=32)


def population(layout: Layout, rows: int = 20, seed: int = 0) -> Weights:
    values = np.random.default_rng(seed).normal(0.1, 0.5, (rows, layout.params))
    return Weights([values.astype(np.float32)], layout)


@pytest.mark.parametrize(("layout", "numbers"), [(MLP, 14), (CNN, 35), (SMALL_CNN, 28)])
def test_each_layer_gives_mean_variance_and_five_percentiles_of_its_weights(
    layout: Layout, numbers: int
) -> None:
    weights = population(layout)
    expected = []
    for slot in layout:
        if slot.name.endswith("weight"):
            layer = weights.tensor(slot.name).reshape(len(weights), -1).astype(np.float64)
            expected += [layer.mean(axis=1), layer.var(axis=1)]
            expected += list(np.percentile(layer, PERCENTILES, axis=1))
    embedded = embedder.transform(weights)
    assert embedded.shape == (len(weights), numbers)
    np.testing.assert_allclose(embedded, np.stack(expected, axis=1), rtol=1e-4, atol=1e-6)


@given(
    values=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 4), st.integers(1, 90)), elements=FLOATS
    ),
    percentiles=st.lists(st.floats(0, 100), min_size=1, max_size=4),
)
def test_percentiles_are_those_of_numpy(values: np.ndarray, percentiles: list[float]) -> None:
    expected = np.percentile(values.astype(np.float64), percentiles, axis=1)
    np.testing.assert_allclose(row_percentiles(values, percentiles), expected, atol=1e-4)


@given(order=st.permutations(range(5)))
def test_layer_statistics_ignore_the_order_of_hidden_units(order: list[int]) -> None:
    weights = population(MLP)
    first, second = weights.tensor("fc1.weight"), weights.tensor("fc2.weight")
    moved = [
        first[:, order].reshape(len(weights), -1),
        second[:, :, order].reshape(len(weights), -1),
    ]
    permuted = Weights([np.concatenate(moved, axis=1)], MLP)
    np.testing.assert_allclose(
        embedder.transform(permuted), embedder.transform(weights), rtol=1e-5, atol=1e-6
    )


def test_only_the_wide_variant_sees_biases() -> None:
    values = np.asarray(population(CNN))
    shifted = values.copy()
    shifted[:, CNN["conv2.bias"].slice] += 1
    before, after = Weights([values], CNN), Weights([shifted], CNN)
    np.testing.assert_array_equal(embedder.transform(before), embedder.transform(after))
    moved = wide.transform(after) - wide.transform(before)
    mean_variance_percentiles = np.array([1, 0] + [1] * 9)
    np.testing.assert_allclose(moved[:, 33:44], len(moved) * [mean_variance_percentiles], atol=1e-5)
    assert not np.any(np.delete(moved, range(33, 44), axis=1))


def test_the_wide_variant_describes_every_tensor_by_eleven_numbers() -> None:
    assert wide.transform(population(CNN)).shape[1] == 11 * len(CNN.shapes)


def test_percentiles_beyond_0_to_100_are_refused() -> None:
    with pytest.raises(ZooError, match=r"\[101.0\]"):
        WeightStatistics(percentiles=(50.0, 101.0))
