"""Reads ``torch.save`` files without torch: each is a zip of one pickle and raw numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from zoogen.errors import IntegrityError
from zoogen.importers.pickles import Storage, Tensor, unpickled
from zoogen.importers.sources import DAMAGED_ZIP, MIB, Seekable, open_entry, open_zip

LARGEST_STORAGE = 256 * MIB


@dataclass(frozen=True)
class Limits:
    """Largest sizes allowed, in bytes: of the pickle, and of each storage."""

    pickle: int = 1024 * MIB
    storage: int = LARGEST_STORAGE


class TorchFile:
    """One file from ``torch.save``; its content and tensors are read on demand."""

    def __init__(
        self, file: Seekable, label: object, known: Mapping[str, Any], limits: Limits
    ) -> None:
        """List the contents of the file.

        Args:
            file: The file.
            label: Its name in errors.
            known: A stand-in for every name its pickle may ask for.
            limits: How large its parts may be.

        Raises:
            IntegrityError: If it is not such a file, or has another byte order.
        """
        self._label, self._limits = label, limits
        self._zip = open_zip(file, f"{label}: not written by torch.save of torch 1.6 or newer")
        self._last: tuple[Storage, np.ndarray] | None = None
        names = [name for name in self._zip.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise IntegrityError(f"{label}: holds {len(names)} pickles, torch.save writes 1")
        self._root = names[0].removesuffix("/data.pkl")
        if f"{self._root}/byteorder" in self._zip.NameToInfo:
            order = self._bytes("byteorder", 16)
            if order != b"little":
                raise IntegrityError(f"{label}: its byte order is {order!r}, expected b'little'")
        self._known = known

    @cached_property
    def content(self) -> Any:
        """The saved object, with each tensor as a ``Tensor``.

        Raises:
            RefusedGlobalError: If the pickle asks for a name that is not known.
            IntegrityError: If it is damaged or larger than the limit.
        """
        pickled = self._bytes("data.pkl", self._limits.pickle)
        return unpickled(pickled, self._label, self._known)

    def close(self) -> None:
        """Close the zip but not the underlying file."""
        self._zip.close()

    def array(self, tensor: object) -> np.ndarray:
        """Read one tensor, as a copy.

        Raises:
            IntegrityError: If it is not a ``Tensor``, reaches beyond its storage, or the storage is
                missing or differs from the size in the pickle.
        """
        if not isinstance(tensor, Tensor):
            raise IntegrityError(f"{self._label}: found a {type(tensor).__name__}, not a tensor")
        numbers = self._storage(tensor.storage)
        whole = [tensor.offset, *tensor.shape, *tensor.strides]
        fits = len(tensor.shape) == len(tensor.strides)
        if not fits or not all(0 <= number < 1 << 40 for number in whole):
            raise IntegrityError(f"{self._label}: invalid tensor {str(tensor)[:200]}")
        steps = zip(tensor.shape, tensor.strides, strict=True)
        last = tensor.offset + sum((length - 1) * step for length, step in steps)
        if prod(tensor.shape) == 0 or last >= len(numbers) or prod(tensor.shape) > len(numbers):
            raise IntegrityError(
                f"{self._label}: a tensor {list(tensor.shape)} at offset {tensor.offset} does not "
                f"fit in the {len(numbers)} numbers of storage {tensor.storage.key}"
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
                    f"expected {storage.length} numbers of {dtype.itemsize} bytes"
                )
            self._last = storage, np.frombuffer(data, dtype)
        return self._last[1]

    def _bytes(self, name: str, limit: int) -> bytes:
        try:
            entry = self._zip.getinfo(f"{self._root}/{name}")
            if entry.file_size > limit:
                raise IntegrityError(
                    f"{self._label}: {name} has {entry.file_size} bytes, expected at most {limit}"
                )
            with open_entry(self._zip, entry) as stream:
                data = stream.read(limit + 1)
        except KeyError as error:
            raise IntegrityError(f"{self._label}: {name[:200]!r} is missing") from error
        except DAMAGED_ZIP as error:
            raise IntegrityError(f"{self._label}: {name} is damaged ({error})") from error
        if len(data) != entry.file_size:
            raise IntegrityError(
                f"{self._label}: {name} has {len(data)} of {entry.file_size} bytes; it is truncated"
            )
        return data
