"""The weights of many snapshots as one array-like value, mapped from disk until they are read."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.spec.layout import Layout
from zoogen.store.shards import MappedShard, mapped_shard


@runtime_checkable
class Rows(Protocol):
    """Some rows of weights: an array, mapped or not, or one that is read when it is indexed."""

    def __len__(self) -> int:
        """Number of snapshots."""

    def __getitem__(self, place: tuple[Any, slice], /) -> np.ndarray:
        """Read some columns of some rows."""


class Weights:
    """Flat weight vectors ``[snapshots, params]`` float32, and where each tensor lies in them.

    ``np.asarray(weights)`` reads them; so does anything that takes an array. A ``Weights`` knows
    its layout and nothing else: no labels, no model numbers, no epochs.
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        parts: Sequence[Rows],
        layout: Layout,
        rows: Int64[np.ndarray, " snapshots"] | None = None,
    ) -> None:
        """Look at ``parts`` one below another, or at some of their ``rows``, copying nothing."""
        self.layout = layout
        self._parts = tuple(parts)
        self._bounds = np.cumsum([0, *(len(part) for part in parts)])
        self._rows = rows

    def __len__(self) -> int:
        return int(self._bounds[-1]) if self._rows is None else len(self._rows)

    @property
    def shape(self) -> tuple[int, int]:
        """Snapshots and params."""
        return len(self), self.layout.params

    def __repr__(self) -> str:
        return f"Weights({len(self)} snapshots × {self.layout.params} params)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the names of mapped files, not what is in them: another process maps them too."""
        stored = [mapped_shard(part) or part for part in self._parts]
        return reopened, (stored, self.layout, self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: FBT001
        if copy is False:
            raise ValueError("Weights lie on disk in parts: as one array they are always a copy")
        values = self._read(slice(None))
        return values if dtype is None else values.astype(dtype, copy=False)

    def __getitem__(self, rows: Any) -> np.ndarray:
        values = self.take(np.atleast_1d(rows) if np.isscalar(rows) else rows)._read(slice(None))
        return values.reshape(-1) if np.isscalar(rows) else values

    def take(self, rows: Any) -> "Weights":
        """Select snapshots by slice, mask or row numbers, in the order given, copying nothing."""
        everything = np.arange(int(self._bounds[-1])) if self._rows is None else self._rows
        return Weights(self._parts, self.layout, everything[rows])

    def blocks(self, rows: int = 8192) -> Iterator["Weights"]:
        """Yield the snapshots in order, ``rows`` at a time; the last block may be shorter.

        A block is read when it is used, as by ``np.asarray(block)``: only one need be in memory.
        """
        return (self.take(slice(first, first + rows)) for first in range(0, len(self), rows))

    def tensor(self, name: str) -> Float32[np.ndarray, "snapshots ..."]:
        """Read one tensor of every snapshot: ``weights.tensor("fc1.weight")`` is ``[n, 5, 16]``.

        Raises:
            KeyError: If the layout has no such tensor; the message lists those it has.
        """
        slot = self.layout[name]
        return self._read(slot.slice).reshape(len(self), *slot.shape)

    def _read(self, columns: slice) -> Float32[np.ndarray, "snapshots _columns"]:
        if self._rows is None:
            return np.concatenate([part[:, columns] for part in self._parts])
        read = np.empty((len(self), len(range(self.layout.params)[columns])), dtype=self.dtype)
        for part, (first, last) in zip(self._parts, pairwise(self._bounds), strict=True):
            mine = np.flatnonzero((self._rows >= first) & (self._rows < last))
            if len(mine):
                read[mine] = part[self._rows[mine] - first, columns]
        return read


def reopened(
    stored: Sequence[MappedShard | Rows],
    layout: Layout,
    rows: Int64[np.ndarray, " snapshots"] | None,
) -> Weights:
    """Map the files that were named, see ``Weights.__reduce__``."""
    parts = [part.map() if isinstance(part, MappedShard) else part for part in stored]
    return Weights(parts, layout, rows)
