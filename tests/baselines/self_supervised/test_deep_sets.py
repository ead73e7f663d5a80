"""The set encoder ignores the order of hidden units, and nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from baselines.self_supervised.losses import objective
from baselines.self_supervised.networks import Autoencoder
from baselines.self_supervised.set_encoder import SetEncoder, chain_of_layers
from baselines.self_supervised.settings import Settings
from tests.symmetric import every_network, population, reordered
from zoogen import CNN, MLP, Layout, ZooError

SMALL = Settings(tokens="sets", beta=0.0, dim=12, width=16, hidden=32, projection=(1, 16, 8))


def drawn(layout: Layout, rows: int = 4) -> Tensor:
    return 0.3 * torch.randn(rows, layout.params, generator=torch.Generator().manual_seed(0))


def encoder(layout: Layout) -> SetEncoder:
    torch.manual_seed(0)
    return SetEncoder(layout, SMALL).eval()


@every_network
@given(data=st.data())
@torch.inference_mode()
def test_the_order_of_hidden_units_does_not_matter(network: MLP | CNN, data: st.DataObject):
    embed, weights = encoder(network.layout), population(network.layout)
    vectors, permuted = (
        torch.from_numpy(np.asarray(rows)) for rows in (weights, reordered(network, weights, data))
    )
    assert torch.allclose(embed(permuted), embed(vectors), atol=1e-5)


@every_network
@torch.inference_mode()
def test_permuting_only_the_incoming_weights_of_units_changes_the_embedding(network: MLP | CNN):
    embed, vectors, layout = encoder(network.layout), drawn(network.layout), network.layout
    for hidden in network.layout.symmetry:
        weight = layout[f"{hidden.name}.weight"]
        moved = vectors.clone()
        tensor = vectors[:, weight.slice].view(-1, *weight.shape)
        moved[:, weight.slice] = tensor.roll(1, dims=1).flatten(1)
        assert (embed(moved) - embed(vectors)).abs().amax(dim=1).min() > 1e-3


@every_network
@torch.inference_mode()
def test_images_and_classes_keep_their_order(network: MLP | CNN):
    embed, vectors, layout = encoder(network.layout), drawn(network.layout), network.layout
    weights = [slot for slot in layout if slot.name.endswith(".weight")]
    for weight, axis in ((weights[0], -1), (weights[-1], 1)):
        moved = vectors.clone()
        tensor = vectors[:, weight.slice].view(-1, *weight.shape)
        moved[:, weight.slice] = tensor.roll(1, dims=axis).flatten(1)
        assert (embed(moved) - embed(vectors)).abs().amax(dim=1).min() > 1e-3


@every_network
def test_every_weight_is_read_once(network: MLP | CNN):
    layers = chain_of_layers(network.layout)
    assert [slot for layer in layers for slot in (layer.weight, layer.bias) if slot] == list(
        network.layout
    )
    vectors = drawn(network.layout)
    for layer in layers:
        shape = (len(vectors), layer.units, layer.inputs, layer.scalars)
        assert layer.connections(vectors).shape == shape
        assert layer.unit_features(vectors).shape == (len(vectors), layer.units, layer.features)


@every_network
def test_every_parameter_has_a_gradient(network: MLP | CNN):
    torch.manual_seed(0)
    learner = Autoencoder(network.layout, SMALL)
    loss, reconstructed = objective(learner, drawn(network.layout, 8), SMALL)
    loss.backward()
    assert reconstructed is None
    assert all(
        parameter.grad is not None and parameter.grad.abs().max() > 0
        for parameter in learner.parameters()
    )


CHAIN = MLP(widths=(16, 5, 4)).layout


@pytest.mark.parametrize(
    ("layout", "reason"),
    [
        (MLP(widths=(16, 4)).layout, "it has no hidden layer"),
        (Layout.of(CHAIN.shapes), "declares no symmetry"),
        (Layout.of({**CHAIN.shapes, "scale": (5,)}, CHAIN.symmetry), "scale is neither"),
    ],
    ids=["one layer", "undeclared", "another tensor"],
)
def test_a_network_that_is_not_a_chain_of_layers_is_refused(layout: Layout, reason: str):
    with pytest.raises(ZooError, match=reason):
        chain_of_layers(layout)


def test_sets_with_a_reconstruction_loss_are_refused():
    with pytest.raises(ZooError, match=r"beta=0\.5: .* set beta=0"):
        Settings(tokens="sets", beta=0.5)
