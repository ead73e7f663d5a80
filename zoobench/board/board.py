"""The board: its zoos, with the labels of their test splits, and its submissions.

``leaderboard/zoos/{zoo}/`` holds ``zoo.json`` and ``labels.parquet``, so a submission can be
checked without the zoo and without its code. ``leaderboard/submissions/`` holds the submissions.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from zoobench.embedders.provenance import zoo_stamp
from zoobench.results.stamps import STRICT, Sha256, ZooStamp
from zoobench.task.tasks import Task, tasks_of
from zoogen import IntegrityError, UnknownNameError, Zoo, ZooError
from zoogen.atomic import atomic_path, sha256_of, write_text

if TYPE_CHECKING:
    import pandas as pd

BOARD = Path("leaderboard")
ZOO, LABELS = "zoo.json", "labels.parquet"


@checked_dataclass(frozen=True, kw_only=True, config=STRICT)
class ZooOfBoard:
    """A zoo of the board: its stamp, its tasks and the hash of its labels."""

    stamp: ZooStamp
    tasks: tuple[Task, ...]
    labels_sha256: Sha256


ZOO_JSON = TypeAdapter(ZooOfBoard)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The true targets of a test split.

    Attributes:
        stamp: Stamp of the zoo.
        tasks: Tasks by id.
        labels: One row per snapshot: model, epoch and the target of every task.
    """

    stamp: ZooStamp
    tasks: dict[str, Task]
    labels: "pd.DataFrame"

    @cached_property
    def rows(self) -> "dict[str, pd.DataFrame]":
        """The snapshots that have a target, by task."""
        known = {task.id: self.labels[task.target].notna() for task in self.tasks.values()}
        return {task: self.labels[rows] for task, rows in known.items()}


def zoo_names(root: Path) -> list[str]:
    """Name the zoos of a board."""
    return sorted(path.parent.name for path in root.glob(f"zoos/*/{ZOO}"))


def submission_folder(root: Path, name: str) -> Path:
    """Return the folder of a submission."""
    return root / "submissions" / name


def submission_names(root: Path) -> list[str]:
    """Name the submissions of a board; a folder with a dot in front is still being written."""
    folders = (path for path in (root / "submissions").glob("*/") if path.name[0] != ".")
    return sorted(path.name for path in folders)


def admit(root: Path, zoo: Zoo) -> Path:
    """Put a zoo on the board: its tasks and the labels of its test split.

    Returns:
        The folder of the zoo on the board.

    Raises:
        ZooError: If the zoo is partial, or another version of it is on the board.
    """
    stamp = zoo_stamp(zoo)
    folder = root / "zoos" / stamp.name
    if stamp.models_built < stamp.models_planned:
        raise ZooError(
            f"{stamp.name} has {stamp.models_built} of {stamp.models_planned} models; "
            "a board takes whole zoos: finish it with zoogen build"
        )
    if (folder / ZOO).exists() and read_zoo(root, stamp.name).stamp != stamp:
        raise ZooError(
            f"{folder} holds another version of {stamp.name}, whose results do not compare; move "
            "it away together with the results on it"
        )
    tasks = tuple(tasks_of(zoo.spec).values())
    columns = ["model", "epoch", *(task.target for task in tasks)]
    labels = zoo.test.properties[list(dict.fromkeys(columns))].reset_index(drop=True)
    with atomic_path(folder / LABELS) as temporary:
        labels.to_parquet(temporary, index=False, compression="zstd")
    entry = ZooOfBoard(stamp=stamp, tasks=tasks, labels_sha256=sha256_of(folder / LABELS))
    write_text(folder / ZOO, ZOO_JSON.dump_json(entry, indent=2).decode() + "\n")
    return folder


def read_zoo(root: Path, name: str) -> ZooOfBoard:
    """Read a zoo of a board.

    Raises:
        UnknownNameError: If no zoo of the board has that name.
        IntegrityError: If the file is damaged.
    """
    if name not in (known := zoo_names(root)):
        raise UnknownNameError(f"zoo on the board {root}", name, known)
    path = root / "zoos" / name / ZOO
    try:
        return ZOO_JSON.validate_json(path.read_bytes())
    except ValidationError as error:
        raise IntegrityError(
            f"{path}: {error.errors()[0]['msg']}; run: zoobench admit {name}"
        ) from error


def read_truth(root: Path, name: str) -> Truth:
    """Read the labels of a zoo, checked by hash.

    Raises:
        UnknownNameError: If the board has no such zoo.
        IntegrityError: If the labels are not those the board names.
    """
    import pandas as pd

    zoo, path = read_zoo(root, name), root / "zoos" / name / LABELS
    found = sha256_of(path) if path.is_file() else "nothing"
    if found != zoo.labels_sha256:
        raise IntegrityError(
            f"{path}: found {found}, the board names {zoo.labels_sha256}; "
            f"run: zoobench admit {name}"
        )
    tasks = {task.id: task for task in zoo.tasks}
    return Truth(stamp=zoo.stamp, tasks=tasks, labels=pd.read_parquet(path))


def read_truths(root: Path) -> dict[str, Truth]:
    """Read the labels of all zoos of a board."""
    return {name: read_truth(root, name) for name in zoo_names(root)}
