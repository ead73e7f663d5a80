"""Plots of a zoo: how accuracy develops, and where the snapshots lie in weight space.

They follow Figures 4 and 7 of Schürholt et al. 2021 (arXiv:2110.15288).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64
from rich.console import Console

from zoogen.atomic import atomic_path, write_text
from zoogen.errors import ZooError
from zoogen.exact_umap import exact_umap
from zoogen.extras import extra_package
from zoogen.load.locate import is_built
from zoogen.load.zoo import Zoo
from zoogen.locks import locked
from zoogen.pictures import as_png
from zoogen.plots.figures import accuracy_figure, mean_weight_figure, umap_figure
from zoogen.progress import progress_bar
from zoogen.store.card import CARD, PLOTS, zoo_card
from zoogen.store.manifest import read_manifest
from zoogen.store.weights import Weights

if TYPE_CHECKING:
    import pandas as pd

ACCURACY, MEAN_WEIGHT, UMAP = "accuracy.png", "mean-weight.png", "umap.png"
CAPTIONS = {
    ACCURACY: "Test accuracy after each epoch",
    MEAN_WEIGHT: "Test accuracy of each snapshot against its mean weight",
    UMAP: "UMAP of the weights, coloured by what varies and by epoch",
}

SAMPLE = 5000
"""Most snapshots that UMAP lays out: more take longer and lie on top of each other."""

FEWEST = 3
"""Fewest snapshots that UMAP can lay out: each needs two neighbours."""

NEIGHBOURS = 25
SEED = 0
BLOCK = 1024
"""Weight vectors in memory at a time: 20 MB for the longest."""


def plot_zoo(zoo: Zoo, out: Path | None = None) -> list[Path]:
    """Draw the plots of a zoo into its folder and embed them in its card.

    No file is written until all are drawn. The same zoo gives the same files.

    Args:
        zoo: The zoo to draw.
        out: Another folder to write to; the zoo's own folder then stays as it is.

    Returns:
        The files, in the order of ``CAPTIONS``.

    Raises:
        ZooError: If matplotlib or umap-learn is not installed, the zoo has too few snapshots, the
            folder cannot be written, or the zoo was rebuilt in the meantime.
        IntegrityError: If the table is missing or not that of the zoo.
    """
    if out is not None and is_built(out):
        raise ZooError(
            f"{out} is a zoo's folder; leave out --out, and its plots go to {out / PLOTS}"
        )
    pictures = draw_plots(zoo)
    if out is not None:
        return write_pictures(out, pictures)
    with locked(zoo.folder):
        if read_manifest(zoo.folder) != zoo.manifest:
            raise ZooError(f"{zoo.folder} was rebuilt in the meantime; run the same command again")
        written = write_pictures(zoo.folder / PLOTS, pictures)
        write_text(zoo.folder / CARD, zoo_card(zoo.manifest, zoo.properties, CAPTIONS))
    return written


def write_pictures(folder: Path, pictures: Mapping[str, bytes]) -> list[Path]:
    """Write each picture atomically."""
    for name, picture in pictures.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(picture)
    return [folder / name for name in pictures]


def draw_plots(zoo: Zoo) -> dict[str, bytes]:
    """Draw every plot as a PNG file, see ``plot_zoo``."""
    refuse_few(zoo)
    spec, rows, title = zoo.spec, zoo.properties, headline(zoo)
    means = mean_weights(zoo.weights)
    return {
        ACCURACY: as_png(lambda: accuracy_figure(rows, title)),
        MEAN_WEIGHT: as_png(lambda: mean_weight_figure(rows, means, spec, title)),
        UMAP: umap_picture(zoo, zoo.weights, rows, "weights"),
    }


def refuse_few(zoo: Zoo) -> None:
    """Refuse a zoo with too few snapshots to draw.

    Raises:
        ZooError: If it has too few, or matplotlib or umap-learn is not installed.
    """
    for package in ("matplotlib", "umap"):
        extra_package(package, "a plot")
    snapshots = len(zoo.weights)
    if snapshots < FEWEST:
        failed, built = len(zoo.manifest.failures), zoo.manifest.models_built
        raise ZooError(
            f"{zoo.folder} has {snapshots} snapshots ({failed} of {built} models failed), "
            f"plots need at least {FEWEST}; train more models"
        )


def umap_picture(
    zoo: Zoo,
    vectors: Weights | Float[np.ndarray, "snapshots dim"],
    rows: "pd.DataFrame",
    what: str,
    also: Sequence[str] = (),
) -> bytes:
    r"""Draw vectors laid out by UMAP, up to ``SAMPLE`` of them, as a PNG file.

    Args:
        zoo: Zoo of the snapshots.
        vectors: One vector per snapshot.
        rows: Properties of the snapshots, in the order of the vectors.
        what: Name of the vectors in the title, such as ``"weights"``.
        also: Measured properties to colour by, beside the axes that vary and the epoch.

    Raises:
        ZooError: If the zoo has too few snapshots, or matplotlib or umap-learn is not installed.

    Example:
        >>> import zoogen
        >>> zoo = zoogen.load_zoo("tetris-seed", models=20)
        >>> picture = zoogen.umap_picture(zoo, zoo.weights, zoo.properties, "weights")
        >>> picture[:4]
        b'\x89PNG'
    """
    refuse_few(zoo)
    drawn = drawn_rows(len(vectors))
    with Console(stderr=True).status(f"UMAP of {len(drawn):,} {what}"):
        places = umap_layout(np.asarray(vectors[drawn], dtype=np.float32))
    drawn_of = f", {len(drawn):,} snapshots drawn at random" if len(drawn) < len(vectors) else ""
    title = f"{headline(zoo)}\nUMAP of the {what}{drawn_of}"
    return as_png(lambda: umap_figure(rows.iloc[drawn], places, zoo.spec, title, also=also))


def headline(zoo: Zoo) -> str:
    """Return the title of a zoo's plots: its name, and its numbers of models and snapshots."""
    models, planned = zoo.properties["model"].nunique(), zoo.manifest.models_planned
    part = f"{models:,} of {planned:,}" if models < planned else f"{models:,}"
    return f"{zoo.spec.name}: {part} models, {len(zoo.weights):,} snapshots"


def mean_weights(weights: Weights) -> Float64[np.ndarray, " snapshots"]:
    """Return the mean of every weight vector; weights are read from disk block by block."""
    means = np.empty(len(weights))
    total = len(weights)
    with progress_bar("mean weights", things="snapshots", total=total, unit="snapshots") as report:
        for first in range(0, total, BLOCK):
            block = weights[first : first + BLOCK]
            means[first : first + BLOCK] = block.mean(axis=1, dtype=np.float64)
            report(len(block))
    return means


def drawn_rows(snapshots: int) -> Int64[np.ndarray, " drawn"]:
    """Draw up to ``SAMPLE`` row numbers at random, shuffled, the same every time.

    Rows are drawn as single snapshots, not as whole models: the nearest neighbours of a snapshot
    are other epochs of its model. With all epochs in the sample, UMAP would show each model as a
    thread by itself and nothing that models share.
    """
    return np.random.default_rng(SEED).permutation(snapshots)[:SAMPLE]


def umap_layout(
    weights: Float32[np.ndarray, "snapshots params"],
) -> Float32[np.ndarray, "snapshots 2"]:
    """Lay weight vectors out in the plane by UMAP, the same every time.

    The layout starts from the two leading principal components.

    Raises:
        ZooError: If umap-learn is not installed.
    """
    count = min(NEIGHBOURS, len(weights) - 1)
    return exact_umap(weights, neighbours=count, seed=SEED, what="a plot", init="pca")[0]
