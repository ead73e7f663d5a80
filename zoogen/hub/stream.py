"""Shards that stay on the Hub: rows are read by byte ranges, as they are asked for."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.errors import IntegrityError
from zoogen.hub.errors import hub_errors
from zoogen.hub.remote import Remote, check_held, held_files
from zoogen.store.manifest import FileEntry
from zoogen.store.shards import LARGEST_HEADER, check_header

if TYPE_CHECKING:
    from huggingface_hub import HfFileSystem

GAP = 1 << 18
"""Bytes that are rather read in vain than asked around: a request costs as much as some of them."""
LONGEST = 1 << 23
"""Bytes of one request at most, so that memory holds."""
AT_A_TIME = 8
HEAD = 1 << 12


@dataclass(frozen=True, kw_only=True)
class RemoteRows:
    """A shard on the Hub as an array ``[rows, params]`` float32 that is read when it is indexed.

    Bytes are read at a commit whose hash of the file is the manifest's; the bytes themselves
    cannot be hashed without reading all of them.
    """

    remote: Remote
    filesystem: "HfFileSystem"
    entry: FileEntry
    params: int

    def __len__(self) -> int:
        return self.entry.rows

    def __getitem__(self, place: tuple[Any, slice]) -> Float32[np.ndarray, "_rows _columns"]:
        rows, columns = place
        wanted = np.arange(len(self))[rows]
        read = np.empty((len(wanted), self.params), dtype=np.float32)

        def fill(run: tuple[int, int]) -> None:
            first, last = run
            here = (wanted >= first) & (wanted < last)
            read[here] = self.read_rows(first, last)[wanted[here] - first]

        _ = self.start  # asked for once, not by every thread
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="stream") as pool:
            for _ in pool.map(fill, runs(wanted, self.params * read.itemsize)):
                pass
        return read[:, columns]

    def read_rows(self, first: int, last: int) -> Float32[np.ndarray, "_rows params"]:
        """Read the rows from ``first`` up to ``last``."""
        width = self.params * 4
        blob = self.read(self.start + first * width, self.start + last * width)
        return np.frombuffer(blob, np.float32).reshape(last - first, self.params)

    @cached_property
    def start(self) -> int:
        """The byte at which the first row begins, once the header is what it must be.

        Raises:
            IntegrityError: If the header is not that of the shard the manifest names.
        """
        head = self.read(0, min(HEAD, self.entry.bytes))
        size = int.from_bytes(head[:8], "little")
        if len(head) < 8 + size <= 8 + min(LARGEST_HEADER, self.entry.bytes):
            head += self.read(len(head), 8 + size)
        check_header(
            head,
            self.entry.bytes,
            self.entry.rows,
            self.params,
            named=f"{self.remote.page}: {self.entry.file}",
        )
        return 8 + size

    def read(self, first: int, last: int) -> bytes:
        """Read bytes from ``first`` up to ``last``.

        Raises:
            IntegrityError: If other bytes come than were asked for.
            ZooError: If the Hub cannot be reached.
        """
        remote = self.remote
        path = f"datasets/{remote.repository}@{remote.commit}/{self.entry.file}"
        with (
            hub_errors(remote.api, remote.repository),
            self.filesystem.open(path, "rb", cache_type="none") as file,
        ):
            file.seek(first)
            blob: bytes = file.read(last - first)
        if len(blob) != last - first:
            raise IntegrityError(
                f"{remote.page}: {self.entry.file} gave {len(blob)} bytes, expected {last - first}"
            )
        return blob


def runs(rows: Int64[np.ndarray, " wanted"], width: int) -> Iterator[tuple[int, int]]:
    """Yield few runs of rows that hold all that are wanted, none too long for memory.

    Args:
        rows: Which, in any order.
        width: Bytes of a row.
    """
    ordered, most = np.unique(rows), max(1, LONGEST // width)
    breaks = np.flatnonzero(np.diff(ordered) * width > GAP) + 1
    for run in np.split(ordered, breaks) if len(ordered) else []:
        for first in range(run[0], run[-1] + 1, most):
            yield int(first), int(min(first + most, run[-1] + 1))


def remote_rows(
    remote: Remote, entries: Sequence[FileEntry], folder: Path, params: int
) -> dict[str, RemoteRows]:
    """Return the shards that are not in a folder, to be read from the Hub, by their names.

    Raises:
        IntegrityError: If the commit has another file than the manifest names.
        ZooError: If the Hub cannot be reached.
    """
    absent = [entry for entry in entries if not (folder / entry.file).is_file()]
    if not absent:
        return {}
    from huggingface_hub import HfFileSystem

    check_held(absent, held_files(remote), remote)
    filesystem = HfFileSystem(
        endpoint=remote.api.endpoint, token=remote.api.token, skip_instance_cache=True
    )
    return {
        entry.file: RemoteRows(remote=remote, filesystem=filesystem, entry=entry, params=params)
        for entry in absent
    }
