"""Kernels train and measure as torch does in double precision, whatever the spec."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float64

from tests.zoogen.train.kernels.drawn import drawn_images
from tests.zoogen.train.kernels.reference import (
    drawn_cnn,
    drawn_mlp,
    drawn_spec,
    plain_training,
)
from zoogen import MLP, ZOOS, ZooSpec
from zoogen.device import one_thread, tiny_numbers_as_zero
from zoogen.images.sets import ImageSet
from zoogen.spec.configs import model_configs
from zoogen.train.kernels.population import side_by_side, train_and_measure, training
from zoogen.train.kernels.rows import Rows
from zoogen.train.networks import torch_module

STEPS = 200
LARGE = MLP(widths=(300, 20, 10), bias=True)
PAPERS = pytest.mark.parametrize(
    ("zoo", "batches"), [("tetris-hyp", 200), ("mnist-hyp-1-rand-seed", 10), ("mnist-hyp", 2)]
)


@pytest.fixture(autouse=True)
def as_shards_train() -> Iterator[None]:
    with one_thread(), tiny_numbers_as_zero():
        yield


def after_epochs(spec: ZooSpec, images: ImageSet) -> Float64[np.ndarray, "epochs params"]:
    """Train the first model of a spec by kernels; return its weights at the start and the end."""
    stored = replace(spec, snapshot_epochs=(0, spec.epochs))
    shown = Rows.of(images.train_images, images.train_labels)
    groups = training(stored, model_configs(stored)[:1], shown, lambda _: None)
    return np.concatenate([group.weights() for group, _ in groups]).astype(np.float64)


def check_gradient(spec: ZooSpec) -> None:
    """Take one step of plain gradient descent with a rate of 1 on a single batch."""
    images = drawn_images(spec, 24)
    descent = replace(
        spec,
        optimiser=("sgd",),
        learning_rate=(1.0,),
        weight_decay=(0.0,),
        momentum=0.0,
        batch_size=24,
        epochs=1,
    )
    start, end = after_epochs(descent, images)
    _, gradient, _ = next(plain_training(descent, images, torch.float64))
    expected = gradient.numpy()
    assert np.abs(start - end - expected).max() <= 1e-5 * np.abs(expected).max()


def check_training(spec: ZooSpec, images: ImageSet) -> None:
    """Train to the end and compare the final weights."""
    start, ours = after_epochs(spec, images)
    *_, (theirs, _, _) = plain_training(spec, images, torch.float64)
    moved = np.linalg.norm(theirs.numpy() - start)
    assert np.linalg.norm(ours - theirs.numpy()) <= 1e-4 * moved


def check_measures(spec: ZooSpec, images: ImageSet) -> None:
    """Measure before and after an epoch, and compare with torch in double precision."""
    short = replace(spec, epochs=1, snapshot_epochs=(0, 1))
    config = model_configs(short)[0]
    snapshots = train_and_measure(short, [config], images, report=lambda _: None)
    measured = {name: values[0] for name, values in snapshots.measured.items()}
    assert set(measured) == set(short.measured)
    for stored in range(2):
        module = torch_module(short.network, config.activation)
        flat = torch.from_numpy(snapshots.weights[0, stored])
        torch.nn.utils.vector_to_parameters(flat, module.parameters())
        for part in ("train", "test"):
            pixels = torch.from_numpy(getattr(images, f"{part}_images"))
            labels = torch.from_numpy(getattr(images, f"{part}_labels"))
            said = module.double()(pixels.double()).detach()
            loss = torch.nn.functional.cross_entropy(said, labels)
            assert measured[f"{part}_loss"][stored] == pytest.approx(float(loss), abs=1e-6)
            right = (said.argmax(1) == labels).double().mean()
            assert measured[f"{part}_accuracy"][stored] == pytest.approx(float(right))
    before, after = measured["running_train_accuracy"]
    assert before == measured["train_accuracy"][0]
    right = sum(right for _, _, right in plain_training(short, images, torch.float32))
    assert after == right / len(images.train_labels)


def check_all(spec: ZooSpec, images: int) -> None:
    """Compare gradient, measurements and training of a network with torch."""
    check_gradient(spec)
    check_measures(spec, drawn_images(spec, images))
    shown = drawn_images(spec, 5 * spec.batch_size + 3)
    check_training(replace(spec, epochs=-(-STEPS // 6)), shown)


@settings(max_examples=8)
@given(st.data(), st.integers(1, 40))
def test_any_convolutional_network_trains_and_is_measured_as_by_torch(
    data: st.DataObject, images: int
):
    check_all(drawn_spec(data.draw, drawn_cnn), images)


@settings(max_examples=12)
@given(st.data(), st.integers(1, 40))
def test_any_dense_network_trains_and_is_measured_as_by_torch(data: st.DataObject, images: int):
    check_all(drawn_spec(data.draw, drawn_mlp), images)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "gelu"])
@PAPERS
def test_the_papers_networks_take_the_steps_of_torch(
    zoo: str, batches: int, activation: str, optimiser: str
):
    registered = ZOOS[zoo]
    batch_size = min(registered.batch_size, 32)
    spec = replace(
        registered,
        activation=(activation,),
        optimiser=(optimiser,),
        initialiser=("xavier_normal",),
        init_std=(1.0,),
        learning_rate=(3e-2 if optimiser == "sgd" and batch_size > 1 else 1e-3,),
        weight_decay=(1e-3,),
        dropout=(0.3,),
        train_fraction=(1.0,),
        seeds=(1,),
        random_points=None,
        batch_size=batch_size,
        epochs=-(-STEPS // batches) if zoo == "tetris-hyp" else 3,
        snapshot_epochs=(),
    )
    check_gradient(spec)
    check_training(spec, drawn_images(spec, batches * batch_size - 1))


def test_a_dense_network_too_large_for_lanes_trains_too(mixed_spec: ZooSpec):
    assert not side_by_side(LARGE)
    spec = replace(
        mixed_spec, network=LARGE, activation=("relu",), initialiser=("xavier_normal",), seeds=(1,)
    )
    check_gradient(spec)
    check_training(replace(spec, epochs=20), drawn_images(spec, 30))
