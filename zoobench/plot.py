"""Where an embedder puts the networks of a zoo, as a picture."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console

from zoobench.cache import embeddings_of
from zoobench.find import find_embedder
from zoobench.store import label
from zoogen import SPLITS, ZooError, atomic_path, load_zoo
from zoogen.figures import as_png, umap_figure
from zoogen.plots import FEWEST, drawn_rows, headline, imported, umap_layout

SEED = 0


def plot_embeddings(reference: str, settings: Mapping[str, str], zoo_name: str, path: Path) -> Path:
    """Draw the embeddings of all splits, coloured by what varies, by epoch and by accuracy.

    Args:
        reference: The embedder, as ``find_embedder`` takes it.
        settings: Of the embedder, as typed.
        zoo_name: A registered zoo or a folder.
        path: The PNG file to write; its folder is made.

    Raises:
        EmbedderError: If the embedder breaks the protocol.
        ZooError: If something is not found, an extra is not installed, the zoo has hardly a
            snapshot, or the file cannot be written.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, Figure 8.
    """
    import pandas as pd

    for package in ("matplotlib", "umap"):
        imported(package)
    embedder, zoo = find_embedder(reference, settings), load_zoo(zoo_name)
    if len(zoo.weights) < FEWEST:
        raise ZooError(f"{zoo.folder} has {len(zoo.weights)} snapshots, a plot needs {FEWEST}")
    splits = embeddings_of(embedder, zoo, seed=SEED).splits
    drawn = drawn_rows(len(zoo.weights))
    rows = pd.concat([zoo.part(split).properties for split in SPLITS]).iloc[drawn]
    embeddings = np.concatenate([splits[split] for split in SPLITS])[drawn]
    with Console(stderr=True).status(f"UMAP of {len(drawn):,} embeddings"):
        places = umap_layout(embeddings.astype(np.float32))
    name = label(embedder.name, settings)
    title = f"{headline(zoo)}\nUMAP of {len(drawn):,} embeddings by {name}"
    picture = as_png(lambda: umap_figure(rows, places, zoo.spec, title, also=("test_accuracy",)))
    with atomic_path(path) as temporary:
        temporary.write_bytes(picture)
    return path
