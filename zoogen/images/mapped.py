"""An image set in files that all processes of a machine map: memory holds it once."""

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
    """Where an image set lies.

    Attributes:
        files: Of the arrays, by name.
        classes: Number of labels.
    """

    files: dict[str, Path]
    classes: int

    def open(self) -> ImageSet:
        """Map the arrays; what is written to them is seen by nobody else."""
        arrays = {name: np.load(path, mmap_mode="c") for name, path in self.files.items()}
        return ImageSet(**arrays, classes=self.classes)


@contextmanager
def mapped(images: ImageSet, folder: Path) -> Iterator[MappedImages]:
    """Keep an image set in a folder for a while, under temporary names: a kill leaves no more.

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
                f"cannot write {folder}: {error.strerror or error}; make room or choose another "
                "folder, or train without others beside: --workers 1"
            ) from error
        classes = images.classes
        del images  # whoever calls lets go of it too
        yield MappedImages(files=files, classes=classes)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
