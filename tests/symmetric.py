"""Networks whose hidden units can be permuted, and weight vectors with permuted units."""

import numpy as np
import pytest
from hypothesis import strategies as st

from zoogen import CNN, MLP, ZOOS, Layout, Weights, permutation_index

NETWORKS: dict[str, MLP | CNN] = {
    "tetris": ZOOS["tetris-seed"].network,
    "deep mlp": MLP(widths=(6, 7, 5, 4), bias=True),
    "the paper's cnn": ZOOS["mnist-seed"].network,
    "small cnn": ZOOS["mnist-hyp"].network,
}
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def population(layout: Layout, rows: int = 9) -> Weights:
    """Draw different weight vectors."""
    values = np.random.default_rng(0).normal(0, 0.3, (rows, layout.params))
    return Weights([values.astype(np.float32)], layout)


def reordered(network: MLP | CNN, weights: Weights, data: st.DataObject) -> Weights:
    """Permute the hidden units of every vector in the same way."""
    orders = {
        layer.name: np.array(data.draw(st.permutations(range(layer.units))))
        for layer in network.layout.symmetry
    }
    index = permutation_index(network.layout, network.layout.symmetry, orders)
    return Weights([np.asarray(weights)[:, index]], network.layout)
