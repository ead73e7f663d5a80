"""Writes rows of a foreign zoo into shards."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.importers.sources import MIB
from zoogen.spec.layout import Layout
from zoogen.store.manifest import FileEntry, file_entry
from zoogen.store.shards import shard_name, write_shard

SHARD_BYTES = 64 * MIB


class ShardWriter:
    """Reorders rows to our layout and writes them, one shard while the next fills.

    Holds at most two shards in memory, whatever the size of the zoo.
    """

    def __init__(self, folder: Path, layout: Layout, columns: Int64[np.ndarray, " params"]) -> None:
        """Write to ``folder``; ``columns`` gives the position of each weight in a foreign row."""
        self._folder, self._layout, self._columns = folder, layout, columns
        self._reorder = bool((columns != np.arange(len(columns))).any())
        self._rows = max(1, SHARD_BYTES // (4 * len(columns)))
        # Two buffers that alternate: allocating fresh memory costs more than filling it.
        self._buffer, self._other = np.empty((2, self._rows, len(columns)), np.float32)
        self._filled = 0
        self._writer, self._shards = ThreadPoolExecutor(1), list[Future[FileEntry]]()

    def close(self) -> None:
        """Wait for the shard being written; drop rows that ``finish`` has not written."""
        self._writer.shutdown(cancel_futures=True)

    def add(self, weights: Float32[np.ndarray, "rows params"]) -> None:
        """Add rows in the foreign layout.

        Raises:
            ZooError: If a shard cannot be written.
        """
        while len(weights):
            some = weights[: self._rows - self._filled]
            place = self._buffer[self._filled : self._filled + len(some)]
            if self._reorder:  # mode "clip" writes straight to out, the default makes a copy first
                np.take(some, self._columns, axis=1, out=place, mode="clip")
            else:
                place[:] = some
            self._filled, weights = self._filled + len(some), weights[len(some) :]
            if self._filled == self._rows:
                self._submit()

    def finish(self) -> tuple[FileEntry, ...]:
        """Write the remaining rows and wait for every shard.

        Raises:
            ZooError: If a shard cannot be written.
        """
        if self._filled:
            self._submit()
        return tuple(shard.result() for shard in self._shards)

    def _submit(self) -> None:
        if self._shards:
            self._shards[-1].result()
        name = shard_name(len(self._shards))
        self._shards.append(self._writer.submit(self._write, name, self._buffer[: self._filled]))
        self._buffer, self._other, self._filled = self._other, self._buffer, 0

    def _write(self, name: str, rows: Float32[np.ndarray, "rows params"]) -> FileEntry:
        write_shard(self._folder / name, rows, self._layout)
        return file_entry(self._folder, name, len(rows))
