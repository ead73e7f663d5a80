"""Training by kernels, as torch stacks and one model at a time, to be timed per image.

With all its arguments bound, each function is a ``benchmarks.every_core.Work``. Its unit is an
image shown to one model: forwards, backwards and its share of the optimiser's step.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from zoogen import ZooSpec
from zoogen.device import freed_memory_kept, one_thread, tiny_numbers_as_zero
from zoogen.images.sets import ImageSet
from zoogen.spec.configs import ModelConfig
from zoogen.train.initialise import epoch_order, generators, starting_weights
from zoogen.train.kernels.compiled import chain_kernels
from zoogen.train.kernels.one_model import OneModel
from zoogen.train.kernels.rows import train_and_test
from zoogen.train.loop import DeviceImages, train_stack
from zoogen.train.networks import torch_module

Images = Callable[[], ImageSet]

Turns = Generator[int, None, None]

EPOCHS = 100
"""More than any measurement takes."""


def drawn_images(train: int, test: int = 64) -> ImageSet:
    """Draw random images of MNIST's shape: their content does not affect the time."""
    random = np.random.default_rng(0)
    return ImageSet(
        train_images=random.standard_normal((train, 1, 28, 28), np.float32),
        train_labels=np.arange(train) % 10,
        test_images=random.standard_normal((test, 1, 28, 28), np.float32),
        test_labels=np.arange(test) % 10,
        classes=10,
    )


def ignore(_: int) -> None:
    """Ignore a progress report."""


def at_start(spec: ZooSpec, config: ModelConfig) -> OneModel:
    """Return a model at its starting weights."""
    start = starting_weights(spec.network.layout, [config], generators([config]), spec.initial_bias)
    flat = torch.cat([tensor.flatten() for tensor in start.values()]).numpy()
    return OneModel(chain_kernels(spec.network), spec, config, flat)


def by_kernels(spec: ZooSpec, configs: Sequence[ModelConfig], images: Images) -> Turns:
    """Train models by kernels, one after another; a turn is an epoch of each."""
    with one_thread(), tiny_numbers_as_zero():
        rows, _ = train_and_test(images())
        models = [at_start(spec, config) for config in configs]
        draws = generators(configs)
        while True:
            for model, order in zip(models, epoch_order(draws, len(rows.labels)), strict=True):
                model.train(rows, order[None].numpy(), ignore)
            yield len(models) * len(rows.labels)


def measured(spec: ZooSpec, config: ModelConfig, images: Images) -> Turns:
    """Classify all train and test images with one model by kernels; the unit is all of them."""
    with one_thread(), tiny_numbers_as_zero():
        rows, test = train_and_test(images())
        model = at_start(spec, config)
        while True:
            model.measure(rows)
            model.measure(test)
            yield 1


def by_stack(spec: ZooSpec, configs: Sequence[ModelConfig], images: Images) -> Turns:
    """Train models as one stack in torch; a turn is an epoch."""
    endless = replace(spec, epochs=EPOCHS, snapshot_epochs=())
    with one_thread(), freed_memory_kept(), tiny_numbers_as_zero():
        shown = DeviceImages.of(images(), "cpu")
        for _ in train_stack(endless, configs, shown):
            yield len(configs) * len(shown.train_labels)


def alone(spec: ZooSpec, config: ModelConfig, images: Images, most: int, threads: int) -> Turns:
    """Train one model with torch.nn and torch.optim.

    Args:
        spec: Spec with the network and the batch size.
        config: Config of the model.
        images: Function that returns the images to train on.
        most: Largest number of images in a turn.
        threads: Number of torch threads.
    """
    before, shown = torch.get_num_threads(), DeviceImages.of(images(), "cpu")
    torch.set_num_threads(threads)
    module, loss = torch_module(spec.network, config.activation), nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(module.parameters(), lr=config.learning_rate)
    try:
        while True:
            order = torch.randperm(len(shown.train_labels))[:most]
            for batch in order.split(spec.batch_size):
                optimiser.zero_grad()
                loss(module(shown.train_images[batch]), shown.train_labels[batch]).backward()
                optimiser.step()
            yield len(order)
    finally:
        torch.set_num_threads(before)
