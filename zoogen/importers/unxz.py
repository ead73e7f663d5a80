"""The content of an ``.xz`` file, with a bound on the memory that unfolding it may take."""

import io
import lzma
from pathlib import Path
from typing import Any

MEMORY = 256 << 20
"""Bytes of a decoder. A file names the window it needs, up to 4 GiB; ``xz -9`` takes 64 MiB."""

PIECE = 1 << 16


def unxz(path: Path) -> io.BufferedReader:
    """Open an ``.xz`` file to be read in order.

    Reading raises ``lzma.LZMAError`` if it is damaged or asks for more than ``MEMORY``, and
    ``EOFError`` if it is truncated.
    """
    return io.BufferedReader(Unfolding(path), PIECE)


class Unfolding(io.RawIOBase):
    """Reads on and skips forward, never back; ``lzma.open`` knows no bound."""

    def __init__(self, path: Path) -> None:
        """Begin at the first stream."""
        self._file, self._decoder, self._place = path.open("rb"), decoder(), 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes, forward."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any, /) -> int:
        """Unfold some bytes into a buffer and say how many; 0 at the end."""
        view = memoryview(buffer).cast("B")
        piece = self._unfolded(len(view))
        view[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Skip forward; return the place."""
        target = offset + (self._place if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END or target < self._place:
            raise io.UnsupportedOperation("it is read in order, never back")
        while self._place < target and self.read(min(PIECE, target - self._place)):
            pass
        return self._place

    def _unfolded(self, most: int) -> bytes:
        piece = b""
        while most and not piece:
            if self._decoder.eof:
                folded = self._next_stream()
                if not folded:
                    break
            elif self._decoder.needs_input:
                folded = self._file.read(PIECE)
                if not folded:
                    raise EOFError("it ends in the middle of a stream")
            else:
                folded = b""
            piece = self._decoder.decompress(folded, most)
        return piece

    def _next_stream(self) -> bytes:
        """Begin with the stream that follows, past padding; return its first bytes, if any."""
        folded = self._decoder.unused_data.lstrip(b"\0")
        while not folded:
            read = self._file.read(PIECE)
            if not read:
                return b""
            folded = read.lstrip(b"\0")
        self._decoder = decoder()
        return folded


def decoder() -> lzma.LZMADecompressor:
    """Return what unfolds one stream."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)
