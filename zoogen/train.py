"""Training a stack of models as one computation, with every gradient kept to its own model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from math import gcd

import torch
from jaxtyping import Float32, Int64
from torch import Tensor
from torch.nn import functional

from zoogen.architectures import CNN, MLP
from zoogen.configs import ModelConfig
from zoogen.dropout import keep_mask
from zoogen.images import ImageSet
from zoogen.initialise import generators, starting_weights
from zoogen.networks import Dropout, no_dropout, stack_logits
from zoogen.optimisers import OPTIMISERS
from zoogen.spec import Activation, ZooSpec

FULL = 32


@dataclass(frozen=True)
class DeviceImages:
    """An image set where the networks train."""

    train_images: Float32[Tensor, "train ..."]
    train_labels: Int64[Tensor, " train"]
    test_images: Float32[Tensor, "test ..."]
    test_labels: Int64[Tensor, " test"]
    classes: int

    @cached_property
    def train_one_hot(self) -> Float32[Tensor, "train classes"]:
        """The train labels as rows of the identity."""
        return functional.one_hot(self.train_labels, self.classes).float()

    @classmethod
    def of(cls, images: ImageSet, device: str) -> "DeviceImages":
        """Copy an image set to ``device``."""
        return cls(
            torch.from_numpy(images.train_images).to(device),
            torch.from_numpy(images.train_labels).to(device),
            torch.from_numpy(images.test_images).to(device),
            torch.from_numpy(images.test_labels).to(device),
            images.classes,
        )

    def shown(self, train_fraction: float) -> "DeviceImages":
        """Return the set with the share of its train images that some models see."""
        images = round(train_fraction * len(self.train_labels))
        return replace(
            self,
            train_images=self.train_images[:images],
            train_labels=self.train_labels[:images],
        )


def stacks(configs: Sequence[ModelConfig], size: int) -> list[list[ModelConfig]]:
    """Cut models into stacks of at most ``size``, each of one kind."""
    ordered = sorted(configs, key=lambda config: config.kind)
    kinds = [list(kind) for _, kind in groupby(ordered, key=lambda config: config.kind)]
    return [kind[at : at + size] for kind in kinds for at in range(0, len(kind), size)]


def filled(
    stack: Sequence[ModelConfig], network: MLP | CNN, batches: Iterable[int]
) -> list[ModelConfig]:
    """Repeat the last model until hidden units fill whole vectors, at least once if it is alone.

    CPU kernels take an array in vectors, 32 numbers at most, and what is left over by another
    formula (sigmoid, gelu), a stack of one by another routine (bmm): the last bit of a model would
    depend on its place and its company.

    Args:
        stack: The models.
        network: Their network.
        batches: Every number of images that is shown to it at once.
    """
    arrays = [size * images for size in network.hidden_sizes for images in batches]
    multiple = max(FULL // gcd(FULL, *arrays), 2)
    return [*stack, *[stack[-1]] * (-len(stack) % multiple)]


def batch_sizes(images: int, at_once: int) -> set[int]:
    """Return the sizes of the batches of so many images: the usual one and the last."""
    return {min(at_once, images), images % at_once or at_once}


def per_scalar(values: Sequence[float], weights: dict[str, Tensor], device: str) -> Tensor:
    """Repeat one value per model for every scalar of the stack, tensors one after another."""
    column = torch.tensor(values, dtype=torch.float32, device=device)
    return joined(column[:, None].expand(-1, tensor[0].numel()) for tensor in weights.values())


def joined(tensors: Iterable[Tensor]) -> Float32[Tensor, " scalars"]:
    """Lay tensors side by side in one vector, zeros behind until it fills whole vectors."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    return functional.pad(flat, (0, -len(flat) % FULL))


def dropout_by_step(configs: Sequence[ModelConfig], device: str) -> Callable[[int], Dropout]:
    """Return the dropout of each step, by its number; models with rate 0 keep every unit."""
    if not any(config.dropout for config in configs):
        return lambda _: no_dropout
    keys = torch.tensor([config.seed for config in configs], device=device)
    rate = torch.tensor([config.dropout for config in configs], device=device)

    def dropout(step: int) -> Dropout:
        def drop(hidden: Tensor, layer: int) -> Tensor:
            keep = keep_mask(keys, step, layer, hidden[0].numel(), rate).view(hidden.shape)
            return hidden * (keep / (1 - rate).view(-1, *[1] * (hidden.ndim - 1)))

        return drop

    return dropout


def train_stack(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: DeviceImages,
    *,
    device: str = "cpu",
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[dict[str, Float32[Tensor, "models ..."]]]:
    """Train models of one kind; yield their weights after each epoch that is stored.

    The loss is summed over models, so a model's gradient is what it would be alone. Its starting
    weights and the order of its images come from its own generator: a model's result depends
    neither on the models beside it nor on their number, to the last bit if the stack is ``filled``.

    Args:
        spec: Network, epochs, batch size, momentum and initial bias.
        configs: The models, as ``stacks`` groups them.
        images: The image set they are shown, on ``device``.
        device: Where to train, as torch names it.
        report: Called after each step with the number of images shown to each model.

    Yields:
        The stack's tensors by name. They are updated in place: copy what is kept.
    """
    draws = generators(configs)
    start = starting_weights(spec.network.layout, configs, draws, spec.initial_bias)
    flat = joined(start.values()).to(device)
    sizes = [tensor.numel() for tensor in start.values()]
    parts = flat[: sum(sizes)].split(sizes)
    weights = {
        name: part.view(tensor.shape).requires_grad_()
        for (name, tensor), part in zip(start.items(), parts, strict=True)
    }
    rate = per_scalar([config.learning_rate for config in configs], start, device)
    update = OPTIMISERS[configs[0].optimiser](rate, spec.momentum)
    decay = per_scalar([config.weight_decay for config in configs], start, device)
    decays = any(config.weight_decay for config in configs)
    dropout = dropout_by_step(configs, device)
    step = 0
    for epoch in range(spec.epochs + 1):
        if epoch:
            order = epoch_order(draws, len(images.train_labels)).to(device)
            for batch in order.split(spec.batch_size, dim=1):
                step += 1
                gradient = stack_gradient(
                    spec.network, weights, images, batch, configs[0].activation, dropout(step)
                )
                if decays:
                    gradient.addcmul_(flat, decay)
                update(flat, gradient)
                report(batch.shape[1])
        if epoch in spec.stored_epochs:
            yield {name: tensor.detach() for name, tensor in weights.items()}


def epoch_order(draws: Sequence[torch.Generator], images: int) -> Int64[Tensor, "models images"]:
    """Shuffle the images of one epoch, for every model in an order of its own."""
    return torch.stack([torch.randperm(images, generator=draw) for draw in draws])


def stack_gradient(
    network: MLP | CNN,
    weights: dict[str, Float32[Tensor, "models ..."]],
    images: DeviceImages,
    batch: Int64[Tensor, "models batch"],
    activation: Activation,
    dropout: Dropout,
) -> Float32[Tensor, " scalars"]:
    """Differentiate each model's mean cross-entropy over its own batch."""
    chosen = batch.flatten()
    shown = images.train_images.index_select(0, chosen).unflatten(0, batch.shape)
    truth = images.train_one_hot.index_select(0, chosen).unflatten(0, batch.shape)
    logits = stack_logits(network, weights, shown, activation, dropout)
    # The gradient of cross-entropy is softmax − truth: no need to compute the loss for it.
    of_logits = logits.detach().softmax(1).sub_(truth.mT).div_(batch.shape[1])
    return joined(torch.autograd.grad(logits, list(weights.values()), of_logits))
