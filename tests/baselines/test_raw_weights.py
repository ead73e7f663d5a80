import numpy as np

from baselines.raw_weights import RawWeights
from zoogen import Layout, Weights


def test_the_embedding_is_the_weight_vectors_neither_scaled_nor_centred() -> None:
    values = np.random.default_rng(0).normal(3, 2, (6, 14)).astype(np.float32)
    weights = Weights([values[:4], values[4:]], Layout.of({"fc1.weight": (3, 4), "fc1.bias": (2,)}))
    embedded = RawWeights().fit(weights, weights, seed=0).transform(weights)
    np.testing.assert_array_equal(embedded, values, strict=True)
