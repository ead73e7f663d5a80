"""A population trained on a GPU equals the one trained on the CPU, up to rounding."""

from dataclasses import replace

import numpy as np
import pytest

from tests.zoogen.train.test_loop import cnn_spec
from zoogen import ZooSpec
from zoogen.device import one_thread
from zoogen.images.sets import load_images
from zoogen.spec.configs import model_configs
from zoogen.train.stacked import train_and_measure


@pytest.mark.gpu
@pytest.mark.parametrize("zoo", ["mlp", "mnist-seed", "mnist-hyp"])
@pytest.mark.parametrize("batch_size", [16, 128])
def test_an_epoch_on_the_gpu_ends_where_one_on_the_cpu_does(
    mixed_spec: ZooSpec, zoo: str, batch_size: int
):
    population = mixed_spec if zoo == "mlp" else cnn_spec(mixed_spec, zoo)
    spec = replace(
        population,
        epochs=1,
        snapshot_epochs=(0, 1),
        learning_rate=(1e-3,),
        batch_size=batch_size,
    )
    configs = model_configs(spec)
    with one_thread():
        ours, theirs = (
            train_and_measure(
                spec, configs, load_images(spec.images), device=device, report=lambda _: None
            )
            for device in ("cuda", "cpu")
        )
    apart = abs(ours.weights - theirs.weights).max(axis=(1, 2))
    moved = abs(theirs.weights[:, 1] - theirs.weights[:, 0]).max(axis=1)
    assert (apart < 0.02 * moved).all()
    measured, expected = ours.measured, theirs.measured
    assert set(measured) == set(expected)
    np.testing.assert_allclose(measured["test_loss"], expected["test_loss"], rtol=1e-2)


@pytest.mark.gpu
def test_on_the_gpu_other_models_hardly_change_a_model(mixed_spec: ZooSpec):
    spec = replace(cnn_spec(mixed_spec, "mnist-seed"), epochs=1, learning_rate=(1e-3,))
    configs = model_configs(spec)
    images = load_images(spec.images)
    together, alone = (
        train_and_measure(spec, some, images, device="cuda", report=lambda _: None).weights
        for some in (configs, configs[:5])
    )
    np.testing.assert_allclose(together[:5], alone, rtol=1e-3, atol=1e-4)
