"""Small real zoos to check embedders on, built in seconds and cached."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import numpy as np

from zoobench.places import cache_at, cache_folder
from zoogen import (
    CNN,
    SPLITS,
    Convolution,
    UnknownNameError,
    Zoo,
    ZooSpec,
    build_zoo,
    load_zoo,
    zoo_spec,
)
from zoogen.atomic import atomic_path

FOLDER = "check"
PLACE_COLUMNS = ("split", "shard", "row")
"""Columns that say where a weight vector is; all others are labels."""


def tetris_mlps() -> ZooSpec:
    """Return a spec of every config of tetris-hyp once, three epochs each."""
    return replace(
        zoo_spec("tetris-hyp"), name="check-mlp", seeds=(1,), epochs=3, models_per_shard=36
    )


def digit_cnns() -> ZooSpec:
    """Return a spec of forty CNNs on scikit-learn's digits of 8×8 pixels, five epochs each."""
    return replace(
        zoo_spec("mnist-seed"),
        name="check-cnn",
        images=str(digits_file()),
        network=CNN(
            image=(1, 8, 8),
            convolutions=(Convolution(channels=4, kernel=3), Convolution(channels=4, kernel=3)),
            widths=(8, 10),
        ),
        learning_rate=(3e-2,),
        seeds=tuple(range(1, 41)),
        epochs=5,
        batch_size=20,
        models_per_shard=40,
    )


TINY: dict[str, Callable[[], ZooSpec]] = {"mlp": tetris_mlps, "cnn": digit_cnns}
"""Specs of the small zoos, by kind of network."""


def tiny_zoo(kind: str) -> Zoo:
    """Return a small zoo, which the first call builds.

    Raises:
        UnknownNameError: If there is none with that kind of network.
        ZooError: If the zoo cannot be written.
    """
    if kind not in TINY:
        raise UnknownNameError("kind of network", kind, TINY)
    spec = TINY[kind]()
    folder = cache_folder() / FOLDER / spec.name
    build_zoo(spec, folder, workers=1, overwrite=True)
    return load_zoo(folder)


def digits_file() -> Path:
    """Return a file with an image set of 400 digits; write it if it is missing."""
    path = cache_folder() / FOLDER / "digits.npz"
    if not path.exists():
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        pixels = images.reshape(-1, 1, 8, 8).astype(np.float32) / 8 - 1
        parts = {"train": slice(200), "test": slice(200, 400)}
        arrays = {
            f"{part}_{name}": array[rows]
            for part, rows in parts.items()
            for name, array in (("images", pixels), ("labels", labels.astype(np.int64)))
        }
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
    return path


@contextmanager
def staged(zoo: Zoo, *, relabelled: bool) -> Iterator[Zoo]:
    """Yield a copy of a zoo in an otherwise empty cache, and delete both after the block.

    Args:
        zoo: Zoo to copy.
        relabelled: Whether the snapshots of each split exchange models, epochs, configs and labels,
            in the files too. Weights stay as they are.
    """
    with TemporaryDirectory(prefix="zoobench-check-") as temporary, cache_at(Path(temporary)):
        folder = Path(temporary) / FOLDER / zoo.spec.name
        copytree(zoo.folder, folder)
        if relabelled:
            exchange_labels(folder, zoo)
        yield load_zoo(folder)


def exchange_labels(folder: Path, zoo: Zoo) -> None:
    """Rewrite the table of a copied zoo: permute all labels within each split."""
    known = zoo.properties
    order = np.arange(len(known))
    draw = np.random.default_rng(0)
    for split in SPLITS:
        rows = np.flatnonzero(known["split"] == split)
        order[rows] = draw.permutation(rows)
    table = known.iloc[order].reset_index(drop=True)
    for column in PLACE_COLUMNS:
        table[column] = known[column]
    table.to_parquet(folder / zoo.manifest.table.file, index=False)
