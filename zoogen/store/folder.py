"""The folder of a zoo: refuse foreign files, remove half-written files, remove a zoo."""

import logging
import shutil
from pathlib import Path

from zoogen.atomic import temporary_for
from zoogen.errors import ZooError
from zoogen.locks import LOCK
from zoogen.store.card import CARD, PLOTS
from zoogen.store.croissant import CROISSANT
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name
from zoogen.store.table import part_path

WEIGHTS = Path(shard_name(0)).parent.name
PARTS = part_path(Path(), 0).parent.name
DOWNLOADS = ".download"
FILES = {MANIFEST, TABLE, CARD, CROISSANT, LOCK}
FOLDERS = {WEIGHTS, PARTS, PLOTS, DOWNLOADS}
OURS = FILES | FOLDERS

log = logging.getLogger(__name__)


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that holds anything but a zoo.

    Many folders have a ``weights`` and a ``README.md``. These names only count as a zoo's files if
    the folder also has a manifest, or the lock of an unfinished build.

    Raises:
        ZooError: If the folder holds a foreign file; the message names it.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    known = OURS if names & {MANIFEST, LOCK} else set()
    foreign = sorted(name for name in names - known if temporary_for(name) not in known)
    if foreign:
        raise ZooError(
            f"{folder} is not a zoo's folder: it holds {foreign[0]}; choose another with --out"
        )


def clear_half_written(folder: Path) -> None:
    """Remove the temporary files of a killed build."""
    for place in (folder, *(folder / name for name in FOLDERS)):
        for path in place.glob(".*"):
            if temporary_for(path.name):
                path.unlink()


def clear_zoo(folder: Path) -> None:
    """Remove a zoo, manifest first, so that a half-removed zoo does not count as one."""
    for name in (MANIFEST, *sorted(FILES - {MANIFEST, LOCK})):
        (folder / name).unlink(missing_ok=True)
    for name in FOLDERS:
        shutil.rmtree(folder / name, ignore_errors=True)
