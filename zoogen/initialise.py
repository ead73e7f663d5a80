"""Starting weights: torch's named initialisers, one generator per model."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn import init

from zoogen.configs import ModelConfig
from zoogen.layout import Layout
from zoogen.spec import Initialiser

BIAS = 0.01

INITIALISERS: dict[Initialiser, Callable[..., Tensor]] = {
    "uniform": init.uniform_,
    "normal": init.normal_,
    "kaiming_normal": init.kaiming_normal_,
    "kaiming_uniform": init.kaiming_uniform_,
    "xavier_normal": init.xavier_normal_,
    "xavier_uniform": init.xavier_uniform_,
}


def generators(configs: Sequence[ModelConfig]) -> list[torch.Generator]:
    """Seed one generator per model: it draws the starting weights, then every epoch's order."""
    return [torch.Generator().manual_seed(start_seed(config)) for config in configs]


def start_seed(config: ModelConfig) -> int:
    """Mix initialiser and seed.

    From the seed alone, the normal initialisers would start from the same draw up to the scale of
    each layer, and so would the uniform ones: near-duplicates that no split keeps together.
    """
    digest = sha256(f"{config.initialiser}/{config.seed}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def starting_weights(
    layout: Layout, configs: Sequence[ModelConfig], draws: Sequence[torch.Generator]
) -> dict[str, Float32[Tensor, "models ..."]]:
    """Draw the starting weights of a stack, tensor by tensor in the order of the layout.

    Weights follow ``torch.nn.init`` with its default arguments (``uniform`` is U(0, 1)), biases
    are the constant 0.01. A model's draw depends on its own initialiser and seed alone.

    Source:
        Section 4.1 and Table 9 of the paper; the constant from its authors' code.
    """
    stack = {
        name: torch.full((len(configs), *shape), BIAS) for name, shape in layout.shapes.items()
    }
    for model, (config, draw) in enumerate(zip(configs, draws, strict=True)):
        for tensor in stack.values():
            if tensor[model].ndim > 1:
                INITIALISERS[config.initialiser](tensor[model], generator=draw)
    return stack
