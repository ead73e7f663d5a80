"""The embedder protocol: weights in, embeddings out."""

import logging
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from time import perf_counter
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float64, Int64
from numpy.random import Generator

from zoobench.embedders.alone import EmbedderError, alone, watched
from zoobench.embedders.reconstruct import ROWS, Reconstructs, permuted, squared_errors
from zoobench.task.pair import ZooPair, zoos_of
from zoogen import SPLITS, Split, Weights, Zoo, ZooError, zoo_folder

log = logging.getLogger(__name__)

PROBED_ROWS = 64
"""Rows embedded again to check an embedder."""
TOLERANCE = 1e-3
"""Distance a row may move when embedded again, in standard deviations of the embedding."""
STEADY = 0.1
"""Distance a nudged row may move, in standard deviations of the embedding."""
FORGIVEN = 0.1
"""Share of nudged rows that may move further: a weight may lie beside a threshold."""
LARGEST = 1e100
"""Largest value of an embedding: sums of squares must stay finite to measure distances."""


@runtime_checkable
class Embedder(Protocol):
    """Learns to embed the snapshots of one zoo from their weights alone."""

    name: str

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Embedder":
        """Learn from the training models; use ``validation`` only to stop or to select."""

    def transform(self, weights: Weights) -> Float[np.ndarray, "snapshots dim"]:
        """Embed each row on its own: neither its neighbours nor its place may matter."""


Embeddings = Mapping[Split, Float[np.ndarray, "_snapshots dim"]]


@dataclass(frozen=True)
class Embedded:
    """The embeddings of all snapshots of a zoo.

    Attributes:
        splits: Embeddings of each split, in the zoo's order.
        seconds: Time to fit and to embed.
        errors: ``squared_errors`` of the reconstructed test split, its hidden units permuted; None
            if the embedder does not reconstruct.
    """

    splits: Embeddings
    seconds: float
    errors: Float64[np.ndarray, "2 snapshots"] | None


def embed(embedder: Embedder, zoo: Zoo | ZooPair, *, seed: int) -> Embedded:
    """Fit an embedder on a zoo and embed every split; the test split of a pair is the other zoo's.

    The embedder gets copies of the rows, ordered by a hash of their values and the seed. The place
    of a row says nothing about its model or epoch, even to someone who knows how the order is
    made. The embedder runs on a stack of its own and may not open the files of the zoo.

    Raises:
        EmbedderError: If an embedding or reconstruction has the wrong number of rows or is not
            finite. If an embedding is constant, changes with the order or the company in which a
            row is embedded, or leaps when the last bit of every weight changes. If the embedder
            opens files of the zoo or searches for other objects.
    """
    orders = {split: shuffle(zoo.part(split).weights, seed=seed) for split in SPLITS}
    refuse_empty({split: len(order) for split, order in orders.items()}, zoo)
    shown = {split: shuffled(zoo, split, order) for split, order in orders.items()}
    draw = np.random.default_rng([seed, int(zoo.manifest.content_sha256[:16], 16)])
    folders = [folder for one in zoos_of(zoo) for folder in (one.folder, zoo_folder(one.spec.name))]
    name = alone(partial(getattr, embedder, "name"))
    with watched(name, folders):
        found = alone(partial(embed_shown, embedder, shown, draw, seed=seed))
    embeddings = {split: unshuffled(found.splits[split], order) for split, order in orders.items()}
    if all(np.ptp(rows, axis=0).max() == 0 for rows in embeddings.values()):
        raise EmbedderError(f"{name} embeds every snapshot alike; expected rows that differ")
    errors = found.errors
    if errors is not None:
        errors = unshuffled(errors.T, orders["test"]).T
    return replace(found, splits=embeddings, errors=errors)


def embed_shown(
    embedder: Embedder, shown: Mapping[Split, Weights], draw: Generator, *, seed: int
) -> Embedded:
    """Fit a copy of the embedder, embed and check, on a stack that holds no labels."""
    embedder = deepcopy(embedder)
    start = perf_counter()
    fitted = embedder.fit(shown["train"], shown["validation"], seed=seed)
    if fitted is None:
        raise EmbedderError(
            f"fit of {embedder.name} returned None, expected the embedder: return self"
        )
    rows = {split: embedding_of(fitted, weights) for split, weights in shown.items()}
    seconds = perf_counter() - start
    check_rows_stand_alone(fitted, shown["test"], rows["test"])
    errors = None
    if isinstance(fitted, Reconstructs) and may_be_permuted(shown["test"]):
        views = permuted(shown["test"], draw)
        decoded = reconstruction_of(fitted, embedding_of(fitted, views), views)
        if decoded is not None:
            errors = squared_errors(views, decoded)
    return Embedded(rows, seconds, errors)


def may_be_permuted(weights: Weights) -> bool:
    """Tell whether reconstruction can be scored; warn if the network declares no symmetry."""
    try:
        weights.layout.declared_symmetry("reconstruction")
    except ZooError as error:
        log.warning("reconstruction is not scored: %s", error)
        return False
    return True


def refuse_empty(rows: Mapping[Split, int], zoo: Zoo | ZooPair) -> None:
    """Refuse a partial zoo with an empty split."""
    empty = [split for split, count in rows.items() if count == 0]
    if empty:
        built = " and ".join(
            f"{one.manifest.models_built} of {one.manifest.models_planned} models of "
            f"{one.spec.name} are built"
            for one in zoos_of(zoo)
        )
        raise ZooError(f"no snapshots in {' and '.join(empty)} yet: {built}; build more models")


def shuffle(weights: Weights, *, seed: int) -> Int64[np.ndarray, " snapshots"]:
    """Return the order of the rows by hash, which does not depend on their order before."""
    key = seed.to_bytes(8, "little", signed=True)
    hashes = b"".join(
        blake2b(row.tobytes(), digest_size=8, key=key).digest()
        for first in range(0, len(weights), ROWS)
        for row in weights[first : first + ROWS]
    )
    return np.argsort(np.frombuffer(hashes, dtype="<u8"), kind="stable")


def shuffled(zoo: Zoo | ZooPair, split: Split, order: Int64[np.ndarray, " snapshots"]) -> Weights:
    """Copy the weights of a split in the given order, without a trace of their old order."""
    return Weights([np.asarray(zoo.part(split).weights.take(order))], zoo.layout)


def unshuffled(
    rows: Float[np.ndarray, "snapshots dim"], order: Int64[np.ndarray, " snapshots"]
) -> Float[np.ndarray, "snapshots dim"]:
    """Return shuffled rows in their order before ``order`` was applied."""
    original = np.empty_like(rows)
    original[order] = rows
    return original


def embedding_of(embedder: Embedder, weights: Weights) -> Float[np.ndarray, "snapshots dim"]:
    """Embed weights and refuse anything but one finite row per snapshot."""
    rows = np.asarray(embedder.transform(weights))
    if rows.ndim != 2 or len(rows) != len(weights) or rows.shape[1] == 0:
        raise EmbedderError(
            f"{embedder.name} returned shape {rows.shape} for {len(weights)} snapshots, "
            f"expected ({len(weights)}, dim): one row per snapshot, in the given order"
        )
    if not np.issubdtype(rows.dtype, np.floating):
        raise EmbedderError(f"{embedder.name} returned {rows.dtype}, expected floats")
    refuse_not_finite(rows, embedder.name)
    return rows


def reconstruction_of(
    embedder: Reconstructs, embeddings: Float[np.ndarray, "snapshots dim"], weights: Weights
) -> Float[np.ndarray, "snapshots params"] | None:
    """Reconstruct weights and refuse anything but one finite vector per snapshot."""
    name = getattr(embedder, "name", "the embedder")
    decoded = embedder.reconstruct(embeddings)
    if decoded is None:
        return None
    rows = np.asarray(decoded)
    if rows.shape != weights.shape:
        raise EmbedderError(
            f"{name} reconstructed shape {rows.shape}, expected {weights.shape}, like the weights"
        )
    refuse_not_finite(rows, name)
    return rows


def refuse_not_finite(rows: Float[np.ndarray, "snapshots dim"], name: str) -> None:
    """Refuse rows with a value that is not finite or larger than ``LARGEST``."""
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise EmbedderError(
            f"{name} returned {np.sum(~finite)} of {len(rows)} rows that are not finite, "
            f"the first at {np.argmin(finite)}; embed every snapshot or clip"
        )
    largest = max(float(rows.max(initial=0)), -float(rows.min(initial=0)))
    if largest > LARGEST:
        raise EmbedderError(
            f"{name} returned a value of size {largest:.0e}, at most {LARGEST:.0e} is allowed; "
            "scale or clip"
        )


def check_rows_stand_alone(
    embedder: Embedder, weights: Weights, rows: Float[np.ndarray, "snapshots dim"]
) -> None:
    """Embed some rows again and check that the embeddings stay the same.

    The rows come in another order and a smaller batch, then one alone, and then nudged, so that an
    embedder that only remembers rows does not know them. The choice of rows does not follow from
    the seed of the embedder, which could draw the same.
    """
    order = np.random.default_rng().permutation(len(weights))
    for chosen in (order[:PROBED_ROWS], order[:1]):
        moved = shift(embedder, weights.take(chosen), rows, chosen).max()
        if not moved <= TOLERANCE:
            raise EmbedderError(
                f"{embedder.name} embeds a snapshot differently in another batch or order: off by "
                f"{moved:.2g} standard deviations, at most {TOLERANCE} is allowed; embed each row "
                "on its own, without statistics of the batch or random draws in transform"
            )
    chosen = order[:PROBED_ROWS]
    leaps = shift(embedder, nudged(weights.take(chosen)), rows, chosen) > STEADY
    if leaps.mean() > FORGIVEN:
        raise EmbedderError(
            f"{embedder.name} moves {leaps.sum()} of {len(leaps)} snapshots by more than {STEADY} "
            "standard deviations when the last bit of each weight changes; use the values of the "
            "weights, do not recognise snapshots"
        )


def shift(
    embedder: Embedder,
    weights: Weights,
    rows: Float[np.ndarray, "snapshots dim"],
    chosen: Int64[np.ndarray, " chosen"],
) -> Float64[np.ndarray, " chosen"]:
    """Embed weights again and return the distance of each row to its earlier embedding.

    Args:
        embedder: Fitted embedder.
        weights: Weights to embed.
        rows: Earlier embedding; its standard deviations are the unit of the distances.
        chosen: Row of the earlier embedding for each weight vector.

    Raises:
        EmbedderError: As ``embedding_of``, or if the embedding now has another width.
    """
    again = embedding_of(embedder, weights)
    if again.shape[1] != rows.shape[1]:
        raise EmbedderError(
            f"{embedder.name} returned {rows.shape[1]} columns for {len(rows)} snapshots and "
            f"{again.shape[1]} for {len(chosen)}, expected the same number"
        )
    return distances(again, rows[chosen], rows)


def distances(
    first: Float[np.ndarray, "chosen dim"],
    second: Float[np.ndarray, "chosen dim"],
    rows: Float[np.ndarray, "snapshots dim"],
) -> Float64[np.ndarray, " chosen"]:
    """Return the distance of paired rows along the worst axis, in standard deviations of rows."""
    wide = rows.astype(np.float64)
    spread = wide.std(axis=0) + 1e-6 * np.abs(wide).max(axis=0) + np.finfo(np.float32).tiny
    apart: Float64[np.ndarray, " chosen"] = (
        np.abs(first - second.astype(np.float64)) / spread
    ).max(axis=1)
    return apart


def nudged(weights: Weights) -> Weights:
    """Move every weight one float away from zero; order, signs, ties and zeros stay."""
    rows = np.asarray(weights)
    away = np.nextafter(rows, np.copysign(np.float32(np.inf), rows))
    return Weights([np.where(rows == 0, rows, away)], weights.layout)
