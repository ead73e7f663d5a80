"""The Hub's newer storage, Xet, as far as its published client runs without a network.

The client is compiled; given a folder as its server (``local://``) it keeps the chunks there.
What it has kept is read here from its ``.mdb`` files: 48-byte records, integers little-endian.
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
    """Write a hash as the client does: four words, each the other way round."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def files_of(shard: bytes) -> Iterator[tuple[str, str]]:
    """Yield SHA-256 and Xet hash of every file that an ``.mdb`` file tells of."""
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
    """A folder of chunks; one process at a time may have it open."""

    folder: Path

    def find(self, sha256: str) -> str | None:
        """Return the Xet hash of a file by its SHA-256."""
        shards = (path.read_bytes() for path in sorted(self.folder.rglob("*.mdb")))
        return next(
            (xet for shard in shards for sha, xet in files_of(shard) if sha == sha256), None
        )

    def read(self, file: StoredFile, scratch: Path) -> bytes:
        """Put a file together from its chunks, with the client's own code."""
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
    """A file that is in the Xet storage only."""
    pointer = pointer_of(sha256, size)
    return StoredFile(content=b"", oid=git_oid(pointer), size=size, sha256=sha256, xet=xet)


def token(call: Call) -> Reply:
    """Say where the chunks are, to who may read or write them."""
    if call.parts["access"] == "write":
        call.repository_to_write(call.parts["revision"])
    else:
        call.repository()
    if call.hub.xet is None:
        raise RefusedError(404, "NotFound", "this Hub has no Xet storage")
    address, end = f"local://{call.hub.xet.folder}", expiry()
    return Reply(
        {"casUrl": address, "exp": end, "accessToken": "xet"},
        headers={
            "X-Xet-Cas-Url": address,
            "X-Xet-Access-Token": "xet",
            "X-Xet-Token-Expiration": str(end),
        },
    )
