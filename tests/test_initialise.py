"""Starting weights are torch's own, drawn by each model for itself."""

from dataclasses import replace

import pytest
import torch
from torch.nn import init

from zoogen import MLP, ZooSpec
from zoogen.configs import model_configs
from zoogen.initialise import INITIALISERS, generators, start_seed, starting_weights
from zoogen.spec import Initialiser

NETWORK = MLP(widths=(16, 7, 5, 3), bias=True)


@pytest.fixture
def spec(mixed_spec: ZooSpec) -> ZooSpec:
    """Every initialiser, three seeds each."""
    return replace(mixed_spec, initialiser=tuple(INITIALISERS), network=NETWORK)


@pytest.mark.parametrize("name", INITIALISERS)
def test_a_model_starts_where_torch_would_start_it(spec: ZooSpec, name: Initialiser):
    configs = [config for config in model_configs(spec) if config.initialiser == name][:3]
    stack = starting_weights(NETWORK.layout, configs, generators(configs))
    for place, config in enumerate(configs):
        draw = torch.Generator().manual_seed(start_seed(config))
        for layer in NETWORK.layers:
            weight = torch.empty(NETWORK.layout[f"{layer}.weight"].shape)
            getattr(init, f"{name}_")(weight, generator=draw)
            assert torch.equal(stack[f"{layer}.weight"][place], weight)


def test_biases_start_at_one_hundredth(spec: ZooSpec):
    configs = model_configs(spec)
    stack = starting_weights(NETWORK.layout, configs, generators(configs))
    for layer in NETWORK.layers:
        assert (stack[f"{layer}.bias"] == 0.01).all()


def test_models_of_one_start_and_only_they_start_alike(spec: ZooSpec):
    configs = model_configs(spec)
    weights = starting_weights(NETWORK.layout, configs, generators(configs))["fc1.weight"]
    starts = {config.start: weight for config, weight in zip(configs, weights, strict=True)}
    assert all(
        torch.equal(starts[config.start], weight)
        for config, weight in zip(configs, weights, strict=True)
    )
    assert len(torch.unique(torch.stack(list(starts.values())), dim=0)) == len(starts) == 6 * 3


def test_initialisers_of_one_seed_share_no_draw(spec: ZooSpec):
    configs = model_configs(spec)
    weights = starting_weights(NETWORK.layout, configs, generators(configs))["fc1.weight"]
    starts = {config.start: weight for config, weight in zip(configs, weights, strict=True)}
    drawn = torch.stack([weight.flatten() for weight in starts.values()])
    likeness = torch.corrcoef(drawn) - torch.eye(len(drawn))
    assert likeness.abs().max() < 6 / drawn.shape[1] ** 0.5


def test_the_global_generator_is_left_alone(spec: ZooSpec):
    before = torch.get_rng_state()
    configs = model_configs(spec)[:4]
    starting_weights(NETWORK.layout, configs, generators(configs))
    assert torch.equal(torch.get_rng_state(), before)
