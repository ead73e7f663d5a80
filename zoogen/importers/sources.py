"""Yields the files of a source one by one, from a folder or straight from an archive.

Nothing is unpacked: a member is a stream that is read in order and hashed on the way. It never
yields more bytes than its header declares or the reader allows.
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
"""Bytes per read of a compressed tar: headers are small, and members are read in smaller pieces."""

ZIP = {b"PK\x03\x04", b"PK\x05\x06"}
ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
"""Compression allowed in a zip; not LZMA, whose window can be of any size."""

COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": unxz}
DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError)
DAMAGED_ZIP = (*DAMAGED, zipfile.BadZipFile, RuntimeError)  # RuntimeError if encrypted

Wanted = Callable[[str], bool]


@runtime_checkable
class Readable(Protocol):
    """A file, or a member of an archive."""

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Read into a buffer; return the number of bytes, 0 at the end."""


@runtime_checkable
class Seekable(Readable, Protocol):
    """A file that can be read from anywhere."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a position."""

    def tell(self) -> int:
        """Return the position."""


class Member:
    """One file of a source, to be read once and in order.

    Attributes:
        name: Path inside the source, with forward slashes.
        size: Declared size in bytes, uncompressed.
    """

    def __init__(self, source: Path, name: str, size: int, stream: Readable) -> None:
        """Wrap a stream of ``size`` bytes."""
        self.name, self.size = name, size
        self._source, self._stream, self._digest, self._left = source, stream, sha256(), size

    def __str__(self) -> str:
        source = str(self._source)
        return source if self._source.name == self.name else f"{source}: {self.name}"

    def read(self, size: int = -1) -> bytes:
        """Read ``size`` bytes, or fewer at the end; by default, everything left.

        Raises:
            IntegrityError: If the file is damaged or shorter than declared.
        """
        wanted = self._left if size < 0 else min(size, self._left)
        return bytes(self.into(bytearray(wanted)))

    def into(self, buffer: bytearray | memoryview) -> bytearray | memoryview:
        """Fill a buffer and return it.

        Raises:
            IntegrityError: If the file is damaged or ends early.
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
        """Read the whole file.

        Raises:
            IntegrityError: If it is larger than ``limit`` bytes, truncated or damaged.
        """
        if self.size > limit:
            raise IntegrityError(f"{self} has {self.size} bytes, expected at most {limit}")
        return self.read()

    @property
    def sha256(self) -> str:
        """Hash of the bytes read so far."""
        return self._digest.hexdigest()


def members(source: Path, wanted: Wanted) -> Iterator[Member]:
    """Yield the wanted files: of a folder or zip by name, of a tar in stored order.

    A member is valid until the next is requested. Links inside an archive are not followed. Exhaust
    the iterator to be sure that a compressed tar is undamaged: its checksum comes last.

    Raises:
        ZooError: If the source does not exist, cannot be read, or names a file outside itself.
        IntegrityError: If the archive is truncated or damaged.
    """
    if source.is_dir():
        yield from folder_members(source, wanted)
    elif not source.is_file():
        raise ZooError(
            f"{source} does not exist; expected a folder, .zip, .tar, .tar.gz or .tar.xz"
        )
    elif is_zip(source):
        yield from zip_members(source, wanted)
    else:
        yield from tar_members(source, wanted)


def is_zip(source: Path) -> bool:
    """Recognise a zip by its start: a tar that contains a zip may end like one."""
    with source.open("rb") as file:
        return file.read(4) in ZIP


def folder_members(source: Path, wanted: Wanted, prefix: str = "") -> Iterator[Member]:
    """Yield the wanted files of a folder, by name."""
    try:
        entries = sorted(os.scandir(source / prefix), key=lambda entry: entry.name)
    except OSError as error:
        raise ZooError(f"{source / prefix} cannot be read ({error.strerror})") from error
    for entry in entries:
        name = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from folder_members(source, wanted, f"{name}/")
        elif wanted(name):
            try:
                stream = (source / name).open("rb")
            except OSError as error:
                raise ZooError(f"{source / name} cannot be read ({error.strerror})") from error
            with stream:
                yield Member(source, name, os.fstat(stream.fileno()).st_size, stream)


def zip_members(source: Path, wanted: Wanted) -> Iterator[Member]:
    """Yield the wanted members of a zip, by name."""
    with open_zip(source) as archive:
        entries = {member_path(source, one.filename): one for one in archive.infolist()}
        for name, entry in sorted(entries.items(), key=lambda item: item[0].split("/")):
            if entry.is_dir() or not wanted(name):
                continue
            try:
                stream = open_entry(archive, entry)
            except DAMAGED_ZIP as error:
                raise IntegrityError(f"{source}: {name} cannot be read ({error})") from error
            with stream:
                yield Member(source, name, entry.file_size, cast(Readable, stream))


def open_zip(source: Path | Seekable, label: object = None) -> zipfile.ZipFile:
    """Open a zip and read its list of members."""
    try:
        return zipfile.ZipFile(cast(IO[bytes], source))
    except DAMAGED_ZIP as error:
        raise IntegrityError(f"{label or source}: not a complete zip archive ({error})") from error


def open_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """Open a member of a zip.

    Raises:
        BadZipFile: If its compression is not in ``ZIP_METHODS``.
    """
    if entry.compress_type not in ZIP_METHODS:
        raise zipfile.BadZipFile(f"compression method {entry.compress_type} is not supported")
    return cast(zipfile.ZipExtFile, archive.open(entry))


class BoundedReads:
    """A file that refuses huge reads, which a lying header could ask for."""

    def __init__(self, file: Seekable) -> None:
        """Wrap ``file``."""
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        if not 0 <= size <= LARGEST_READ:
            raise tarfile.ReadError(f"a header of {size} bytes is too large")
        return self._file.read(size)


def tar_members(source: Path, wanted: Wanted) -> Iterator[Member]:
    """Yield the wanted members of a tar, compressed or not, in stored order."""
    try:
        with source.open("rb") as file:
            magic = file.read(6)
        plain = partial(open, mode="rb")
        opener = next((o for m, o in COMPRESSED.items() if magic.startswith(m)), plain)
        with opener(source) as file:  # type: ignore[operator]
            archive = tarfile.TarFile(fileobj=BoundedReads(file))  # type: ignore[arg-type]
            while entry := archive.next():
                archive.members = []  # type: ignore[attr-defined]  # or it keeps all of them
                name = member_path(source, entry.name)
                if entry.isreg() and wanted(name):
                    stream = archive.extractfile(entry)
                    yield Member(source, name, entry.size, cast(Readable, stream))
            while file.read(CHUNK):  # the checksum of a compressed file comes last
                pass
    except DAMAGED as error:
        raise IntegrityError(
            f"{source}: not a complete zip or tar archive ({error}); get the file again"
        ) from error


def member_path(source: Path, name: str) -> str:
    """Return the name of a member as a plain path.

    Raises:
        ZooError: If it points outside the archive.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        raise ZooError(f"{source} names a file outside itself, {name[:200]!r}; do not unpack it")
    return path.as_posix()


class Digests:
    """Hashes of the files read, by name."""

    def __init__(self) -> None:
        """Start empty."""
        self._of: dict[str, str] = {}

    def add(self, name: str, digest: str) -> None:
        """Record the hash of a file that was read to its end."""
        self._of[name] = digest

    def __len__(self) -> int:
        return len(self._of)

    @property
    def sha256(self) -> str:
        """One hash for all files: of the lines ``sha256sum`` prints for them, sorted by name."""
        lines = (f"{digest}  {name}\n" for name, digest in sorted(self._of.items()))
        return sha256("".join(lines).encode()).hexdigest()
