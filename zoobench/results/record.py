"""Records of evaluations: the scores of one embedder on one zoo with one probe."""

import json

from pydantic.dataclasses import dataclass

from zoobench.results.stamps import (
    STRICT,
    Count,
    EmbedderStamp,
    Number,
    Sha256,
    TaskId,
    ZooStamp,
)
from zoobench.task.metrics import MetricName
from zoobench.task.pair import pair_name
from zoobench.task.tasks import Kind

SCHEMA_VERSION = 1
RECONSTRUCTION = "rec"
"""Name of the reconstruction of weights in tables and files, beside the tasks."""


def mean_of(scores: tuple[float | None, ...]) -> float | None:
    """Return the mean of scores, None if one is missing."""
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if len(known) == len(scores) else None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TaskResult:
    """Scores of one task, one per seed, in the unit of its metric.

    Attributes:
        scores: Scores on the test split, one per seed; None where the metric is undefined.
        interval: Bounds of the 95 % bootstrap interval over models, of the mean over seeds.
        penalties: Penalties of the probe chosen on the validation split, one per seed.
        validation_scores: Scores the penalties were chosen by.
        rows: Number of scored snapshots.
        seconds: Time of the probe for this task.
        predictions_sha256: Hash of ``{task}.parquet``.
        ceiling: For Kendall's τ-b, the most that predictions without ties can reach on these
            targets, of which some are equal; None for other metrics.
    """

    task: TaskId
    version: Count
    target: str
    kind: Kind
    metric: MetricName
    scores: tuple[Number | None, ...]
    interval: tuple[Number | None, Number | None]
    penalties: tuple[Number | None, ...]
    validation_scores: tuple[Number | None, ...]
    rows: Count
    seconds: Number
    predictions_sha256: Sha256
    ceiling: Number | None = None

    @property
    def mean(self) -> float | None:
        """Mean over seeds, None if a score is missing."""
        return mean_of(self.scores)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ReconstructionResult:
    """How much of the weights an embedding keeps, without a probe.

    Attributes:
        scores: R² on the permuted test split, one per seed; 1 is a perfect reconstruction, 0 is
            no better than the mean vector. None if all test snapshots are equal.
        interval: Bounds of the 95 % bootstrap interval over models, of the mean over seeds.
        errors_sha256: Hash of ``rec.parquet``, the squared errors of every snapshot.
    """

    scores: tuple[Number | None, ...]
    interval: tuple[Number | None, Number | None]
    errors_sha256: Sha256

    @property
    def mean(self) -> float | None:
        """Mean over seeds, None if a score is missing."""
        return mean_of(self.scores)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Record:
    """One embedder on one zoo, scored by one probe.

    Attributes:
        embedding_seconds: Time to fit and to embed, for each seed.
        reconstruction: Scores of the reconstruction; None if the embedder does not reconstruct.
        tested_on: For a pair of zoos, the one whose test split was scored.
    """

    schema_version: int
    benchmark: str
    embedder: EmbedderStamp
    zoo: ZooStamp
    probe: str
    seeds: tuple[Count, ...]
    embedding_dim: Count
    embedding_seconds: tuple[Number, ...]
    tasks: tuple[TaskResult, ...]
    versions: dict[str, str]
    machine: str
    reconstruction: ReconstructionResult | None = None
    tested_on: ZooStamp | None = None

    @property
    def zoos(self) -> str:
        """Name of the zoo, or of the pair."""
        ours, other = self.zoo.name, self.tested_on
        return ours if other is None else pair_name(ours, other.name)

    @property
    def identity(self) -> tuple[object, ...]:
        """All that two records must share for their tasks to belong together.

        It includes the hash of the embedder's code, but not the state of its repository, nor how
        the user named the embedder.
        """
        stamp = self.embedder
        settings = json.dumps(stamp.settings, sort_keys=True)
        embedder = (stamp.name, stamp.cls, settings, stamp.code_sha256)
        versions = tuple(sorted(self.versions.items()))
        zoos = (self.zoo, self.tested_on)
        return self.benchmark, embedder, zoos, self.probe, self.seeds, versions

    @property
    def by_task(self) -> dict[str, TaskResult]:
        """The task results by id."""
        return {task.task: task for task in self.tasks}
