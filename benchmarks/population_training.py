"""A population trained as stacks against PyTorch one model at a time."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import cpu_count
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import torch
from torch import nn

from benchmarks.ratio import Ratio
from zoogen import build_zoo, zoo_spec
from zoogen.images import ImageSet, load_images
from zoogen.spec import ZooSpec

CLAIM = (
    "All of tetris-seed (1000 models, 75 epochs, measured after each) is built in one go. The peer "
    "trains one model for one epoch with torch.nn and torch.optim at the better of two thread "
    "settings, without measuring; its time is scaled to all model-epochs."
)

BUDGET_SECONDS = 120
BUDGET_BYTES = 2e9


def one_model(spec: ZooSpec, images: ImageSet) -> float:
    """Time one epoch of one model in plain PyTorch."""
    network = nn.Sequential(nn.Linear(16, 5, bias=False), nn.Tanh(), nn.Linear(5, 4, bias=False))
    optimiser = torch.optim.Adam(network.parameters(), lr=spec.learning_rate[0])
    loss = nn.CrossEntropyLoss()
    pixels, labels = torch.from_numpy(images.train_images), torch.from_numpy(images.train_labels)
    begin = perf_counter()
    for batch in torch.randperm(len(labels)).split(spec.batch_size):
        optimiser.zero_grad()
        loss(network(pixels[batch]), labels[batch]).backward()
        optimiser.step()
    return perf_counter() - begin


def best_of_thread_settings(spec: ZooSpec, images: ImageSet) -> float:
    """Time the peer with one thread and with all, twice each; keep the best."""
    before, times = torch.get_num_threads(), []
    for threads in (1, cpu_count() or 1):
        torch.set_num_threads(threads)
        times += [one_model(spec, images) for _ in range(2)]
    torch.set_num_threads(before)
    return min(times)


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Watch the memory of this process and its children (proportional share, in bytes)."""
    peak, stop = [0.0], Event()

    def watch() -> None:
        while not stop.wait(0.3):
            peak[0] = max(peak[0], tree_bytes())

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()


def tree_bytes() -> float:
    """Sum the proportional set sizes of this process and its descendants."""
    total, waiting = 0.0, [Path("/proc/self").resolve()]
    while waiting:
        process = waiting.pop()
        try:
            rollup = (process / "smaps_rollup").read_text()
            children = [
                pid for task in process.glob("task/*/children") for pid in task.read_text().split()
            ]
        except OSError:
            continue
        total += 1024 * float(rollup.split("\nPss:")[1].split()[0])
        waiting += [Path("/proc", pid) for pid in children]
    return total


def measure() -> list[Ratio]:
    """Build the zoo in a temporary folder and time the peer before and after."""
    spec = zoo_spec("tetris-seed")
    images = load_images(spec.images)
    times = [best_of_thread_settings(spec, images)]
    with tempfile.TemporaryDirectory() as folder, peak_memory() as peak:
        begin = perf_counter()
        build_zoo(spec, Path(folder))
        ours = perf_counter() - begin
    times.append(best_of_thread_settings(spec, images))
    peer = min(times) * spec.models * spec.epochs
    return [
        Ratio(
            name="model-epochs, against one at a time",
            ours=ours,
            peer=peer,
            required=150,
        ),
        Ratio(
            name="whole zoo, against 120 s",
            ours=ours,
            peer=BUDGET_SECONDS,
            required=1,
        ),
        Ratio(
            name="peak memory, against 2 GB",
            ours=peak[0] / 1e9,
            peer=BUDGET_BYTES / 1e9,
            unit="GB",
            required=1,
        ),
    ]
