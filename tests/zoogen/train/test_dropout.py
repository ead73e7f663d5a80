"""Dropout: the right share, drawn by each model for itself."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoogen import ZooSpec
from zoogen.spec.configs import model_configs
from zoogen.train.dropout import LARGEST_BATCH, dropout_by_step, keep_factors, mix

UNITS = 20_000


def mask(seeds: list[int], image: int = 1, layer: int = 1, rate: float = 0.3) -> Tensor:
    rates, images = torch.full((len(seeds),), rate), torch.tensor([image])
    factors = keep_factors(torch.tensor(seeds), images, layer, (1, UNITS), rates)
    return factors[0, 0] > 0


def split_mix(bits: int) -> int:
    """The finaliser of SplitMix64 as published (Steele, Lea and Flood 2014)."""
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % 2**64
    return bits ^ bits >> 31


@given(st.integers(-(2**63), 2**63 - 1))
def test_bits_are_mixed_as_split_mix_does(bits: int):
    assert int(mix(torch.tensor([bits]))) % 2**64 == split_mix(bits % 2**64)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_the_share_kept_is_one_minus_the_rate(rate: float):
    kept = mask([1, 2, 3], rate=rate).double().mean(1)
    spread = (rate * (1 - rate) / UNITS) ** 0.5
    assert (kept - (1 - rate)).abs().max() < 5 * spread


def test_rates_differ_within_a_stack_and_rate_zero_keeps_all():
    rate = torch.tensor([0.0, 0.5])
    kept = keep_factors(torch.tensor([1, 1]), torch.tensor([1]), 1, (1, UNITS), rate)[0, 0] > 0
    assert kept[0].all()
    assert 0.4 < kept[1].double().mean() < 0.6


@given(
    seeds=st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5),
    first=st.integers(1, 2**60),
    images=st.integers(1, 4),
    pixels=st.integers(1, 9),
    units=st.integers(1, 9),
)
def test_a_models_mask_is_the_same_in_any_stack(
    seeds: list[int], first: int, images: int, pixels: int, units: int
):
    rate, numbers = torch.full((len(seeds),), 0.3), first + torch.arange(images)
    together = keep_factors(torch.tensor(seeds), numbers, 1, (pixels, units), rate)
    for seed, mine in zip(seeds, together.unbind(2), strict=True):
        alone = keep_factors(torch.tensor([seed]), numbers, 1, (pixels, units), rate[:1])
        assert torch.equal(alone[:, :, 0], mine)


@given(
    numbers=st.lists(st.integers(1, 2**60), min_size=1, max_size=5),
    pixels=st.integers(1, 9),
    units=st.integers(1, 9),
)
def test_an_images_mask_is_the_same_in_any_batch(numbers: list[int], pixels: int, units: int):
    keys, rate = torch.tensor([1, 2]), torch.full((2,), 0.3)
    together = keep_factors(keys, torch.tensor(numbers), 1, (pixels, units), rate)
    for number, mine in zip(numbers, together, strict=True):
        alone = keep_factors(keys, torch.tensor([number]), 1, (pixels, units), rate)
        assert torch.equal(alone[0], mine)


@pytest.mark.parametrize("other", [{"seeds": [2]}, {"image": 2}, {"layer": 2}, {"image": 10**6}])
def test_models_images_and_layers_draw_independently(other: dict[str, Any]):
    mine: dict[str, Any] = {"seeds": [1], "rate": 0.5}
    one, two = mask(**mine), mask(**(mine | other))
    agreeing = (one == two).double().mean()
    assert agreeing == pytest.approx(0.5, abs=5 * 0.5 / UNITS**0.5)


def test_neighbouring_units_draw_independently():
    kept = mask([1], rate=0.5)[0]
    agreeing = (kept[1:] == kept[:-1]).double().mean()
    assert agreeing == pytest.approx(0.5, abs=5 * 0.5 / UNITS**0.5)


def test_survivors_are_scaled_so_that_the_mean_stays(mixed_spec: ZooSpec):
    spec = replace(mixed_spec, dropout=(0.0, 0.2, 0.5))
    configs = model_configs(spec)[:9]
    hidden = torch.ones(9, 100, 200)
    dropped = dropout_by_step(configs, "cpu")(1, 0)(hidden, 1)
    for config, units in zip(configs, dropped, strict=True):
        survivors = units[units != 0]
        assert survivors.numpy() == pytest.approx(1 / (1 - config.dropout))
        assert units.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("channels", [1, 4, 5])
def test_the_order_of_maps_in_memory_changes_no_draw(mixed_spec: ZooSpec, channels: int):
    configs = model_configs(replace(mixed_spec, dropout=(0.0, 0.2, 0.5)))[:9]
    drop = dropout_by_step(configs, "cpu")(1, 0)
    maps = torch.ones(6, 9 * channels, 40, 30)
    dropped = drop(maps, 1)
    assert torch.equal(drop(maps.contiguous(memory_format=torch.channels_last), 1), dropped)
    for config, units in zip(configs, dropped.unflatten(1, (9, channels)).unbind(1), strict=True):
        kept = (units > 0).double().mean()
        assert kept == pytest.approx(1 - config.dropout, abs=0.02)
        assert units[units > 0].numpy() == pytest.approx(1 / (1 - config.dropout))


@pytest.mark.parametrize("other", [1, 2, 40, 1000])
@pytest.mark.parametrize("apart", [1, LARGEST_BATCH], ids=["images", "steps"])
def test_images_and_steps_share_no_pattern(other: int, apart: int):
    one, two = (mask([7], image=image, rate=0.5)[0] for image in (3, 3 + other * apart))
    for shift in range(8):
        agreeing = (one[: UNITS - shift] == two[shift:]).double().mean()
        assert agreeing == pytest.approx(0.5, abs=5 * 0.5 / (UNITS - 8) ** 0.5)


@pytest.mark.parametrize("shape", [(3, 7, 150), (150, 12, 5, 4)], ids=["units", "maps"])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_batch_shown_in_parts_drops_what_it_drops_as_a_whole(
    mixed_spec: ZooSpec, shape: tuple[int, ...], size: int
):
    configs = model_configs(replace(mixed_spec, dropout=(0.2, 0.5)))[:3]
    dropout, axis = dropout_by_step(configs, "cpu"), 0 if len(shape) == 4 else 2
    whole = dropout(5, 0)(torch.ones(shape), 2)
    parts = torch.ones(shape).split(size, dim=axis)
    shown = [dropout(5, size * number)(part, 2) for number, part in enumerate(parts)]
    assert torch.equal(torch.cat(shown, dim=axis), whole)
    assert not torch.equal(shown[0], shown[1])


def test_each_image_of_a_batch_draws_for_itself(mixed_spec: ZooSpec):
    configs = model_configs(replace(mixed_spec, dropout=(0.5,)))[:3]
    drop = dropout_by_step(configs, "cpu")(1, 0)
    units, maps = drop(torch.ones(3, 400, 8), 1), drop(torch.ones(8, 3 * 4, 10, 10), 1)
    assert len(torch.unique(units > 0, dim=2).unbind(2)) == 8
    assert len(torch.unique(maps > 0, dim=0)) == 8


def test_a_smaller_rate_drops_a_subset_of_what_a_larger_rate_drops():
    few, many = mask([7], rate=0.2)[0], mask([7], rate=0.5)[0]
    assert not (many & ~few).any()
    assert (few & ~many).any()


def test_a_stack_without_dropout_is_left_alone(mixed_spec: ZooSpec):
    configs = model_configs(replace(mixed_spec, dropout=(0.0,)))[:3]
    hidden = torch.rand(3, 5, 2)
    assert dropout_by_step(configs, "cpu")(1, 0)(hidden, 1) is hidden
