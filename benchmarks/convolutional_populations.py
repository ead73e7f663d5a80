"""Populations of CNNs trained as grouped convolutions against PyTorch one model at a time."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from math import prod
from os import cpu_count
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from joblib import Parallel, delayed
from torch import nn

from benchmarks.population_training import build_and_watch
from benchmarks.ratio import Ratio, seconds
from zoogen import CNN, ZooSpec, build_zoo, zoo_spec
from zoogen.configs import model_configs
from zoogen.device import freed_memory_kept, one_thread
from zoogen.images import ImageSet
from zoogen.networks import torch_module
from zoogen.train import DeviceImages, train_stack
from zoogen.tuning import models_per_stack

CLAIM = (
    "Models of mnist-seed with batches of 64 train on all cores, a stack in each of as many "
    "processes; costs are microseconds per image shown to one model, forwards, backwards and the "
    "optimiser's step. The peers train one model with torch.nn and torch.optim: one process at its "
    "better thread setting, and one process per core. The last rows build whole zoos of 640 "
    "images, measured and stored."
)

BATCH = 64
IMAGES = 6400
CORES = cpu_count() or 1
MATRIX = 1024
BUDGET_BYTES = 2e9
FEW_IMAGES = """
from dataclasses import replace
from zoogen import zoo_spec

SPEC = replace(zoo_spec("mnist-seed"), images="few.npz", epochs=2, batch_size=64)
"""


def drawn_images(train: int) -> ImageSet:
    """Draw images of MNIST's shape: what is in them costs nothing."""
    random = np.random.default_rng(0)
    return ImageSet(
        train_images=random.standard_normal((train, 1, 28, 28), np.float32),
        train_labels=np.arange(train) % 10,
        test_images=random.standard_normal((64, 1, 28, 28), np.float32),
        test_labels=np.arange(64) % 10,
        classes=10,
    )


def stack_seconds(spec: ZooSpec) -> float:
    """Time the second epoch of a stack; return seconds per image shown to one model."""
    models = models_per_stack(spec.network, spec.batch_size, "cpu")
    images = DeviceImages.of(drawn_images(IMAGES), "cpu")
    with one_thread(), freed_memory_kept():
        training = train_stack(spec, model_configs(spec)[:models], images)
        next(training)
        begin = perf_counter()
        next(training)
        return (perf_counter() - begin) / models / IMAGES


def alone_seconds(spec: ZooSpec, threads: int) -> float:
    """Time the second epoch of one model in plain PyTorch; return seconds per image."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    images = DeviceImages.of(drawn_images(IMAGES), "cpu")
    module, loss = torch_module(spec.network, spec.activation[0]), nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(module.parameters(), lr=3e-4)
    for _ in range(2):
        begin = perf_counter()
        for batch in torch.randperm(IMAGES).split(spec.batch_size):
            optimiser.zero_grad()
            loss(module(images.train_images[batch]), images.train_labels[batch]).backward()
            optimiser.step()
    torch.set_num_threads(before)
    return (perf_counter() - begin) / IMAGES


def on_every_core(measure: Callable[..., float], *arguments: object) -> float:
    """Measure in one process per core at once; return seconds per image of all together."""
    times = Parallel(n_jobs=CORES)(delayed(measure)(*arguments) for _ in range(CORES))
    return float(1 / sum(1 / time for time in times))


def operations(network: CNN) -> int:
    """Count the additions and multiplications that training on one image takes.

    Two for every weight at every place, thrice: forwards and for either gradient, of which the
    first layer needs one only.
    """
    places = [
        prod(side * block.pool for side in shape[1:])
        for shape, block in zip(network.maps, network.convolutions, strict=True)
    ]
    weights = [slot for slot in network.layout if slot.name.endswith("weight")]
    places += [1] * (len(weights) - len(places))
    counts = [2 * slot.size * times for slot, times in zip(weights, places, strict=True)]
    return 3 * sum(counts) - counts[0]


def matrix_seconds() -> float:
    """Time a large product of matrices; return seconds per floating-point operation."""
    matrix = torch.randn(MATRIX, MATRIX)
    with one_thread():
        return seconds(lambda: matrix @ matrix, runs=9) / (2 * MATRIX**3)


def training_costs() -> list[Ratio]:
    """Compare what an image costs, and how near that is to what the machine can do."""
    spec = replace(zoo_spec("mnist-seed"), batch_size=BATCH, epochs=2)
    assert isinstance(spec.network, CNN)
    ours = min(on_every_core(stack_seconds, spec) for _ in range(3))
    alone = min(alone_seconds(spec, threads) for threads in (1, CORES) for _ in range(3))
    beside = min(on_every_core(alone_seconds, spec, 1) for _ in range(3))
    limit = operations(spec.network) * on_every_core(matrix_seconds)
    peers = {
        "an image, against one model at a time": (alone, 4.0),
        "an image, against one model per core": (beside, None),
        "an image, against the rate of matrix products": (limit, None),
    }
    return [
        Ratio(name=name, ours=1e6 * ours, peer=1e6 * peer, unit="µs", required=required)
        for name, (peer, required) in peers.items()
    ]


def few_images(folder: Path) -> None:
    """Save 640 images, and a spec of 1000 models that train on them for two epochs."""
    arrays = vars(drawn_images(640))
    np.savez(folder / "few.npz", **{name: arrays[name] for name in arrays if name != "classes"})
    (folder / "few_images.py").write_text(FEW_IMAGES)


def build_seconds(folder: Path, models: int) -> float:
    """Build some models in this process; return seconds per model."""
    spec = replace(
        zoo_spec("mnist-seed"), images=str(folder / "few.npz"), epochs=2, batch_size=BATCH
    )
    begin = perf_counter()
    build_zoo(spec, folder / f"{models} here", models=models, workers=1)
    return (perf_counter() - begin) / models


def measure() -> list[Ratio]:
    """Time training, then whole builds of few and of many models."""
    ratios = training_costs()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few_images(folder)
        build_seconds(folder, 9)
        few = min(build_seconds(folder, models) for models in (8, 16))
        many = build_seconds(folder, 1000)
        flat = "seconds a model, 1000 against 8 or 16"
        ratios.append(Ratio(name=flat, ours=many, peer=few, required=0.9))
        spec = "few_images:SPEC"
        _, some_bytes = build_and_watch(spec, folder / "64", "--models", "64")
        _, all_bytes = build_and_watch(spec, folder / "1000")
    if all_bytes:
        bounds = {
            "peak memory, 1000 models against 64": (some_bytes, 0.9),
            "peak memory of all processes, against 2 GB": (BUDGET_BYTES, 1.0),
        }
        ratios += [
            Ratio(name=name, ours=all_bytes / 1e9, peer=peer / 1e9, unit="GB", required=required)
            for name, (peer, required) in bounds.items()
        ]
    return ratios
