"""What an embedder sees, and which embeddings are refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zoobench.embedders.alone import EmbedderError
from zoobench.embedders.embed import embed, shuffle
from zoogen import SPLITS, Layout, Weights, Zoo


class Plain:
    """Embeds as the weights themselves; each class below breaks one rule."""

    name = "plain"

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Plain":
        self.seen = train
        return self

    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights)


class TooFewRows(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights)[1:]


class Flat(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights)[:, 0]


class NotFinite(Plain):
    def transform(self, weights: Weights) -> Any:
        rows = np.array(weights)
        rows[len(rows) // 2, 3] = np.nan
        return rows


class Constant(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.ones((len(weights), 2))


class Integers(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights).astype(int)


class Place(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.arange(len(weights), dtype=float)[:, None]


class BatchStatistics(Plain):
    def transform(self, weights: Weights) -> Any:
        rows = np.asarray(weights)
        return rows - rows.mean(axis=0)


class HiddenBesideALargeAxis(Plain):
    def transform(self, weights: Weights) -> Any:
        rows = np.asarray(weights, dtype=np.float64)
        return np.hstack([rows - rows.mean(axis=0), np.full((len(rows), 1), 1e9)])


class RandomDraws(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights) + np.random.default_rng().normal(size=weights.shape)


class Width(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights)[:, : 5 - (len(weights) == 1)]


class Huge(Plain):
    def transform(self, weights: Weights) -> Any:
        return np.asarray(weights, dtype=np.float64) * -1e200


@pytest.mark.parametrize("seed", [0, 1])
def test_embeddings_come_back_in_the_order_of_the_zoo(seed_zoo: Zoo, seed: int):
    embeddings = embed(Plain(), seed_zoo, seed=seed).splits
    for split in SPLITS:
        assert np.array_equal(embeddings[split], np.asarray(seed_zoo.part(split).weights))


def test_an_embedder_sees_all_training_rows_in_another_order(seed_zoo: Zoo):
    seen: list[np.ndarray] = []

    class Watches(Plain):
        def fit(self, train: Weights, validation: Weights, *, seed: int) -> Plain:
            seen.append(np.asarray(train))
            return self

    embed(Watches(), seed_zoo, seed=0)
    stored = np.asarray(seed_zoo.train.weights)
    assert not np.array_equal(seen[0], stored)
    assert np.array_equal(np.sort(seen[0], axis=0), np.sort(stored, axis=0))


def test_nothing_but_values_and_layout_reaches_an_embedder(seed_zoo: Zoo):
    class Looks(Plain):
        def fit(self, train: Weights, validation: Weights, *, seed: int) -> Plain:
            held = vars(train)
            assert train.layout == seed_zoo.layout
            assert held["_rows"] is None
            assert not any(isinstance(part.base, np.memmap) for part in held["_parts"])
            return self

    embed(Looks(), seed_zoo, seed=0)


def test_the_given_embedder_stays_unfitted(seed_zoo: Zoo):
    embedder = Plain()
    embed(embedder, seed_zoo, seed=0)
    assert not hasattr(embedder, "seen")


@pytest.mark.parametrize(
    ("embedder", "message"),
    [
        (TooFewRows, "one row per snapshot"),
        (Flat, "expected .* dim"),
        (NotFinite, "1 of .* rows that are not finite"),
        (Constant, "every snapshot alike"),
        (Integers, "expected floats"),
        (Place, "another batch or order"),
        (BatchStatistics, "another batch or order"),
        (HiddenBesideALargeAxis, "another batch or order"),
        (RandomDraws, "another batch or order"),
        (Width, "columns"),
        (Huge, r"value of size \de\+200, at most 1e\+100 is allowed"),
    ],
)
def test_an_embedding_that_breaks_the_protocol_is_refused(
    seed_zoo: Zoo, embedder: type[Plain], message: str
):
    with pytest.raises(EmbedderError, match=message):
        embed(embedder(), seed_zoo, seed=0)


class Decodes(Plain):
    """Reconstructs all but the last weight."""

    def reconstruct(self, embeddings: np.ndarray) -> Any:
        decoded = np.array(embeddings)
        decoded[:, -1] = 0
        return decoded


class DecodesTooFew(Plain):
    def reconstruct(self, embeddings: np.ndarray) -> Any:
        return embeddings[1:]


class DecodesNothing(Plain):
    def reconstruct(self, embeddings: np.ndarray) -> Any:
        return np.full_like(embeddings, np.nan)


class DoesNotDecode(Plain):
    def reconstruct(self, embeddings: np.ndarray) -> Any:
        return None


def test_a_reconstruction_is_scored_row_by_row_on_permuted_networks(
    seed_zoo: Zoo,
):
    errors = embed(Decodes(), seed_zoo, seed=0).errors
    assert errors is not None
    rows = np.asarray(seed_zoo.test.weights, dtype=np.float64)
    # The last unit's five weights in the last layer change places, so one of them is lost.
    lost = np.square(rows[:, -5:])
    assert np.isclose(lost, errors[0][:, None]).any(axis=1).all()
    assert not np.allclose(errors[0], lost[:, -1])


def test_an_embedder_that_does_not_reconstruct_has_no_errors(seed_zoo: Zoo):
    assert embed(Plain(), seed_zoo, seed=0).errors is None
    assert embed(DoesNotDecode(), seed_zoo, seed=0).errors is None


def test_a_reconstruction_is_not_scored_where_it_is_not_known_what_may_be_permuted(
    seed_zoo: Zoo, caplog: pytest.LogCaptureFixture
):
    weights = seed_zoo.weights
    undeclared = Weights([np.asarray(weights)], Layout.of(weights.layout.shapes))
    assert embed(Decodes(), replace(seed_zoo, weights=undeclared), seed=0).errors is None
    assert "reconstruction is not scored" in caplog.text


@pytest.mark.parametrize(
    ("embedder", "message"),
    [(DecodesTooFew, "reconstructed shape"), (DecodesNothing, "rows that are not finite")],
)
def test_a_reconstruction_that_breaks_the_protocol_is_refused(
    seed_zoo: Zoo, embedder: type[Plain], message: str
):
    with pytest.raises(EmbedderError, match=message):
        embed(embedder(), seed_zoo, seed=0)


def test_the_order_shown_follows_from_the_rows_and_not_from_their_places(seed_zoo: Zoo):
    rows = np.asarray(seed_zoo.train.weights)
    places = np.random.default_rng(5).permutation(len(rows))
    shown = {
        seed: [
            part[shuffle(Weights([part], seed_zoo.layout), seed=seed)]
            for part in (rows, rows[places])
        ]
        for seed in (0, 1)
    }
    for stored, moved in shown.values():
        assert np.array_equal(stored, moved)
    assert not np.array_equal(shown[0][0], shown[1][0])
