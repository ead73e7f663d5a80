"""A stack of networks computes what its members compute alone."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor, nn

from zoogen import CNN, MLP, ZOOS, Convolution
from zoogen.spec.symmetry import permutation_index
from zoogen.spec.zoo_spec import Activation
from zoogen.train.networks import (
    FUNCTIONS,
    MODULES,
    most_likely,
    runs_of,
    stack_logits,
    torch_module,
)

NETWORKS: dict[str, MLP | CNN] = {
    "mlp": MLP(widths=(16, 7, 5, 4)),
    "mlp with biases": MLP(widths=(16, 7, 5, 4), bias=True),
    "the paper's": ZOOS["mnist-seed"].network,
    "small cnn zoo": ZOOS["mnist-hyp"].network,
    "small cnn zoo, 32 pixels": ZOOS["cifar10-hyp"].network,
    "colour": CNN(
        image=(3, 9, 7),
        convolutions=(Convolution(channels=5, kernel=3), Convolution(channels=3, kernel=2, pool=2)),
        widths=(6, 4),
    ),
}
MIXED: Sequence[Activation] = ("gelu", "gelu", "relu", "sigmoid", "tanh", "tanh")

every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def drawn_stack(network: MLP | CNN, models: int, seed: int = 0) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {
        slot.name: torch.randn(models, *slot.shape, generator=draw) / prod(slot.shape[1:]) ** 0.5
        for slot in network.layout
    }


def drawn_images(network: MLP | CNN, models: int, images: int) -> Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.randn(models, images, *network.image_shape, generator=draw)


def member(stack: dict[str, Tensor], model: int) -> dict[str, Tensor]:
    return {name: tensor[model] for name, tensor in stack.items()}


@every_network
@pytest.mark.parametrize("activations", [MIXED, *([name] * 3 for name in FUNCTIONS)], ids=str)
def test_a_stack_computes_what_its_modules_compute(
    network: MLP | CNN, activations: Sequence[Activation]
):
    models = len(activations)
    stack, images = drawn_stack(network, models), drawn_images(network, models, 20)
    logits = stack_logits(network, stack, images, runs_of(activations))
    for model, activation in enumerate(activations):
        module = torch_module(network, activation)
        module.load_state_dict(member(stack, model))
        torch.testing.assert_close(logits[model].mT, module(images[model]), rtol=1e-4, atol=1e-5)


@every_network
def test_one_batch_of_images_may_serve_all_models(network: MLP | CNN):
    stack, images = drawn_stack(network, 6), drawn_images(network, 1, 20)
    torch.testing.assert_close(
        stack_logits(network, stack, images, runs_of(MIXED)),
        stack_logits(network, stack, images.expand(6, *images.shape[1:]), runs_of(MIXED)),
        rtol=1e-4,
        atol=1e-5,
    )


@every_network
@pytest.mark.parametrize("images", [1, 5])
def test_a_stack_has_the_gradients_of_its_modules(network: MLP | CNN, images: int):
    stack, shown = drawn_stack(network, 6), drawn_images(network, 6, images)
    for tensor in stack.values():
        tensor.requires_grad_()
    stack_logits(network, stack, shown, runs_of(MIXED)).square().sum().backward()
    for model, activation in enumerate(MIXED):
        module = torch_module(network, activation)
        module.load_state_dict(member(stack, model))
        module(shown[model]).square().sum().backward()
        for name, parameter in module.named_parameters():
            gradient = stack[name].grad
            assert gradient is not None
            torch.testing.assert_close(gradient[model], parameter.grad, rtol=1e-4, atol=1e-4)


@every_network
@settings(max_examples=10)
@given(data=st.data(), activation=st.sampled_from(sorted(FUNCTIONS)))
def test_the_order_of_hidden_units_changes_no_logits(
    network: MLP | CNN, activation: Activation, data: st.DataObject
):
    chosen = data.draw(st.sets(st.sampled_from(network.layout.symmetry)))
    orders = {
        layer.name: np.array(data.draw(st.permutations(range(layer.units)))) for layer in chosen
    }
    index = torch.from_numpy(permutation_index(network.layout, network.layout.symmetry, orders))
    stack, images = drawn_stack(network, 2), drawn_images(network, 2, 10)
    flat = torch.cat([tensor.flatten(1) for tensor in stack.values()], dim=1)[:, index]
    permuted = {slot.name: flat[:, slot.slice].reshape(2, *slot.shape) for slot in network.layout}
    activations = [activation] * 2
    torch.testing.assert_close(
        stack_logits(network, permuted, images, runs_of(activations)),
        stack_logits(network, stack, images, runs_of(activations)),
        rtol=1e-5,
        atol=1e-5,
    )


@every_network
def test_all_layers_but_the_last_may_be_permuted(network: MLP | CNN):
    layers = [slot for slot in network.layout if slot.name.endswith("weight")]
    names = [layer.name for layer in network.layout.symmetry]
    assert names == [slot.name.removesuffix(".weight") for slot in layers[:-1]]
    for layer, slot in zip(network.layout.symmetry, layers, strict=False):
        assert layer.units == slot.shape[0]


@every_network
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_a_module_is_plain_torch_with_the_tensors_of_the_layout(
    network: MLP | CNN, activation: Activation
):
    module = torch_module(network, activation)
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    assert list(shapes.items()) == list(network.layout.shapes.items())
    assert all(type(child).__module__.startswith("torch.nn.") for child in module.children())
    active = sum(isinstance(child, MODULES[activation]) for child in module.children())
    assert active == len(network.hidden_sizes) == len(network.layout.symmetry)


def note_size(seen: list[int], _module: nn.Module, _images: object, output: Tensor) -> None:
    seen.append(output[0].numel())


def test_hidden_sizes_are_those_that_activations_see():
    for network, activation in product(NETWORKS.values(), FUNCTIONS):
        seen: list[int] = []
        module = torch_module(network, activation)
        for child in module.children():
            if isinstance(child, MODULES[activation]):
                child.register_forward_hook(partial(note_size, seen))
        module(drawn_images(network, 1, 2)[0])
        assert tuple(seen) == network.hidden_sizes


def test_blocks_convolve_pool_activate_and_drop_where_the_paper_does():
    names = [name for name, _ in torch_module(NETWORKS["the paper's"], "gelu").named_children()]
    assert names == [
        *("conv1", "pool1", "gelu1", "conv2", "pool2", "gelu2", "conv3", "gelu3"),
        *("flatten", "fc1", "gelu4", "fc2"),
    ]


@pytest.mark.parametrize(
    ("name", "layers"),
    [("the paper's", [1, 2, 4]), ("small cnn zoo", [1, 2, 3]), ("mlp", [1, 2])],
)
def test_dropout_follows_the_layers_it_follows_in_the_paper(name: str, layers: list[int]):
    network, dropped = NETWORKS[name], []

    def drop(hidden: Tensor, layer: int) -> Tensor:
        dropped.append(layer)
        return hidden

    stack, images = drawn_stack(network, 2), drawn_images(network, 2, 3)
    stack_logits(network, stack, images, (("gelu", 2),), drop)
    assert dropped == layers


@every_network
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_that_diverges_harms_no_other(network: MLP | CNN, wrong: float):
    def outcome(stack: dict[str, Tensor]) -> tuple[Tensor, ...]:
        leaves = [tensor.clone().requires_grad_() for tensor in stack.values()]
        logits = stack_logits(
            network, dict(zip(stack, leaves, strict=True)), images, runs_of(MIXED)
        )
        return logits, *torch.autograd.grad(logits, leaves, torch.ones_like(logits))

    stack, images = drawn_stack(network, 6), drawn_images(network, 6, 8)
    healthy = outcome(stack)
    stack[network.layout.slots[0].name][3] = wrong
    others = [0, 1, 2, 4, 5]
    for one, two in zip(outcome(stack), healthy, strict=True):
        assert torch.equal(one[others], two[others])


@every_network
def test_the_order_of_the_classes_does_change_the_logits(network: MLP | CNN):
    stack, images = drawn_stack(network, 2), drawn_images(network, 2, 10)
    last = [slot.name for slot in network.layout if slot.name.endswith("weight")][-1]
    turned = stack | {last: stack[last].flip(1)}
    assert not torch.allclose(
        stack_logits(network, turned, images, (("tanh", 2),)),
        stack_logits(network, stack, images, (("tanh", 2),)),
    )


def test_the_papers_networks_have_the_papers_sizes():
    assert {zoo.network.layout.params for zoo in ZOOS.values()} == {100, 2464, 4970}
    assert isinstance(torch_module(NETWORKS["the paper's"], "tanh"), nn.Sequential)


@given(arrays(np.float32, (3, 4, 9), elements=st.integers(-2, 2).map(float)))
def test_the_first_of_equal_logits_wins(logits: np.ndarray):
    assert (most_likely(torch.from_numpy(logits)).numpy() == logits.argmax(axis=1)).all()
