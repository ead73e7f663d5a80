"""The files of a source, one after another: of a folder, or straight from an archive.

Nothing is unpacked: a member is a stream that is read in order, hashed as it is read, and bounded
by what its header declares and by what the reader asks for.
"""

import bz2
import gzip
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast, runtime_checkable

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.unxz import unxz

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
CHUNK = MIB
LARGEST_READ = 64 * MIB
"""Of a compressed tar at once: its own headers are small, members are read in smaller pieces."""

ZIP = {b"PK\x03\x04", b"PK\x05\x06"}
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
"""Of a zip's members; LZMA has a window as large as the member likes."""

COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": unxz}
DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError)
DAMAGED_ZIP = (*DAMAGED, zipfile.BadZipFile, RuntimeError)  # the last if it is encrypted

Wanted = Callable[[str], bool]


@runtime_checkable
class Readable(Protocol):
    """What is read: a file, or a member of an archive."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read into a buffer and say how much; 0 at the end."""


@runtime_checkable
class Seekable(Readable, Protocol):
    """A file that can be read from anywhere."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""

    def tell(self) -> int:
        """Say where one is."""


class Member:
    """One file of a source, read in order and once.

    Attributes:
        name: Path inside the source, with forward slashes.
        size: Bytes that it is declared to hold, uncompressed.
    """

    def __init__(self, source: Path, name: str, size: int, stream: Readable) -> None:
        """Look at a stream of ``size`` bytes."""
        self.name, self.size = name, size
        self._source, self._stream, self._digest, self._left = source, stream, sha256(), size

    def __str__(self) -> str:
        source = str(self._source)
        return source if self._source.name == self.name else f"{source}: {self.name}"

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, fewer only at the end; all that is left by default.

        Raises:
            IntegrityError: If the file is shorter than declared, or damaged.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        return bytes(self.into(bytearray(wanted)))

    def into(self, buffer: bytearray | memoryview) -> bytearray | memoryview:
        """Fill a buffer and return it.

        Raises:
            IntegrityError: If the file ends before, or is damaged.
        """
        view, done = memoryview(buffer), 0
        while done < len(view):
            try:
                read = self._stream.readinto(view[done : done + CHUNK])
            except DAMAGED_ZIP as error:
                raise IntegrityError(f"{self} is damaged: {error}; get the file again") from error
            if not read:
                raise IntegrityError(
                    f"{self} ends after {self.size - self._left + done} of {self.size} bytes; "
                    "it is truncated, get the file again"
                )
            self._digest.update(view[done : done + read])
            done += read
        self._left -= done
        return buffer

    def whole(self, limit: int) -> bytes:
        """Read all of it.

        Raises:
            IntegrityError: If it is larger than ``limit`` bytes, truncated or damaged.
        """
        if self.size > limit:
            raise IntegrityError(f"{self} has {self.size} bytes, expected {limit} at most")
        return self.read()

    @property
    def sha256(self) -> str:
        """Hash of what was read."""
        return self._digest.hexdigest()


def members(source: Path, wanted: Wanted) -> Iterator[Member]:
    """Yield the wanted files of a folder or zip, by name, or of a tar, in the order they lie in it.

    A member is good until the next is asked for. Links inside an archive are not followed. Only
    who asks until there is none knows that a compressed tar is undamaged: its checksum comes last.

    Raises:
        ZooError: If there is no such source, it cannot be read, or an archive names a file outside
            of itself.
        IntegrityError: If the archive is truncated or damaged.
    """
    if source.is_dir():
        yield from of_folder(source, wanted)
    elif not source.is_file():
        raise ZooError(f"{source} is not there; name a folder, .zip, .tar, .tar.gz or .tar.xz")
    elif is_zip(source):
        yield from of_zip(source, wanted)
    else:
        yield from of_tar(source, wanted)


def is_zip(source: Path) -> bool:
    """Tell a zip by how it begins; a tar with one in it may end as a zip does."""
    with source.open("rb") as file:
        return file.read(4) in ZIP


def of_folder(source: Path, wanted: Wanted, prefix: str = "") -> Iterator[Member]:
    """Walk a folder in the order of names."""
    try:
        entries = sorted(os.scandir(source / prefix), key=lambda entry: entry.name)
    except OSError as error:
        raise ZooError(f"{source / prefix} cannot be read ({error.strerror})") from error
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from of_folder(source, wanted, f"{name}/")
        elif wanted(name):
            try:
                stream = (source / name).open("rb")
            except OSError as error:
                raise ZooError(f"{source / name} cannot be read ({error.strerror})") from error
            with stream:
                yield Member(source, name, os.fstat(stream.fileno()).st_size, stream)


def of_zip(source: Path, wanted: Wanted) -> Iterator[Member]:
    """Walk a zip in the order of names."""
    with opened_zip(source) as archive:
        entries = {inside(source, one.filename): one for one in archive.infolist()}
        for name, entry in sorted(entries.items(), key=lambda item: item[0].split("/")):
            if entry.is_dir() or not wanted(name):
                continue
            try:
                stream = opened_entry(archive, entry)
            except DAMAGED_ZIP as error:
                raise IntegrityError(f"{source}: {name} cannot be read ({error})") from error
            with stream:
                yield Member(source, name, entry.file_size, cast(Readable, stream))


def opened_zip(source: Path | Seekable, label: object = None) -> zipfile.ZipFile:
    """Open a zip; its list of members is read, they are not."""
    try:
        return zipfile.ZipFile(cast(IO[bytes], source))
    except DAMAGED_ZIP as error:
        raise IntegrityError(f"{label or source}: not a whole zip archive ({error})") from error


def opened_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """Open a member of a zip if it is compressed as zips commonly are.

    Raises:
        BadZipFile: If it is not.
    """
    if entry.compress_type not in METHODS:
        raise zipfile.BadZipFile(f"compression method {entry.compress_type} is not read")
    return cast(zipfile.ZipExtFile, archive.open(entry))


class Guarded:
    """A file that refuses to be read in huge pieces, as a header that lies would have it."""

    def __init__(self, file: Seekable) -> None:
        """Stand for ``file``."""
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        if not 0 <= size <= LARGEST_READ:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._file.read(size)


def of_tar(source: Path, wanted: Wanted) -> Iterator[Member]:
    """Walk a tar, compressed or not."""
    try:
        with source.open("rb") as file:
            magic = file.read(6)
        plain = partial(open, mode="rb")
        opener = next((o for m, o in COMPRESSED.items() if magic.startswith(m)), plain)
        with opener(source) as file:  # type: ignore[operator]
            archive = tarfile.TarFile(fileobj=Guarded(file))  # type: ignore[arg-type]
            while entry := archive.next():
                archive.members = []  # type: ignore[attr-defined]  # else it keeps all of a million
                name = inside(source, entry.name)
                if entry.isreg() and wanted(name):
                    stream = archive.extractfile(entry)
                    yield Member(source, name, entry.size, cast(Readable, stream))
            while file.read(CHUNK):  # at its very end a compressed file has its checksum
                pass
    except DAMAGED as error:
        raise IntegrityError(
            f"{source}: not a whole zip or tar archive ({error}); get the file again"
        ) from error


def inside(source: Path, name: str) -> str:
    """Return the name of a member as a plain path.

    Raises:
        ZooError: If it leads out of the archive.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        raise ZooError(
            f"{source} names a file outside of itself, {name[:200]!r}; nothing was read from it, "
            "do not unpack it either"
        )
    return path.as_posix()


class Digests:
    """The hashes of the files that were read, by name."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of: dict[str, str] = {}

    def add(self, name: str, digest: str) -> None:
        """Note a file that was read to its end."""
        self._of[name] = digest

    def __len__(self) -> int:
        return len(self._of)

    @property
    def sha256(self) -> str:
        """One hash for all: over what ``sha256sum`` prints of them, by name."""
        lines = (f"{digest}  {name}\n" for name, digest in sorted(self._of.items()))
        return sha256("".join(lines).encode()).hexdigest()
