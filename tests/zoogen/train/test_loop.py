"""A stack trains its members as they would train alone and in plain PyTorch."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoogen import Layout, ZooSpec, zoo_spec
from zoogen.device import one_thread
from zoogen.images.sets import load_images
from zoogen.spec.configs import ModelConfig, model_configs
from zoogen.train.initialise import epoch_order, generators, starting_weights
from zoogen.train.loop import DeviceImages, stacks, train_stack
from zoogen.train.networks import torch_module
from zoogen.train.stacked import train_and_measure

Outcome = dict[int, tuple[Any, ...]]


def outcome(spec: ZooSpec, configs: list[ModelConfig], models_per_stack: int) -> Outcome:
    """Train models; return the bytes of all weights and measurements, by model."""
    with one_thread():
        snapshots = train_and_measure(
            spec,
            configs,
            load_images(spec.images),
            device="cpu",
            report=lambda _: None,
            stack_size=models_per_stack,
        )
    return {
        config.model: (
            snapshots.weights[place].tobytes(),
            *(column[place].tobytes() for column in snapshots.measured.values()),
        )
        for place, config in enumerate(configs)
    }


def cnn_spec(mixed_spec: ZooSpec, zoo: str) -> ZooSpec:
    """Return a mixed population of 48 CNNs; 37 images leave a last batch of 5."""
    return replace(
        mixed_spec,
        images="small-28",
        network=zoo_spec(zoo).network,
        initialiser=("truncated_normal",),
        init_std=(0.1,),
        optimiser=("adam", "sgd", "rmsprop"),
        train_fraction=(0.5, 1.0),
        weight_decay=(1e-2,),
        seeds=(1,),
        batch_size=16,
    )


@pytest.fixture(scope="module", params=["mlp", "mnist-seed", "mnist-hyp"])
def population(request: pytest.FixtureRequest, mixed_spec: ZooSpec) -> ZooSpec:
    """One mixed population for each kind of network."""
    return mixed_spec if request.param == "mlp" else cnn_spec(mixed_spec, request.param)


@pytest.fixture(scope="module")
def reference(population: ZooSpec) -> Outcome:
    return outcome(population, list(model_configs(population)), 512)


def test_all_models_of_a_mixed_population_differ(reference: Outcome):
    assert len({weights for weights, *_ in reference.values()}) == len(reference)


@pytest.mark.parametrize("models_per_stack", [1, 3, 7, 33])
def test_the_size_of_the_stack_changes_no_bit(
    population: ZooSpec, reference: Outcome, models_per_stack: int
):
    configs = list(model_configs(population))
    some = configs if models_per_stack > 7 else configs[:: 17 if len(configs) > 48 else 7]
    ours = outcome(population, some, models_per_stack)
    assert ours == {model: reference[model] for model in ours}


@settings(max_examples=4)
@given(order=st.permutations(range(48)), models=st.integers(1, 30), per_stack=st.integers(1, 40))
def test_other_models_and_another_place_change_no_bit(
    population: ZooSpec, reference: Outcome, order: list[int], models: int, per_stack: int
):
    configs = model_configs(population)
    ours = outcome(population, [configs[model] for model in order[:models]], per_stack)
    assert ours == {model: reference[model] for model in ours}


@pytest.fixture
def parts_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Differentiate batches of sixteen images in two parts."""
    monkeypatch.setattr("zoogen.train.tuning.CONVOLVED_SHOWN", 8)


@pytest.mark.usefixtures("parts_of_eight")
@pytest.mark.parametrize("models_per_stack", [2, 7])
def test_with_batches_in_parts_the_size_of_the_stack_changes_no_bit(
    mixed_spec: ZooSpec, models_per_stack: int
):
    configs = list(model_configs(cnn_spec(mixed_spec, "mnist-hyp")))[::3]
    together = outcome(cnn_spec(mixed_spec, "mnist-hyp"), configs, 512)
    assert outcome(cnn_spec(mixed_spec, "mnist-hyp"), configs, models_per_stack) == together


@pytest.mark.parametrize("batch_size", [1, 8])
def test_at_any_batch_size_the_size_of_the_stack_changes_no_bit(
    mixed_spec: ZooSpec, batch_size: int
):
    spec = replace(mixed_spec, batch_size=batch_size, epochs=1, optimiser=("adam",), seeds=(1, 2))
    configs = list(model_configs(spec))[::3]
    together = outcome(spec, configs, 512)
    for model_per_stack in (1, 5):
        assert outcome(spec, configs[:6], model_per_stack).items() <= together.items()


def plain_torch(
    spec: ZooSpec, config: ModelConfig
) -> tuple[nn.Module, dict[str, torch.Tensor], float]:
    """Train one model as in a PyTorch tutorial, from the same start in the same order.

    Returns:
        The model, its starting weights, and its running accuracy in the last epoch.
    """
    images = DeviceImages.of(load_images(spec.images), "cpu").shown(config.train_fraction)
    draws = generators([config])
    start = starting_weights(spec.network.layout, [config], draws, spec.initial_bias)
    module = torch_module(spec.network, config.activation)
    module.load_state_dict({name: tensor[0] for name, tensor in start.items()})
    rates: dict[str, Any] = {"lr": config.learning_rate, "weight_decay": config.weight_decay}
    optimiser = {
        "adam": torch.optim.Adam,
        "sgd": partial(torch.optim.SGD, momentum=spec.momentum),
        "rmsprop": torch.optim.RMSprop,
    }[config.optimiser](module.parameters(), **rates)
    for _ in range(spec.epochs):
        right = 0
        for batch in torch.randperm(len(images.train_labels), generator=draws[0]).split(
            spec.batch_size
        ):
            optimiser.zero_grad()
            logits = module(images.train_images[batch])
            right += int((logits.argmax(1) == images.train_labels[batch]).sum())
            nn.functional.cross_entropy(logits, images.train_labels[batch]).backward()
            optimiser.step()
    return module, start, right / len(images.train_labels)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu"])
def test_a_model_ends_where_plain_torch_ends(
    mixed_spec: ZooSpec, activation: Any, optimiser: Any, batch_size: int
):
    spec = replace(
        mixed_spec,
        activation=(activation,),
        optimiser=(optimiser,),
        initialiser=("xavier_normal",),
        dropout=(0.0,),
        seeds=(1,),
        batch_size=batch_size,
    )
    configs = model_configs(spec)
    images = DeviceImages.of(load_images(spec.images), "cpu")
    with one_thread():
        *_, ours = train_stack(spec, configs, images)
        theirs = [plain_torch(spec, config) for config in configs]
    assert [config.weight_decay for config in configs] == [0.0, 1e-2]
    for place, (module, start, running) in enumerate(theirs):
        assert ours.running[place] == running
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(
                ours.weights[name][place], parameter.data, rtol=1e-4, atol=2e-5
            )
            assert (parameter - start[name][0]).abs().max() > 1e-3


@pytest.mark.parametrize("zoo", ["mnist-seed", "mnist-hyp"])
@pytest.mark.parametrize("at_once", [8, 64])
def test_a_stack_of_all_kinds_of_cnn_ends_where_plain_torch_ends(
    mixed_spec: ZooSpec, zoo: str, at_once: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zoogen.train.tuning.CONVOLVED_SHOWN", at_once)
    spec = replace(
        cnn_spec(mixed_spec, zoo),
        initialiser=("kaiming_uniform",),
        learning_rate=(1e-3,),
        dropout=(0.0,),
        seeds=(1,),
    )
    images = DeviceImages.of(load_images(spec.images), "cpu")
    for stack in stacks(model_configs(spec), 512):
        shown = images.shown(stack[0].train_fraction)
        with one_thread():
            *_, ours = train_stack(spec, stack, shown)
            theirs = [plain_torch(spec, config) for config in stack]
        assert len({(config.activation, config.optimiser) for config in stack}) == 4 * 3
        for place, (module, start, running) in enumerate(theirs):
            assert ours.running[place] == running
            for name, parameter in module.named_parameters():
                moved = (parameter - start[name][0]).abs().max()
                apart = (parameter - ours.weights[name][place]).abs().max()
                assert moved > 0
                assert apart < 0.01 * moved + 1e-6


def test_snapshots_are_taken_at_the_requested_epochs_and_the_start(mixed_spec: ZooSpec):
    configs = model_configs(mixed_spec)[:3]
    images = DeviceImages.of(load_images("small"), "cpu")
    every = replace(mixed_spec, epochs=4, snapshot_epochs=(0, 1, 2, 3, 4))
    some = replace(every, snapshot_epochs=(0, 3))
    taken = [
        [
            {name: tensor.clone() for name, tensor in at.weights.items()}
            for at in train_stack(spec, configs, images)
        ]
        for spec in (every, some)
    ]
    assert [len(one) for one in taken] == [5, 2]
    for mine, full in zip(taken[1], (taken[0][0], taken[0][3]), strict=True):
        assert all(torch.equal(mine[name], full[name]) for name in full)
    start = starting_weights(every.network.layout, configs, generators(configs), every.initial_bias)
    assert all(torch.equal(taken[1][0][name], start[name]) for name in start)


def test_a_fraction_of_the_train_images_is_the_first_of_them():
    images = DeviceImages.of(load_images("small"), "cpu")
    shown = images.shown(0.25)
    assert torch.equal(shown.train_images, images.train_images[:10])
    assert torch.equal(shown.train_labels, images.train_labels[:10])
    assert torch.equal(shown.test_images, images.test_images)


def test_weights_are_yielded_after_each_epoch(mixed_spec: ZooSpec):
    configs = model_configs(mixed_spec)[:3]
    images = DeviceImages.of(load_images("small"), "cpu")
    epochs = [
        {name: tensor.clone() for name, tensor in at.weights.items()}
        for at in train_stack(replace(mixed_spec, epochs=3), configs, images)
    ]
    assert len(epochs) == 3
    for one, next_one in pairwise(epochs):
        assert all((one[name] != next_one[name]).any() for name in one)
    first = next(iter(train_stack(replace(mixed_spec, epochs=1), configs, images)))
    assert all(torch.equal(first.weights[name], epochs[0][name]) for name in epochs[0])


def test_before_the_first_epoch_the_running_accuracy_is_the_train_accuracy(
    mixed_spec: ZooSpec,
):
    spec = replace(mixed_spec, snapshot_epochs=(0, 1, 2))
    measured = train_and_measure(
        spec, model_configs(spec), load_images("small"), device="cpu", report=lambda _: None
    ).measured
    running, after = measured["running_train_accuracy"], measured["train_accuracy"]
    assert (running[:, 0] == after[:, 0]).all()
    assert (running[:, 1:] != after[:, 1:]).any(axis=0).all()


def test_every_model_sees_every_image_once_per_epoch_in_its_own_order(mixed_spec: ZooSpec):
    draws = generators([*model_configs(mixed_spec)[:3]])
    first, second = epoch_order(draws, 40), epoch_order(draws, 40)
    for order in (first, second):
        assert torch.equal(order.sort(dim=1).values, torch.arange(40).expand(3, 40))
        assert len(torch.unique(order, dim=0)) == 3
    assert not torch.equal(first, second)


def test_dropout_changes_the_training_and_no_measurement(mixed_spec: ZooSpec):
    spec = replace(mixed_spec, seeds=(1,), initialiser=("uniform",), optimiser=("adam",))
    configs = model_configs(spec)
    images = load_images("small")
    with one_thread():
        snapshots = train_and_measure(spec, configs, images, device="cpu", report=lambda _: None)
    weights, measured = snapshots.weights, snapshots.measured
    layout: Layout = spec.network.layout
    truth = torch.from_numpy(images.test_labels)
    for place, config in enumerate(configs):
        vector = torch.from_numpy(weights[place, -1])
        module = torch_module(spec.network, config.activation)
        module.load_state_dict({slot.name: vector[slot.slice].view(slot.shape) for slot in layout})
        chosen = module(torch.from_numpy(images.test_images)).argmax(1)
        assert measured["test_accuracy"][place, -1] == float((chosen == truth).double().mean())
    dropped = np.array([config.dropout > 0 for config in configs])
    assert (weights[dropped] != weights[~dropped]).any(axis=(1, 2)).all()
