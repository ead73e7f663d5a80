"""The models of a zoo: all of them, once, in an order that never changes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from zoogen import ZooSpec, zoo_spec
from zoogen.configs import model_configs, plan
from zoogen.spec import AXES

SPEC = replace(zoo_spec("tetris-hyp"), seeds=(5, 3), models_per_shard=7)


def test_every_combination_is_one_model(mixed_spec: ZooSpec):
    configs = model_configs(mixed_spec)
    points = {tuple(getattr(config, axis) for axis in (*AXES, "seed")) for config in configs}
    assert len(points) == len(configs) == mixed_spec.models


def test_a_models_number_is_its_place():
    assert [config.model for config in model_configs(SPEC)] == list(range(SPEC.models))


def test_seeds_vary_fastest_in_the_order_given():
    assert [config.seed for config in model_configs(SPEC)] == [5, 3] * (SPEC.models // 2)


def test_the_length_of_training_does_not_renumber_the_models():
    assert model_configs(replace(SPEC, epochs=1)) == model_configs(SPEC)


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
