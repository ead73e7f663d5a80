"""Adam, SGD and RMSprop for a stack of models, each with its own optimiser and learning rate."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float32
from torch import Tensor

from zoogen.spec.zoo_spec import Optimiser
from zoogen.train.tuning import FULL

ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8
RMSPROP_ALPHA = 0.99
RMSPROP_EPSILON = 1e-8

Flat = Float32[Tensor, " scalars"]
Step = Callable[[Flat, Flat], None]


def adam(rate: Flat, momentum: float) -> Step:  # noqa: ARG001
    """Return Adam's update of ``(weights, gradient)``, which changes the weights in place.

    It equals ``torch.optim.Adam`` term by term, with default betas and epsilon, without amsgrad.

    Args:
        rate: Learning rate of every scalar.
        momentum: Unused: Adam has its own.
    """
    mean, square = torch.zeros_like(rate), torch.zeros_like(rate)
    scale = torch.empty_like(rate)
    beta_mean, beta_square = ADAM_BETAS
    steps = 0

    def step(weights: Flat, gradient: Flat) -> None:
        nonlocal steps
        steps += 1
        mean.lerp_(gradient, 1 - beta_mean)
        square.mul_(beta_square).addcmul_(gradient, gradient, value=1 - beta_square)
        correction = (1 - beta_square**steps) ** 0.5
        torch.sqrt(square, out=scale)
        torch.div(mean, scale.add_(ADAM_EPSILON * correction), out=scale)
        weights.addcmul_(scale, rate, value=-correction / (1 - beta_mean**steps))

    return step


def sgd(rate: Flat, momentum: float) -> Step:
    """Return the update of SGD with momentum, as in ``torch.optim.SGD`` without dampening.

    Args:
        rate: Learning rate of every scalar.
        momentum: Share of the last step that is kept, in [0, 1).
    """
    velocity = torch.zeros_like(rate)

    def step(weights: Flat, gradient: Flat) -> None:
        velocity.mul_(momentum).add_(gradient)
        weights.addcmul_(velocity, rate, value=-1)

    return step


def rmsprop(rate: Flat, momentum: float) -> Step:  # noqa: ARG001
    """Return the update of ``torch.optim.RMSprop`` with its default arguments.

    Args:
        rate: Learning rate of every scalar.
        momentum: Unused, as in torch by default.
    """
    square, scale = torch.zeros_like(rate), torch.empty_like(rate)

    def step(weights: Flat, gradient: Flat) -> None:
        square.mul_(RMSPROP_ALPHA).addcmul_(gradient, gradient, value=1 - RMSPROP_ALPHA)
        torch.sqrt(square, out=scale)
        torch.div(gradient, scale.add_(RMSPROP_EPSILON), out=scale)
        weights.addcmul_(scale, rate, value=-1)

    return step


OPTIMISERS: dict[Optimiser, Callable[[Flat, float], Step]] = {
    "adam": adam,
    "sgd": sgd,
    "rmsprop": rmsprop,
}


def mixed(
    names: Sequence[Optimiser], choice: Float32[Tensor, " scalars"], rate: Flat, momentum: float
) -> Step:
    """Return the update of a stack in which each model has its own optimiser.

    Args:
        names: Different optimisers.
        choice: Index in ``names`` of the optimiser of each scalar.
        rate: Learning rate of every scalar.
        momentum: Momentum of the ``sgd`` models.
    """
    if len(names) == 1:
        return OPTIMISERS[names[0]](rate, momentum)
    parts = []
    for number, name in enumerate(names):
        places = (choice == number).nonzero().flatten()
        places = torch.cat([places, places[-1:].expand(-len(places) % FULL)])
        parts.append((places, OPTIMISERS[name](rate[places], momentum)))

    def step(weights: Flat, gradient: Flat) -> None:
        for places, update in parts:
            part = weights[places]
            update(part, gradient[places])
            weights[places] = part

    return step
