"""Small real zoos, built once, private caches, and a guard that keeps tests on this machine."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings

from tests.boards import small_board
from tests.digits import enlarged_digits
from tests.guard.sitecustomize import GUARDED
from tests.hub import Hub
from tests.subprocesses import OWN_ZOO, run_zoogen
from zoogen import MLP, Zoo, ZooSpec, build_zoo, load_zoo, zoo_spec
from zoogen.images.sets import IMAGES, ImageSet, load_images, tetris_set
from zoogen.images.tetris import Tetris

settings.register_profile("same every time", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("same every time")

GUARD = Path(__file__).parent / "guard"
NOBODY = "http://127.0.0.1:9"


def pytest_configure(config: pytest.Config) -> None:
    """Set the variables that ``huggingface_hub`` reads on import, before any test imports it.

    The default endpoint leads nowhere, so a call that forgets to pass its endpoint fails. Files go
    by HTTP instead of Xet: its client is in Rust, so the guard of Python's sockets cannot see it.

    Tests press Ctrl-C. A shell that runs the suite in the background may ignore it, so the default
    handler is restored here, also for the processes that tests start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home = TemporaryDirectory(prefix="hub-home-")
    config.add_cleanup(home.cleanup)
    os.environ |= {
        "HF_HOME": home.name,
        "HF_ENDPOINT": NOBODY,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray keeps to 127.0.0.1
    }
    for variable in ("HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        os.environ.pop(variable, None)


@pytest.fixture(scope="session", autouse=True)
def no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse connections beyond this machine, unless a test marked ``network`` is selected."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(item.get_closest_marker("network") for item in request.session.items):
            for (place, name), guarded_call in GUARDED.items():
                patch.setattr(place, name, guarded_call)
            patch.setenv("NO_WAY_OUT", "1")
            patch.setenv("PYTHONPATH", str(GUARD), prepend=os.pathsep)
        yield


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A Hugging Face Hub for one test; an unexpected error in it fails the test."""
    with Hub() as hub:
        yield hub
    assert not hub.errors


@pytest.fixture
def at(hub: Hub, tmp_path: Path) -> dict[str, Any]:
    """Arguments that lead to the Hub and to a private cache."""
    return {"endpoint": hub.url, "cache_dir": tmp_path / "cache"}


@pytest.fixture
def commit(hub: Hub, mixed_zoo: Zoo) -> str:
    """Commit of ``mixed_zoo`` on the Hub, with the tag v1."""
    return hub.put_folder(mixed_zoo.folder, "org/mixed", tag="v1")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the Hub's client would have waited before each retry."""
    from huggingface_hub.utils import _http

    seconds: list[float] = []
    monkeypatch.setattr(_http, "time", SimpleNamespace(sleep=seconds.append))
    return seconds


@pytest.fixture(scope="session", autouse=True)
def caches_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's caches out of the tests, and the tests out of the user's caches.

    All processes of the suite share only the compiled kernels.
    """
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("ZOOGEN_CACHE", "ZOOBENCH_CACHE"):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        base = tmp_path_factory.getbasetemp()
        shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
        (shared / "kernels").mkdir(exist_ok=True)
        (Path(os.environ["ZOOGEN_CACHE"]) / "kernels").symlink_to(shared / "kernels")
        yield


def built(spec: ZooSpec, folder: Path, models: int | None = None) -> Zoo:
    """Build a small zoo in this process."""
    build_zoo(spec, folder, models=models, workers=1)
    return load_zoo(folder)


@pytest.fixture(scope="session")
def seed_zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """The first 60 models of tetris-seed with three epochs: a partial build."""
    spec = replace(zoo_spec("tetris-seed"), epochs=3, models_per_shard=30)
    return built(spec, tmp_path_factory.mktemp("seed") / "zoo", models=60)


@pytest.fixture(scope="session")
def hyp_zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """All 36 combinations of tetris-hyp with four seeds each and two epochs."""
    spec = replace(zoo_spec("tetris-hyp"), seeds=(1, 2, 3, 4), epochs=2, models_per_shard=72)
    return built(spec, tmp_path_factory.mktemp("hyp") / "zoo")


@pytest.fixture(scope="session", autouse=True)
def small_images() -> Iterator[None]:
    """Register two small image sets: Tetris and enlarged digits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(
            IMAGES, "small", lambda _: tetris_set(Tetris(train_images=40, test_images=60))
        )
        patch.setitem(IMAGES, "small-28", lambda _: enlarged_digits(train=37, test=21))
        yield


@pytest.fixture(scope="session")
def images_28() -> ImageSet:
    """Ten classes of 28×28 pixels: MNIST from ``ZOOGEN_IMAGES`` if set, else enlarged digits."""
    if os.environ.get("ZOOGEN_IMAGES"):
        return load_images("mnist")
    return enlarged_digits(train=1500, test=297)


@pytest.fixture(scope="session")
def mixed_spec() -> ZooSpec:
    """192 models that mix everything a zoo may mix; 40 images leave a last batch of one."""
    return ZooSpec(
        name="mixed",
        version=1,
        images="small",
        network=MLP(widths=(16, 5, 4), bias=True),
        activation=("tanh", "relu", "sigmoid", "gelu"),
        initialiser=("uniform", "xavier_normal"),
        optimiser=("adam", "sgd"),
        learning_rate=(1e-2,),
        weight_decay=(0.0, 1e-2),
        dropout=(0.0, 0.2),
        seeds=(1, 2, 3),
        epochs=2,
        batch_size=3,
        models_per_shard=64,
    )


@pytest.fixture(scope="session")
def mixed_zoo(mixed_spec: ZooSpec, tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """All of ``mixed_spec``, in three shards."""
    return built(mixed_spec, tmp_path_factory.mktemp("mixed") / "zoo")


@pytest.fixture
def copied_zoo(mixed_zoo: Zoo, tmp_path: Path) -> Path:
    """Folder of a copy of ``mixed_zoo`` that tests may damage."""
    return Path(copytree(mixed_zoo.folder, tmp_path / "copy"))


@pytest.fixture(scope="session")
def own_zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a user's own zoo, built by the command line; its module is beside the folder."""
    place = tmp_path_factory.mktemp("own")
    (place / "own_zoo.py").write_text(OWN_ZOO)
    done = run_zoogen("build", "own_zoo:SPEC", "--out", "zoo", "--workers", 1, cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "zoo"


@pytest.fixture(scope="session")
def cnn_zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """Thirty models of mnist-hyp on 37 digits, with epoch 0 stored and twelve models a shard."""
    spec = replace(
        zoo_spec("mnist-hyp"),
        images="small-28",
        random_points=30,
        epochs=3,
        snapshot_epochs=(0, 1, 3),
        batch_size=16,
        models_per_shard=12,
    )
    return built(spec, tmp_path_factory.mktemp("cnn") / "zoo")


@pytest.fixture(scope="session")
def whole_board(hyp_zoo: Zoo, mixed_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of two zoos and three submissions; read-only."""
    return small_board(tmp_path_factory.mktemp("board"), hyp_zoo, mixed_zoo)


@pytest.fixture
def board(whole_board: Path, tmp_path: Path) -> Path:
    """A copy of ``whole_board`` that tests may damage."""
    return Path(copytree(whole_board, tmp_path / "leaderboard"))
