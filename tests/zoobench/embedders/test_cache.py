"""Embeddings are cached by content: the same are read again, any others are made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoobench.embedders.cache import cache_folder, cached_embeddings, content_key
from zoobench.embedders.provenance import embedder_stamp, zoo_stamp
from zoogen import SPLITS, Weights, Zoo


class Counted:
    """Counts how often it is fitted."""

    name = "counted"
    fits = 0

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Counted":
        type(self).fits += 1
        return self

    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights)[:, :3].astype(np.float64)


@pytest.fixture
def fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    monkeypatch.setenv("ZOOBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(Counted, "fits", 0)
    return Counted


def test_the_same_embedding_is_made_once(seed_zoo: Zoo, fits: type[Counted]):
    first = cached_embeddings(Counted(), seed_zoo, key="k", seed=0)
    again = cached_embeddings(Counted(), seed_zoo, key="k", seed=0)
    assert fits.fits == 1
    assert again.seconds == first.seconds
    for split in SPLITS:
        assert np.array_equal(first.splits[split], again.splits[split])
        assert first.splits[split].dtype == again.splits[split].dtype


def test_a_damaged_file_is_replaced(
    seed_zoo: Zoo, fits: type[Counted], caplog: pytest.LogCaptureFixture
):
    cached_embeddings(Counted(), seed_zoo, key="k", seed=0)
    (file,) = (cache_folder() / "embeddings").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    cached_embeddings(Counted(), seed_zoo, key="k", seed=0)
    assert fits.fits == 2
    assert "damaged" in caplog.text
    cached_embeddings(Counted(), seed_zoo, key="k", seed=0)
    assert fits.fits == 2


def test_the_key_follows_everything_that_decides_an_embedding(seed_zoo: Zoo, hyp_zoo: Zoo):
    class Other(Counted):
        settings = property(lambda self: {"dim": 3})

    one, other = (embedder_stamp(embedder, name="x") for embedder in (Counted(), Other()))
    keys = {
        content_key(one, [zoo_stamp(seed_zoo)], 0, {"numpy": "1"}),
        content_key(one, [zoo_stamp(seed_zoo)], 1, {"numpy": "1"}),
        content_key(one, [zoo_stamp(seed_zoo)], 0, {"numpy": "2"}),
        content_key(one, [zoo_stamp(hyp_zoo)], 0, {"numpy": "1"}),
        content_key(other, [zoo_stamp(seed_zoo)], 0, {"numpy": "1"}),
    }
    assert len(keys) == 5
    assert content_key(one, [zoo_stamp(seed_zoo)], 0, {"numpy": "1"}) in keys
