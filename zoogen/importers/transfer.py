"""Checks a foreign population and writes it as a zoo; a failure leaves nothing behind."""

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zoogen.errors import UnwritableError, ZooError
from zoogen.importers.checks import (
    FailedChecksError,
    accuracy_check,
    passed,
    permutation_check,
    round_trip_check,
    row_checks,
)
from zoogen.importers.columns import check_axes
from zoogen.importers.foreign import Foreign
from zoogen.importers.seal import seal_import
from zoogen.importers.sources import MIB
from zoogen.importers.stored import Stored, write_weights
from zoogen.locks import LOCK, locked
from zoogen.store.folder import PARTS, clear_half_written, clear_zoo, refuse_foreign
from zoogen.store.manifest import Check, Manifest

SPARE_BYTES = 64 * MIB
"""Room for table, card and manifest."""


def transfer_zoo(foreign: Foreign, folder: Path) -> Manifest:
    """Check a foreign population and write it as a zoo; on failure, leave nothing behind.

    Raises:
        ZooError: If the folder is in use, unwritable or full, or the source is damaged.
        FailedChecksError: If a check fails.
    """
    check_axes(foreign.snapshots)
    early = (*foreign.checks, *row_checks(foreign))
    refuse_failed(foreign, early)
    with new_zoo_folder(folder):
        refuse_full(folder, foreign)
        stored = write_weights(foreign, folder)
        if not len(stored.rows):
            first = next(iter(stored.lost.values()), "it is empty")
            raise ZooError(f"{foreign.name} has no usable snapshot: {first}")
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


@contextmanager
def new_zoo_folder(folder: Path) -> Iterator[None]:
    """Create the folder of a zoo, and remove it again unless the block succeeds.

    Clears what a killed import left there.

    Raises:
        ZooError: If the folder is in use or unwritable.
    """
    refuse_foreign(folder)
    refuse_zoo(folder)
    existed = folder.exists()
    with locked(folder, way_out="choose another folder"):
        refuse_zoo(folder)  # another import may have finished while this one waited
        clear_zoo(folder)
        clear_half_written(folder)
        try:
            yield
        except BaseException as error:
            clear_zoo(folder)
            clear_half_written(folder)
            (folder / LOCK).unlink(missing_ok=True)
            if not existed:
                folder.rmdir()
            if isinstance(error, UnwritableError) and isinstance(error.__cause__, OSError):
                reason = error.__cause__.strerror or error.__cause__
                raise UnwritableError(
                    f"cannot write {folder}: {reason}; nothing of the import was kept, make room "
                    "or choose another folder"
                ) from error
            raise


def refuse_zoo(folder: Path) -> None:
    """Refuse a folder that holds a zoo or an unfinished build."""
    from zoogen.load.locate import is_built

    if is_built(folder):
        raise ZooError(f"{folder} already holds a zoo; choose another folder or delete it")
    if any((folder / PARTS).glob("*")):
        raise ZooError(f"{folder} holds an unfinished build; choose another folder")


def refuse_full(folder: Path, foreign: Foreign) -> None:
    """Refuse a disk without room for the weights."""
    needed = 4 * len(foreign.snapshots) * foreign.network.layout.params + SPARE_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ZooError(
            f"{folder} has {free / 1e9:.1f} GB free, {foreign.name} needs {needed / 1e9:.1f}; "
            "make room or choose another folder"
        )


def refuse_failed(foreign: Foreign, checks: tuple[Check, ...]) -> None:
    """Raise FailedChecksError if a check failed."""
    if any(check.outcome == "failed" for check in checks):
        raise FailedChecksError(foreign.name, checks)


def account_check(foreign: Foreign, stored: Stored) -> Check:
    """Check that every snapshot is either stored or left out for a reason."""
    total = len(foreign.snapshots)
    found = len(stored.rows) + len(stored.lost)
    reasons = defaultdict[str, int](int)
    for reason in stored.lost.values():
        reasons[reason] += 1
    for one in foreign.missing:
        reasons[one.reason] += max(1, len(one.epochs))
    left_out = "".join(f"; {count} {reason}" for reason, count in sorted(reasons.items()))
    twice = len(stored.rows) - len(np.unique(stored.rows))
    detail = f"{len(stored.rows)} of {total} stored{left_out}"
    if twice or found != total:
        detail += f"; {total - found} not read, {twice} read twice"
    return passed("every row accounted for", detail, ok=found == total and not twice)
