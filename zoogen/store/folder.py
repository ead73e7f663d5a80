"""The folder a zoo is built in: nothing foreign, one build at a time, nothing half-written."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zoogen.atomic import temporary_for
from zoogen.errors import ZooError
from zoogen.store.card import CARD, PLOTS
from zoogen.store.croissant import CROISSANT
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name
from zoogen.store.table import part_path

LOCK = ".lock"
WEIGHTS = Path(shard_name(0)).parent.name
PARTS = part_path(Path(), 0).parent.name
DOWNLOADS = ".download"
FILES = {MANIFEST, TABLE, CARD, CROISSANT, LOCK}
FOLDERS = {WEIGHTS, PARTS, PLOTS, DOWNLOADS}
OURS = FILES | FOLDERS

log = logging.getLogger(__name__)


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds anything but a zoo, before anything in it is touched.

    Names alone prove nothing, many a folder has a ``weights`` and a ``README.md``: a zoo's has a
    manifest too, or the lock of the build that has not come so far.

    Raises:
        ZooError: If it does; the message names what was found.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    known = OURS if names & {MANIFEST, LOCK} else set()
    strange = sorted(name for name in names - known if temporary_for(name) not in known)
    if strange:
        raise ZooError(
            f"{folder} is not a zoo's folder: it holds {strange[0]}; choose another with --out"
        )


@contextmanager
def locked(folder: Path, *, way_out: str = "choose another with --out") -> Iterator[None]:
    """Make the folder and keep other processes out of it; wait while one is in it.

    Args:
        folder: Whose.
        way_out: What to do if it cannot be written, for the message.

    Raises:
        ZooError: If it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another process is writing %s, waiting for it to end", folder)
            lock.acquire()
    except OSError as error:
        reason = error.strerror or error
        raise ZooError(f"cannot write to {folder}: {reason}; {way_out}") from error
    try:
        yield
    finally:
        lock.release()


def clear_half_written(folder: Path) -> None:
    """Remove the temporary files of a killed build."""
    for place in (folder, *(folder / name for name in FOLDERS)):
        for path in place.glob(".*"):
            if temporary_for(path.name):
                path.unlink()


def clear_zoo(folder: Path) -> None:
    """Remove a zoo, the manifest first: what a kill leaves is no zoo."""
    for name in (MANIFEST, *sorted(FILES - {MANIFEST, LOCK})):
        (folder / name).unlink(missing_ok=True)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
