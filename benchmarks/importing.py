"""Importing a full-size Small CNN Zoo against copying its bytes."""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.ratio import Ratio

CLAIM = (
    "``zoogen import small-cnn-zoo`` of 270 000 snapshots of 4970 weights, as large as the "
    "published cifar10 file (random numbers, so there is no accuracy to measure). A fresh process "
    "reads and hashes them, converts them to our layout, writes, hashes and checks them. The peer "
    "reads the same bytes in order, writes them and calls fsync. Both read from the disk, not "
    "from the page cache."
)

RUNS, EPOCHS, PARAMS = 30_000, (0, 1, 2, 3, 20, 40, 60, 80, 86), 4970
BLOCK = 9000
CHUNK = 1 << 20
BUDGET_BYTES = 2e9
TIMES_THE_DISK = 1 / 3
LAYERS = (("conv2d", (3, 3, 1, 16)), ("conv2d_1", (3, 3, 16, 16)), ("conv2d_2", (3, 3, 16, 16)))
IMPORT = """
import sys
from pathlib import Path
from zoogen import import_zoo

import_zoo("small-cnn-zoo", Path(sys.argv[1]), Path(sys.argv[2]), images="none")
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def layout() -> str:
    """Return ``layout.csv`` in its published form."""
    lines, end = ["varname,start_idx,end_idx,size,shape"], 0
    for layer, kernel in (*LAYERS, ("dense", (16, 10))):
        for part, shape in (("bias", kernel[-1:]), ("kernel", kernel)):
            size = int(np.prod(shape))
            lines.append(f'sequential/{layer}/{part}:0,{end},{end + size},{size},"{shape}"')
            end += size
    return "\n".join(lines) + "\n"


def metrics(runs: int) -> Iterator[str]:
    """Yield the lines of ``metrics.csv`` without the columns that no importer reads."""
    constant = {"b_init": "zeros", "dataset": "cifar10", "num_layers": 3, "num_units": 16}
    names = ("activation", "w_init", "optimizer", "init_std", "l2reg", "learning_rate")
    config = (*names, "dropout", "train_fraction", "random_seed", *constant)
    measured = ("test_accuracy", "test_loss", "train_accuracy", "train_loss")
    head = [*(f"config.{name}" for name in config), "modeldir", "step", *measured]
    yield ",".join(["", *head]) + "\n"
    random = np.random.default_rng(0)
    for run in range(runs):
        folder = f"/placer/prod/home/dnn-predict-accuracy/cifar10/{run:032x}"
        words = ("relu", "tanh")[run % 2], ("he_normal", "orthogonal")[run % 3 % 2], "adam"
        numbers = random.uniform(1e-4, 1e-1, 4).tolist()
        setting = ",".join(map(str, (*words, *numbers, 0.5, 42, *constant.values())))
        for epoch in EPOCHS:
            scores = ",".join(map(str, random.random(4).tolist()))
            yield f"{folder}/permanent_ckpt-{epoch},{setting},{folder},{epoch},{scores}\n"


def write_files(folder: Path, runs: int) -> None:
    """Write the three files; the weights repeat every ``BLOCK`` rows."""
    folder.mkdir()
    (folder / "layout.csv").write_text(layout())
    with gzip.open(folder / "metrics.csv.gz", "wt", compresslevel=1) as file:
        file.writelines(metrics(runs))
    rows = runs * len(EPOCHS)
    block = np.random.default_rng(0).standard_normal((BLOCK, PARAMS), np.float32)
    with (folder / "weights.npy").open("wb") as weights:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, PARAMS)}
        np.lib.format.write_array_header_1_0(weights, header)
        for first in range(0, rows, BLOCK):
            weights.write(block[: rows - first].data)


def forget(folder: Path) -> None:
    """Write files to the disk and drop them from the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def copy(source: Path, target: Path) -> None:
    """Copy every file in order, with fsync."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        with path.open("rb") as read, (target / path.name).open("wb") as written:
            shutil.copyfileobj(read, written, CHUNK)
            written.flush()
            os.fsync(written.fileno())


def timed(action: Callable[[], None]) -> float:
    """Return the wall time of one run."""
    begin = perf_counter()
    action()
    return perf_counter() - begin


def measure() -> list[Ratio]:
    """Copy, import, copy again, since the load of the disk may change."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        size = 4 * PARAMS * len(EPOCHS)
        runs = min(RUNS, int(shutil.disk_usage(place).free / 2.5) // size)
        write_files(place / "files", runs)
        copies, peak = [], list[float]()

        def copied() -> None:
            forget(place / "files")
            copies.append(timed(lambda: copy(place / "files", place / "copy")))
            shutil.rmtree(place / "copy")

        def imported() -> None:
            arguments = [sys.executable, "-c", IMPORT, str(place / "files"), str(place / "zoo")]
            done = subprocess.run(arguments, check=True, capture_output=True, text=True)
            peak.append(1024 * float(done.stdout.split()[-1]))

        copied()
        forget(place / "files")
        ours = timed(imported)
        shutil.rmtree(place / "zoo")
        copied()
        return [
            Ratio(
                name=f"import of {runs * len(EPOCHS):,} snapshots, against a copy",
                ours=ours,
                peer=sum(copies) / len(copies),
                required=TIMES_THE_DISK,
            ),
            Ratio(
                name="peak memory, against 2 GB",
                ours=peak[0] / 1e9,
                peer=BUDGET_BYTES / 1e9,
                unit="GB",
                required=1,
            ),
        ]
