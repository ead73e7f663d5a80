"""Splits: 70/15/15 by group, decided once for the full zoo."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoogen import SPLITS, Zoo, zoo_spec
from zoogen.spec.configs import model_configs
from zoogen.spec.split import model_groups, model_splits
from zoogen.spec.zoo_spec import Group
from zoogen.store.table import split_sha256

SEED, HYP = zoo_spec("tetris-seed"), zoo_spec("tetris-hyp")


@given(models=st.integers(1, 300), group=st.sampled_from(get_args(Group)))
def test_shares_are_70_15_15_up_to_one_group(models: int, group: Group):
    spec = replace(HYP, seeds=tuple(range(models)), initialiser=("uniform",), group=group)
    configs = model_configs(spec)
    split_of = dict(zip(model_groups(spec, configs), model_splits(spec, configs), strict=True))
    counts = Counter(split_of.values())
    for split, share in zip(SPLITS, (0.70, 0.15, 0.15), strict=True):
        assert abs(counts[split] - share * len(split_of)) <= 1


def test_no_group_is_in_two_splits():
    configs = model_configs(HYP)
    groups, splits = model_groups(HYP, configs), model_splits(HYP, configs)
    pairs = set(zip(groups, splits, strict=True))
    assert len(pairs) == len(set(groups)) == 600


def test_models_share_a_group_exactly_if_they_start_from_the_same_weights():
    configs = model_configs(HYP)
    pairs = {
        (group, config.start)
        for group, config in zip(model_groups(HYP, configs), configs, strict=True)
    }
    assert len(pairs) == len({group for group, _ in pairs}) == len({start for _, start in pairs})


def test_every_model_is_its_own_group_if_the_group_is_the_model():
    assert model_groups(SEED, model_configs(SEED)) == list(range(1000))


def test_splits_are_scattered_over_all_model_numbers():
    splits = model_splits(SEED, model_configs(SEED))
    for split in SPLITS:
        models = [model for model, one in enumerate(splits) if one == split]
        assert 400 < sum(models) / len(models) < 600


def test_longer_training_or_other_shards_change_no_split():
    other = replace(SEED, epochs=3, models_per_shard=7, batch_size=9)
    assert model_splits(other, model_configs(other)) == model_splits(SEED, model_configs(SEED))


@pytest.mark.parametrize("change", [{"name": "other"}, {"version": SEED.version + 1}])
def test_another_name_or_version_has_another_split(change: dict[str, Any]):
    other = replace(SEED, **change)
    assert model_splits(other, model_configs(other)) != model_splits(SEED, model_configs(SEED))
    assert split_sha256(other) != split_sha256(SEED)


@given(hands=st.integers(0, 20), rest=st.integers(1, 20))
def test_the_first_models_of_a_dealt_zoo_are_split_70_15_15(hands: int, rest: int):
    spec = zoo_spec("mnist-hyp-1-rand-seed")
    models = min(20 * hands + rest, spec.models)
    counts = Counter(model_splits(spec, model_configs(spec))[:models])
    for split, each, of_rest in zip(SPLITS, (14, 3, 3), (rest, 3, 3), strict=True):
        assert each * hands <= counts[split] <= each * hands + min(of_rest, rest)


def test_hands_have_different_splits():
    splits = model_splits(zoo_spec("mnist-hyp"), model_configs(zoo_spec("mnist-hyp")))
    hands = {tuple(splits[first : first + 20]) for first in range(0, len(splits), 20)}
    assert len(hands) > 1400


def test_every_process_computes_the_same_split():
    script = "from zoogen.store.table import split_sha256; import zoogen\n"
    script += "print(split_sha256(zoogen.zoo_spec('tetris-hyp')))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == split_sha256(HYP)


def test_a_partial_build_has_the_split_of_the_full_zoo(seed_zoo: Zoo):
    spec = seed_zoo.spec
    assert seed_zoo.manifest.models_built < spec.models
    whole = model_splits(spec, model_configs(spec))
    assert seed_zoo.manifest.split_sha256 == split_sha256(spec)
    for model, split in zip(
        seed_zoo.properties["model"], seed_zoo.properties["split"], strict=True
    ):
        assert split == whole[model]


@pytest.mark.parametrize("name", ["seed_zoo", "hyp_zoo", "mixed_zoo"])
def test_no_model_of_a_built_zoo_is_in_two_splits(name: str, request: pytest.FixtureRequest):
    zoo: Zoo = request.getfixturevalue(name)
    assert zoo.properties.groupby("model")["split"].nunique().max() == 1


def test_no_starting_weights_of_a_built_zoo_are_in_two_splits(hyp_zoo: Zoo):
    starts = hyp_zoo.properties.groupby(["initialiser", "seed"])
    assert starts["model"].nunique().min() == 6
    assert starts["split"].nunique().max() == 1
    assert starts["group"].nunique().max() == 1
    assert not hyp_zoo.manifest.shared_starts


def test_the_manifest_says_if_splits_share_starting_weights(mixed_zoo: Zoo):
    starts = mixed_zoo.properties.groupby(["initialiser", "seed"])
    assert starts["split"].nunique().max() > 1
    assert mixed_zoo.manifest.shared_starts
