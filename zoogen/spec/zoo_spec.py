"""What a zoo is: a frozen value that names its images, its network and every axis that varies."""

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
    """One population of networks: every point of a grid, or points drawn at random.

    An axis is a tuple of values or, where points are drawn, a ``Range``.

    Attributes:
        version: Raised whenever a change of this spec changes a single weight.
        images: Name of the image set, or the path of a ``.npz`` or ``.safetensors`` file of your
            own, see ``zoogen.images.sets``.
        init_std: Standard deviation of the ``normal`` and ``truncated_normal`` initialisers; the
            others have their own.
        weight_decay: Coupled L2 penalty, as in ``torch.optim``; applied to biases too.
        dropout: Probability of dropping a hidden unit while training.
        train_fraction: Share of the train images a model is shown, from the first; its train
            accuracy is that on the images it was shown.
        seeds: One model each at every point, or how to draw them.
        random_points: None for the grid, or how many points to draw, each axis by itself.
        order: How models are numbered, and so which come first in a partial build: as the
            ``product`` has them, or ``dealt`` like cards, shuffled, activations and optimisers
            taking turns, so that the first few are a sample of the whole.
        initial_bias: Of every unit.
        momentum: Of the ``sgd`` models; the others ignore it.
        snapshot_epochs: Epochs that are stored, 0 being the initial weights; 1…``epochs`` if
            none are named.
        models_per_shard: A shard is the unit of training, storage, resume and distribution.
        group: What may not straddle two splits: a ``model``, or all models that ``start`` from
            the same weights.

    Raises:
        pydantic.ValidationError: For an empty or repeated axis, a range without ``random_points``,
            an unknown activation, initialiser, optimiser or field, or a number out of range.
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
        """Refuse values listed twice, which would train models twice, and ranges of a grid."""
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
        """Refuse a range where nothing is drawn, or with bounds that the axis cannot take."""
        if self.random_points is None:
            raise ValueError(f"{axis} is a range: say how many points to draw with random_points")
        ends = TypeAdapter(ENDS[axis])
        for end in (values.low, values.high):
            try:
                ends.validate_python(end)
            except ValidationError as error:
                raise ValueError(f"{axis} from {values}: {error.errors()[0]['msg']}") from error

    @model_validator(mode="after")
    def check_epochs(self) -> "ZooSpec":
        """Refuse snapshots out of order or after the end."""
        stored = self.snapshot_epochs
        if list(stored) != sorted(set(stored)) or (stored and stored[-1] > self.epochs):
            raise ValueError(
                f"snapshot_epochs {', '.join(map(str, stored))}: expected rising numbers "
                f"from 0 to {self.epochs}"
            )
        return self

    @property
    def points(self) -> int:
        """Number of points, each of which is trained with every seed."""
        return self.random_points or prod(len(getattr(self, axis)) for axis in AXES)

    @property
    def models(self) -> int:
        """Number of models: points times seeds."""
        return self.points * len(self.seeds)

    @property
    def varied(self) -> tuple[str, ...]:
        """The axes with more than one value, seeds left out."""

        def varies(values: tuple[object, ...] | Range) -> bool:
            return isinstance(values, Range) or len(values) > 1

        return tuple(axis for axis in AXES if varies(getattr(self, axis)))

    @property
    def measured(self) -> tuple[str, ...]:
        """The properties that are measured of every snapshot, see ``zoogen.train.measure``."""
        classes = range(self.network.classes)
        return (*MEASURED, *(f"f1_class_{label}" for label in classes))

    @property
    def stored_epochs(self) -> tuple[int, ...]:
        """The epochs after which a snapshot is taken."""
        return self.snapshot_epochs or tuple(range(1, self.epochs + 1))

    def with_epochs(self, epochs: int) -> "ZooSpec":
        """Return the spec of a shorter or longer training.

        Where snapshots are named, those before the new end are kept, and the end is one.
        """
        if not self.snapshot_epochs:
            return replace(self, epochs=epochs)
        kept = {epoch for epoch in self.snapshot_epochs if epoch < epochs} | {epochs}
        return replace(self, epochs=epochs, snapshot_epochs=tuple(sorted(kept)))


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
