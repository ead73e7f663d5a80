"""The reference for kernels: one network in torch, in double precision, step by step."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from zoogen import CNN, MLP, Convolution, ZooSpec
from zoogen.images.sets import ImageSet
from zoogen.spec.configs import ModelConfig, model_configs
from zoogen.train.dropout import LARGEST_BATCH, keep_factors
from zoogen.train.initialise import epoch_order, generators, starting_weights
from zoogen.train.networks import MODULES, torch_module

Draw = Callable[[st.SearchStrategy[Any]], Any]

OPTIMISERS = {
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
}


def dropped(config: ModelConfig, hidden: Tensor, layer: int, numbers: Tensor) -> Tensor:
    """Drop units of a batch as decision 1 says, image by image."""
    keys, rate = torch.tensor([config.seed]), torch.tensor([config.dropout])
    units, *sides = hidden.shape[1:]
    pixels = sides[0] * sides[1] if sides else 1
    factors = keep_factors(keys, numbers, layer, (pixels, units), rate)[:, :, 0]
    return hidden * factors.mT.reshape(hidden.shape)


def logits(
    network: MLP | CNN, module: nn.Sequential, config: ModelConfig, images: Tensor, step: int
) -> Tensor:
    """Run a network in training mode at a step of its optimiser."""
    numbers = step * LARGEST_BATCH + torch.arange(len(images))
    convolutions = network.convolutions if isinstance(network, CNN) else ()
    drops = [block.dropout for block in convolutions] + [True] * (len(network.dense_layers) - 1)
    hidden, layer = images, 0
    for child in module.children():
        hidden = child(hidden)
        if isinstance(child, MODULES[config.activation]):
            layer += 1
            if drops[layer - 1] and config.dropout:
                hidden = dropped(config, hidden, layer, numbers)
    return hidden


def plain_training(
    spec: ZooSpec, images: ImageSet, dtype: torch.dtype
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Train a spec's first model as in a tutorial; yield weights, gradient, correct images."""
    config = model_configs(spec)[0]
    pixels = torch.from_numpy(images.train_images).to(dtype)
    labels = torch.from_numpy(images.train_labels)
    draws = generators([config])
    start = starting_weights(spec.network.layout, [config], draws, spec.initial_bias)
    module = torch_module(spec.network, config.activation)
    module.load_state_dict({name: tensor[0] for name, tensor in start.items()})
    module.to(dtype)
    rates: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    make = partial(OPTIMISERS[config.optimiser], module.parameters(), **rates)
    optimiser = make(momentum=spec.momentum) if config.optimiser == "sgd" else make()
    step = 0
    for _ in range(spec.epochs):
        for batch in epoch_order(draws, len(labels))[0].split(spec.batch_size):
            step += 1
            optimiser.zero_grad()
            said = logits(spec.network, module, config, pixels[batch], step)
            nn.functional.cross_entropy(said, labels[batch]).backward()
            gradient = flat(parameter.grad for parameter in module.parameters())
            optimiser.step()
            right = int((said.argmax(1) == labels[batch]).sum())
            yield flat(module.parameters()), gradient, right


def flat(tensors: Any) -> Tensor:
    """Lay tensors side by side in one vector."""
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).clone()


# Tests draw networks by calling these functions, not by strategies: the type checker of the tests
# draws random numbers itself, which strategies must not.


def drawn_convolution(draw: Draw, side: int) -> Convolution:
    """Draw a block that fits on a map."""
    kernel, stride = draw(st.integers(1, min(4, side))), draw(st.integers(1, 3))
    convolved = (side - kernel) // stride + 1
    return Convolution(
        channels=draw(st.integers(1, 18)),
        kernel=kernel,
        stride=stride,
        pool=draw(st.integers(1, min(4, convolved))),
        dropout=draw(st.booleans()),
    )


def drawn_cnn(draw: Draw) -> CNN:
    """Draw a small network of convolutions and dense layers, of any kind that a spec allows."""
    channels, height = draw(st.integers(1, 3)), draw(st.integers(6, 14))
    side, blocks = height, [drawn_convolution(draw, height)]
    for _ in range(draw(st.integers(0, 2))):
        side = blocks[-1].output_side(side)
        blocks.append(drawn_convolution(draw, side))
    hidden = draw(st.lists(st.integers(1, 20), max_size=2))
    return CNN(
        image=(channels, height, height + draw(st.integers(0, 3))),
        convolutions=tuple(blocks),
        features=draw(st.sampled_from(["flatten", "mean"])),
        widths=(*hidden, draw(st.integers(2, 11))),
    )


def drawn_mlp(draw: Draw) -> MLP:
    """Draw a fully connected network that is small enough for lanes."""
    widths = draw(st.lists(st.integers(1, 24), min_size=1, max_size=3))
    return MLP(widths=(*widths, draw(st.integers(2, 11))), bias=draw(st.booleans()))


def drawn_spec(draw: Draw, network: Callable[[Draw], MLP | CNN]) -> ZooSpec:
    """Draw a population of one model."""
    return ZooSpec(
        name="drawn",
        version=1,
        images="drawn",
        network=network(draw),
        activation=(draw(st.sampled_from(["tanh", "relu", "sigmoid", "gelu"])),),
        initialiser=("xavier_normal",),
        optimiser=(draw(st.sampled_from(["adam", "sgd", "rmsprop"])),),
        learning_rate=(1e-3,),
        weight_decay=(draw(st.sampled_from([0.0, 1e-3, 1e-1])),),
        dropout=(draw(st.sampled_from([0.0, 0.2, 0.5])),),
        seeds=(draw(st.integers(1, 1000)),),
        epochs=20,
        batch_size=draw(st.sampled_from([1, 4, 7, 16])),
    )
