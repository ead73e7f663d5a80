"""Builds of CNN zoos with few and with many models: seconds per model, and memory."""

import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.ratio import Ratio
from benchmarks.whole_build import build_and_watch, memory
from zoogen import build_zoo, zoo_spec

CLAIM = (
    "Zoos of the network of mnist-seed, trained, measured after every epoch and stored. Seconds a "
    "model: one process, two epochs of 640 random images, the fastest of three builds of 16 "
    "models against one build of 1000. Memory: all processes of the command line, one epoch of 60 "
    "000 random images of MNIST's size, read from a file."
)

FEW, MANY, RUNS = 16, 1000, 3
FEW_WATCHED, MANY_WATCHED = 32, 128
SPEC = """
from dataclasses import replace
from zoogen import zoo_spec

SPEC = replace(zoo_spec("mnist-seed"), images="drawn.npz", epochs=1)
"""


def save_images(path: Path, train: int, test: int) -> None:
    """Save random images of MNIST's size as bytes."""
    random = np.random.default_rng(0)
    np.savez(
        path,
        train_images=random.integers(0, 256, (train, 28, 28), np.uint8),
        train_labels=np.arange(train) % 10,
        test_images=random.integers(0, 256, (test, 28, 28), np.uint8),
        test_labels=np.arange(test) % 10,
    )


def build_seconds(images: Path, folder: Path, models: int) -> float:
    """Build some models in this process; return seconds per model."""
    spec = replace(zoo_spec("mnist-seed"), images=str(images), epochs=2)
    begin = perf_counter()
    build_zoo(spec, folder, models=models, workers=1)
    return (perf_counter() - begin) / models


def seconds_a_model(place: Path) -> Ratio:
    """Compare builds of few and of many models, on few images."""
    images = place / "few.npz"
    save_images(images, 640, 64)
    build_seconds(images, place / "warm", 1)
    few = min(build_seconds(images, place / f"few {run}", FEW) for run in range(RUNS))
    many = build_seconds(images, place / "many", MANY)
    name = f"seconds a model, {MANY} models against {FEW}"
    return Ratio(name=name, ours=many, peer=few, required=0.9)


def memory_of_builds(place: Path) -> list[Ratio]:
    """Measure builds of few and of many models by the command line, on as many images as MNIST."""
    save_images(place / "drawn.npz", 60_000, 10_000)
    (place / "drawn_images.py").write_text(SPEC)
    ratios = []
    for models in (FEW_WATCHED, MANY_WATCHED):
        build = build_and_watch(
            "drawn_images:SPEC", place / f"watched {models}", "--models", str(models)
        )
        ratios += memory(f"{models} models", build)
    return ratios


def measure() -> list[Ratio]:
    """Build zoos in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        return [seconds_a_model(place), *memory_of_builds(place)]
