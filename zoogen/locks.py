"""Locks that let only one process at a time write a folder."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zoogen.errors import ZooError

LOCK = ".lock"

log = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path, *, way_out: str = "choose another with --out") -> Iterator[None]:
    """Create a folder and lock it; wait while another process holds the lock.

    Args:
        folder: Folder to lock.
        way_out: Advice in the message if the folder cannot be written.

    Raises:
        ZooError: If the folder cannot be created or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.warning("another process is writing %s; waiting until it ends", folder)
            lock.acquire()
    except OSError as error:
        reason = error.strerror or error
        raise ZooError(f"cannot write to {folder}: {reason}; {way_out}") from error
    try:
        yield
    finally:
        lock.release()
