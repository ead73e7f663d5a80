"""What a zoo is: a frozen value that names its images, its network and every axis that varies."""

from collections import Counter
from math import prod
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PositiveInt, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from zoogen.layout import Layout

Activation = Literal["tanh", "relu", "sigmoid", "gelu"]
Initialiser = Literal[
    "uniform", "normal", "kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform"
]
Optimiser = Literal["adam", "sgd"]
Group = Literal["model", "start"]

VALUE = ConfigDict(extra="forbid", allow_inf_nan=False)

Chosen = Field(min_length=1)
Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


@dataclass(frozen=True, kw_only=True, config=VALUE)
class MLP:
    """A fully connected network: ``widths`` units from the input to the logits.

    Layer ``i`` is called ``fc{i}``; its weight is ``[out, in]`` as in ``torch.nn.Linear``.
    """

    widths: Annotated[tuple[PositiveInt, ...], Field(min_length=2)]
    bias: bool = False
    kind: Literal["mlp"] = "mlp"

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, input to output."""
        return tuple(f"fc{i}" for i in range(1, len(self.widths)))

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.widths[-1]

    @property
    def layout(self) -> Layout:
        """Where each tensor lies in a flat weight vector, ``weight`` then ``bias`` per layer."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, inputs, outputs in zip(self.layers, self.widths, self.widths[1:], strict=False):
            shapes[f"{layer}.weight"] = (outputs, inputs)
            if self.bias:
                shapes[f"{layer}.bias"] = (outputs,)
        return Layout.of(shapes)


@dataclass(frozen=True, kw_only=True, config=VALUE)
class ZooSpec:
    """One population of networks; every tuple is an axis and the models are their product.

    Attributes:
        version: Raised whenever a change of this spec changes a single weight.
        images: Name of the image set, see ``zoogen.images``.
        weight_decay: Coupled L2 penalty, as in ``torch.optim``; applied to biases too.
        dropout: Probability of dropping a hidden unit while training.
        momentum: Of the ``sgd`` models; the ``adam`` models ignore it.
        snapshots: Epochs 1…``epochs`` are stored, initial weights are not.
        models_per_shard: A shard is the unit of training, storage, resume and distribution.
        group: What may not straddle two splits: a ``model``, or all models that ``start`` from
            the same weights.

    Raises:
        pydantic.ValidationError: For an empty or repeated axis, an unknown activation,
            initialiser, optimiser or field, or a number out of range.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    version: PositiveInt
    images: str
    network: MLP
    activation: Annotated[tuple[Activation, ...], Chosen]
    initialiser: Annotated[tuple[Initialiser, ...], Chosen]
    optimiser: Annotated[tuple[Optimiser, ...], Chosen] = ("adam",)
    learning_rate: Annotated[tuple[Rate, ...], Chosen]
    weight_decay: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Chosen] = (0.0,)
    dropout: Annotated[tuple[Share, ...], Chosen] = (0.0,)
    seeds: Annotated[tuple[Seed, ...], Chosen]
    momentum: Share = 0.9
    epochs: PositiveInt
    batch_size: PositiveInt
    models_per_shard: PositiveInt = 250
    group: Group = "model"
    licence: str = "CC-BY-4.0"
    source: str = ""

    @model_validator(mode="after")
    def check_axes(self) -> "ZooSpec":
        """Refuse an axis that lists a value twice: it would train the same models twice."""
        for axis in (*AXES, "seeds"):
            twice = [
                str(value) for value, times in Counter(getattr(self, axis)).items() if times > 1
            ]
            if twice:
                raise ValueError(f"{axis} lists {', '.join(twice)} more than once")
        return self

    @property
    def models(self) -> int:
        """Number of models: the product of all axes and seeds."""
        return prod(len(getattr(self, axis)) for axis in AXES) * len(self.seeds)

    @property
    def varied(self) -> tuple[str, ...]:
        """The axes with more than one value, seeds left out."""
        return tuple(axis for axis in AXES if len(getattr(self, axis)) > 1)


AXES = ("activation", "initialiser", "optimiser", "learning_rate", "weight_decay", "dropout")
SPEC = TypeAdapter(ZooSpec)
