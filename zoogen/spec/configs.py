"""The models of a zoo: the points of its axes, in a fixed order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from itertools import product
from typing import Any

from zoogen.errors import ZooError
from zoogen.spec.axes import Range
from zoogen.spec.zoo_spec import AXES, Activation, Initialiser, Optimiser, ZooSpec


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Everything that determines the weights of one model besides the images and the network."""

    model: int
    activation: Activation
    initialiser: Initialiser
    init_std: float = 1.0
    optimiser: Optimiser
    learning_rate: float
    weight_decay: float
    dropout: float
    train_fraction: float = 1.0
    seed: int

    @property
    def start(self) -> tuple[Initialiser, int]:
        """Key of the initial weights, which also depend on ``init_std``."""
        return self.initialiser, self.seed

    @property
    def kind(self) -> tuple[Activation, Optimiser, float]:
        """Key of the computation: models of one kind run the same training steps."""
        return self.activation, self.optimiser, self.train_fraction


SCALED = ("normal", "truncated_normal")
"""Initialisers that use ``init_std``; the others define their own standard deviation."""

Shards = dict[int, tuple[ModelConfig, ...]]


def hashed_share(spec: ZooSpec, number: int, purpose: str) -> float:
    """Draw a number in [0, 1) by a hash, which is the same on every machine."""
    digest = sha256(f"{spec.name}/{spec.version}/{number}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def points(spec: ZooSpec) -> Sequence[tuple[Any, ...]]:
    """List the values of every axis at every point of the grid or of the random search."""
    axes = {axis: getattr(spec, axis) for axis in AXES}
    if spec.random_points is None:
        return list(product(*axes.values()))

    def value(values: tuple[Any, ...] | Range, share: float) -> Any:
        return values.at(share) if isinstance(values, Range) else values[int(share * len(values))]

    return [
        tuple(value(values, hashed_share(spec, point, axis)) for axis, values in axes.items())
        for point in range(spec.random_points)
    ]


def seeds(spec: ZooSpec, point: int) -> tuple[int, ...]:
    """Return the seeds of a point: those of the spec, or random ones."""
    if isinstance(spec.seeds, tuple):
        return spec.seeds
    return tuple(
        spec.seeds.at(hashed_share(spec, point, f"seed {number}"))
        for number in range(spec.seeds.each)
    )


def deal(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[ModelConfig]:
    """Shuffle the models of each kind, then alternate between the kinds."""
    kinds: dict[Any, int] = {}
    turns = []
    for config in sorted(configs, key=lambda config: hashed_share(spec, config.model, "turn")):
        kinds[config.kind] = kinds.get(config.kind, 0) + 1
        turns.append((kinds[config.kind], config.kind, config))
    return [config for _, _, config in sorted(turns, key=lambda turn: turn[:2])]


@cache
def model_configs(spec: ZooSpec) -> tuple[ModelConfig, ...]:
    """List the models of a zoo; the number of a model is its index.

    In the order ``product``, seeds vary fastest.

    Raises:
        ZooError: If two models would be the same.
    """
    configs = [
        (*values, seed) for point, values in enumerate(points(spec)) for seed in seeds(spec, point)
    ]
    named = [
        ModelConfig(model=model, **dict(zip((*AXES, "seed"), config, strict=True)))
        for model, config in enumerate(configs)
    ]
    if spec.order == "dealt":
        named = [replace(config, model=model) for model, config in enumerate(deal(spec, named))]
    refuse_twins(spec, named)
    return tuple(named)


def refuse_twins(spec: ZooSpec, configs: Sequence[ModelConfig]) -> None:
    """Refuse models that are equal or differ only in an ``init_std`` that they ignore."""
    different = {
        replace(one, model=0, init_std=one.init_std if one.initialiser in SCALED else 1.0)
        for one in configs
    }
    if twins := len(configs) - len(different):
        raise ZooError(
            f"{spec.name} would train {twins} of its {len(configs)} models twice: draw fewer "
            "points or more seeds, and list several values of init_std only for "
            f"{' and '.join(SCALED)}"
        )


def plan(spec: ZooSpec, models: int) -> Shards:
    """Split the first ``models`` of a zoo into shards."""
    configs = model_configs(spec)[:models]
    size = spec.models_per_shard
    return {at // size: configs[at : at + size] for at in range(0, models, size)}
