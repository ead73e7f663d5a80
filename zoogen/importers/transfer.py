"""From a foreign population to the folder of a zoo: shards, checks, table, card, manifest."""

import platform
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from jaxtyping import Bool, Float32, Int64

from zoogen.atomic import write_text
from zoogen.errors import UnwritableError, ZooError
from zoogen.importers.checks import (
    FailedChecksError,
    accuracy_check,
    passed,
    permutation_check,
    round_trip_check,
    row_checks,
    sampled_rows,
)
from zoogen.importers.foreign import Block, Foreign
from zoogen.importers.shard_writer import ShardWriter
from zoogen.importers.sources import MIB
from zoogen.progress import progress_bar
from zoogen.spec.imported import ImportedSpec, Origin, Skipped, found_values
from zoogen.spec.layout import Layout
from zoogen.spec.zoo_spec import AXES, Activation
from zoogen.store.card import CARD, zoo_card
from zoogen.store.folder import LOCK, PARTS, clear_half_written, clear_zoo, locked, refuse_foreign
from zoogen.store.manifest import (
    FORMAT_VERSION,
    TABLE,
    Check,
    FileEntry,
    Manifest,
    file_entry,
    write_manifest,
)
from zoogen.store.shards import map_shard
from zoogen.store.table import PLACE, write_table
from zoogen.store.weights import Weights

if TYPE_CHECKING:
    import pandas as pd

SPARE_BYTES = 64 * MIB
"""Room for table, card and manifest."""

WORDS = ("activation", "initialiser", "optimiser")
PLACED = (*PLACE, "run")
LONGEST = 100
"""Letters of a word on an axis."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What was written of a population.

    Attributes:
        shards: In order.
        rows: Rows of ``Foreign.snapshots``, in the order of the shards.
        lost: Rows that were left out, and why.
        sample: Rows that were kept aside for the checks.
        original: Their vectors as they came.
        ours: The same in our layout.
    """

    shards: tuple[FileEntry, ...]
    rows: Int64[np.ndarray, " stored"]
    lost: dict[int, str]
    sample: Int64[np.ndarray, " sample"]
    original: Float32[np.ndarray, "sample params"]
    ours: Float32[np.ndarray, "sample params"]


def transfer_zoo(foreign: Foreign, folder: Path) -> Manifest:
    """Write a foreign population as a zoo; what goes wrong leaves nothing behind.

    Raises:
        ZooError: If the folder holds something, cannot be written or is full, or the source is
            damaged.
        FailedChecksError: If a check fails.
    """
    check_axes(foreign.snapshots)
    early = (*foreign.checks, *row_checks(foreign))
    refuse_failed(foreign, early)
    with made(folder):
        refuse_full(folder, foreign)
        stored = write_shards(foreign, folder)
        if not len(stored.rows):
            first = next(iter(stored.lost.values()), "it is empty")
            raise ZooError(f"{foreign.name} has no snapshot that can be used: {first}")
        rows = foreign.snapshots.iloc[stored.sample]
        accuracy, images, images_name = accuracy_check(stored.ours, rows, foreign)
        checks = (
            *early,
            account_check(foreign, stored),
            round_trip_check(stored.ours, stored.original, foreign),
            permutation_check(stored.original, list(rows["activation"]), foreign),
            accuracy,
        )
        refuse_failed(foreign, checks)
        return seal_import(
            foreign, stored, folder, checks, images_name, images.checksum if images else None
        )


def check_axes(snapshots: "pd.DataFrame") -> None:
    """Make sure that words are words, numbers finite numbers, and networks can be run.

    Raises:
        ZooError: If one is not; the message names it.
    """
    import pandas as pd

    epochs = snapshots["epoch"]
    if not pd.api.types.is_integer_dtype(epochs) or epochs.min() < 0:
        raise ZooError(f"an epoch is {epochs.min()}, expected whole numbers from 0")
    for axis in (axis for axis in (*AXES, "seed") if axis in snapshots):
        column = snapshots[axis]
        if axis in WORDS:
            bad = ~column.map(lambda value: isinstance(value, str) and 0 < len(value) <= LONGEST)
        else:
            snapshots[axis] = numbers_of(column)
            bad = ~np.isfinite(snapshots[axis])
        if bad.any():
            run, value = snapshots["run"][bad].iloc[0], column[bad].tolist()[0]
            expected = "a word" if axis in WORDS else "a number"
            raise ZooError(f"{run}: {axis} is {value!r:.100}, expected {expected}")
    unknown = sorted(set(snapshots["activation"]) - set(get_args(Activation)))
    if unknown:
        known = ", ".join(get_args(Activation))
        raise ZooError(f"activation {unknown[0]!r} cannot be run, expected one of {known}")


@contextmanager
def made(folder: Path) -> Iterator[None]:
    """Make the folder of a zoo, and take it away again unless the block succeeds.

    What an import left that was killed is cleared first.
    """
    refuse_foreign(folder)
    refuse_zoo(folder)
    was_there = folder.exists()
    with locked(folder, way_out="choose another folder"):
        refuse_zoo(folder)  # another import may have been waited for
        clear_zoo(folder)
        clear_half_written(folder)
        try:
            yield
        except BaseException as error:
            clear_zoo(folder)
            clear_half_written(folder)
            (folder / LOCK).unlink(missing_ok=True)
            if not was_there:
                folder.rmdir()
            if isinstance(error, UnwritableError) and isinstance(error.__cause__, OSError):
                reason = error.__cause__.strerror or error.__cause__
                raise UnwritableError(
                    f"cannot write {folder}: {reason}; nothing of the import is kept, make room or "
                    "choose another folder"
                ) from error
            raise


def refuse_zoo(folder: Path) -> None:
    """Refuse a folder with a zoo, or with the finished shards of a build."""
    from zoogen.load.locate import is_built

    if is_built(folder):
        raise ZooError(f"{folder} holds a zoo already; choose another folder or delete it")
    if any((folder / PARTS).glob("*")):
        raise ZooError(f"{folder} holds a build that is not finished; choose another folder")


def refuse_full(folder: Path, foreign: Foreign) -> None:
    """Refuse a disk that the weights do not fit on."""
    needed = 4 * len(foreign.snapshots) * foreign.network.layout.params + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ZooError(
            f"{folder} has {free / 1e9:.1f} GB free, {foreign.name} needs {needed / 1e9:.1f}; "
            "make room or choose another folder"
        )


def refuse_failed(foreign: Foreign, checks: tuple[Check, ...]) -> None:
    """End an import that failed a check."""
    if any(check.outcome == "failed" for check in checks):
        raise FailedChecksError(foreign.name, checks)


def write_shards(foreign: Foreign, folder: Path) -> Stored:
    """Write the weights, and keep a sample of them as they came."""
    snapshots, layout = foreign.snapshots, foreign.layout
    lost, order = unmeasured(snapshots), list[int]()
    sample, aside = set(sampled_rows(snapshots).tolist()), dict[int, np.ndarray]()
    bar = progress_bar(
        f"import {foreign.name}", things="snapshots", total=len(snapshots), unit="snapshots"
    )
    shard_writer = ShardWriter(folder, foreign.network.layout, layout.columns)
    with closing(shard_writer) as writer, bar as report:
        for block in foreign.blocks():
            lost |= block.lost
            keep = kept(block, lost)
            for place in np.flatnonzero(keep & np.isin(block.rows, list(sample))):
                aside[int(block.rows[place])] = block.weights[place].copy()
            writer.add(block.weights if keep.all() else block.weights[keep])
            order += block.rows[keep].tolist()
            report(len(block.rows) + len(block.lost))
        shards = writer.finish()
    chosen = sorted(aside)
    original = np.array([aside[row] for row in chosen], np.float32)
    return Stored(
        shards=shards,
        rows=np.array(order, int),
        lost=lost,
        sample=np.array(chosen, int),
        original=original.reshape(-1, layout.tensors.params),
        ours=read_back(folder, shards, order, chosen, foreign.network.layout),
    )


def read_back(
    folder: Path, shards: Sequence[FileEntry], order: list[int], chosen: list[int], layout: Layout
) -> Float32[np.ndarray, "sample params"]:
    """Read the sample from the files that were written."""
    place = {row: at for at, row in enumerate(order)}
    maps = [map_shard(folder / shard.file, shard.rows, layout.params) for shard in shards]
    return np.asarray(Weights(maps, layout).take(np.array([place[row] for row in chosen], int)))


def kept(block: Block, lost: dict[int, str]) -> Bool[np.ndarray, " rows"]:
    """Tell which rows of a block are stored; note why the others are not."""
    finite = np.isfinite(block.weights).all(axis=1)
    for row in block.rows[~finite].tolist():
        lost.setdefault(row, "weights not finite")
    return np.array([row not in lost for row in block.rows.tolist()], bool)


def measured_names(snapshots: "pd.DataFrame") -> tuple[str, ...]:
    """Name the columns that were measured."""
    return tuple(name for name in map(str, snapshots) if name not in {*PLACED, *AXES, "seed"})


def unmeasured(snapshots: "pd.DataFrame") -> dict[int, str]:
    """Find the rows with a property that is missing or not finite."""
    lost = dict[int, str]()
    for name in measured_names(snapshots):
        snapshots[name] = numbers_of(snapshots[name])
        bad = ~np.isfinite(snapshots[name].to_numpy(dtype=float))
        lost |= dict.fromkeys(np.flatnonzero(bad).tolist(), f"{name} missing or not finite")
    return lost


def numbers_of(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column of numbers as it is, any other with NaN for what is no number."""
    import pandas as pd

    return column if pd.api.types.is_numeric_dtype(column) else column.map(number_of)


def number_of(value: Any) -> float:
    """Read a number, of which there may be anything in a foreign file."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan


def account_check(foreign: Foreign, stored: Stored) -> Check:
    """Every snapshot is in a shard or has a reason not to be."""
    total = len(foreign.snapshots)
    there = len(stored.rows) + len(stored.lost)
    reasons = defaultdict[str, int](int)
    for reason in stored.lost.values():
        reasons[reason] += 1
    for one in foreign.missing:
        reasons[one.reason] += max(1, len(one.epochs))
    left_out = "".join(f"; {count} {reason}" for reason, count in sorted(reasons.items()))
    twice = len(stored.rows) - len(np.unique(stored.rows))
    detail = f"{len(stored.rows)} of {total} stored{left_out}"
    if twice or there != total:
        detail += f"; {total - there} were not read, {twice} twice"
    return passed("every row accounted for", detail, ok=there == total and not twice)


def skipped(foreign: Foreign, stored: Stored) -> tuple[Skipped, ...]:
    """List all that is not in the table, run by run."""
    runs, epochs = foreign.snapshots["run"], foreign.snapshots["epoch"]
    gathered = defaultdict[tuple[str, str], list[int]](list)
    for row, reason in stored.lost.items():
        gathered[str(runs.iloc[row]), reason].append(int(epochs.iloc[row]))
    lost = (
        Skipped(run=run, epochs=tuple(sorted(epochs)), reason=reason)
        for (run, reason), epochs in gathered.items()
    )
    return (*foreign.missing, *lost)


def seal_import(
    foreign: Foreign,
    stored: Stored,
    folder: Path,
    checks: tuple[Check, ...],
    images: str,
    images_sha256: str | None,
) -> Manifest:
    """Write table, card and manifest: from here on it is a zoo."""
    table = zoo_table(foreign.snapshots, stored)
    write_table(folder / TABLE, table)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        spec=imported_spec(foreign, stored, table, images),
        layout=foreign.network.layout.shapes,
        models_planned=max(foreign.planned, table["model"].nunique()),
        models_built=table["model"].nunique(),
        shared_starts=foreign.shared_starts,
        failures=(),
        images_sha256=images_sha256,
        split_sha256=split_sha256(table),
        table=file_entry(folder, TABLE, len(table)),
        shards=stored.shards,
        versions={
            "zoogen": version("zoobench"),
            "torch": version("torch"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
        checks=checks,
    )
    write_text(folder / CARD, zoo_card(manifest, table))
    write_manifest(folder, manifest)
    return manifest


def zoo_table(snapshots: "pd.DataFrame", stored: Stored) -> "pd.DataFrame":
    """Describe the stored snapshots in the order of the shards."""
    rows = snapshots.iloc[stored.rows].reset_index(drop=True)
    sizes = [shard.rows for shard in stored.shards]
    rows["shard"] = np.repeat(np.arange(len(sizes)), sizes)
    rows["row"] = np.concatenate([np.arange(size) for size in sizes])
    rows["group"] = rows["model"]
    axes = [axis for axis in (*AXES, "seed") if axis in rows]
    return rows[[*PLACED, *axes, *measured_names(rows)]]


def split_sha256(table: "pd.DataFrame") -> str:
    """Hash the split, as ``zoogen.store.table`` does for zoos that are trained here."""
    models = table.drop_duplicates("model").sort_values("model")
    lines = (f"{m} {s}\n" for m, s in zip(models["model"], models["split"], strict=True))
    return sha256("".join(lines).encode()).hexdigest()


def imported_spec(
    foreign: Foreign, stored: Stored, table: "pd.DataFrame", images: str
) -> ImportedSpec:
    """Say what the zoo is."""
    axes = {
        axis: tuple(sorted(map(str, table[axis].unique())))
        if axis in WORDS
        else found_values(table[axis].unique().tolist())
        for axis in AXES
        if axis in table
    }
    return ImportedSpec(
        name=foreign.name,
        version=1,
        images=images,
        network=foreign.network,
        **axes,  # type: ignore[arg-type]
        measured=measured_names(table),
        snapshot_epochs=tuple(sorted(table["epoch"].unique().tolist())),
        models=max(foreign.planned, table["model"].nunique()),
        licence=foreign.licence,
        source=foreign.source,
        origin=Origin(
            format=foreign.format,
            files=len(foreign.digests),
            sha256=foreign.digests.sha256,
            split=foreign.split,
            also=foreign.also,
            skipped=skipped(foreign, stored),
        ),
    )
