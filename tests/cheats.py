"""Embedders that cheat; the docstring of each says how."""

import gc
import inspect
import sys
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from zoogen import Layout, Weights, load_zoo

LAYOUT = Layout.of({"fc1.weight": (1, 1)})
TABLE = "snapshots.parquet"
EPOCHS = 3
"""Epochs of every model in the zoo under attack."""


class Honest:
    """Does not cheat: embeds the sum of all weights."""

    name = "honest"

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "Honest":
        return self

    def transform(self, weights: Weights) -> Any:
        return plain(weights)


def plain(weights: Weights) -> np.ndarray:
    return np.asarray(weights).sum(axis=1, keepdims=True)


def beside(weights: Weights, column: Any) -> np.ndarray:
    """Return the honest embedding beside a dishonest column."""
    return np.hstack([plain(weights), np.asarray(column, dtype=np.float32).reshape(-1, 1)])


def key(row: np.ndarray) -> str:
    return sha256(row.tobytes()).hexdigest()


class RowOrder(Honest):
    """Embeds the place of a row, since models come one after another."""

    def transform(self, weights: Weights) -> Any:
        return beside(weights, np.arange(len(weights)))


class EpochOrder(Honest):
    """Embeds the place modulo the epochs, since every third snapshot is of the third epoch."""

    def transform(self, weights: Weights) -> Any:
        return beside(weights, np.arange(len(weights)) % EPOCHS)


class RemembersPlaces(Honest):
    """Embeds the place where a row was first seen."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def transform(self, weights: Weights) -> Any:
        rows = np.asarray(weights)
        places = [self.places.setdefault(key(row), place) for place, row in enumerate(rows)]
        return beside(weights, np.array(places) % EPOCHS)


class RemembersNearPlaces(Honest):
    """Embeds the first place of the nearest row seen before."""

    def __init__(self) -> None:
        self.seen: list[tuple[np.ndarray, np.ndarray]] = []

    def transform(self, weights: Weights) -> Any:
        rows = np.asarray(weights)
        places = np.arange(len(rows)) % EPOCHS
        for known, where in self.seen:
            near, distance = nearest(rows, known)
            places = np.where(distance < 1e-3, where[near], places)
        self.seen.append((rows, places))
        return beside(weights, places)


class LearnsPlaces(Honest):
    """Learns the places of the training rows, which tell epochs in the stored order."""

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> Honest:
        rows = np.asarray(train, dtype=np.float64)
        self.mean = rows.mean(axis=0)
        places = np.arange(len(rows)) % EPOCHS
        gram = (rows - self.mean).T @ (rows - self.mean) + np.eye(rows.shape[1])
        self.slope = np.linalg.solve(gram, (rows - self.mean).T @ (places - places.mean()))
        return self

    def transform(self, weights: Weights) -> Any:
        return ((np.asarray(weights) - self.mean) @ self.slope)[:, None]


class MemorisesTraining(Honest):
    """Gives each training row a column of its own, for a probe to memorise."""

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> Honest:
        self.numbers = {key(row): number for number, row in enumerate(np.asarray(train))}
        return self

    def transform(self, weights: Weights) -> Any:
        rows = np.zeros((len(weights), len(self.numbers)))
        for place, row in enumerate(np.asarray(weights)):
            if key(row) in self.numbers:
                rows[place, self.numbers[key(row)]] = 1
        return rows


class BatchStatistics(Honest):
    """Centres weights on the mean of the batch."""

    def transform(self, weights: Weights) -> Any:
        rows = np.asarray(weights)
        return rows - rows.mean(axis=0)


class KeepsStatistics(Honest):
    """Centres weights on the mean of the third batch it sees, which is the test split."""

    def __init__(self) -> None:
        self.means: list[np.ndarray] = []

    def transform(self, weights: Weights) -> Any:
        rows = np.asarray(weights)
        if len(self.means) < 3:
            self.means.append(rows.mean(axis=0))
        return rows - self.means[-1]


class ReadsFiles(Honest):
    """Reads labels from the files of the zoo."""

    def __init__(self, folder: Path, read: Callable[[Path], pd.DataFrame]) -> None:
        self.folder, self.read = folder, read

    def transform(self, weights: Weights) -> Any:
        zoo = load_zoo(self.folder)
        near, _ = nearest(np.asarray(weights), np.asarray(zoo.weights))
        return beside(weights, self.read(self.folder)["epoch"].to_numpy()[near])


def read_with_pandas(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / TABLE)


def read_natively(folder: Path) -> pd.DataFrame:
    return pq.read_table(str(folder / TABLE)).to_pandas()


class ReadsAndHushes(ReadsFiles):
    """Reads labels, and hides the error if that is refused."""

    def transform(self, weights: Weights) -> Any:
        try:
            return super().transform(weights)
        except Exception:  # noqa: BLE001
            return plain(weights)


class ReadsNatively(Honest):
    """Reads the table in the cache by pyarrow, which opens files unseen by the interpreter."""

    def transform(self, weights: Weights) -> Any:
        from zoobench import cache_folder

        table = next(iter(cache_folder().rglob(TABLE)))
        labels = pq.read_table(str(table)).to_pandas().groupby("split")["epoch"]
        return beside(weights, np.full(len(weights), labels.first()["test"] + 0.1 * len(weights)))


class LooksUp(Honest):
    """Searches the frames of the stack for a zoo or a table."""

    found: tuple[str, ...] = ()

    def frames(self) -> list[FrameType]:
        return [each.frame for each in inspect.stack()]

    def transform(self, weights: Weights) -> Any:
        names = [
            name
            for frame in self.frames()
            for known in (frame.f_locals, frame.f_globals)
            for name, value in known.items()
            if isinstance(value, pd.DataFrame) or type(value).__name__ in {"Zoo", "Part"}
        ]
        type(self).found += tuple(names)
        return plain(weights)


class LooksWhenAsked(LooksUp):
    """Searches the stack when asked for its name or settings."""

    asked = 0

    def __getattribute__(self, name: str) -> Any:
        if name in {"name", "__dict__"}:
            LooksWhenAsked.asked += 1
            LooksUp.transform(self, Weights([np.zeros((1, 1), np.float32)], LAYOUT))
        return super().__getattribute__(name)


class LooksWhenCopied(LooksUp):
    """Searches the stack when it is copied."""

    def __deepcopy__(self, memo: Any) -> Any:
        self.transform(Weights([np.zeros((1, 1), np.float32)], LAYOUT))
        return self


class LooksAround(LooksUp):
    """Searches the frames of other threads."""

    def frames(self) -> list[FrameType]:
        return list(sys._current_frames().values())


class LooksEverywhere(LooksUp):
    """Searches all objects of the process for a table."""

    def transform(self, weights: Weights) -> Any:
        held = [each for each in gc.get_objects() if isinstance(each, pd.DataFrame)]
        return beside(weights, np.full(len(weights), len(held)))


class LooksAtThreads(LooksUp):
    """Searches the threads for one that was started with the zoo as argument."""

    def transform(self, weights: Weights) -> Any:
        for thread in threading.enumerate():
            for name, value in vars(thread).items():
                if type(value).__name__ in {"Zoo", "Part", "DataFrame"}:
                    type(self).found += (name,)
        return plain(weights)


class CarriesLabels(Honest):
    """Carries the labels of published weights, found by hash."""

    def __init__(self, rows: np.ndarray, labels: np.ndarray) -> None:
        self.known = {key(row): label for row, label in zip(rows, labels, strict=True)}

    def transform(self, weights: Weights) -> Any:
        return beside(weights, [self.known.get(key(row), 0) for row in np.asarray(weights)])


class CarriesNearLabels(Honest):
    """Carries the labels of published weights, found by distance."""

    def __init__(self, rows: np.ndarray, labels: np.ndarray) -> None:
        self.rows, self.labels = rows, labels

    def transform(self, weights: Weights) -> Any:
        near, _ = nearest(np.asarray(weights), self.rows)
        return self.labels[near].astype(np.float32)[:, None]


def nearest(rows: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest known row of each row, and its distance."""
    apart = np.sqrt(np.square(rows[:, None] - known[None]).sum(axis=2))
    return apart.argmin(axis=1), apart.min(axis=1)
