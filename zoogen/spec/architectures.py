"""Network architectures as frozen values, with their tensors and permutation symmetries."""

from itertools import accumulate, pairwise
from math import prod
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PositiveInt, model_validator
from pydantic.dataclasses import dataclass

from zoogen.spec.layout import Layout
from zoogen.spec.symmetry import chain

VALUE = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True, config=VALUE)
class MLP:
    """A fully connected network with ``widths`` units, from the input to the logits.

    Layer ``i`` is called ``fc{i}``; its weight is ``[out, in]`` as in ``torch.nn.Linear``.
    """

    widths: Annotated[tuple[PositiveInt, ...], Field(min_length=2)]
    bias: bool = False
    kind: Literal["mlp"] = "mlp"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of an input image: ``[pixels]``."""
        return self.widths[:1]

    @property
    def dense_layers(self) -> tuple[str, ...]:
        """Names of the fully connected layers, input to output."""
        return tuple(f"fc{i}" for i in range(1, len(self.widths)))

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.widths[-1]

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """How many numbers each activation function is applied to, per image."""
        return self.widths[1:-1]

    @property
    def layout(self) -> Layout:
        """Layout of the weight vector, ``weight`` then ``bias`` per layer."""
        shapes: dict[str, tuple[int, ...]] = {}
        for layer, (inputs, outputs) in zip(self.dense_layers, pairwise(self.widths), strict=True):
            shapes[f"{layer}.weight"] = (outputs, inputs)
            if self.bias:
                shapes[f"{layer}.bias"] = (outputs,)
        return Layout.of(shapes, chain(shapes))

    def __str__(self) -> str:
        return f"MLP {'-'.join(map(str, self.widths))}"


@dataclass(frozen=True, kw_only=True, config=VALUE)
class Convolution:
    """One block: convolution without padding, max pooling, activation, dropout.

    Attributes:
        channels: Number of output channels.
        kernel: Side of the square kernel, in pixels.
        stride: Stride of the convolution.
        pool: Window and stride of the max pooling; 1 means no pooling.
        dropout: Whether a model with dropout drops units of this block.
    """

    channels: PositiveInt
    kernel: PositiveInt
    stride: PositiveInt = 1
    pool: PositiveInt = 1
    dropout: bool = True

    def output_side(self, side: int) -> int:
        """Return the side of the output for an input of ``side`` pixels; below 1 if too small."""
        return ((side - self.kernel) // self.stride + 1) // self.pool


@dataclass(frozen=True, kw_only=True, config=VALUE)
class CNN:
    """Convolutions, then fully connected layers, with biases throughout.

    Layers are called ``conv1``… and ``fc1``…, weights are ``[out, in, height, width]`` and
    ``[out, in]`` as in ``torch.nn``.

    Attributes:
        image: Channels, height and width of an image.
        convolutions: Convolutions, from input to output.
        features: How maps become a vector: ``flatten`` them, channel by channel, or take the
            ``mean`` of each channel (global average pooling).
        widths: Units of each fully connected layer; the last is the number of classes.

    Raises:
        pydantic.ValidationError: If a map is too small for the next convolution.
    """

    image: tuple[PositiveInt, PositiveInt, PositiveInt]
    convolutions: Annotated[tuple[Convolution, ...], Field(min_length=1)]
    features: Literal["flatten", "mean"] = "flatten"
    widths: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    kind: Literal["cnn"] = "cnn"

    @model_validator(mode="after")
    def check_sizes(self) -> "CNN":
        """Refuse a convolution or pooling larger than its input."""
        for number, (channels, height, width) in enumerate(self.maps, 1):
            if height < 1 or width < 1:
                raise ValueError(
                    f"convolution {number} reduces an image of {'×'.join(map(str, self.image))} "
                    f"to a map of {channels}×{height}×{width}; expected sides of 1 or more"
                )
        return self

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of an input image: ``[channels, height, width]``."""
        return self.image

    @property
    def maps(self) -> tuple[tuple[int, int, int], ...]:
        """Channels, height and width after each convolution and its pooling."""

        def convolved(before: tuple[int, int, int], by: Convolution) -> tuple[int, int, int]:
            return by.channels, by.output_side(before[1]), by.output_side(before[2])

        return tuple(accumulate(self.convolutions, convolved, initial=self.image))[1:]

    @property
    def dense_layers(self) -> tuple[str, ...]:
        """Names of the fully connected layers, input to output."""
        return tuple(f"fc{i}" for i in range(1, len(self.widths) + 1))

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.widths[-1]

    @property
    def hidden_sizes(self) -> tuple[int, ...]:
        """How many numbers each activation function is applied to, per image."""
        return (*(prod(shape) for shape in self.maps), *self.widths[:-1])

    @property
    def layout(self) -> Layout:
        """Layout of the weight vector, ``weight`` then ``bias`` per layer."""
        shapes: dict[str, tuple[int, ...]] = {}
        channels = (self.image[0], *(block.channels for block in self.convolutions))
        for number, block in enumerate(self.convolutions, 1):
            outputs, inputs = channels[number], channels[number - 1]
            shapes[f"conv{number}.weight"] = (outputs, inputs, block.kernel, block.kernel)
            shapes[f"conv{number}.bias"] = (outputs,)
        features = prod(self.maps[-1]) if self.features == "flatten" else channels[-1]
        widths = (features, *self.widths)
        for layer, (inputs, outputs) in zip(self.dense_layers, pairwise(widths), strict=True):
            shapes[f"{layer}.weight"] = (outputs, inputs)
            shapes[f"{layer}.bias"] = (outputs,)
        pooled = (number for number, block in enumerate(self.convolutions, 1) if block.pool > 1)
        return Layout.of(
            shapes, chain(shapes, without_flips=frozenset(f"conv{number}" for number in pooled))
        )

    def __str__(self) -> str:
        blocks = "-".join(
            f"{block.channels}@{block.kernel}×{block.kernel}" for block in self.convolutions
        )
        return f"CNN {blocks}, {self.features}, {'-'.join(map(str, self.widths))}"


Network = Annotated[MLP | CNN, Field(discriminator="kind")]
