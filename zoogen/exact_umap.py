"""UMAP on exact neighbours, the same every time."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from zoogen.extras import extra_package

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors


def exact_umap(
    rows: Float32[np.ndarray, "rows params"],
    *,
    neighbours: int,
    seed: int,
    what: str,
    **settings: Any,
) -> "tuple[Float32[np.ndarray, 'rows dim'], NearestNeighbors]":
    """Lay out vectors by UMAP from their exact nearest neighbours; return the search, too.

    For a few thousand rows this is faster than UMAP's own search, and does not depend on chance.

    Args:
        rows: Vectors.
        neighbours: Neighbours of each row, the row itself among them.
        seed: Seed of the layout.
        what: What needs umap-learn, for the message.
        settings: Other settings of ``umap.UMAP``.

    Raises:
        ZooError: If umap-learn is not installed.

    Source:
        McInnes, Healy and Melville 2018, arXiv:1802.03426.
    """
    umap = extra_package("umap", what)
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(rows)
    distances, others = search.kneighbors(n_neighbors=neighbours - 1)
    indices = np.column_stack([np.arange(len(rows)), others])
    lengths = np.column_stack([np.zeros(len(rows)), distances]).astype(np.float32)
    layout: Any = umap.UMAP(
        n_neighbors=neighbours,
        precomputed_knn=(indices, lengths),
        random_state=seed,
        n_jobs=1,
        **settings,
    )
    with warnings.catch_warnings():  # UMAP warns that it cannot place new rows later
        warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
        return np.asarray(layout.fit(rows).embedding_, dtype=np.float32), search
