"""Train and measure models by kernels, one after another or a few side by side."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from jaxtyping import Float32, Float64

from zoogen.images.sets import ImageSet
from zoogen.progress import Report
from zoogen.spec.architectures import CNN, MLP
from zoogen.spec.configs import ModelConfig
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.train.initialise import epoch_order, generators, starting_weights
from zoogen.train.kernels.compiled import chain_kernels, lane_kernels
from zoogen.train.kernels.group import Group
from zoogen.train.kernels.lane_layers import MODELS
from zoogen.train.kernels.one_model import OneModel
from zoogen.train.kernels.rows import Rows, train_and_test
from zoogen.train.kernels.side_by_side import SideBySide
from zoogen.train.snapshots import Snapshots
from zoogen.train.tally import properties

SMALL = 5000
"""Most weights of fully connected models that train side by side: they fit into the cache."""


def side_by_side(network: MLP | CNN) -> bool:
    """Tell whether models train side by side rather than one by one."""
    return isinstance(network, MLP) and network.layout.params <= SMALL


def train_and_measure(
    spec: ZooSpec, configs: Sequence[ModelConfig], images: ImageSet, *, report: Report
) -> Snapshots:
    """Train models; return their snapshots, measured, in the order of ``configs``."""
    rows, test = train_and_test(images)
    snapshots = Snapshots.room(spec, len(configs))
    place_of = {config.model: place for place, config in enumerate(configs)}
    for group in groups(spec.network, configs):
        places = [place_of[config.model] for config in group]
        shown = rows.first(round(group[0].train_fraction * len(rows.labels)))
        for stored, (trained, running) in enumerate(training(spec, group, shown, report)):
            of_train = trained.measure(shown)
            share = of_train.accuracy if running is None else running
            columns = properties(of_train, trained.measure(test), share)
            snapshots.keep(places, stored, trained.weights(), columns)
    return snapshots


def groups(network: MLP | CNN, configs: Sequence[ModelConfig]) -> Iterator[list[ModelConfig]]:
    """Cut models into groups that train together: single models, or a few of one kind."""
    if not side_by_side(network):
        yield from ([config] for config in configs)
        return
    for _, kind in groupby(sorted(configs, key=lambda one: one.kind), key=lambda one: one.kind):
        models = list(kind)
        yield from (models[at : at + MODELS] for at in range(0, len(models), MODELS))


def training(
    spec: ZooSpec, configs: Sequence[ModelConfig], shown: Rows, report: Report
) -> Iterator[tuple[Group, Float64[np.ndarray, " models"] | None]]:
    """Train a group; yield it after each stored epoch, with its running train accuracy.

    The accuracy is None before the first epoch.
    """
    draws = generators(configs)
    start = starting_weights(spec.network.layout, configs, draws, spec.initial_bias)
    flat = torch.cat([tensor.flatten(1) for tensor in start.values()], dim=1).numpy()
    group = begun(spec, configs, flat)
    running = None
    for epoch in range(spec.epochs + 1):
        if epoch:
            orders = epoch_order(draws, len(shown.labels)).numpy()
            running = group.train(shown, orders, report) / len(shown.labels)
        if epoch in spec.stored_epochs:
            yield group, running


def begun(
    spec: ZooSpec, configs: Sequence[ModelConfig], start: Float32[np.ndarray, "models params"]
) -> Group:
    """Return models at their starting weights."""
    network = spec.network
    if isinstance(network, MLP) and side_by_side(network):
        return SideBySide(lane_kernels(), spec, network, configs, start)
    return OneModel(chain_kernels(network), spec, configs[0], start[0])
