"""The files of a result: ``result.json`` and one parquet file of predictions per task.

The JSON is written again after each task, so an interrupted evaluation leaves a shorter result,
never a broken one.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter, ValidationError

from zoobench.refusal import quoted, refuse_invalid
from zoobench.results.record import (
    RECONSTRUCTION,
    SCHEMA_VERSION,
    ReconstructionResult,
    Record,
    TaskResult,
)
from zoogen import IntegrityError, ZooError
from zoogen.atomic import atomic_path, sha256_of, write_text

if TYPE_CHECKING:
    import pandas as pd

RESULT = "result.json"

RESULT_JSON = TypeAdapter(Record)


def write_result(folder: Path, result: Record) -> None:
    """Write ``result.json``, one line per field and per task."""
    fields = RESULT_JSON.dump_python(result, mode="json")
    tasks = ",\n    ".join(json.dumps(task, allow_nan=False) for task in fields["tasks"])
    lines = {key: json.dumps(value, allow_nan=False) for key, value in fields.items()}
    lines["tasks"] = f"[\n    {tasks}\n  ]"
    body = ",\n".join(f"  {json.dumps(key)}: {line}" for key, line in lines.items())
    write_text(folder / RESULT, "{\n" + body + "\n}\n")


def read_result(folder: Path) -> Record:
    """Read and check ``result.json``.

    Raises:
        ZooError: If the file is missing or has another schema version.
        IntegrityError: If a field is unknown, missing or out of range; the message names it.
    """
    path = folder / RESULT
    try:
        written = path.read_bytes()
        version = json.loads(written)["schema_version"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ZooError(f"{folder} holds no result; run zoobench evaluate first") from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise IntegrityError(f"{path}: not a result ({error!r}); evaluate again") from error
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
    """Write predictions of a task or errors of a reconstruction; return the hash of the file."""
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


def read_squared_errors(folder: Path, reconstruction: ReconstructionResult) -> "pd.DataFrame":
    """Read the squared errors of a reconstruction: model, epoch and two columns per seed.

    Raises:
        IntegrityError: If the file is missing or is not the one the result names.
    """
    return read_table(folder / f"{RECONSTRUCTION}.parquet", reconstruction.errors_sha256)


def read_table(path: Path, sha256: str) -> "pd.DataFrame":
    """Read a file of a result and check its hash."""
    import pandas as pd

    found = sha256_of(path) if path.is_file() else "nothing"
    if found != sha256:
        raise IntegrityError(f"{path}: found {found}, the result names {sha256}; evaluate again")
    return pd.read_parquet(path)
