"""The embedder protocol: weights in, embeddings out, and nothing else to look at."""

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

PROBED_ROWS = 64
TOLERANCE = 1e-3
"""In standard deviations of the embedding, as ``STEADY`` is."""
STEADY = 0.1
FORGIVEN = 0.1
"""Share of nudged rows whose embedding may leap: a threshold may lie beside a weight."""
LARGEST = 1e100
"""Of an embedding: sums of its squares must be numbers, or no difference can be measured."""


@runtime_checkable
class Embedder(Protocol):
    """Learns to embed the snapshots of one zoo from their weights alone."""

    name: str

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Embedder":
        """Learn from the training models; ``validation`` may only stop or select."""

    def transform(self, weights: Weights) -> Float[np.ndarray, "snapshots dim"]:
        """Embed each row on its own: neither its neighbours nor its place may matter."""


Embeddings = Mapping[Split, Float[np.ndarray, "_snapshots dim"]]


@dataclass(frozen=True)
class Embedded:
    """All snapshots of a zoo as an embedder sees them.

    Attributes:
        splits: The embeddings, in the zoo's order of each split.
        seconds: What fitting and embedding took.
        errors: ``squared_errors`` of the test split reconstructed, its hidden units permuted; None
            of an embedder that does not reconstruct.
    """

    splits: Embeddings
    seconds: float
    errors: Float64[np.ndarray, "2 snapshots"] | None


def embed(embedder: Embedder, zoo: Zoo | ZooPair, *, seed: int) -> Embedded:
    """Fit an embedder on a zoo and embed all its snapshots, or those another zoo tests on.

    The embedder sees copies in an order that follows from the rows themselves and the seed: where
    a row lies says nothing about its model or epoch, not even to who knows how the order is made.
    It works on a stack of its own and may not open the files of the zoo.

    Raises:
        EmbedderError: If an embedding or reconstruction has the wrong number of rows or is not
            finite, or if an embedding is constant, changes with the order or the company in
            which a row is embedded, or leaps when the last bit of every weight changes. If the
            embedder looks for what it was not handed.
    """
    orders = {split: shuffle(zoo.part(split).weights, seed=seed) for split in SPLITS}
    refuse_empty({split: len(order) for split, order in orders.items()}, zoo)
    shown = {split: shuffled(zoo, split, order) for split, order in orders.items()}
    draw = np.random.default_rng([seed, int(zoo.manifest.content_sha256[:16], 16)])
    folders = [folder for one in zoos_of(zoo) for folder in (one.folder, zoo_folder(one.spec.name))]
    name = alone(partial(getattr, embedder, "name"))
    with watched(name, folders):
        found = alone(partial(embed_shown, embedder, shown, draw, seed=seed))
    embeddings = {split: in_place(found.splits[split], order) for split, order in orders.items()}
    if all(np.ptp(rows, axis=0).max() == 0 for rows in embeddings.values()):
        raise EmbedderError(f"{name} embeds every snapshot alike: nothing can be read off")
    errors = found.errors
    if errors is not None:
        errors = in_place(errors.T, orders["test"]).T
    return replace(found, splits=embeddings, errors=errors)


def embed_shown(
    embedder: Embedder, shown: Mapping[Split, Weights], draw: Generator, *, seed: int
) -> Embedded:
    """Fit a copy, embed and check, in the order shown; nothing here knows more than the copy."""
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
    if isinstance(fitted, Reconstructs):
        views = permuted(shown["test"], draw)
        decoded = reconstruction_of(fitted, embedding_of(fitted, views), views)
        if decoded is not None:
            errors = squared_errors(views, decoded)
    return Embedded(rows, seconds, errors)


def refuse_empty(rows: Mapping[Split, int], zoo: Zoo | ZooPair) -> None:
    """Refuse a zoo so partial that a split has no snapshot."""
    empty = [split for split, count in rows.items() if count == 0]
    if empty:
        built = " and ".join(
            f"{one.manifest.models_built} of {one.manifest.models_planned} models of "
            f"{one.spec.name} are built"
            for one in zoos_of(zoo)
        )
        raise ZooError(f"no snapshot in {' and '.join(empty)} yet: {built}; build more of them")


def shuffle(weights: Weights, *, seed: int) -> Int64[np.ndarray, " snapshots"]:
    """Return the order of the rows by their hashes: the same wherever each row was before."""
    key = seed.to_bytes(8, "little", signed=True)
    hashes = b"".join(
        blake2b(row.tobytes(), digest_size=8, key=key).digest()
        for first in range(0, len(weights), ROWS)
        for row in weights[first : first + ROWS]
    )
    return np.argsort(np.frombuffer(hashes, dtype="<u8"), kind="stable")


def shuffled(zoo: Zoo | ZooPair, split: Split, order: Int64[np.ndarray, " snapshots"]) -> Weights:
    """Copy the weights of a split in the order given, without a trace of where they were."""
    return Weights([np.asarray(zoo.part(split).weights.take(order))], zoo.layout)


def in_place(
    rows: Float[np.ndarray, "snapshots dim"], order: Int64[np.ndarray, " snapshots"]
) -> Float[np.ndarray, "snapshots dim"]:
    """Put shuffled rows back to where they came from."""
    placed = np.empty_like(rows)
    placed[order] = rows
    return placed


def embedding_of(embedder: Embedder, weights: Weights) -> Float[np.ndarray, "snapshots dim"]:
    """Embed, and refuse what is not one finite row per snapshot."""
    rows = np.asarray(embedder.transform(weights))
    if rows.ndim != 2 or len(rows) != len(weights) or rows.shape[1] == 0:
        raise EmbedderError(
            f"{embedder.name} returned shape {rows.shape} for {len(weights)} snapshots, "
            f"expected ({len(weights)}, dim): one row per snapshot, in the order given"
        )
    if not np.issubdtype(rows.dtype, np.floating):
        raise EmbedderError(f"{embedder.name} returned {rows.dtype}, expected floats")
    refuse_not_finite(rows, embedder.name)
    return rows


def reconstruction_of(
    embedder: Reconstructs, embeddings: Float[np.ndarray, "snapshots dim"], weights: Weights
) -> Float[np.ndarray, "snapshots params"] | None:
    """Reconstruct, and refuse what is not one finite vector of weights per snapshot."""
    name = getattr(embedder, "name", "the embedder")
    decoded = embedder.reconstruct(embeddings)
    if decoded is None:
        return None
    rows = np.asarray(decoded)
    if rows.shape != weights.shape:
        raise EmbedderError(
            f"{name} reconstructed shape {rows.shape}, expected {weights.shape}, as the weights"
        )
    refuse_not_finite(rows, name)
    return rows


def refuse_not_finite(rows: Float[np.ndarray, "snapshots dim"], name: str) -> None:
    """Refuse rows with infinities, with what is not a number or with what has no square."""
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise EmbedderError(
            f"{name} returned {np.sum(~finite)} of {len(rows)} rows that are not finite, "
            f"the first at {np.argmin(finite)}; embed every snapshot or clip"
        )
    largest = max(float(rows.max(initial=0)), -float(rows.min(initial=0)))
    if largest > LARGEST:
        raise EmbedderError(
            f"{name} returned a value of size {largest:.0e}, {LARGEST:.0e} allowed; scale or clip"
        )


def check_rows_stand_alone(
    embedder: Embedder, weights: Weights, rows: Float[np.ndarray, "snapshots dim"]
) -> None:
    """Embed some rows again and see that they do not change.

    They are shown in another order and in a smaller batch, one of them alone, and then nudged:
    what only remembers the rows it saw does not know those. Which rows is not drawn from the seed
    of the embedder, it could draw the same.
    """
    order = np.random.default_rng().permutation(len(weights))
    for chosen in (order[:PROBED_ROWS], order[:1]):
        moved = shift(embedder, weights.take(chosen), rows, chosen).max()
        if not moved <= TOLERANCE:
            raise EmbedderError(
                f"{embedder.name} embeds a snapshot differently in another batch or order: off by "
                f"{moved:.2g} standard deviations, {TOLERANCE} allowed; each row must be embedded "
                "on its own, without statistics of the batch or random draws in transform"
            )
    chosen = order[:PROBED_ROWS]
    leaps = shift(embedder, nudged(weights.take(chosen)), rows, chosen) > STEADY
    if leaps.mean() > FORGIVEN:
        raise EmbedderError(
            f"{embedder.name} embeds {leaps.sum()} of {len(leaps)} snapshots elsewhere once the "
            f"last bit of each weight changes, further than {STEADY} standard deviations; it must "
            "use what a weight amounts to, not recognise the snapshots it has seen"
        )


def shift(
    embedder: Embedder,
    weights: Weights,
    rows: Float[np.ndarray, "snapshots dim"],
    chosen: Int64[np.ndarray, " chosen"],
) -> Float64[np.ndarray, " chosen"]:
    """Embed rows again and return how far each comes from where it was.

    Args:
        embedder: Fitted.
        weights: What to embed.
        rows: An earlier embedding, in whose standard deviations the distance is.
        chosen: Which of its rows the weights belong to.

    Raises:
        EmbedderError: As ``embedding_of``, or if the embedding has another width now.
    """
    again = embedding_of(embedder, weights)
    if again.shape[1] != rows.shape[1]:
        raise EmbedderError(
            f"{embedder.name} returned {rows.shape[1]} columns for {len(rows)} snapshots and "
            f"{again.shape[1]} for {len(chosen)}, expected the same"
        )
    return distances(again, rows[chosen], rows)


def distances(
    first: Float[np.ndarray, "chosen dim"],
    second: Float[np.ndarray, "chosen dim"],
    rows: Float[np.ndarray, "snapshots dim"],
) -> Float64[np.ndarray, " chosen"]:
    """Return how far rows lie apart along the worst axis, in standard deviations of ``rows``."""
    wide = rows.astype(np.float64)
    spread = wide.std(axis=0) + 1e-6 * np.abs(wide).max(axis=0) + np.finfo(np.float32).tiny
    apart: Float64[np.ndarray, " chosen"] = (
        np.abs(first - second.astype(np.float64)) / spread
    ).max(axis=1)
    return apart


def nudged(weights: Weights) -> Weights:
    """Move every weight one float away from zero: order, sign, ties and zeros stay as they are."""
    rows = np.asarray(weights)
    away = np.nextafter(rows, np.copysign(np.float32(np.inf), rows))
    return Weights([np.where(rows == 0, rows, away)], weights.layout)
