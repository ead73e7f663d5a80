"""Specs of zoos: frozen values that name the images, the network and every axis that varies."""

from collections import Counter
from dataclasses import replace
from math import prod
from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.dataclasses import dataclass

from zoogen.spec.architectures import VALUE, Network
from zoogen.spec.axes import RandomSeeds, Range, Seed

Activation = Literal["tanh", "relu", "sigmoid", "gelu"]
Initialiser = Literal[
    "uniform",
    "normal",
    "truncated_normal",
    "kaiming_normal",
    "kaiming_uniform",
    "xavier_normal",
    "xavier_uniform",
    "orthogonal",
]
Optimiser = Literal["adam", "sgd", "rmsprop"]
Group = Literal["model", "start"]
Order = Literal["product", "dealt"]

Chosen = Field(min_length=1)
Above0 = Annotated[float, Field(gt=0)]
From0 = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, kw_only=True, config=VALUE)
class ZooSpec:
    """A population of networks: every point of a grid, or points drawn at random.

    An axis is a tuple of values or, for a random search, a ``Range``.

    Attributes:
        version: Version of the spec; raise it if a change alters any weight.
        images: Name of the image set, or the path of your own ``.npz`` or ``.safetensors`` file.
        init_std: Standard deviation of the ``normal`` and ``truncated_normal`` initialisers; the
            others define their own.
        weight_decay: Coupled L2 penalty, as in ``torch.optim``; applied to biases too.
        dropout: Probability of dropping a hidden unit in training.
        train_fraction: Share of the train images, counted from the first, that a model trains on;
            its train accuracy is measured on these images.
        seeds: Seeds that every point is trained with, or how to draw them.
        random_points: Number of points to draw, each axis independently; None for the grid.
        order: How models are numbered, which decides which come first in a partial build: in
            ``product`` order, or ``dealt`` like cards: shuffled, with activations, optimisers and
            train fractions alternating, so that the first models are a sample of the whole.
        initial_bias: Initial bias of every unit.
        momentum: Momentum of the ``sgd`` models; the others ignore it.
        snapshot_epochs: Epochs to store; 0 is the initial weights. If empty, 1 to ``epochs``.
        models_per_shard: Size of a shard, the unit of training, storage, resuming and
            distribution.
        group: Unit that stays in one split: a ``model``, or all models that ``start`` from the
            same weights.

    Raises:
        pydantic.ValidationError: If an axis is empty or repeats a value, a range lacks
            ``random_points``, an activation, initialiser, optimiser or field is unknown, or a
            number is out of range.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: PositiveInt
    images: str
    network: Network
    activation: Annotated[tuple[Activation, ...], Chosen]
    initialiser: Annotated[tuple[Initialiser, ...], Chosen]
    init_std: Annotated[tuple[Above0, ...], Chosen] | Range = (1.0,)
    optimiser: Annotated[tuple[Optimiser, ...], Chosen] = ("adam",)
    learning_rate: Annotated[tuple[Above0, ...], Chosen] | Range
    weight_decay: Annotated[tuple[From0, ...], Chosen] | Range = (0.0,)
    dropout: Annotated[tuple[Share, ...], Chosen] | Range = (0.0,)
    train_fraction: Annotated[tuple[Fraction, ...], Chosen] = (1.0,)
    seeds: Annotated[tuple[Seed, ...], Chosen] | RandomSeeds
    random_points: PositiveInt | None = None
    order: Order = "product"
    initial_bias: float = 0.01
    momentum: Share = 0.9
    epochs: PositiveInt
    snapshot_epochs: tuple[NonNegativeInt, ...] = ()
    batch_size: PositiveInt
    models_per_shard: PositiveInt = 250
    group: Group = "model"
    licence: str = "CC-BY-4.0"
    source: str = ""

    @model_validator(mode="after")
    def check_axes(self) -> "ZooSpec":
        """Refuse repeated values, which would train models twice, and invalid ranges."""
        for axis in (*AXES, "seeds"):
            values = getattr(self, axis)
            if isinstance(values, Range):
                self.check_range(axis, values)
            elif isinstance(values, tuple):
                twice = [str(value) for value, times in Counter(values).items() if times > 1]
                if twice:
                    raise ValueError(f"{axis} lists {', '.join(twice)} more than once")
        return self

    def check_range(self, axis: str, values: Range) -> None:
        """Refuse a range in a grid, or one with bounds that the axis does not allow."""
        if self.random_points is None:
            raise ValueError(
                f"{axis} is a range: set random_points to the number of points to draw"
            )
        ends = TypeAdapter(ENDS[axis])
        for end in (values.low, values.high):
            try:
                ends.validate_python(end)
            except ValidationError as error:
                raise ValueError(f"{axis} from {values}: {error.errors()[0]['msg']}") from error

    @model_validator(mode="after")
    def check_epochs(self) -> "ZooSpec":
        """Refuse snapshot epochs that are out of order or after the end."""
        stored = self.snapshot_epochs
        if list(stored) != sorted(set(stored)) or (stored and stored[-1] > self.epochs):
            raise ValueError(
                f"snapshot_epochs {', '.join(map(str, stored))}: expected increasing numbers "
                f"from 0 to {self.epochs}"
            )
        return self

    @property
    def points(self) -> int:
        """Number of points; each is trained with every seed."""
        return self.random_points or prod(len(getattr(self, axis)) for axis in AXES)

    @property
    def models(self) -> int:
        """Number of models: points times seeds."""
        return self.points * len(self.seeds)

    @property
    def varied(self) -> tuple[str, ...]:
        """Axes with more than one value, except seeds."""

        def varies(values: tuple[object, ...] | Range) -> bool:
            return isinstance(values, Range) or len(values) > 1

        return tuple(axis for axis in AXES if varies(getattr(self, axis)))

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the properties measured of every snapshot."""
        classes = range(self.network.classes)
        return (*MEASURED, *(f"f1_class_{label}" for label in classes))

    @property
    def stored_epochs(self) -> tuple[int, ...]:
        """Epochs after which a snapshot is taken."""
        return self.snapshot_epochs or tuple(range(1, self.epochs + 1))

    def with_epochs(self, epochs: int) -> "ZooSpec":
        """Return the spec with a shorter or longer training.

        If ``snapshot_epochs`` are set, those before the new end stay and the new end is added.
        """
        if not self.snapshot_epochs:
            return replace(self, epochs=epochs)
        stored = {epoch for epoch in self.snapshot_epochs if epoch < epochs} | {epochs}
        return replace(self, epochs=epochs, snapshot_epochs=tuple(sorted(stored)))


AXES = (
    "activation",
    "initialiser",
    "init_std",
    "optimiser",
    "learning_rate",
    "weight_decay",
    "dropout",
    "train_fraction",
)
MEASURED = (
    "train_loss",
    "train_accuracy",
    "running_train_accuracy",
    "test_loss",
    "test_accuracy",
    "generalisation_gap",
)
ENDS = {"init_std": Above0, "learning_rate": Above0, "weight_decay": From0, "dropout": Share}
SPEC = TypeAdapter(ZooSpec)
