"""A result: the scores of one embedder on one zoo with one probe, and all it takes to check them.

A result is a folder: ``result.json`` and one parquet file of predictions per task. The JSON is
written anew after each task, so an interrupted evaluation is a shorter result, never a broken one.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from zoobench.refusal import quoted, refuse_invalid
from zoobench.task.metrics import MetricName
from zoobench.task.pair import pair_name
from zoobench.task.tasks import Kind
from zoogen import IntegrityError, ZooError, atomic_path, sha256_of, write_text

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
BENCHMARK = "0.1"
RESULT = "result.json"
RECONSTRUCTION = "rec"
"""How the reconstruction of weights is called beside the tasks: in tables and files."""

STRICT = ConfigDict(extra="forbid")
Number = Annotated[float, Field(allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
TaskId = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ZooStamp:
    """Which zoo, to the last byte, and which split of it."""

    name: str
    version: Count
    content_sha256: Sha256
    split_sha256: Sha256
    models_built: Count
    models_planned: Count


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EmbedderStamp:
    """Which embedder: how it was named, its settings and a hash of its code.

    Attributes:
        reference: What the user typed.
        cls: The class, by module and name.
        commit: Commit of the repository its code lies in, if any.
        dirty: Whether that code differs from the commit.
    """

    name: str
    reference: str
    cls: str
    settings: dict[str, JsonValue]
    code_sha256: Sha256
    commit: str | None
    dirty: bool


def mean_of(scores: tuple[float | None, ...]) -> float | None:
    """Return the mean of scores that are all there."""
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if len(known) == len(scores) else None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TaskResult:
    """Scores of one task, one per seed, in the unit of its metric.

    Attributes:
        scores: On the test split, one per seed; missing where the metric is not defined.
        interval: Bounds of the 95 % bootstrap interval over models of the mean over seeds.
        penalties: The probe's penalty chosen on the validation split, one per seed.
        validation_scores: The scores the penalties were chosen by.
        predictions_sha256: Hash of ``{task}.parquet``.
        ceiling: Of Kendall's τ, the most that predictions without ties reach on these targets,
            some of which are equal; missing of other metrics.
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
        """Mean over seeds, missing if any score is."""
        return mean_of(self.scores)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ReconstructionResult:
    """How much of the weights an embedding keeps; no probe has a part in it.

    Attributes:
        scores: R² on the permuted test split, one per seed; 1 is a perfect reconstruction, 0 is
            no better than the mean vector. Missing where all test snapshots are one vector.
        interval: Bounds of the 95 % bootstrap interval over models of the mean over seeds.
        errors_sha256: Hash of ``rec.parquet``, the squared errors of every snapshot.
    """

    scores: tuple[Number | None, ...]
    interval: tuple[Number | None, Number | None]
    errors_sha256: Sha256

    @property
    def mean(self) -> float | None:
        """Mean over seeds, missing if any score is."""
        return mean_of(self.scores)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Result:
    """One embedder on one zoo, scored by one probe.

    Attributes:
        reconstruction: None of an embedder that does not reconstruct.
        tested_on: The zoo whose test split was scored, of a pair of zoos.
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
        """What must be equal for the tasks of two results to belong together.

        How the embedder was named on the command line and the state of its repository are not: the
        hash of its code is.
        """
        by = self.embedder
        embedder = (by.name, by.cls, json.dumps(by.settings, sort_keys=True), by.code_sha256)
        versions = tuple(sorted(self.versions.items()))
        zoos = (self.zoo, self.tested_on)
        return self.benchmark, embedder, zoos, self.probe, self.seeds, versions

    @property
    def by_task(self) -> dict[str, TaskResult]:
        """The task results by id."""
        return {task.task: task for task in self.tasks}


RESULT_JSON = TypeAdapter(Result)


def write_result(folder: Path, result: Result) -> None:
    """Write ``result.json``, one line per field and per task."""
    fields = RESULT_JSON.dump_python(result, mode="json")
    tasks = ",\n    ".join(json.dumps(task, allow_nan=False) for task in fields["tasks"])
    lines = {key: json.dumps(value, allow_nan=False) for key, value in fields.items()}
    lines["tasks"] = f"[\n    {tasks}\n  ]"
    body = ",\n".join(f"  {json.dumps(key)}: {line}" for key, line in lines.items())
    write_text(folder / RESULT, "{\n" + body + "\n}\n")


def read_result(folder: Path) -> Result:
    """Read and check ``result.json``.

    Raises:
        ZooError: If there is none, or one of another schema version.
        IntegrityError: If a field is unknown, missing or out of range; the message names it.
    """
    path = folder / RESULT
    try:
        written = path.read_bytes()
        version = json.loads(written)["schema_version"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ZooError(f"{folder} holds no result; run zoobench evaluate first") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a result ({error!r})") from error
    if version != SCHEMA_VERSION:
        raise ZooError(
            f"{path}: schema version {quoted(version)}, this zoobench reads {SCHEMA_VERSION}; "
            "install the zoobench that wrote it or evaluate again"
        )
    try:
        return RESULT_JSON.validate_json(written, strict=True)
    except ValidationError as error:
        refuse_invalid(path, error)


def write_table(
    folder: Path,
    name: str,
    table: "pd.DataFrame",
    *,
    compression: Literal["snappy", "zstd"] = "snappy",
) -> str:
    """Write the predictions of one task, or the errors of a reconstruction; return the hash."""
    path = folder / f"{name}.parquet"
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False, compression=compression)
    return sha256_of(path)


def read_predictions(folder: Path, task: TaskResult) -> "pd.DataFrame":
    """Read the predictions of one task: model, epoch and one column per seed.

    Raises:
        IntegrityError: If the file is missing or is not the one the result names.
    """
    return read_table(folder / f"{task.task}.parquet", task.predictions_sha256)


def read_errors(folder: Path, reconstruction: ReconstructionResult) -> "pd.DataFrame":
    """Read the squared errors of a reconstruction: model, epoch and two columns per seed.

    Raises:
        IntegrityError: If the file is missing or is not the one the result names.
    """
    return read_table(folder / f"{RECONSTRUCTION}.parquet", reconstruction.errors_sha256)


def read_table(path: Path, sha256: str) -> "pd.DataFrame":
    """Read a file of a result, checked by hash."""
    import pandas as pd

    found = sha256_of(path) if path.is_file() else "nothing"
    if found != sha256:
        raise IntegrityError(f"{path}: found {found}, the result names {sha256}; evaluate again")
    return pd.read_parquet(path)
