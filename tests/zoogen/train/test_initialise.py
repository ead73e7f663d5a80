"""Starting weights are torch's own, and each model draws its own."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import get_args

import pytest
import torch
from torch import Tensor
from torch.nn import init

from zoogen import MLP, ZooSpec
from zoogen.spec.configs import model_configs
from zoogen.spec.zoo_spec import Initialiser
from zoogen.train.initialise import generators, start_seed, starting_weights

NETWORK = MLP(widths=(16, 7, 5, 3), bias=True)
BIAS = 0.02
INITIALISERS = get_args(Initialiser)
STD = 0.3
TORCH: dict[str, Callable[..., Tensor]] = {
    "normal": partial(init.normal_, std=STD),
    "truncated_normal": partial(init.trunc_normal_, std=STD, a=-2 * STD, b=2 * STD),
}


@pytest.fixture
def spec(mixed_spec: ZooSpec) -> ZooSpec:
    """Every initialiser, three seeds each."""
    return replace(mixed_spec, initialiser=INITIALISERS, init_std=(STD,), network=NETWORK)


@pytest.mark.parametrize("name", INITIALISERS)
def test_a_model_starts_where_torch_would_start_it(spec: ZooSpec, name: Initialiser):
    configs = [config for config in model_configs(spec) if config.initialiser == name][:3]
    stack = starting_weights(NETWORK.layout, configs, generators(configs), BIAS)
    for place, config in enumerate(configs):
        draw = torch.Generator().manual_seed(start_seed(config))
        for layer in NETWORK.dense_layers:
            weight = torch.empty(NETWORK.layout[f"{layer}.weight"].shape)
            torchs = TORCH.get(name) or getattr(init, f"{name}_")
            torchs(weight, generator=draw)
            assert torch.equal(stack[f"{layer}.weight"][place], weight)


def test_biases_start_at_one_constant(spec: ZooSpec):
    configs = model_configs(spec)
    stack = starting_weights(NETWORK.layout, configs, generators(configs), BIAS)
    for layer in NETWORK.dense_layers:
        assert (stack[f"{layer}.bias"] == BIAS).all()


def test_models_of_one_start_and_only_they_start_alike(spec: ZooSpec):
    configs = model_configs(spec)
    weights = starting_weights(NETWORK.layout, configs, generators(configs), BIAS)["fc1.weight"]
    starts = {config.start: weight for config, weight in zip(configs, weights, strict=True)}
    assert all(
        torch.equal(starts[config.start], weight)
        for config, weight in zip(configs, weights, strict=True)
    )
    assert len(torch.unique(torch.stack(list(starts.values())), dim=0)) == len(starts) == 8 * 3


def test_initialisers_of_one_seed_share_no_draw(spec: ZooSpec):
    configs = model_configs(spec)
    weights = starting_weights(NETWORK.layout, configs, generators(configs), BIAS)["fc1.weight"]
    starts = {config.start: weight for config, weight in zip(configs, weights, strict=True)}
    drawn = torch.stack([weight.flatten() for weight in starts.values()])
    likeness = torch.corrcoef(drawn) - torch.eye(len(drawn))
    assert likeness.abs().max() < 6 / drawn.shape[1] ** 0.5


def test_the_global_generator_is_left_alone(spec: ZooSpec):
    before = torch.get_rng_state()
    configs = model_configs(spec)[:4]
    starting_weights(NETWORK.layout, configs, generators(configs), BIAS)
    assert torch.equal(torch.get_rng_state(), before)
