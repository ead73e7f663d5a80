"""The models of a zoo, one by one: the product of its axes, in an order that never changes."""

from dataclasses import dataclass
from itertools import product

from zoogen.spec import AXES, Activation, Initialiser, Optimiser, ZooSpec


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """All that decides the weights of one model, its zoo's images and network apart."""

    model: int
    activation: Activation
    initialiser: Initialiser
    optimiser: Optimiser
    learning_rate: float
    weight_decay: float
    dropout: float
    seed: int

    @property
    def start(self) -> tuple[Initialiser, int]:
        """Models with the same start begin from the same weights."""
        return self.initialiser, self.seed


Shards = dict[int, tuple[ModelConfig, ...]]


def model_configs(spec: ZooSpec) -> tuple[ModelConfig, ...]:
    """List the models of a zoo; a model's number is its place, seeds vary fastest."""
    points = product(*(getattr(spec, axis) for axis in AXES), spec.seeds)
    return tuple(
        ModelConfig(model=model, **dict(zip((*AXES, "seed"), point, strict=True)))
        for model, point in enumerate(points)
    )


def plan(spec: ZooSpec, models: int) -> Shards:
    """Cut the first ``models`` of a zoo into shards."""
    configs = model_configs(spec)[:models]
    size = spec.models_per_shard
    return {at // size: configs[at : at + size] for at in range(0, models, size)}
