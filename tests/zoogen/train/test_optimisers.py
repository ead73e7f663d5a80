"""Optimisers take the steps of torch.optim."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from zoogen.spec.zoo_spec import Optimiser
from zoogen.train.optimisers import OPTIMISERS

TORCH: dict[Optimiser, Callable[[Tensor, float], torch.optim.Optimizer]] = {
    "adam": lambda weights, rate: torch.optim.Adam([weights], lr=rate),
    "sgd": lambda weights, rate: torch.optim.SGD([weights], lr=rate, momentum=0.9),
    "rmsprop": lambda weights, rate: torch.optim.RMSprop([weights], lr=rate),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_sixty_steps_at_the_rate_of_each_model_end_where_torch_ends(name: Optimiser):
    draw = torch.Generator().manual_seed(0)
    rates = [1e-4, 1e-3, 1e-1]
    start = torch.randn(3, 50, generator=draw)
    gradients = torch.randn(60, 3, 50, generator=draw) * torch.tensor([1e-6, 1.0, 1e3])[:, None]
    ours = start.flatten().clone()
    step = OPTIMISERS[name](torch.tensor(rates).repeat_interleave(50), 0.9)
    for gradient in gradients:
        step(ours, gradient.flatten().clone())
    for model, rate in enumerate(rates):
        weights = start[model].clone().requires_grad_()
        optimiser = TORCH[name](weights, rate)
        for gradient in gradients:
            weights.grad = gradient[model]
            optimiser.step()
        torch.testing.assert_close(
            ours.view(3, 50)[model], weights.detach(), rtol=1e-5, atol=60 * rate * 1e-5
        )


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_share_no_state(name: Optimiser):
    rate, gradient = torch.full((4,), 0.1), torch.ones(4)
    ends = []
    for _ in range(2):
        weights = torch.zeros(4)
        OPTIMISERS[name](rate, 0.9)(weights, gradient)
        ends.append(weights)
    assert torch.equal(*ends)
    assert (ends[0] < 0).all()
