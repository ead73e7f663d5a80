"""The models of a zoo, one by one: the points of its axes, in an order that never changes."""

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
    """All that decides the weights of one model, its zoo's images and network apart."""

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
        """Models with the same start begin from the same weights, up to their ``init_std``."""
        return self.initialiser, self.seed

    @property
    def kind(self) -> tuple[Activation, Optimiser, float]:
        """Models of one kind are computed alike, step for step."""
        return self.activation, self.optimiser, self.train_fraction


SCALED = ("normal", "truncated_normal")
"""The initialisers whose standard deviation is chosen; the others have their own."""

Shards = dict[int, tuple[ModelConfig, ...]]


def drawn(spec: ZooSpec, point: int, what: str) -> float:
    """Draw a share in [0, 1): a hash, the same on every machine and with every version."""
    digest = sha256(f"{spec.name}/{spec.version}/{point}/{what}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def points(spec: ZooSpec) -> Sequence[tuple[Any, ...]]:
    """List the values of every axis at every point: the grid, or what is drawn."""
    axes = {axis: getattr(spec, axis) for axis in AXES}
    if spec.random_points is None:
        return list(product(*axes.values()))

    def value(values: tuple[Any, ...] | Range, share: float) -> Any:
        return values.at(share) if isinstance(values, Range) else values[int(share * len(values))]

    return [
        tuple(value(values, drawn(spec, point, axis)) for axis, values in axes.items())
        for point in range(spec.random_points)
    ]


def seeds(spec: ZooSpec, point: int) -> tuple[int, ...]:
    """Return the seeds of a point, drawn for it where the spec says so."""
    if isinstance(spec.seeds, tuple):
        return spec.seeds
    return tuple(
        spec.seeds.at(drawn(spec, point, f"seed {number}")) for number in range(spec.seeds.each)
    )


def dealt(spec: ZooSpec, configs: Sequence[ModelConfig]) -> list[ModelConfig]:
    """Shuffle the models of each kind, then let the kinds take turns."""
    kinds: dict[Any, int] = {}
    turns = []
    for config in sorted(configs, key=lambda config: drawn(spec, config.model, "turn")):
        kinds[config.kind] = kinds.get(config.kind, 0) + 1
        turns.append((kinds[config.kind], config.kind, config))
    return [config for _, _, config in sorted(turns, key=lambda turn: turn[:2])]


@cache
def model_configs(spec: ZooSpec) -> tuple[ModelConfig, ...]:
    """List the models of a zoo; a model's number is its place.

    Seeds vary fastest in the order of the ``product``.

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
        named = [replace(config, model=model) for model, config in enumerate(dealt(spec, named))]
    refuse_twins(spec, named)
    return tuple(named)


def refuse_twins(spec: ZooSpec, configs: Sequence[ModelConfig]) -> None:
    """Refuse models that differ in nothing but a standard deviation that they ignore."""
    different = {
        replace(one, model=0, init_std=one.init_std if one.initialiser in SCALED else 1.0)
        for one in configs
    }
    if twins := len(configs) - len(different):
        raise ZooError(
            f"{spec.name} would train {twins} of its {len(configs)} models twice: draw fewer "
            "points or more seeds, and list no init_std for initialisers that ignore it"
        )


def plan(spec: ZooSpec, models: int) -> Shards:
    """Cut the first ``models`` of a zoo into shards."""
    configs = model_configs(spec)[:models]
    size = spec.models_per_shard
    return {at // size: configs[at : at + size] for at in range(0, models, size)}
