"""Symmetries that networks declare: what they change leaves the function as it is."""

from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.symmetric import NETWORKS, every_network
from zoogen import CNN, MLP, Convolution, HiddenLayer, Layout, ZooError
from zoogen.spec.symmetry import ODD, POSITIVELY_HOMOGENEOUS, unit_factors
from zoogen.spec.zoo_spec import Activation
from zoogen.train.networks import torch_module

UNPOOLED = CNN(
    image=(2, 9, 9),
    convolutions=(Convolution(channels=3, kernel=3), Convolution(channels=4, kernel=3, stride=2)),
    widths=(5, 3),
)
every_activation = pytest.mark.parametrize("activation", get_args(Activation))


def logits(network: MLP | CNN, activation: Activation, vector: np.ndarray) -> np.ndarray:
    module = torch_module(network, activation).double().eval()
    flat = torch.from_numpy(vector)
    module.load_state_dict(
        {slot.name: flat[slot.slice].view(slot.shape) for slot in network.layout}
    )
    images = np.random.default_rng(1).normal(size=(7, *network.image_shape))
    with torch.no_grad():
        return module(torch.from_numpy(images)).numpy()


def changed(
    network: MLP | CNN, activation: Activation, layer: HiddenLayer, factors: np.ndarray
) -> float:
    """Return how far logits move when the units of a layer are multiplied."""
    vector = np.random.default_rng(0).normal(0, 0.3, network.layout.params)
    moved = vector * unit_factors(network.layout, layer, factors)
    before, after = (logits(network, activation, each) for each in (vector, moved))
    return float(np.abs(after - before).max() / np.abs(before).max())


@every_activation
@pytest.mark.parametrize("network", [*NETWORKS.values(), UNPOOLED], ids=[*NETWORKS, "unpooled"])
@given(data=st.data())
def test_signs_may_change_where_the_activation_is_odd_and_nothing_is_pooled(
    network: MLP | CNN, activation: Activation, data: st.DataObject
):
    layer = data.draw(st.sampled_from(network.layout.symmetry))
    signs = np.array(
        data.draw(
            st.lists(st.sampled_from([-1.0, 1.0]), min_size=layer.units, max_size=layer.units)
        )
    )
    if activation in ODD and layer.flips:
        assert changed(network, activation, layer, signs) < 1e-12
    elif (signs < 0).any():
        assert changed(network, activation, layer, signs) > 1e-9


@every_activation
@every_network
@given(data=st.data())
def test_units_may_be_scaled_where_the_activation_is_positively_homogeneous(
    network: MLP | CNN, activation: Activation, data: st.DataObject
):
    layer = data.draw(st.sampled_from(network.layout.symmetry))
    factors = np.exp(np.random.default_rng(data.draw(st.integers(0, 99))).normal(size=layer.units))
    moved = changed(network, activation, layer, factors)
    assert (moved < 1e-12) == (activation in POSITIVELY_HOMOGENEOUS and layer.scales)


def test_a_layout_without_a_declaration_refuses_by_its_tensors():
    layout = Layout.of({"scale": (3,)})
    with pytest.raises(ZooError, match=r"sorting needs to know .* tensors scale declares no"):
        layout.declared_symmetry("sorting")


def test_units_that_several_layers_read_are_no_chain():
    shared = HiddenLayer("a", 3, (("a.weight", 0),), (("b.weight", 1), ("c.weight", 1)))
    layout = Layout.of({"a.weight": (3, 2), "b.weight": (3, 3), "c.weight": (1, 3)}, (shared,))
    assert layout.declared_symmetry("permuting") == (shared,)
    with pytest.raises(ZooError, match="its layers do not form a chain"):
        layout.hidden_chain("sorting")
