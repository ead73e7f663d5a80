"""Check that an embedder keeps the rules, on a small zoo and in seconds."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float, Float64

from zoobench.checks.findings import Finding, judged
from zoobench.checks.memory import peak_growth
from zoobench.checks.tiny import staged
from zoobench.embedders.alone import EmbedderError, alone, watched
from zoobench.embedders.embed import (
    FORGIVEN,
    STEADY,
    TOLERANCE,
    Embedder,
    distances,
    embedding_of,
    nudged,
    reconstruction_of,
    shift,
    shuffle,
    shuffled,
)
from zoobench.embedders.reconstruct import Reconstructs
from zoogen import SPLITS, Split, Weights, Zoo
from zoogen.progress import progress_bar

Result = TypeVar("Result")
Shown = Mapping[Split, Weights]
Rows = Float[np.ndarray, "snapshots dim"]

SEED = 0
RUNS = 3
PIECES = (1, 2, 5)
"""Sizes of the first batches; the last batch holds the rest."""
MANY = 1024
"""Snapshots embedded at once to measure the cost of one."""
TETRIS_HYP = 270_000
"""Snapshots of the zoo tetris-hyp."""


@dataclass(frozen=True)
class TimedEmbeddings:
    """The embeddings of every split, and the seconds it took to fit the embedder."""

    rows: Mapping[Split, Float[np.ndarray, "_snapshots dim"]]
    fit_seconds: float


def check(embedder: Embedder, zoo: Zoo) -> list[Finding]:
    """Check an embedder on a small zoo; an error that it raises is also a finding.

    Three copies are fitted with the same seed. The first embeds every split at once, the second
    sees exchanged labels in memory and on disk, the third embeds in pieces.
    """
    found: list[Finding] = []
    try:
        with progress_bar(zoo.spec.name, things="runs", total=RUNS, unit="runs") as report:
            for each in findings(embedder, zoo, report):
                found.append(each)
    except EmbedderError as error:
        found.append(Finding("rules", "FAILED", str(error)))
    except Exception as error:  # noqa: BLE001, an embedder may raise anything
        found.append(Finding("rules", "FAILED", crash_text(error)))
    return found


def crash_text(error: Exception) -> str:
    """Say which error was raised, and where."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"raised {type(error).__name__}: {error} ({where.filename}:{where.lineno})"


def findings(embedder: Embedder, zoo: Zoo, report: Callable[[int], None]) -> Iterator[Finding]:
    """Yield the findings one by one; report each run of the embedder."""
    whole = rehearse(embedder, zoo, embed_whole)
    report(1)
    test = whole.rows["test"]
    snapshots, dim = test.shape
    detail = f"{snapshots} test snapshots become {snapshots} × {dim} finite {test.dtype}"
    yield judged("shape", detail, passed=True)
    alike = all(np.ptp(rows, axis=0).max() == 0 for rows in whole.rows.values())
    yield judged(
        "tells apart", "every snapshot alike" if alike else "snapshots differ", passed=not alike
    )
    relabelled = rehearse(embedder, zoo, embed_whole, relabelled=True)
    report(1)
    yield compared("labels", largest_shift(relabelled.rows, whole.rows), "all labels exchanged")
    yield from rehearse(embedder, zoo, partial(compare_again, whole=whole))
    report(1)


def rehearse(
    embedder: Embedder,
    zoo: Zoo,
    work: Callable[[Embedder, Shown], Result],
    *,
    relabelled: bool = False,
) -> Result:
    """Run some work with a copy of an embedder on what an evaluation would show it."""
    with staged(zoo, relabelled=relabelled) as lent:
        shown = {
            split: shuffled(lent, split, shuffle(lent.part(split).weights, seed=SEED))
            for split in SPLITS
        }
        with watched(embedder.name, [lent.folder]):
            return alone(lambda: work(deepcopy(embedder), shown))


def embed_whole(embedder: Embedder, shown: Shown) -> TimedEmbeddings:
    """Fit and embed each split at once; also reconstruct if the embedder can."""
    start = perf_counter()
    fitted = embedder.fit(shown["train"], shown["validation"], seed=SEED)
    seconds = perf_counter() - start
    if fitted is None:
        raise EmbedderError("fit returned None, expected the embedder: return self")
    rows = {split: embedding_of(fitted, weights) for split, weights in shown.items()}
    if isinstance(fitted, Reconstructs):
        reconstruction_of(fitted, rows["test"], shown["test"])
    return TimedEmbeddings(rows, seconds)


def compare_again(embedder: Embedder, shown: Shown, *, whole: TimedEmbeddings) -> list[Finding]:
    """Fit again, embed in several ways and compare with embeddings of whole splits."""
    start = perf_counter()
    fitted = embedder.fit(shown["train"], shown["validation"], seed=SEED)
    seconds = perf_counter() - start
    test, rows = shown["test"], whole.rows["test"]
    order = np.random.default_rng().permutation(len(test))
    found = [
        compared("batch", in_pieces(fitted, test, rows).max(), "alone and in small batches"),
        compared("order", shift(fitted, test.take(order), rows, order).max(), "another order"),
        compared("company", among_others(fitted, shown, rows).max(), "among other networks"),
    ]
    leaps = np.concatenate([leaping(fitted, shown[split], whole.rows[split]) for split in SPLITS])
    detail = f"the last bit of each weight changed: {leaps.sum()} of {len(leaps)} rows leap"
    found.append(judged("recognition", detail, passed=bool(leaps.mean() <= FORGIVEN)))
    again = {split: embedding_of(fitted, weights) for split, weights in shown.items()}
    moved = largest_shift(again, whole.rows)
    found.insert(0, compared("seed", moved, "fitted again, the same seed"))
    return [*found, *costs(fitted, test, max(seconds, whole.fit_seconds), len(shown["train"]))]


def in_pieces(embedder: Embedder, test: Weights, rows: Rows) -> Float64[np.ndarray, " snapshots"]:
    """Embed batch by batch; return the shift of each row."""
    bounds = [0, *np.cumsum(PIECES), len(test)]
    pieces = [np.arange(first, last) for first, last in pairwise(bounds)]
    return np.concatenate([shift(embedder, test.take(piece), rows, piece) for piece in pieces])


def among_others(embedder: Embedder, shown: Shown, rows: Rows) -> Float64[np.ndarray, " snapshots"]:
    """Embed test rows between training rows and tripled ones; return the shift of each."""
    own, others = np.asarray(shown["test"]), np.asarray(shown["train"])
    mixed = Weights([np.concatenate([others, own, 3 * others])], shown["test"].layout)
    here = embedding_of(embedder, mixed)[len(others) : len(others) + len(own)]
    return distances(here, rows, rows)


def largest_shift(again: Mapping[Split, Rows], before: Mapping[Split, Rows]) -> float:
    """Return the largest shift of a row over all splits, in standard deviations."""
    for split, rows in before.items():
        if again[split].shape != rows.shape:
            raise EmbedderError(
                f"embedded the {split} split to shape {rows.shape}, then to {again[split].shape}, "
                "expected the same"
            )
    return float(max(distances(again[each], rows, rows).max() for each, rows in before.items()))


def compared(subject: str, moved: float, what: str) -> Finding:
    """Judge how far rows moved when embedded again."""
    passed = bool(moved <= TOLERANCE)
    seen = "the same bit for bit" if moved == 0 else f"off by {moved:.1g} standard deviations"
    allowed = "" if passed else f", at most {TOLERANCE} is allowed"
    return judged(subject, f"{what}: {seen}{allowed}", passed=passed)


def leaping(embedder: Embedder, weights: Weights, rows: Rows) -> Bool[np.ndarray, " snapshots"]:
    """Tell which rows leap when the last bit of each weight changes."""
    return shift(embedder, nudged(weights), rows, np.arange(len(rows))) > STEADY


def costs(embedder: Embedder, test: Weights, seconds: float, fitted_on: int) -> list[Finding]:
    """Report the time to fit, and measure time and memory of embedding many snapshots at once."""
    many = Weights([np.resize(np.asarray(test), (MANY, test.shape[1]))], test.layout)
    start = perf_counter()
    with peak_growth() as growth:
        embedding_of(embedder, many)
    each = (perf_counter() - start) / MANY
    return [
        Finding(
            "time",
            "note",
            f"fit {seconds:.2g} s on {fitted_on} snapshots; transform {1e6 * each:,.0f} µs a "
            f"snapshot, {each * TETRIS_HYP:,.0f} s for {TETRIS_HYP:,}",
        ),
        Finding(
            "memory",
            "note",
            f"{growth.bytes / 1e6:,.0f} MB more while {MANY:,} snapshots are embedded at once, "
            f"{growth.bytes / MANY / 1e3:,.1f} kB each",
        ),
    ]
