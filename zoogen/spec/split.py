"""Splits: 70 % of the groups train a probe, 15 % choose its settings and 15 % are scored."""

from collections.abc import Hashable, Sequence
from hashlib import sha256
from typing import Literal, get_args

from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
BOUNDS = (0.70, 0.85)
HAND = 20
"""Number of consecutive groups of a ``dealt`` zoo within which the shares hold."""


def group_keys(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[Hashable]:
    """Return the group of each model as a key: the model itself, or its start."""
    return [config.start if spec.group == "start" else config.model for config in configs]


def shares_starts(spec: ZooSpec, configs: Sequence[ModelConfig]) -> bool:
    """Tell whether models of different groups start from the same weights."""
    return spec.group == "model" and len({config.start for config in configs}) < len(configs)


def model_groups(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[int]:
    """Return the group number of each model; groups are numbered in order of appearance."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in group_keys(spec, configs)]


def model_splits(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[Split]:
    """Assign the groups of the full spec to splits and return the split of each model.

    Groups are ranked by a hash of the zoo and the group number, so the result depends neither on
    a random number generator nor on how many models are built. If the first models are a sample
    of the zoo, the shares hold within each ``HAND`` consecutive groups.
    """
    groups = model_groups(spec, configs)
    count = len(set(groups))
    hand = HAND if spec.order == "dealt" else count
    split_of = dict[int, Split]()
    for first in range(0, count, hand):
        split_of |= shared_out(f"{spec.name}/{spec.version}", range(count)[first : first + hand])
    return [split_of[group] for group in groups]


def shared_out(tag: str, groups: Sequence[int]) -> dict[int, Split]:
    """Return the split of each group, 70/15/15 in the order of their hashes."""
    ranked = sorted(groups, key=lambda group: sha256(f"{tag}/{group}".encode()).digest())
    bounds = [round(bound * len(ranked)) for bound in BOUNDS]
    return {
        group: SPLITS[sum(rank >= bound for bound in bounds)] for rank, group in enumerate(ranked)
    }
