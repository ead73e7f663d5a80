"""A model has the same bits next to any other models and on any processor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.zoogen.train.kernels.drawn import drawn_images
from zoogen import CNN, Convolution, ZooSpec
from zoogen.device import one_thread, tiny_numbers_as_zero
from zoogen.spec.configs import ModelConfig, model_configs
from zoogen.train.kernels.lane_layers import MODELS
from zoogen.train.kernels.population import train_and_measure

Outcome = dict[int, tuple[bytes, ...]]
SMALL_CNN = CNN(
    image=(2, 9, 8),
    convolutions=(Convolution(channels=5, kernel=3, pool=2), Convolution(channels=3, kernel=2)),
    widths=(6, 4),
)


@pytest.fixture(autouse=True)
def as_shards_train() -> Iterator[None]:
    with one_thread(), tiny_numbers_as_zero():
        yield


def outcome(spec: ZooSpec, configs: list[ModelConfig]) -> Outcome:
    """Train models; return the bytes of all weights and measurements, by model."""
    snapshots = train_and_measure(spec, configs, drawn_images(spec, 37), report=lambda _: None)
    return {
        config.model: (
            snapshots.weights[place].tobytes(),
            *(column[place].tobytes() for column in snapshots.measured.values()),
        )
        for place, config in enumerate(configs)
    }


@pytest.fixture(scope="module", params=["mlp", "cnn"])
def population(request: pytest.FixtureRequest, mixed_spec: ZooSpec) -> ZooSpec:
    """A population that mixes everything it may."""
    network = mixed_spec.network if request.param == "mlp" else SMALL_CNN
    return replace(
        mixed_spec,
        network=network,
        optimiser=("adam", "sgd", "rmsprop"),
        train_fraction=(0.5, 1.0),
        seeds=(1,),
    )


@pytest.fixture(scope="module")
def reference(population: ZooSpec) -> Outcome:
    return outcome(population, list(model_configs(population)))


def test_all_models_of_a_mixed_population_differ(reference: Outcome):
    assert len({weights for weights, *_ in reference.values()}) == len(reference)


@settings(max_examples=20)
@given(data=st.data())
def test_other_models_and_another_place_change_no_bit(
    population: ZooSpec, reference: Outcome, data: st.DataObject
):
    configs = model_configs(population)
    chosen = data.draw(st.permutations(range(len(configs))))[: data.draw(st.integers(1, 40))]
    ours = outcome(population, [configs[model] for model in chosen])
    assert ours == {model: reference[model] for model in ours}


@pytest.mark.parametrize("models", [1, MODELS - 1, MODELS, MODELS + 1])
def test_spare_lanes_change_no_bit(mixed_spec: ZooSpec, models: int):
    spec = replace(
        mixed_spec,
        activation=("tanh",),
        optimiser=("adam",),
        weight_decay=(0.0,),
        dropout=(0.2,),
        seeds=tuple(range(1, 25)),
    )
    configs = list(model_configs(spec))
    whole = outcome(spec, configs)
    assert outcome(spec, configs[:models]) == {model: whole[model] for model in range(models)}


def test_a_model_that_diverges_harms_no_other(mixed_spec: ZooSpec):
    spec = replace(
        mixed_spec,
        activation=("relu",),
        optimiser=("sgd",),
        initialiser=("uniform",),
        learning_rate=(1e-2, 1e30),
    )
    configs = model_configs(spec)
    healthy = [config for config in configs if config.learning_rate == 1e-2]
    assert 0 < len(healthy) < len(configs)
    together = outcome(spec, list(configs))
    assert outcome(spec, healthy) == {one.model: together[one.model] for one in healthy}
    weights = train_and_measure(
        spec, configs, drawn_images(spec, 37), report=lambda _: None
    ).weights
    lost = [not np.isfinite(weights[config.model]).all() for config in configs]
    assert lost == [config.learning_rate == 1e30 for config in configs]


def test_storing_more_epochs_changes_no_bit(population: ZooSpec):
    configs = list(model_configs(population))[:3]
    some = replace(population, epochs=3, snapshot_epochs=(0, 3))
    every = replace(population, epochs=3, snapshot_epochs=(0, 1, 2, 3))
    images = drawn_images(population, 37)
    few, all_ = (
        train_and_measure(spec, configs, images, report=lambda _: None).weights
        for spec in (some, every)
    )
    assert few.tobytes() == all_[:, [0, 3]].tobytes()


WITH_A_CPU = """
import sys, hashlib, logging
from dataclasses import replace
from tests.zoogen.train.kernels.drawn import drawn_images
from tests.zoogen.train.kernels.test_bits import SMALL_CNN
from zoogen import MLP, zoo_spec
from zoogen.spec.configs import model_configs
from zoogen.device import tiny_numbers_as_zero
from zoogen.train.kernels.population import train_and_measure

logging.disable(logging.WARNING)
digest = hashlib.sha256()
for network in (SMALL_CNN, MLP(widths=(16, 5, 4))):
    spec = replace(
        zoo_spec("mnist-hyp-1-rand-seed"),
        network=network,
        activation=("tanh", "relu", "sigmoid", "gelu"),
        optimiser=("adam", "sgd", "rmsprop"),
        learning_rate=(1e-3,),
        epochs=2,
    )
    configs = model_configs(spec)[:48]
    with tiny_numbers_as_zero():
        done = train_and_measure(spec, configs, drawn_images(spec, 37), report=lambda _: None)
    digest.update(done.weights.tobytes())
    for column in done.measured.values():
        digest.update(column.tobytes())
print(digest.hexdigest())
"""


def on_processor(**settings_of_numba: str) -> str:
    """Train in its own process, for a chosen processor; return a hash of all bits."""
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_CPU],
        env=os.environ | settings_of_numba,
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_processor_with_narrower_registers_gives_the_same_bits():
    assert on_processor() == on_processor(NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES="+avx2,+fma")
