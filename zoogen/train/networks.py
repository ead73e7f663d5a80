"""A stack of networks as one function: every tensor has a leading axis of models."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn
from torch.nn import functional

from zoogen.spec.architectures import CNN, MLP
from zoogen.spec.zoo_spec import Activation

Stack = Mapping[str, Float32[Tensor, "models ..."]]
Dropout = Callable[[Tensor, int], Tensor]
Runs = tuple[tuple[Activation, int], ...]
"""Runs of neighbours with the same activation: the activation and the number of models."""

LINE = 16
"""Numbers in a cache line of 64 bytes."""

FUNCTIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "gelu": functional.gelu,
}
MODULES: dict[Activation, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
}


class DenseGradient(torch.autograd.Function):
    """The identity; its gradient, which may be a slice of a larger tensor, becomes contiguous.

    Torch differentiates an activation of a slice row by row, and each row may have a rest that
    fills no vector and follows another formula: see ``zoogen.train.loop.padded_stack``.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, memory: torch.memory_format) -> Tensor:
        """Return ``hidden``."""
        ctx.memory = memory
        return hidden.view_as(hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient as a contiguous tensor."""
        return gradients[0].contiguous(memory_format=ctx.memory), None


def runs_of(activations: Iterable[Activation]) -> Runs:
    """Group neighbours that share an activation, and count them."""
    return tuple((name, len(list(run))) for name, run in groupby(activations))


def activate(hidden: Float32[Tensor, "..."], runs: Runs, axis: int) -> Float32[Tensor, "..."]:
    """Apply each model's activation, to a whole run of neighbours at once.

    Args:
        hidden: Units of all models.
        runs: Activations of the models.
        axis: Axis of the models, each with an equal share.
    """
    if len(runs) == 1 and hidden.ndim == 3:
        return FUNCTIONS[runs[0][0]](hidden)
    memory = torch.channels_last if hidden.ndim == 4 else torch.contiguous_format
    share = hidden.shape[axis] // sum(models for _, models in runs)
    parts = hidden.split([models * share for _, models in runs], dim=axis)
    active = [
        DenseGradient.apply(FUNCTIONS[name](part.contiguous(memory_format=memory)), memory)
        for (name, _), part in zip(runs, parts, strict=True)
    ]
    return active[0] if len(runs) == 1 else torch.cat(active, dim=axis)


def no_dropout(hidden: Tensor, layer: int) -> Tensor:  # noqa: ARG001
    """Keep every hidden unit, as in evaluation and at rate 0."""
    return hidden


class StackLinear(torch.autograd.Function):
    """Multiply each model's weight matrix with its own hidden units.

    It differs from ``torch.bmm`` in two ways. The gradient of a single image is an outer product,
    which torch computes ten times faster as a broadcast product. And the units of each model start
    at a multiple of 64 bytes: on some processors the order of a sum depends on the alignment, so
    the last bit of a model would depend on its place.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, hidden: Tensor) -> Tensor:
        """Return ``weight @ hidden``, model by model."""
        ctx.save_for_backward(weight, hidden)
        return torch.bmm(weight, aligned(hidden))[..., : hidden.shape[-1]]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the gradients of the weights and, after the first layer, of the hidden units."""
        (gradient,) = gradients
        weight, hidden = ctx.saved_tensors
        images = hidden.shape[-1]
        gradient, hidden = aligned(gradient), aligned(hidden)
        of_weight = gradient * hidden.mT if images == 1 else torch.bmm(gradient, hidden.mT)
        if not ctx.needs_input_grad[1]:
            return of_weight, None
        return of_weight, torch.bmm(weight.mT, gradient)[..., :images]


def aligned(units: Float[Tensor, "models units images"]) -> Float[Tensor, "models units _images"]:
    """Add images of zeros until each unit fills whole cache lines; a single image stays alone."""
    images = units.shape[-1]
    missing = -images % LINE if images > 1 else 0
    return functional.pad(units, (0, missing)) if missing else units


def stack_logits(
    network: MLP | CNN,
    weights: Stack,
    images: Float32[Tensor, "shown images ..."],
    runs: Runs,
    dropout: Dropout = no_dropout,
) -> Float32[Tensor, "models classes images"]:
    """Evaluate a stack of networks, each on its own images or all on the same.

    Hidden units are column vectors, as in the textbook's ``W h``, and so are the gradients: nothing
    needs transposing.

    Args:
        network: Network of all models.
        weights: Tensors by name, each as in ``network.layout`` with a leading axis of models.
        images: One batch per model, or one for all; each image has the network's ``image_shape``.
        runs: Activations of the models.
        dropout: Called with the hidden units, ``[models, units, images]`` or the maps of a
            convolution, and the number of their layer.
    """
    blocks = len(network.convolutions) if isinstance(network, CNN) else 0
    if isinstance(network, CNN):
        hidden = stack_features(network, weights, images, runs, dropout)
    else:
        models = len(next(iter(weights.values())))
        hidden = images.mT if len(images) == models else images.mT.expand(models, -1, -1)
    for number, layer in enumerate(network.dense_layers):
        if number:
            hidden = dropout(activate(hidden, runs, 0), blocks + number)
        hidden = StackLinear.apply(weights[f"{layer}.weight"], hidden)
        if f"{layer}.bias" in weights:
            hidden = hidden + weights[f"{layer}.bias"][..., None]
    return hidden


def stack_features(
    network: CNN,
    weights: Stack,
    images: Float32[Tensor, "shown images channels height width"],
    runs: Runs,
    dropout: Dropout,
) -> Float32[Tensor, "models features images"]:
    """Convolve a stack as one grouped convolution: each group of channels is a model.

    Channels are innermost in memory (``channels_last``): there a few models fill the vector
    registers that one small model leaves empty.
    """
    models = len(weights["conv1.weight"])
    maps = channels_last(images.transpose(0, 1).flatten(1, 2))
    for number, block in enumerate(network.convolutions, 1):
        maps = functional.conv2d(
            maps,
            weights[f"conv{number}.weight"].flatten(0, 1),
            weights[f"conv{number}.bias"].flatten(),
            stride=block.stride,
            groups=len(images) if number == 1 else models,
        )
        if block.pool > 1:
            maps = functional.max_pool2d(maps, block.pool)
        maps = activate(maps, runs, 1)
        if block.dropout:
            maps = dropout(maps, number)
    by_model = maps.unflatten(1, (models, -1)).permute(1, 2, 3, 4, 0)
    features: Tensor = (
        by_model.mean((2, 3)) if network.features == "mean" else by_model.flatten(1, 3)
    )
    return features


def channels_last(
    maps: Float32[Tensor, "images channels height width"],
) -> Float32[Tensor, "images channels height width"]:
    """Copy maps so that channels are innermost in memory; torch would not move a single channel."""
    images, channels, height, width = maps.shape
    copy = maps.new_empty((images, height, width, channels)).permute(0, 3, 1, 2)
    copy.copy_(maps)
    return copy


def most_likely(
    logits: Float32[Tensor, "models classes images"],
) -> Int64[Tensor, "models images"]:
    """Return the class of the largest logit, the first of equals; ``argmax`` is far slower."""
    best = logits[:, 0].clone()
    chosen = torch.zeros_like(best, dtype=torch.int64)
    for label in range(1, logits.shape[1]):
        better = logits[:, label] > best
        chosen.masked_fill_(better, label)
        torch.maximum(best, logits[:, label], out=best)
    return chosen


def torch_module(network: MLP | CNN, activation: Activation) -> nn.Sequential:
    """Return one network of the population as a plain ``torch.nn.Sequential``.

    Its ``state_dict`` has the names and shapes of ``network.layout``; its input is a batch of
    images of the network's ``image_shape``.
    """
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    tensors = network.layout.shapes
    if isinstance(network, CNN):
        for number, block in enumerate(network.convolutions, 1):
            outputs, inputs, kernel, _ = tensors[f"conv{number}.weight"]
            modules[f"conv{number}"] = nn.Conv2d(inputs, outputs, kernel, block.stride)
            if block.pool > 1:
                modules[f"pool{number}"] = nn.MaxPool2d(block.pool)
            modules[f"{activation}{number}"] = MODULES[activation]()
        if network.features == "mean":
            modules["mean"] = nn.AdaptiveAvgPool2d(1)
        modules["flatten"] = nn.Flatten()
    hidden = sum(isinstance(module, MODULES[activation]) for module in modules.values())
    for number, layer in enumerate(network.dense_layers):
        if number:
            modules[f"{activation}{hidden + number}"] = MODULES[activation]()
        outputs, inputs = tensors[f"{layer}.weight"]
        modules[layer] = nn.Linear(inputs, outputs, bias=f"{layer}.bias" in tensors)
    return nn.Sequential(modules)
