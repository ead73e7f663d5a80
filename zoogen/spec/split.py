"""Which models train a probe, which choose its settings and which are scored: 70/15/15 by group."""

from collections.abc import Hashable, Sequence
from hashlib import sha256
from typing import Literal, get_args

from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
SHARES = (0.70, 0.85)
HAND = 20
"""Groups of a sampled zoo that are dealt together."""


def group_keys(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[Hashable]:
    """Return what each model may not be separated from: itself, or all that share its start."""
    return [config.start if spec.group == "start" else config.model for config in configs]


def shares_starts(spec: ZooSpec, configs: Sequence[ModelConfig]) -> bool:
    """Tell whether models of different groups begin from the same weights."""
    return spec.group == "model" and len({config.start for config in configs}) < len(configs)


def model_groups(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[int]:
    """Number the groups in order of appearance, one number per model."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in group_keys(spec, configs)]


def model_splits(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[Split]:
    """Deal the groups of the full spec into splits, one split per model.

    Groups are ranked by a hash of the zoo and their number, so the deal depends neither on a
    random number generator's version nor on how many models have been built. Where the first
    models are a sample of the zoo, the shares hold within every ``HAND`` of groups in a row.
    """
    groups = model_groups(spec, configs)
    count = len(set(groups))
    hand = HAND if spec.order == "dealt" else count
    split_of = dict[int, Split]()
    for first in range(0, count, hand):
        split_of |= shared_out(f"{spec.name}/{spec.version}", range(count)[first : first + hand])
    return [split_of[group] for group in groups]


def shared_out(tag: str, groups: Sequence[int]) -> dict[int, Split]:
    """Return the split of each group, 70/15/15 of them in the order of their hashes."""
    ranked = sorted(groups, key=lambda group: sha256(f"{tag}/{group}".encode()).digest())
    bounds = [round(share * len(ranked)) for share in SHARES]
    return {
        group: SPLITS[sum(rank >= bound for bound in bounds)] for rank, group in enumerate(ranked)
    }
