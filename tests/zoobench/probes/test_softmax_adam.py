"""The paper's classification probe against the same training in torch."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from zoobench.probes.softmax_adam import paper_softmax, train_by_adam
from zoogen import ZooError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Use one thread, which is enough for layers of a hundred weights."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def problem(rows: int, dim: int, classes: int, *, scale: float = 1.0):
    rng = np.random.default_rng(0)
    features = (scale * rng.normal(size=(rows, dim))).astype(np.float32)
    return features, np.argmax(features[:, :classes] + 0.1, axis=1)


def train_in_torch(linear, features, labels, orders):
    """Train the layer with torch.nn and torch.optim, in batches of 10."""
    optimiser = torch.optim.Adam(linear.parameters(), lr=1e-4, weight_decay=1e-6)
    inputs, classes = torch.from_numpy(features), torch.from_numpy(labels)
    for order in orders:
        for rows in torch.as_tensor(order).split(10):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(linear(inputs[rows]), classes[rows]).backward()
            optimiser.step()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_step_is_torchs_adam_on_the_mean_cross_entropy(scale):
    features, labels = problem(1003, 14, 6, scale=scale)
    orders = [np.random.default_rng(epoch).permutation(1003) for epoch in range(3)]
    linear = torch.nn.Linear(14, 6)
    layer = np.vstack([linear.weight.detach().numpy().T, linear.bias.detach().numpy()])
    start = layer.copy()
    train_by_adam(layer, features, labels, orders)
    train_in_torch(linear, features, labels, orders)
    moved = np.abs(layer - start).max()
    assert moved > 1e-3
    for ours, theirs in [(layer[:-1].T, linear.weight), (layer[-1], linear.bias)]:
        assert np.abs(ours - theirs.detach().numpy()).max() < 1e-3 * moved


def test_the_probe_trains_fifty_epochs_from_a_he_normal_start():
    features, labels = problem(43, 5, 3)
    generator = torch.Generator().manual_seed(7)
    linear = torch.nn.Linear(5, 3)
    torch.nn.init.kaiming_normal_(linear.weight, generator=generator)
    torch.nn.init.constant_(linear.bias, 0.01)
    orders = [torch.randperm(43, generator=generator) for _ in range(50)]
    train_in_torch(linear, features, labels, orders)
    fit = paper_softmax(features, labels, features, labels, classes=3, seed=7)
    logits = linear(torch.from_numpy(features)).detach().numpy()
    np.testing.assert_allclose(fit.map(features), logits, rtol=1e-5, atol=1e-5)
    assert fit.validation_scores == (np.mean(logits.argmax(axis=1) == labels),)


def test_equal_seeds_give_equal_weights_and_others_do_not():
    features, labels = problem(30, 4, 2)
    first, again, other = (
        paper_softmax(features, labels, features, labels, classes=2, seed=seed).map.weights
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_number_of_a_class_missing_in_train_is_named():
    features, labels = problem(30, 4, 2)
    with pytest.raises(ZooError, match="class 2"):
        paper_softmax(features, labels, features, labels, classes=3)
