"""Atomic writes: temporary name, fsync, rename."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from zoogen.errors import UnwritableError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``, renamed to ``path`` only if the block succeeds.

    Raises:
        UnwritableError: If the folder cannot be written or is full; no temporary file remains.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        try:
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)  # safetensors ignores the umask and writes for the owner only
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableError(
            f"cannot write {path}: {error.strerror or error}; finished files are kept: make room "
            "or choose another folder, then run the same command again"
        ) from error


def temporary_for(name: str) -> str | None:
    """Return the final name of a temporary file, or None if ``name`` is not a temporary file."""
    match = re.fullmatch(r"\.(.+)\.\d+", name)
    return match[1] if match else None


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Hash a file without reading it into memory at once."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
