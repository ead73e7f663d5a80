"""A population of networks as one function: every tensor has a leading axis of models."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor, nn
from torch.nn import functional

from zoogen.spec import MLP, Activation

Stack = Mapping[str, Float32[Tensor, "models ..."]]
Dropout = Callable[[Tensor, int], Tensor]

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


def no_dropout(hidden: Tensor, layer: int) -> Tensor:  # noqa: ARG001
    """Keep every hidden unit: networks are evaluated this way, and trained so at rate 0."""
    return hidden


class StackLinear(torch.autograd.Function):
    """Multiply every model's weight matrix with its own hidden units.

    Differs from ``torch.bmm`` in the gradient of a single image only: an outer product, which
    torch computes ten times faster as a broadcast product.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, hidden: Tensor) -> Tensor:
        """Return ``weight @ hidden``, model by model."""
        ctx.save_for_backward(weight, hidden)
        return torch.bmm(weight, hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the gradients of weight and, past the first layer, of hidden units."""
        (gradient,) = gradients
        weight, hidden = ctx.saved_tensors
        one_image = hidden.shape[-1] == 1
        of_weight = gradient * hidden.mT if one_image else torch.bmm(gradient, hidden.mT)
        of_hidden = torch.bmm(weight.mT, gradient) if ctx.needs_input_grad[1] else None
        return of_weight, of_hidden


def stack_logits(
    network: MLP,
    weights: Stack,
    images: Float32[Tensor, "models images pixels"],
    activation: Activation,
    dropout: Dropout = no_dropout,
) -> Float32[Tensor, "models classes images"]:
    """Evaluate a stack of networks, each on its own images.

    Hidden units run down the columns, as in the textbook ``W h``: so do the gradients, which then
    need no transposing.

    Args:
        network: The architecture all models share.
        weights: Tensors by name, as ``network.layout`` has them, models stacked in front.
        images: One batch per model; expand the models axis to show all the same images.
        activation: Of the hidden layers.
        dropout: Called with the hidden units and the number of their layer.
    """
    hidden = images.mT
    for number, layer in enumerate(network.layers):
        if number:
            hidden = dropout(FUNCTIONS[activation](hidden), number)
        hidden = StackLinear.apply(weights[f"{layer}.weight"], hidden)
        if network.bias:
            hidden = hidden + weights[f"{layer}.bias"][..., None]
    return hidden


def torch_module(network: MLP, activation: Activation) -> nn.Sequential:
    """Return one network of the population as a plain ``torch.nn.Sequential``.

    Its ``state_dict`` has the names and shapes of ``network.layout``.
    """
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for layer, inputs, outputs in zip(
        network.layers, network.widths, network.widths[1:], strict=False
    ):
        if modules:
            modules[f"{activation}{len(modules) // 2 + 1}"] = MODULES[activation]()
        modules[layer] = nn.Linear(inputs, outputs, bias=network.bias)
    return nn.Sequential(modules)
