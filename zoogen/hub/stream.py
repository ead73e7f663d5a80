"""Shards that stay on the Hub: rows are read on demand, by byte ranges."""

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
"""Most unwanted bytes to read rather than send another request."""
LONGEST = 1 << 23
"""Most bytes of one request: they must fit into memory."""
AT_A_TIME = 8
HEAD = 1 << 12


@dataclass(frozen=True, kw_only=True)
class RemoteRows:
    """A shard on the Hub as an array ``[rows, params]`` float32; indexing it reads the rows.

    The commit lists the file with the hash of the manifest. The rows themselves are not hashed:
    that would need the whole shard.
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

        _ = self.start  # read once here, not by every thread
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
        """The byte at which the first row begins; reading it checks the header.

        Raises:
            IntegrityError: If the header is not that of the shard in the manifest.
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
            IntegrityError: If the Hub sends another number of bytes.
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
                f"{remote.page}: the Hub sent {len(blob)} bytes of {self.entry.file}, expected "
                f"{last - first}; try again later"
            )
        return blob


def runs(rows: Int64[np.ndarray, " wanted"], width: int) -> Iterator[tuple[int, int]]:
    """Yield a few runs of rows, ``first`` up to ``last``, that hold all wanted rows.

    Args:
        rows: Wanted rows, in any order.
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
    """Return the shards that are missing from a folder, streamed from the Hub, by file name.

    Raises:
        IntegrityError: If a file on the Hub is not the one in the manifest.
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
