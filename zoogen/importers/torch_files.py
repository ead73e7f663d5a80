"""Files that ``torch.save`` wrote, read without torch: a zip of one pickle and raw numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from zoogen.errors import IntegrityError
from zoogen.importers.pickles import Storage, Tensor, unpickled
from zoogen.importers.sources import DAMAGED_ZIP, MIB, Seekable, opened_entry, opened_zip

LARGEST_STORAGE = 256 * MIB


@dataclass(frozen=True)
class Limits:
    """How much a file may hold, in bytes: its pickle, and one storage."""

    pickle: int = 1024 * MIB
    storage: int = LARGEST_STORAGE


class TorchFile:
    """One file of ``torch.save``: its content and its tensors, when they are asked for."""

    def __init__(
        self, file: Seekable, label: object, known: Mapping[str, Any], limits: Limits
    ) -> None:
        """Read the list of what is in the file.

        Args:
            file: The file.
            label: What it is called in errors.
            known: What stands for every name that its pickle may ask for.
            limits: How large it may be.

        Raises:
            IntegrityError: If it is no such file, or of a machine with another byte order.
        """
        self._label, self._limits = label, limits
        self._zip = opened_zip(file, f"{label}: not a file of torch.save since torch 1.6")
        self._last: tuple[Storage, np.ndarray] | None = None
        names = [name for name in self._zip.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise IntegrityError(
                f"{label}: {len(names)} pickles in it, expected 1 as by torch.save"
            )
        self._root = names[0].removesuffix("/data.pkl")
        if f"{self._root}/byteorder" in self._zip.NameToInfo:
            order = self._bytes("byteorder", 16)
            if order != b"little":
                raise IntegrityError(f"{label}: its byte order is {order!r}, expected b'little'")
        self._known = known

    @cached_property
    def content(self) -> Any:
        """What was saved; tensors are ``Tensor``.

        Raises:
            RefusedGlobalError: If the pickle asks for a name that is not known.
            IntegrityError: If it is damaged, or larger than the limit.
        """
        pickled = self._bytes("data.pkl", self._limits.pickle)
        return unpickled(pickled, self._label, self._known)

    def close(self) -> None:
        """Close the zip; the file stays with whoever opened it."""
        self._zip.close()

    def array(self, tensor: object) -> np.ndarray:
        """Read one tensor, as a copy.

        Raises:
            IntegrityError: If it is none, reaches beyond its storage, or the storage is missing or
                not as large as the pickle says.
        """
        if not isinstance(tensor, Tensor):
            raise IntegrityError(f"{self._label}: a {type(tensor).__name__}, expected a tensor")
        numbers = self._storage(tensor.storage)
        whole = [tensor.offset, *tensor.shape, *tensor.strides]
        fits = len(tensor.shape) == len(tensor.strides)
        if not fits or not all(0 <= number < 1 << 40 for number in whole):
            raise IntegrityError(f"{self._label}: no tensor has {str(tensor)[:200]}")
        steps = zip(tensor.shape, tensor.strides, strict=True)
        last = tensor.offset + sum((length - 1) * step for length, step in steps)
        if prod(tensor.shape) == 0 or last >= len(numbers) or prod(tensor.shape) > len(numbers):
            raise IntegrityError(
                f"{self._label}: a tensor {list(tensor.shape)} at {tensor.offset} does not fit the "
                f"{len(numbers)} numbers of its storage {tensor.storage.key}"
            )
        return np.lib.stride_tricks.as_strided(
            numbers[tensor.offset :],
            tensor.shape,
            [step * numbers.itemsize for step in tensor.strides],
        ).copy()

    def _storage(self, storage: Storage) -> np.ndarray:
        if self._last is None or self._last[0] != storage:
            data = self._bytes(f"data/{storage.key}", self._limits.storage)
            dtype = np.dtype(storage.dtype)
            if len(data) != storage.length * dtype.itemsize:
                raise IntegrityError(
                    f"{self._label}: storage {storage.key} has {len(data)} bytes, "
                    f"expected {storage.length} numbers of {dtype.itemsize}"
                )
            self._last = storage, np.frombuffer(data, dtype)
        return self._last[1]

    def _bytes(self, name: str, limit: int) -> bytes:
        try:
            entry = self._zip.getinfo(f"{self._root}/{name}")
            if entry.file_size > limit:
                raise IntegrityError(
                    f"{self._label}: {name} has {entry.file_size} bytes, expected {limit} at most"
                )
            with opened_entry(self._zip, entry) as stream:
                data = stream.read(limit + 1)
        except KeyError as error:
            raise IntegrityError(f"{self._label}: {name[:200]!r} is missing in it") from error
        except DAMAGED_ZIP as error:
            raise IntegrityError(f"{self._label}: {name} is damaged ({error})") from error
        if len(data) != entry.file_size:
            raise IntegrityError(
                f"{self._label}: {name} has {len(data)} of {entry.file_size} bytes; it is truncated"
            )
        return data
