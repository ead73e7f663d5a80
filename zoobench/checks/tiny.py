"""Small real zoos, built in seconds and kept: what an embedder is tried on before it is scored."""

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
    atomic_path,
    build_zoo,
    load_zoo,
    zoo_spec,
)

FOLDER = "check"
KEPT = ("split", "shard", "row")
"""Columns that say where a row of weights is; all others say what is known of it."""


def tetris_mlps() -> ZooSpec:
    """Every configuration of tetris-hyp once, three epochs each."""
    return replace(
        zoo_spec("tetris-hyp"), name="check-mlp", seeds=(1,), epochs=3, models_per_shard=36
    )


def digit_cnns() -> ZooSpec:
    """Forty networks that convolve scikit-learn's digits of 8×8 pixels, five epochs each."""
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
"""The small zoos by the kind of their networks."""


def tiny_zoo(kind: str) -> Zoo:
    """Return a small zoo, built the first time.

    Raises:
        UnknownNameError: If there is none of that kind.
        ZooError: If it cannot be written.
    """
    if kind not in TINY:
        raise UnknownNameError("kind of network", kind, TINY)
    spec = TINY[kind]()
    folder = cache_folder() / FOLDER / spec.name
    build_zoo(spec, folder, workers=1, overwrite=True)
    return load_zoo(folder)


def digits_file() -> Path:
    """Write 400 digits as an image set, unless they are there, and return the file."""
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
    """Lend a copy of a zoo, in an otherwise empty cache that is thrown away after the block.

    Args:
        zoo: What to copy.
        relabelled: Whether the snapshots of each split exchange all that is known of them, in the
            files too: models, epochs, settings and labels. Weights stay as they are.
    """
    with TemporaryDirectory(prefix="zoobench-check-") as temporary, cache_at(Path(temporary)):
        folder = Path(temporary) / FOLDER / zoo.spec.name
        copytree(zoo.folder, folder)
        if relabelled:
            exchange_labels(folder, zoo)
        yield load_zoo(folder)


def exchange_labels(folder: Path, zoo: Zoo) -> None:
    """Rewrite the table of a copied zoo: within a split, every label goes to another snapshot."""
    known = zoo.properties
    order = np.arange(len(known))
    draw = np.random.default_rng(0)
    for split in SPLITS:
        rows = np.flatnonzero(known["split"] == split)
        order[rows] = draw.permutation(rows)
    table = known.iloc[order].reset_index(drop=True)
    for column in KEPT:
        table[column] = known[column]
    table.to_parquet(folder / zoo.manifest.table.file, index=False)
