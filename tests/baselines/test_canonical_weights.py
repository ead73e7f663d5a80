"""Canonical weights: an equivalent network, one vector for all orders of its hidden units."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.func import functional_call

from baselines.canonical_weights import CanonicalWeights
from tests.symmetric import every_network, population, reordered
from zoogen import CNN, MLP, Layout, Weights, ZooError
from zoogen.train.networks import torch_module


@every_network
@given(data=st.data())
def test_the_order_of_hidden_units_does_not_matter(network: MLP | CNN, data: st.DataObject):
    weights = population(network.layout)
    permuted = reordered(network, weights, data)
    embedder = CanonicalWeights()
    np.testing.assert_array_equal(embedder.transform(permuted), embedder.transform(weights))


@every_network
def test_the_embedding_is_a_network_that_computes_the_same(network: MLP | CNN):
    weights = population(network.layout, 3)
    images = torch.randn(5, *network.image_shape, generator=torch.Generator().manual_seed(1))

    def logits(vector: np.ndarray) -> torch.Tensor:
        flat = torch.from_numpy(vector).double()
        state = {slot.name: flat[slot.slice].reshape(slot.shape) for slot in network.layout}
        module = torch_module(network, "tanh").double()
        return functional_call(module, state, (images.double(),))

    embedded = CanonicalWeights().transform(weights)
    assert (embedded != np.asarray(weights)).any(axis=1).all()
    for before, after in zip(np.asarray(weights), embedded, strict=True):
        assert torch.allclose(logits(before), logits(after), atol=1e-12)


@every_network
def test_units_are_sorted_by_their_slope_on_the_first_class_without_activations(
    network: MLP | CNN,
):
    weights = population(network.layout)
    embedded = Weights([CanonicalWeights().transform(weights)], network.layout)
    layers = [slot.name for slot in network.layout if slot.name.endswith(".weight")]
    for place, hidden in enumerate(network.layout.symmetry):
        units = torch.zeros(len(weights), hidden.units, dtype=torch.double, requires_grad=True)
        carried = units
        for name in layers[place + 1 :]:
            weight = torch.from_numpy(embedded.tensor(name)).double()
            weight = weight.reshape(*weight.shape[:3], -1).sum(dim=3)
            run = weight.shape[2] // carried.shape[1]
            carried = (weight @ carried.repeat_interleave(run, dim=1)[:, :, None])[:, :, 0]
        (votes,) = torch.autograd.grad(carried[:, 0].sum(), units)
        assert (votes.diff(dim=1) <= 1e-9).all()


def test_a_network_without_hidden_layers_is_refused():
    weights = population(Layout.of({"fc1.weight": (4, 16)}, ()))
    with pytest.raises(ZooError, match=r"cannot describe .* fc1\.weight: it has no hidden layer"):
        CanonicalWeights().fit(weights, weights, seed=0)
