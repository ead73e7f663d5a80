"""The random draws of a model: its starting weights, then the order of images in each epoch."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256

import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn import init

from zoogen.spec.configs import ModelConfig
from zoogen.spec.layout import Layout
from zoogen.spec.zoo_spec import Initialiser

TRUNCATED_AT = 2.0

INITIALISERS: dict[Initialiser, Callable[..., Tensor]] = {
    "uniform": init.uniform_,
    "kaiming_normal": init.kaiming_normal_,
    "kaiming_uniform": init.kaiming_uniform_,
    "xavier_normal": init.xavier_normal_,
    "xavier_uniform": init.xavier_uniform_,
    "orthogonal": init.orthogonal_,
}


def initialiser(config: ModelConfig) -> Callable[..., Tensor]:
    """Return torch's initialiser for a model, with the standard deviation if it takes one."""
    std = config.init_std
    if config.initialiser == "normal":
        return partial(init.normal_, std=std)
    if config.initialiser == "truncated_normal":
        bound = TRUNCATED_AT * std
        return partial(init.trunc_normal_, std=std, a=-bound, b=bound)
    return INITIALISERS[config.initialiser]


def generators(configs: Sequence[ModelConfig]) -> list[torch.Generator]:
    """Seed one generator per model."""
    return [torch.Generator().manual_seed(start_seed(config)) for config in configs]


def start_seed(config: ModelConfig) -> int:
    """Hash initialiser and seed into the seed of a model's generator.

    With the seed alone, all normal initialisers would draw the same weights up to a scale for each
    layer, and so would all uniform ones: near-duplicates in different splits.
    """
    digest = sha256(f"{config.initialiser}/{config.seed}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def starting_weights(
    layout: Layout,
    configs: Sequence[ModelConfig],
    draws: Sequence[torch.Generator],
    initial_bias: float,
) -> dict[str, Float32[Tensor, "models ..."]]:
    """Draw the starting weights of a stack, tensor by tensor in the order of the layout.

    Weights follow ``torch.nn.init`` with its default arguments (``uniform`` is U(0, 1),
    ``truncated_normal`` ends at two standard deviations), biases are one constant. A model's draw
    depends only on its own initialiser, standard deviation and seed.

    Source:
        Section 4.1 and Table 9 of the paper.
    """
    stack = {
        name: torch.full((len(configs), *shape), initial_bias)
        for name, shape in layout.shapes.items()
    }
    for model, (config, draw) in enumerate(zip(configs, draws, strict=True)):
        for tensor in stack.values():
            if tensor[model].ndim > 1:
                initialiser(config)(tensor[model], generator=draw)
    return stack


def epoch_order(draws: Sequence[torch.Generator], images: int) -> Int64[Tensor, "models images"]:
    """Shuffle the images of one epoch, for each model in its own order."""
    return torch.stack([torch.randperm(images, generator=draw) for draw in draws])
