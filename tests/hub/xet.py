"""Xet, the Hub's newer storage, as far as its client runs without a network.

The client is compiled; with a folder as its server (``local://``), it keeps the chunks there. This
module reads its ``.mdb`` files: 48-byte records, integers little-endian.
"""

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hub.call import Call, RefusedError, Reply
from tests.hub.store import StoredFile, git_oid, pointer_of

RECORD = 48
END = b"\xff" * 32
HAS_VERIFICATION, HAS_SHA256 = 1 << 31, 1 << 30


def hash_text(raw: bytes) -> str:
    """Format a hash as the client does: four words, each with its bytes reversed."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def files_of(shard: bytes) -> Iterator[tuple[str, str]]:
    """Yield SHA-256 and Xet hash of every file in an ``.mdb`` file."""
    place = RECORD
    while place + RECORD <= len(shard) and shard[place : place + 32] != END:
        name = hash_text(shard[place : place + 32])
        flags, segments = struct.unpack_from("<II", shard, place + 32)
        place += RECORD * (1 + segments * (2 if flags & HAS_VERIFICATION else 1))
        if flags & HAS_SHA256:
            yield hash_text(shard[place : place + 32]), name
            place += RECORD


@dataclass(frozen=True)
class XetStore:
    """A folder of chunks, which one process at a time may open."""

    folder: Path

    def find(self, sha256: str) -> str | None:
        """Return the Xet hash of a file by its SHA-256."""
        shards = (path.read_bytes() for path in sorted(self.folder.rglob("*.mdb")))
        return next(
            (xet for shard in shards for sha, xet in files_of(shard) if sha == sha256), None
        )

    def read(self, file: StoredFile, scratch: Path) -> bytes:
        """Join a file from its chunks with the client's own code."""
        import hf_xet

        assert file.xet is not None
        group = hf_xet.XetSession().new_file_download_group(
            endpoint=f"local://{self.folder}", token="xet", token_expiry_unix_secs=expiry()
        )
        with group:
            group.start_download_file(hf_xet.XetFileInfo(file.xet, file.size), str(scratch))
        return scratch.read_bytes()


def expiry() -> int:
    return int(time.time()) + 3600


def chunked_file(xet: str, sha256: str, size: int) -> StoredFile:
    """Return a file that only the Xet storage holds."""
    pointer = pointer_of(sha256, size)
    return StoredFile(content=b"", oid=git_oid(pointer), size=size, sha256=sha256, xet=xet)


def token(call: Call) -> Reply:
    """Return the location of the chunks to an account that may read or write them."""
    if call.parts["access"] == "write":
        call.repository_to_write(call.parts["revision"])
    else:
        call.repository()
    if call.hub.xet is None:
        raise RefusedError(404, "NotFound", "this Hub has no Xet storage")
    url, end = f"local://{call.hub.xet.folder}", expiry()
    return Reply(
        {"casUrl": url, "exp": end, "accessToken": "xet"},
        headers={
            "X-Xet-Cas-Url": url,
            "X-Xet-Access-Token": "xet",
            "X-Xet-Token-Expiration": str(end),
        },
    )
