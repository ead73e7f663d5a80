"""Opening a zoo and reading a random batch, against the forms in which others share zoos.

Each measurement runs in its own process: ``python -m benchmarks.stored_forms FORM FOLDER``.
"""

import json
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.ratio import Ratio
from zoogen import SPLITS, Zoo, load_zoo

CLAIM = (
    "Open all of tetris-seed (75 000 snapshots of 100 weights) and read 500 random snapshots with "
    "their accuracies. The peers are one pickle with two copies of a list of vectors, as in the "
    "paper's data sets (without their permutation lists of another half gigabyte); one pickle "
    "with a list of state_dicts; and a folder per model with one `.pt` per checkpoint and a line "
    "of JSON per epoch. Medians of three fresh processes, without imports, with files in the page "
    "cache. Memory is the peak that Linux reports for the process, minus its memory after the "
    "imports."
)

BATCH, RUNS = 500, 3
ZOO = "tetris-seed"
PICKLES = {"vectors": "pickled vectors", "state_dicts": "pickled state_dicts"}
CHECKPOINTS = "one .pt per checkpoint"


def write_pickle(zoo: Zoo, path: Path, form: str) -> None:
    """Write a dict of splits, each with a list of its snapshots and lists of properties."""
    import torch

    def split_of(split: Any) -> dict[str, Any]:
        part = zoo.part(split)
        rows = part.properties.index
        vectors = [torch.from_numpy(vector.copy()) for vector in np.asarray(part.weights)]
        names = zip(part.properties["model"], part.properties["epoch"], strict=True)
        labels = [f"model_{model:05d}#_#epoch_{epoch}" for model, epoch in names]
        numeric = part.properties.select_dtypes("number")
        stored: dict[str, Any] = {
            "labels_in": labels,
            "properties": {str(name): numeric[name].tolist() for name in numeric},
        }
        if form == "vectors":
            return stored | {"data_in": vectors, "data_out": [one.clone() for one in vectors]}
        return stored | {"data_in": [OrderedDict(zoo.state_dict(int(row))) for row in rows]}

    torch.save({f"{split}set": split_of(split) for split in SPLITS}, path)


def write_checkpoints(zoo: Zoo, folder: Path) -> None:
    """Write ``model/checkpoint_epoch/checkpoints``, and ``model/result.json`` with all epochs."""
    import torch

    for model, rows in zoo.properties.groupby("model"):
        place = folder / f"model_{model:05d}"
        place.mkdir(parents=True)
        (place / "result.json").write_text(rows.to_json(orient="records", lines=True))
        for row, epoch in zip(rows.index, rows["epoch"], strict=True):
            (place / f"checkpoint_{epoch:06d}").mkdir()
            torch.save(zoo.state_dict(int(row)), place / f"checkpoint_{epoch:06d}" / "checkpoints")


def batch_of(rows: int) -> list[int]:
    """Draw the rows of the batch, the same for every form."""
    return [int(row) for row in np.random.default_rng(0).choice(rows, BATCH, replace=False)]


def read_ours(folder: Path) -> tuple[int, float]:
    """Map the shards and take the rows."""
    zoo = load_zoo(folder)
    rows = batch_of(len(zoo.weights))
    vectors, accuracies = zoo.weights[rows], zoo.properties["test_accuracy"].to_numpy()[rows]
    return vectors.size, float(accuracies.mean())


def read_pickle(path: Path) -> tuple[int, float]:
    """Load the whole file and take the rows."""
    import torch

    sets = torch.load(path, weights_only=True).values()
    snapshots = [one for part in sets for one in part["data_in"]]
    accuracies = [one for part in sets for one in part["properties"]["test_accuracy"]]
    rows = batch_of(len(snapshots))
    chosen = [snapshots[row] for row in rows]
    if isinstance(chosen[0], dict):
        chosen = [torch.cat([one.flatten() for one in each.values()]) for each in chosen]
    return torch.stack(chosen).numel(), float(np.mean([accuracies[row] for row in rows]))


def read_checkpoints(folder: Path) -> tuple[int, float]:
    """List the checkpoints; load those of the batch and the logs of their models."""
    import torch

    models = sorted(folder.iterdir())
    paths = [path for model in models for path in sorted(model.glob("checkpoint_*"))]
    vectors, accuracies, logs = [], [], dict[Path, list[Any]]()
    for path in (paths[row] for row in batch_of(len(paths))):
        tensors = torch.load(path / "checkpoints", weights_only=True).values()
        vectors.append(torch.cat([one.flatten() for one in tensors]))
        if path.parent not in logs:
            lines = (path.parent / "result.json").read_text().splitlines()
            logs[path.parent] = [json.loads(line) for line in lines]
        epoch = int(path.name.removeprefix("checkpoint_"))
        accuracies += [log["test_accuracy"] for log in logs[path.parent] if log["epoch"] == epoch]
    return torch.stack(vectors).numel(), float(np.mean(accuracies))


READERS = {"ours": read_ours, "checkpoints": read_checkpoints} | dict.fromkeys(PICKLES, read_pickle)


def kilobytes(field: str) -> int:
    """Return a memory figure of this process, as Linux reports it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def read_once(form: str, place: Path) -> dict[str, float]:
    """Read in this process; return seconds, megabytes and a summary of the batch."""
    if form == "ours":
        import pandas as pd
        import pyarrow.parquet as pq

        assert pd
        assert pq
    else:
        import torch

        assert torch
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = kilobytes("VmRSS")
    begin = perf_counter()
    numbers, accuracy = READERS[form](place)
    seconds = perf_counter() - begin
    peak = kilobytes("VmHWM") - before
    return {"seconds": seconds, "mb": peak / 1024, "numbers": numbers, "accuracy": accuracy}


def measured(form: str, place: Path) -> tuple[float, float]:
    """Return the medians of seconds and megabytes over fresh processes."""
    command = [sys.executable, "-m", "benchmarks.stored_forms", form, str(place)]
    runs = []
    for _ in range(RUNS + 1):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout))
        assert runs[-1]["numbers"] == BATCH * 100, "not the requested batch"
    counted = runs[1:]
    return median(run["seconds"] for run in counted), median(run["mb"] for run in counted)


def measure() -> list[Ratio]:
    """Write the zoo in all forms and read each."""
    zoo = load_zoo(ZOO)
    with TemporaryDirectory() as scratch:
        places = {form: Path(scratch) / f"{form}.pt" for form in PICKLES}
        for form, path in places.items():
            write_pickle(zoo, path, form)
        places["checkpoints"] = Path(scratch) / "checkpoints"
        write_checkpoints(zoo, places["checkpoints"])
        ours = measured("ours", zoo.folder)
        peers = {form: measured(form, place) for form, place in places.items()}
    names = PICKLES | {"checkpoints": CHECKPOINTS}
    times = [
        Ratio(name=f"time, against {names[form]}", ours=ours[0], peer=peer[0])
        for form, peer in peers.items()
    ]
    peaks = [
        Ratio(name=f"peak memory, against {names[form]}", ours=ours[1], peer=peer[1], unit="MB")
        for form, peer in peers.items()
    ]
    return times + peaks


if __name__ == "__main__":
    print(json.dumps(read_once(sys.argv[1], Path(sys.argv[2]))))
