"""A stack of networks is its members, side by side."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from zoogen import MLP
from zoogen.networks import FUNCTIONS, stack_logits, torch_module
from zoogen.spec import Activation

NETWORK = MLP(widths=(16, 7, 5, 4), bias=True)


def drawn_stack(network: MLP, models: int, seed: int = 0) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    shapes = network.layout.shapes
    return {name: torch.randn(models, *shape, generator=draw) / 2 for name, shape in shapes.items()}


def drawn_images(models: int, images: int) -> Tensor:
    return torch.randn(models, images, 16, generator=torch.Generator().manual_seed(1))


def member(stack: dict[str, Tensor], model: int) -> dict[str, Tensor]:
    return {name: tensor[model] for name, tensor in stack.items()}


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_stack_computes_what_its_modules_compute(activation: Activation, bias: bool):
    network = MLP(widths=(16, 7, 5, 4), bias=bias)
    stack, images = drawn_stack(network, 3), drawn_images(3, 20)
    logits = stack_logits(network, stack, images, activation)
    for model in range(3):
        module = torch_module(network, activation)
        module.load_state_dict(member(stack, model))
        torch.testing.assert_close(logits[model].mT, module(images[model]))


@pytest.mark.parametrize("images", [1, 5])
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_stack_has_the_gradients_of_its_modules(activation: Activation, images: int):
    stack, shown = drawn_stack(NETWORK, 3), drawn_images(3, images)
    for tensor in stack.values():
        tensor.requires_grad_()
    stack_logits(NETWORK, stack, shown, activation).square().sum().backward()
    for model in range(3):
        module = torch_module(NETWORK, activation)
        module.load_state_dict(member(stack, model))
        module(shown[model]).square().sum().backward()
        for name, parameter in module.named_parameters():
            gradient = stack[name].grad
            assert gradient is not None
            torch.testing.assert_close(gradient[model], parameter.grad)


@given(
    first=st.permutations(range(7)),
    second=st.permutations(range(5)),
    activation=st.sampled_from(sorted(FUNCTIONS)),
)
def test_the_order_of_hidden_units_changes_no_logits(
    first: list[int], second: list[int], activation: Activation
):
    stack, images = drawn_stack(NETWORK, 2), drawn_images(2, 10)
    permuted = {
        "fc1.weight": stack["fc1.weight"][:, first],
        "fc1.bias": stack["fc1.bias"][:, first],
        "fc2.weight": stack["fc2.weight"][:, second][:, :, first],
        "fc2.bias": stack["fc2.bias"][:, second],
        "fc3.weight": stack["fc3.weight"][:, :, second],
        "fc3.bias": stack["fc3.bias"],
    }
    torch.testing.assert_close(
        stack_logits(NETWORK, permuted, images, activation),
        stack_logits(NETWORK, stack, images, activation),
    )


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_module_is_plain_torch_with_the_tensors_of_the_layout(activation: Activation):
    module = torch_module(NETWORK, activation)
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert list(shapes.items()) == list(NETWORK.layout.shapes.items())
    assert all(type(child).__module__.startswith("torch.nn.") for child in module.children())
    assert sum(not isinstance(child, nn.Linear) for child in module.children()) == 2
