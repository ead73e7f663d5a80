"""Files that are whole or not there: temporary name, fsync, rename."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from zoogen.errors import UnwritableError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes the name only if the block succeeds.

    Raises:
        UnwritableError: If the folder cannot be written or is full; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        try:
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)  # as the umask has it; safetensors writes for the owner only
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UnwritableError(
            f"cannot write {path}: {error.strerror or error}; what was finished before is kept, "
            "make room or choose another folder and run the same command again"
        ) from error


def temporary_for(name: str) -> str | None:
    """Return the name that a temporary file was to take, or None if ``name`` is no such file."""
    match = re.fullmatch(r"\.(.+)\.\d+", name)
    return match[1] if match else None


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Hash a file without reading it whole."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
