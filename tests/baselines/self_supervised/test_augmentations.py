"""Views: permuting units keeps the function of a network; erasing and noise are as asked for."""

from collections import Counter
from math import factorial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.func import functional_call

from baselines.self_supervised.augmentations import (
    LARGEST_TABLE,
    Permutations,
    erase_masks,
    permutations_of,
    view,
)
from zoogen import CNN, MLP, ZOOS, Layout, ZooError, permutation_index
from zoogen.train.networks import torch_module

NETWORKS: dict[str, MLP | CNN] = {
    "tetris": ZOOS["tetris-seed"].network,
    "deep mlp": MLP(widths=(6, 7, 5, 4), bias=True),
    "the paper's cnn": ZOOS["mnist-seed"].network,
    "small cnn": ZOOS["mnist-hyp"].network,
}
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def drawn(network: MLP | CNN, rows: int) -> Tensor:
    return 0.3 * torch.randn(rows, network.layout.params, generator=generator())


def logits(network: MLP | CNN, vector: Tensor, images: Tensor) -> Tensor:
    module = torch_module(network, "tanh").double()
    state = {slot.name: vector[slot.slice].reshape(slot.shape).double() for slot in network.layout}
    return functional_call(module, state, (images.double(),))


@every_network
def test_a_permuted_network_computes_the_same(network: MLP | CNN):
    vectors = drawn(network, 3)
    images = torch.randn(5, *network.image_shape, generator=generator(1))
    permuted = view(vectors, permutations_of(network.layout), generator=generator(2))
    assert (permuted != vectors).any(dim=1).all()
    for before, after in zip(vectors, permuted, strict=True):
        assert torch.allclose(
            logits(network, before, images), logits(network, after, images), atol=1e-12
        )


@every_network
def test_each_vector_of_a_batch_gets_its_own_permutation(network: MLP | CNN):
    (vector,) = drawn(network, 1)
    permuted = view(vector.expand(40, -1), permutations_of(network.layout), generator=generator(4))
    assert len(permuted.unique(dim=0)) > 25
    assert torch.equal(permuted.sort(dim=1).values, vector.sort().values.expand(40, -1))


def after_five_steps(network: MLP | CNN, vector: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    vector = vector.double()
    for _ in range(5):
        vector = vector.detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(logits(network, vector, images), labels)
        (gradient,) = torch.autograd.grad(loss, vector)
        vector = vector - 0.5 * gradient
    return vector.detach()


@every_network
def test_training_and_permuting_commute(network: MLP | CNN):
    (vector,) = drawn(network, 1)
    images = torch.randn(8, *network.image_shape, generator=generator(1))
    labels = torch.randint(network.classes, (8,), generator=generator(2))
    (index,) = permutations_of(network.layout).draw(1, generator(3))
    trained = after_five_steps(network, vector, images, labels)
    assert (trained - vector).abs().max() > 1e-3
    assert torch.allclose(
        after_five_steps(network, vector[index], images, labels), trained[index], atol=1e-10
    )


@every_network
def test_the_index_of_a_batch_is_that_of_each_of_its_vectors(network: MLP | CNN):
    permutations = permutations_of(network.layout)
    orders = {
        layer.name: torch.rand(4, layer.units, generator=generator()).argsort(dim=1)
        for layer in permutations.layers
    }
    indices = permutations.indices(orders, 4)
    for row in range(4):
        expected = permutation_index(
            network.layout,
            network.layout.symmetry,
            {name: order[row].numpy() for name, order in orders.items()},
        )
        np.testing.assert_array_equal(indices[row].numpy(), expected)


def test_any_layer_can_be_permuted_alone():
    network = NETWORKS["the paper's cnn"]
    (vector,) = drawn(network, 1)
    images = torch.randn(5, *network.image_shape, generator=generator(1))
    for layer in permutations_of(network.layout).layers:
        (index,) = Permutations(network.layout, (layer,)).draw(1, generator(1))
        moved = index != torch.arange(network.layout.params)
        touched = {slot.name for slot in network.layout if moved[slot.slice].any()}
        assert touched == {name for name, _ in layer.axes}
        assert torch.allclose(
            logits(network, vector, images), logits(network, vector[index], images), atol=1e-12
        )


def test_the_table_has_every_permutation_once():
    permutations = permutations_of(NETWORKS["tetris"].layout)
    assert permutations.count == 120
    assert len({tuple(row.tolist()) for row in permutations.table}) == 120
    assert torch.equal(permutations.table[0], torch.arange(100))


@pytest.mark.parametrize("largest", [LARGEST_TABLE, 0], ids=["listed", "drawn"])
def test_all_permutations_are_equally_likely(largest: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("baselines.self_supervised.augmentations.LARGEST_TABLE", largest)
    layout = MLP(widths=(2, 3, 2, 1)).layout
    drawn = permutations_of(layout).draw(12_000, generator())
    counts = Counter(tuple(row.tolist()) for row in drawn)
    assert len(counts) == factorial(3) * factorial(2)
    assert max(abs(count - 1000) for count in counts.values()) < 5 * 1000**0.5


def test_a_network_without_hidden_layers_has_nothing_to_permute():
    with pytest.raises(
        ZooError, match=r"no hidden layer to permute among fc1\.weight; set permute"
    ):
        permutations_of(MLP(widths=(16, 4)).layout)


def test_a_network_that_declares_no_symmetry_is_not_permuted():
    with pytest.raises(ZooError, match=r"permute=True needs .* scale\.weight, fc\.weight declares"):
        permutations_of(Layout.of({"scale.weight": (5,), "fc.weight": (4, 5)}))


@given(
    params=st.integers(1, 200),
    low=st.floats(0, 0.9),
    more=st.floats(0, 0.09),
    seed=st.integers(0, 99),
)
def test_one_run_is_erased_with_a_length_within_the_bounds(
    params: int, low: float, more: float, seed: int
):
    bounds = (low, low + more)
    masks = erase_masks(50, params, erase=1.0, erased=bounds, generator=generator(seed))
    lengths = masks.sum(dim=1)
    assert int(low * params) - 1 <= lengths.min() <= lengths.max() <= bounds[1] * params
    edges = masks.int().diff(dim=1, prepend=torch.zeros(50, 1, dtype=torch.int32))
    assert ((edges == 1).sum(dim=1) <= 1).all()


def test_half_of_the_views_are_erased_and_any_weight_can_be():
    masks = erase_masks(20_000, 100, erase=0.5, erased=(0.03, 0.3), generator=generator())
    assert abs(masks.any(dim=1).double().mean() - 0.5) < 0.02
    shares = masks.double().mean(dim=0)
    assert shares.min() > 0.001
    assert shares[30:70].max() / shares[30:70].min() < 1.2


def test_all_lengths_between_the_bounds_are_equally_likely():
    masks = erase_masks(20_000, 100, erase=1.0, erased=(0.03, 0.3), generator=generator())
    counts = Counter(masks.sum(dim=1).tolist())
    assert set(counts) == set(range(3, 30))
    assert max(abs(count - 20_000 / 27) for count in counts.values()) < 5 * (20_000 / 27) ** 0.5


def test_noise_has_the_given_deviation_and_erased_weights_have_none():
    vectors = torch.zeros(1000, 100)
    noisy = view(vectors, None, noise=0.05, generator=generator())
    assert abs(float(noisy.std()) - 0.05) < 0.001
    erased = view(vectors, None, noise=0.05, erase=1.0, erased=(0.3, 0.3), generator=generator())
    assert ((erased == 0).sum(dim=1) == 30).all()


def test_two_views_differ_and_the_weights_are_unchanged():
    vectors = drawn(NETWORKS["tetris"], 50)
    before, draws = vectors.clone(), generator()
    first, second = (
        view(vectors, None, erase=1.0, erased=(0.1, 0.3), generator=draws) for _ in range(2)
    )
    assert torch.equal(vectors, before)
    assert (first != second).any(dim=1).sum() > 45
