"""The regression probes against one linear system for each penalty and target."""

import numpy as np

from benchmarks.ratio import Ratio, seconds
from zoobench.probes.ridge import PAPER_PENALTIES, paper_ridge, standard_ridge

CLAIM = (
    "17 penalties × 7 targets on synthetic features of the shape of tetris-seed's layer "
    "statistics (52 500 × 14). The peer forms and solves (XᵀX + λI) b = Xᵀy for each combination, "
    "as the authors' code does. Median of five runs, including validation R² and choice of the "
    "penalty."
)

TRAIN, VALIDATION, TARGETS = 52_500, 11_250, 7
RUNS = 5


def correlated_features(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Make two layers of seven columns; neighbours correlate like the quantiles of a layer."""
    steps = rng.normal(size=(rows, 2, 7)).astype(np.float32)
    return steps.cumsum(axis=2).reshape(rows, 14)


def one_by_one(
    train: np.ndarray, targets: np.ndarray, validation: np.ndarray, held_out: np.ndarray
) -> list[float]:
    """Return the best validation R² of each target, solving one linear system at a time."""
    x, shown = (
        np.column_stack([features, np.ones(len(features))]).astype(np.float64)
        for features in (train, validation)
    )
    best = []
    for y, truth in zip(targets.T, held_out.T, strict=True):
        scores = []
        for penalty in PAPER_PENALTIES:
            b = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
            scores.append(1 - np.mean(np.square(truth - shown @ b)) / truth.var())
        best.append(max(scores))
    return best


def measure() -> list[Ratio]:
    """Time both probes and the peer on the same numbers."""
    rng = np.random.default_rng(0)
    features = correlated_features(TRAIN + VALIDATION, rng)
    targets = features @ rng.normal(size=(14, TARGETS)) + rng.normal(size=(len(features), TARGETS))
    data = features[:TRAIN], targets[:TRAIN], features[TRAIN:], targets[TRAIN:]
    peer = seconds(lambda: one_by_one(*data), runs=RUNS)
    ours = {
        "paper": seconds(lambda: paper_ridge(*data), runs=RUNS),
        "standard": seconds(lambda: standard_ridge(*data), runs=RUNS),
    }
    return [
        Ratio(
            name=f"{name} ridge, against {len(PAPER_PENALTIES) * TARGETS} separate solutions",
            ours=taken,
            peer=peer,
            required=10,
        )
        for name, taken in ours.items()
    ]
