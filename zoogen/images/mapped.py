"""Image sets in files that all processes of a machine map, so that memory holds them once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from zoogen.errors import UnwritableError
from zoogen.images.sets import ImageSet

ARRAYS = tuple(field.name for field in fields(ImageSet) if field.name != "classes")


@dataclass(frozen=True, kw_only=True)
class MappedImages:
    """The files of an image set.

    Attributes:
        files: File of each array, by name.
        classes: Number of classes.
    """

    files: dict[str, Path]
    classes: int

    def open(self) -> ImageSet:
        """Map the arrays copy-on-write: changes stay in this process."""
        arrays = {name: np.load(path, mmap_mode="c") for name, path in self.files.items()}
        return ImageSet(**arrays, classes=self.classes)


@contextmanager
def mapped(images: ImageSet, folder: Path) -> Iterator[MappedImages]:
    """Write an image set to temporary files in a folder and delete them at the end.

    If the process is killed, ``clear_half_written`` finds the files by their temporary names.

    Raises:
        UnwritableError: If the folder cannot be written or is full.
    """
    files = {name: folder / f".{name}.npy.{os.getpid()}" for name in ARRAYS}
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, path in files.items():
                with path.open("wb") as file:
                    np.save(file, getattr(images, name))
        except OSError as error:
            raise UnwritableError(
                f"cannot write {folder}: {error.strerror or error}; make room, choose another "
                "folder, or train in one process with --workers 1"
            ) from error
        classes = images.classes
        del images  # the caller drops it too
        yield MappedImages(files=files, classes=classes)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
