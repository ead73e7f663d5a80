"""Fetch a zoo, or a part of it, from the Hugging Face Hub into a folder."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from zoogen.atomic import atomic_path, sha256_of
from zoogen.errors import IntegrityError, UnwritableError, ZooError
from zoogen.hub.address import find_address, is_address
from zoogen.hub.client import HeldFile
from zoogen.hub.download import download
from zoogen.hub.errors import AGAIN
from zoogen.hub.remote import (
    Remote,
    check_held,
    find_remote,
    held_files,
    note_commit,
    published_manifest,
)
from zoogen.locks import LOCK, locked
from zoogen.places import zoo_folder
from zoogen.spec.split import Split
from zoogen.store.card import CARD, PLOTS
from zoogen.store.folder import DOWNLOADS, PARTS, WEIGHTS, refuse_foreign
from zoogen.store.manifest import MANIFEST, TABLE, FileEntry, Manifest, read_manifest
from zoogen.store.shards import map_shard
from zoogen.store.subset import COLUMNS, Shelves, Subset
from zoogen.store.table import read_table

PICTURE = re.compile(rf"{PLOTS}/[A-Za-z0-9_-][A-Za-z0-9._-]*\.png")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A zoo, or a part of it, after a fetch.

    Attributes:
        folder: Folder of the zoo.
        manifest: Manifest of the whole zoo.
        commit: Commit that was read, 40 hex digits.
        shards: Requested shards, by file name.
        downloaded: Files that this call downloaded.
    """

    folder: Path
    manifest: Manifest
    commit: str
    shards: tuple[str, ...]
    downloaded: tuple[str, ...]


def fetch_zoo(
    zoo: str,
    *,
    revision: str | None = None,
    split: Split | None = None,
    models: int | Sequence[int] | None = None,
    out: Path | None = None,
    endpoint: str | None = None,
    token: str | None = None,
    cache_dir: Path | None = None,
) -> Fetched:
    """Fetch a zoo from the Hub, or go on where an earlier call stopped.

    Every file is checked against the manifest, including files that are already there; the manifest
    comes last. A part of a zoo is the table and the shards with the requested snapshots. A shard
    is a run of models, so few models need few shards, but most shards have models of every split.

    Args:
        zoo: ``hub:OWNER/NAME@REVISION``, or a registered name.
        revision: Branch, tag or commit; by default that of the address, or ``main``.
        split: Fetch only shards with snapshots of this split.
        models: Fetch only shards with models of these numbers, or with the first so many.
        out: Folder to fetch into; by default where ``load_zoo`` looks.
        endpoint: URL of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: Access token; by default ``$HF_TOKEN`` or that of ``hf auth login``.
        cache_dir: Where zoos are kept; by default ``$ZOOGEN_CACHE`` or ``~/.cache/zoogen``.

    Raises:
        UnknownNameError: If no zoo of that name is registered, or there is no such split.
        IntegrityError: If a file is not the one in the manifest.
        ZooError: If there is no such repository or revision, it holds no zoo, the Hub cannot be
            reached, or the folder holds something else or cannot be written. Finished files are
            kept.

    Example:
        >>> import zoogen
        >>> fetched = zoogen.fetch_zoo("hub:me/few-tetris", split="train")
        >>> zoo = zoogen.load_zoo("hub:me/few-tetris", split="train")
        >>> set(zoo.properties["split"])
        {'train'}
    """
    subset = Subset(split=split, models=models)
    address = find_address(zoo, revision)
    remote = find_remote(address, endpoint=endpoint, token=token, cache_dir=cache_dir)
    named = not is_address(zoo) and subset.is_everything
    folder = out or (zoo_folder(zoo, cache_dir) if named else remote.folder)
    fetched = fetch_subset(remote, folder, subset)
    if folder == remote.folder:
        note_commit(remote)
    return fetched


def fetch_subset(remote: Remote, folder: Path, subset: Subset, *, weights: bool = True) -> Fetched:
    """Fetch whatever a folder lacks of a zoo, or of a part of it.

    Args:
        remote: The zoo on the Hub.
        folder: Folder to keep it in.
        subset: Requested snapshots.
        weights: Whether to fetch shards at all.

    Raises:
        IntegrityError, ZooError: As ``fetch_zoo``.
    """
    files = held_files(remote)
    manifest, written = published_manifest(remote, files)
    check_held([manifest.table], files, remote)
    refuse_other(folder, manifest)
    downloaded: list[str] = []
    with cleared(folder):
        destination = Destination(folder, manifest)
        missing = [] if destination.has(manifest.table) else [manifest.table]
        downloaded += destination.add(remote, [entry.file for entry in missing], files)
        shards = needed_shards(folder, manifest, subset) if weights else []
        check_held(shards, files, remote)
        missing = [entry for entry in shards if not destination.has(entry)]
        downloaded += destination.add(remote, [entry.file for entry in missing], files)
        beside = [name for name in files if name == CARD or PICTURE.fullmatch(name)]
        beside = [name for name in beside if not (folder / name).exists()]
        downloaded += destination.add(remote, beside, files)
        if not (folder / MANIFEST).exists():
            with atomic_path(folder / MANIFEST) as temporary:
                temporary.write_bytes(written)
    return Fetched(
        folder=folder,
        manifest=manifest,
        commit=remote.commit,
        shards=tuple(entry.file for entry in shards),
        downloaded=tuple(downloaded),
    )


def refuse_other(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder that holds anything but this zoo.

    Raises:
        ZooError: If it does.
    """
    refuse_foreign(folder)
    if (folder / MANIFEST).exists():
        there = read_manifest(folder)
        if there.content_sha256 != manifest.content_sha256:
            raise ZooError(
                f"{folder} holds {there.spec.name} with content {there.content_sha256[:12]}…, not "
                f"{manifest.content_sha256[:12]}…; choose another folder with --out"
            )
    elif (folder / PARTS).exists():
        raise ZooError(
            f"{folder} holds an unfinished build; finish it with zoogen build, or choose another "
            "folder with --out"
        )


@contextmanager
def cleared(folder: Path) -> Iterator[None]:
    """Lock a folder; on exit remove unfinished downloads, and the folder if it is empty."""
    with locked(folder):
        shutil.rmtree(folder / DOWNLOADS, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(folder / DOWNLOADS, ignore_errors=True)
            with suppress(OSError):
                (folder / WEIGHTS).rmdir()
            if {path.name for path in folder.iterdir()} == {LOCK}:
                (folder / LOCK).unlink()
                folder.rmdir()


@dataclass(frozen=True)
class Destination:
    """The folder of a fetched zoo; a file enters it only once its hash is right."""

    folder: Path
    manifest: Manifest

    def has(self, entry: FileEntry) -> bool:
        """Tell whether the folder has the file of the manifest, by its hash."""
        path = self.folder / entry.file
        return (
            path.is_file()
            and path.stat().st_size == entry.bytes
            and sha256_of(path) == entry.sha256
        )

    def add(self, remote: Remote, names: list[str], files: dict[str, HeldFile]) -> list[str]:
        """Download files into the folder; return their names."""
        if names:
            download(remote, names, files, stage=self.folder / DOWNLOADS, keep=self.keep)
        return names

    def keep(self, name: str, path: Path) -> None:
        """Check a downloaded file and move it into the folder.

        Raises:
            IntegrityError: If it is not the file of the manifest.
            UnwritableError: If the folder cannot be written or is full.
        """
        entries = {entry.file: entry for entry in (self.manifest.table, *self.manifest.shards)}
        if name in entries:
            self.check(entries[name], path)
        place = self.folder / name
        try:
            place.parent.mkdir(exist_ok=True)
            path.replace(place)
        except OSError as error:
            raise UnwritableError(
                f"cannot write {place}: {error.strerror or error}; make room, then {AGAIN}"
            ) from error

    def check(self, entry: FileEntry, path: Path) -> None:
        """Check a file's hash, and a shard's header: the right hash may be that of nonsense."""
        found = sha256_of(path)
        if found != entry.sha256:
            raise IntegrityError(
                f"{entry.file} has sha256 {found}, its manifest names {entry.sha256}; it was not "
                "kept: the zoo was altered, take another revision"
            )
        if entry.file != TABLE:
            try:
                map_shard(path, entry.rows, self.manifest.stored_layout.params)
            except IntegrityError as error:
                said = str(error).replace(str(path), entry.file)
                raise IntegrityError(f"{said}; it was not kept, take another revision") from error


def needed_shards(folder: Path, manifest: Manifest, subset: Subset) -> list[FileEntry]:
    """List the shards that hold the requested snapshots, by the table in the folder."""
    shelves = Shelves(manifest)
    table = read_table(folder, manifest, COLUMNS)
    return shelves.needed(None if subset.is_everything else subset.rows(table, manifest))


def is_fetched(folder: Path, subset: Subset, *, weights: bool) -> bool:
    """Tell whether a folder has all requested files; they are not hashed again."""
    if not (folder / MANIFEST).exists() or not (folder / TABLE).exists():
        return False
    shards = needed_shards(folder, read_manifest(folder), subset) if weights else []
    return all((folder / entry.file).is_file() for entry in shards)
