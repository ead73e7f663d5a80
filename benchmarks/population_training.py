"""A population trained as stacks against PyTorch one model at a time."""

import subprocess
import sys
import tempfile
from os import cpu_count
from pathlib import Path
from time import perf_counter, sleep

import torch
from torch import nn

from benchmarks.ratio import Ratio
from zoogen import zoo_spec
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
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-5)
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


def build_and_watch(name: str, folder: Path, *options: str) -> tuple[float, float]:
    """Build a zoo with the command line; return its seconds and its peak memory in bytes.

    A spec of one's own is looked for beside the folder.
    """
    command = [sys.executable, "-m", "zoogen", "build", name, "--out", str(folder), *options]
    begin, peak = perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder.parent) as build:
        while build.poll() is None:
            peak = max(peak, tree_bytes(build.pid))
            sleep(0.3)
    if build.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {build.returncode}")
    return perf_counter() - begin, peak


def tree_bytes(root: int) -> float:
    """Sum the proportional set sizes of a process and its descendants; 0 without /proc."""
    total, waiting = 0.0, [Path("/proc", str(root))]
    while waiting:
        process = waiting.pop()
        try:
            rollup = (process / "smaps_rollup").read_text()
            tasks = process.glob("task/*/children")
            waiting += [Path("/proc", pid) for task in tasks for pid in task.read_text().split()]
        except OSError:
            continue
        total += 1024 * float(rollup.split("\nPss:")[1].split()[0])
    return total


def measure() -> list[Ratio]:
    """Build the zoo in a temporary folder and time the peer before and after."""
    spec = zoo_spec("tetris-seed")
    images = load_images(spec.images)
    times = [best_of_thread_settings(spec, images)]
    with tempfile.TemporaryDirectory() as folder:
        ours, memory = build_and_watch(spec.name, Path(folder) / spec.name)
    times.append(best_of_thread_settings(spec, images))
    peer = min(times) * spec.models * spec.epochs
    ratios = [
        Ratio(name="model-epochs, against one at a time", ours=ours, peer=peer, required=150),
        Ratio(name="whole zoo, against 120 s", ours=ours, peer=BUDGET_SECONDS, required=1),
    ]
    if memory:
        ours_gb, budget_gb = memory / 1e9, BUDGET_BYTES / 1e9
        name = "peak memory of all processes, against 2 GB"
        ratios.append(Ratio(name=name, ours=ours_gb, peer=budget_gb, unit="GB", required=1))
    return ratios
