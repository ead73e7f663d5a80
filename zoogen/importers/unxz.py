"""Reads ``.xz`` files with a limit on the memory that decompression may use."""

import io
import lzma
from pathlib import Path
from typing import Any

MEMORY = 256 << 20
"""Bytes per decoder. A file chooses its window, up to 4 GiB; ``xz -9`` uses 64 MiB."""

PIECE = 1 << 16


def unxz(path: Path) -> io.BufferedReader:
    """Open an ``.xz`` file for reading in order.

    Reading raises ``lzma.LZMAError`` if the file is damaged or needs more than ``MEMORY``, and
    ``EOFError`` if it is truncated.
    """
    return io.BufferedReader(XzFile(path), PIECE)


class XzFile(io.RawIOBase):
    """A decompressed stream that only moves forward; ``lzma.open`` has no memory limit."""

    def __init__(self, path: Path) -> None:
        """Start at the first stream."""
        self._file, self._decoder, self._place = path.open("rb"), decoder(), 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True; only forward, though."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any, /) -> int:
        """Decompress into a buffer; return the number of bytes, 0 at the end."""
        view = memoryview(buffer).cast("B")
        piece = self._decompress(len(view))
        view[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Skip forward; return the new position."""
        target = offset + (self._place if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target < self._place:
            raise io.UnsupportedOperation("an .xz file can only be read forward")
        while self._place < target and self.read(min(PIECE, target - self._place)):
            pass
        return self._place

    def _decompress(self, most: int) -> bytes:
        piece = b""
        while most and not piece:
            if self._decoder.eof:
                packed = self._next_stream()
                if not packed:
                    break
            elif self._decoder.needs_input:
                packed = self._file.read(PIECE)
                if not packed:
                    raise EOFError("it ends in the middle of a stream")
            else:
                packed = b""
            piece = self._decoder.decompress(packed, most)
        return piece

    def _next_stream(self) -> bytes:
        """Skip padding, start the next stream and return its first bytes; empty if none is left."""
        packed = self._decoder.unused_data.lstrip(b"\0")
        while not packed:
            read = self._file.read(PIECE)
            if not read:
                return b""
            packed = read.lstrip(b"\0")
        self._decoder = decoder()
        return packed


def decoder() -> lzma.LZMADecompressor:
    """Return a decoder for one stream."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)
