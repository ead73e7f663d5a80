"""Small trained zoos, to be written in the published formats."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import built
from tests.digits import enlarged_digits
from tests.zoogen.importers.small_cnn_files import small_cnn_files
from zoogen import Zoo, import_zoo, load_zoo, zoo_spec


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of 32 digits to train on and 96 to test on: multiples of the vector width, so fast."""
    digits = enlarged_digits(train=32, test=96)
    path = tmp_path_factory.mktemp("images") / "digits.npz"
    parts = ("train_images", "train_labels", "test_images", "test_labels")
    np.savez(path, **{part: getattr(digits, part) for part in parts})
    return str(path)


@pytest.fixture(scope="session")
def search_zoo(images: str, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Twenty points of mnist-hyp with nine snapshots each, trained for fewer epochs."""
    spec = replace(
        zoo_spec("mnist-hyp"),
        images=images,
        random_points=20,
        optimiser=("adam",),
        train_fraction=(1.0,),
        batch_size=32,
        epochs=8,
        snapshot_epochs=tuple(range(9)),
        models_per_shard=20,
    )
    return built(spec, tmp_path_factory.mktemp("search") / "zoo")


@pytest.fixture(scope="session")
def trial_zoo(images: str, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """The paper's CNN in sixteen configurations with two seeds, with and without dropout."""
    spec = replace(
        zoo_spec("mnist-hyp-5-fix-seed"),
        images=images,
        activation=("tanh", "gelu"),
        initialiser=("normal", "kaiming_uniform"),
        learning_rate=(1e-3,),
        weight_decay=(1e-3,),
        seeds=(1, 2),
        epochs=3,
        snapshot_epochs=(0, 1, 2, 3),
        models_per_shard=32,
    )
    return built(spec, tmp_path_factory.mktemp("trial") / "zoo")


@pytest.fixture(scope="session")
def small_cnn(search_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``search_zoo`` in the format of the Small CNN Zoo; read-only."""
    return small_cnn_files(search_zoo, tmp_path_factory.mktemp("small-cnn") / "mnist")


@pytest.fixture(scope="session")
def imported(small_cnn: Path, images: str, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """``small_cnn``, imported; read-only."""
    folder = tmp_path_factory.mktemp("imported") / "zoo"
    import_zoo("small-cnn-zoo", small_cnn, folder, images=images)
    return load_zoo(folder)
