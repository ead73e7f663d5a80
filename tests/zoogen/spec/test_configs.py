"""The models of a zoo: each exactly once, in a fixed order."""

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoogen import ZooError, ZooSpec, zoo_spec
from zoogen.spec.axes import RandomSeeds, Range
from zoogen.spec.configs import ModelConfig, model_configs, plan
from zoogen.spec.zoo_spec import AXES

DEALT = zoo_spec("mnist-hyp-1-rand-seed")
SEARCH = replace(zoo_spec("mnist-hyp"), random_points=2400)
SPEC = replace(zoo_spec("tetris-hyp"), seeds=(5, 3), models_per_shard=7)


def test_every_combination_is_one_model(mixed_spec: ZooSpec):
    configs = model_configs(mixed_spec)
    points = {tuple(getattr(config, axis) for axis in (*AXES, "seed")) for config in configs}
    assert len(points) == len(configs) == mixed_spec.models


def test_the_number_of_a_model_is_its_index():
    assert [config.model for config in model_configs(SPEC)] == list(range(SPEC.models))


def test_seeds_vary_fastest_in_the_order_given():
    assert [config.seed for config in model_configs(SPEC)] == [5, 3] * (SPEC.models // 2)


def test_longer_training_does_not_renumber_the_models():
    assert model_configs(replace(SPEC, epochs=1)) == model_configs(SPEC)


@pytest.mark.parametrize("spec", [DEALT, SEARCH], ids=lambda spec: spec.name)
def test_kinds_alternate_among_dealt_models(spec: ZooSpec):
    configs = model_configs(spec)
    assert [config.model for config in configs] == list(range(spec.models))
    kinds = {config.kind for config in configs}
    for turn in (0, 3, 10):
        first = configs[turn * len(kinds) : (turn + 1) * len(kinds)]
        assert {config.kind for config in first} == kinds


def test_the_first_dealt_models_are_a_sample_of_all():
    first = model_configs(DEALT)[:96]
    for axis in ("initialiser", "learning_rate", "weight_decay", "dropout"):
        counts = Counter(getattr(config, axis) for config in first)
        share = 96 / len(getattr(DEALT, axis))
        assert set(counts) == set(getattr(DEALT, axis))
        assert all(abs(count - share) < 4 * share**0.5 for count in counts.values())


def test_dealing_changes_only_the_order():
    def point(config: ModelConfig) -> tuple[object, ...]:
        return tuple(getattr(config, axis) for axis in (*AXES, "seed"))

    fixed = replace(DEALT, seeds=(42,))
    in_order = model_configs(replace(fixed, order="product"))
    assert Counter(map(point, model_configs(fixed))) == Counter(map(point, in_order))


def test_random_values_are_uniform_in_their_ranges():
    configs = model_configs(SEARCH)
    for axis in ("init_std", "learning_rate", "weight_decay", "dropout"):
        values = getattr(SEARCH, axis)
        assert isinstance(values, Range)
        drawn = np.array([getattr(config, axis) for config in configs])
        low, high = values.low, values.high
        if values.scale == "log":
            drawn, low, high = np.log(drawn), np.log(low), np.log(high)
        counts, _ = np.histogram(drawn, bins=8, range=(low, high))
        assert counts.sum() == len(configs)
        assert abs(counts - 300).max() < 5 * 300**0.5


def test_axes_are_drawn_independently():
    drawn = [
        [np.log(config.learning_rate), np.log(config.weight_decay), config.dropout]
        for config in model_configs(SEARCH)
    ]
    correlation = np.corrcoef(np.array(drawn).T) - np.eye(3)
    assert abs(correlation).max() < 5 / len(drawn) ** 0.5


def test_random_seeds_are_drawn_for_each_point_within_bounds():
    five = zoo_spec("mnist-hyp-5-rand-seed")
    seeds = [config.seed for config in model_configs(five)]
    assert len(set(seeds)) > 0.99 * len(seeds)
    assert 1 <= min(seeds) < 10_000
    assert 990_000 < max(seeds) <= 1_000_000


def test_a_value_is_the_hash_of_its_zoo_version_number_and_axis():
    spec = replace(SEARCH, order="product", train_fraction=(1.0,))
    for config in model_configs(spec)[:20]:
        digest = sha256(f"mnist-hyp/{spec.version}/{config.model}/dropout".encode()).digest()
        share = int.from_bytes(digest[:6], "big") / 2**48
        assert config.dropout == pytest.approx(0.7 * share, rel=1e-5)


def test_models_with_the_same_initialiser_and_seed_share_a_start_for_any_init_std():
    starts = {(config.initialiser, config.start) for config in model_configs(SEARCH)}
    assert Counter(name for name, _ in starts) == dict.fromkeys(SEARCH.initialiser, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"seeds": RandomSeeds(each=3, low=1, high=2)},
        {"seeds": (1,), "init_std": (0.1, 0.5)},
        {"seeds": (1,), "random_points": 400},
    ],
    ids=["too few seeds", "an unused init_std", "too many points"],
)
def test_models_that_would_be_trained_twice_are_refused(fields: dict[str, Any]):
    with pytest.raises(ZooError, match=r"of its .* models twice: draw fewer points or more seeds"):
        model_configs(replace(SPEC, **fields))


@given(models=st.integers(1, SPEC.models))
def test_shards_hold_the_first_models_in_order(models: int):
    shards = plan(SPEC, models)
    assert list(shards) == list(range(len(shards)))
    assert [config for shard in shards.values() for config in shard] == list(
        model_configs(SPEC)[:models]
    )
    assert {len(shard) for shard in list(shards.values())[:-1]} <= {SPEC.models_per_shard}


@given(models=st.integers(1, SPEC.models))
def test_asking_for_more_models_changes_no_full_shard(models: int):
    everything = plan(SPEC, SPEC.models)
    for number, shard in plan(SPEC, models).items():
        assert everything[number][: len(shard)] == shard
        assert len(shard) == SPEC.models_per_shard or number == max(plan(SPEC, models))
