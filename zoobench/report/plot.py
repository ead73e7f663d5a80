"""Plot the embeddings of a zoo."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zoobench.embedders.cache import embeddings_of
from zoobench.embedders.find import find_embedder
from zoobench.results.store import label
from zoogen import SPLITS, load_zoo, umap_picture
from zoogen.atomic import atomic_path

SEED = 0


def plot_embeddings(reference: str, settings: Mapping[str, str], zoo_name: str, path: Path) -> Path:
    """Draw the embeddings of all splits, coloured by what varies, by epoch and by accuracy.

    Args:
        reference: Embedder, as ``find_embedder`` takes it.
        settings: Settings of the embedder, as typed.
        zoo_name: Registered zoo, folder, or address on the Hub.
        path: PNG file to write; its folder is made.

    Raises:
        EmbedderError: If the embedder breaks the protocol.
        ZooError: If a name is unknown, an extra is not installed, the zoo has too few snapshots,
            or the file cannot be written.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, Figure 8.
    """
    import pandas as pd

    embedder, zoo = find_embedder(reference, settings), load_zoo(zoo_name)
    splits = embeddings_of(embedder, zoo, seed=SEED).splits
    rows = pd.concat([zoo.part(split).properties for split in SPLITS])
    embeddings = np.concatenate([splits[split] for split in SPLITS])
    what = f"embeddings by {label(embedder.name, settings)}"
    picture = umap_picture(zoo, embeddings, rows, what, also=("test_accuracy",))
    with atomic_path(path) as temporary:
        temporary.write_bytes(picture)
    return path
