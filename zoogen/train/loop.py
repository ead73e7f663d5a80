"""Train a stack of models as one computation, in which no gradient reaches another model."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import groupby
from math import gcd

import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor
from torch.nn import functional

from zoogen.images.sets import ImageSet
from zoogen.spec.architectures import CNN, MLP
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.train.dropout import dropout_by_step
from zoogen.train.initialise import epoch_order, generators, starting_weights
from zoogen.train.networks import Dropout, Runs, most_likely, runs_of, stack_logits
from zoogen.train.optimisers import mixed
from zoogen.train.tuning import FULL, images_per_gradient


@dataclass(frozen=True)
class DeviceImages:
    """An image set on the device that trains."""

    train_images: Float32[Tensor, "train ..."]
    train_labels: Int64[Tensor, " train"]
    test_images: Float32[Tensor, "test ..."]
    test_labels: Int64[Tensor, " test"]
    classes: int

    @cached_property
    def train_one_hot(self) -> Float32[Tensor, "train classes"]:
        """The train labels as rows of the identity matrix."""
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
        """Return the set with only the first ``train_fraction`` of its train images."""
        images = round(train_fraction * len(self.train_labels))
        return replace(
            self,
            train_images=self.train_images[:images],
            train_labels=self.train_labels[:images],
        )


@dataclass(frozen=True)
class Trained:
    """A stack after a stored epoch.

    Attributes:
        weights: Tensors by name. Training updates them in place: copy them to keep them.
        running: Share of the epoch's images that each model classified correctly when they were
            shown; None before the first epoch.
    """

    weights: dict[str, Float32[Tensor, "models ..."]]
    running: Float64[Tensor, " models"] | None


def stacks(configs: Sequence[ModelConfig], size: int) -> list[list[ModelConfig]]:
    """Cut models into stacks of at most ``size`` that take the same number of steps.

    Kinds that fill half a stack get stacks of their own, smaller kinds share: a uniform stack is
    faster, but a tiny one is slower. Models with the same activation are neighbours.
    """
    models = Counter(config.kind for config in configs)
    groups: dict[Hashable, list[ModelConfig]] = {}
    for config in sorted(configs, key=lambda config: config.kind):
        small = models[config.kind] < size / 2
        groups.setdefault(config.train_fraction if small else config.kind, []).append(config)
    return [group[at : at + size] for group in groups.values() for at in range(0, len(group), size)]


def padded_stack(
    stack: Sequence[ModelConfig], network: MLP | CNN, batches: Iterable[int]
) -> list[ModelConfig]:
    """Repeat models until hidden units fill whole vectors and the stack has at least two models.

    CPU kernels process an array in vectors of at most 32 numbers. They use another formula for the
    rest (sigmoid, gelu) and another routine for a stack of one (bmm): without padding, the last bit
    of a model would depend on its place in the stack and on the other models.

    Args:
        stack: The models; those with the same activation are neighbours.
        network: Network of all models.
        batches: All numbers of images that are shown at once.
    """
    arrays = [size * images for size in network.hidden_sizes for images in batches]
    multiple = FULL // gcd(FULL, *arrays)
    full: list[ModelConfig] = []
    for _, group in groupby(stack, key=lambda config: config.activation):
        run = list(group)
        full += [*run, *[run[-1]] * (-len(run) % multiple)]
    return full if len(full) > 1 else full * 2


def batch_sizes(images: int, at_once: int) -> set[int]:
    """Return the sizes of the batches that images are cut into: the usual and the last one."""
    return {min(at_once, images), images % at_once or at_once}


def per_scalar(values: Sequence[float | int], weights: dict[str, Tensor], device: str) -> Tensor:
    """Repeat each model's value for all its scalars, in the order of ``joined``."""
    column = torch.tensor(values, dtype=torch.float32, device=device)
    return joined(column[:, None].expand(-1, tensor[0].numel()) for tensor in weights.values())


def joined(tensors: Iterable[Tensor]) -> Float32[Tensor, " scalars"]:
    """Flatten tensors into one vector, padded with zeros to a multiple of ``FULL``."""
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    missing = -len(flat) % FULL
    return functional.pad(flat, (0, missing)) if missing else flat


def train_stack(
    spec: ZooSpec,
    configs: Sequence[ModelConfig],
    images: DeviceImages,
    *,
    device: str = "cpu",
    report: Callable[[int], None] = lambda _: None,
) -> Iterator[Trained]:
    """Train models that take the same number of steps; yield them after each stored epoch.

    The loss is summed over models, so each model's gradient is the same as alone. Its starting
    weights and the order of its images come from its own generator. So a model's result depends
    neither on the other models nor on their number; with a ``padded_stack``, not in the last bit.

    Args:
        spec: Network, epochs, batch size, momentum and initial bias.
        configs: The models, as grouped by ``stacks``.
        images: The image set that the models are shown, on ``device``.
        device: Device to train on, as torch names it.
        report: Called after each step with the number of images shown to each model.
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
    update = stack_update(configs, start, spec.momentum, device)
    dropout = dropout_by_step(configs, device)
    runs = runs_of(config.activation for config in configs)
    step, running = 0, None
    for epoch in range(spec.epochs + 1):
        if epoch:
            right = torch.zeros(len(configs), dtype=torch.int64, device=device)
            order = epoch_order(draws, len(images.train_labels)).to(device)
            for batch in order.split(spec.batch_size, dim=1):
                step += 1
                gradient, hits = batch_gradient(
                    spec.network, weights, images, batch, runs, partial(dropout, step)
                )
                right += hits
                update(flat, gradient)
                report(batch.shape[1])
            running = right.double() / len(images.train_labels)
        if epoch in spec.stored_epochs:
            yield Trained({name: tensor.detach() for name, tensor in weights.items()}, running)


def stack_update(
    configs: Sequence[ModelConfig], start: dict[str, Tensor], momentum: float, device: str
) -> Callable[[Tensor, Tensor], None]:
    """Return the update of ``(weights, gradient)`` with each model's optimiser, rate and decay."""
    optimisers = sorted({config.optimiser for config in configs})
    choice = per_scalar([optimisers.index(config.optimiser) for config in configs], start, device)
    rate = per_scalar([config.learning_rate for config in configs], start, device)
    decay = per_scalar([config.weight_decay for config in configs], start, device)
    update = mixed(optimisers, choice, rate, momentum)
    if not any(config.weight_decay for config in configs):
        return update

    def decaying(weights: Tensor, gradient: Tensor) -> None:
        update(weights, gradient.addcmul_(weights, decay))

    return decaying


def batch_gradient(
    network: MLP | CNN,
    weights: dict[str, Float32[Tensor, "models ..."]],
    images: DeviceImages,
    batch: Int64[Tensor, "models batch"],
    runs: Runs,
    dropout: Callable[[int], Dropout],
) -> tuple[Float32[Tensor, " scalars"], Int64[Tensor, " models"]]:
    """Differentiate each model's mean cross-entropy over its own batch; count correct images.

    Args:
        network: Network of all models.
        weights: Tensors by name.
        images: The image set that the models are shown.
        batch: Indices of each model's images.
        runs: Activations of the models.
        dropout: Called with the index in the batch of a part's first image.
    """
    tensors = list(weights.values())
    size = images_per_gradient(network, batch.shape[1], batch.device.type)
    gradients, right = [], []
    for number, part in enumerate(batch.split(size, dim=1)):
        places = part.flatten()
        shown = images.train_images.index_select(0, places).unflatten(0, part.shape)
        truth = images.train_one_hot.index_select(0, places).unflatten(0, part.shape)
        logits = stack_logits(network, weights, shown, runs, dropout(number * size))
        right.append((most_likely(logits.detach()) == images.train_labels[part]).sum(1))
        # The gradient of cross-entropy is softmax − truth: it does not need the loss.
        of_logits = logits.detach().softmax(1).sub_(truth.mT).div_(batch.shape[1])
        gradients.append(joined(torch.autograd.grad(logits, tensors, of_logits)))
    gradient = gradients[0] if len(gradients) == 1 else torch.stack(gradients).sum(0)
    return gradient, torch.stack(right).sum(0)
