"""A zoo from the Hugging Face Hub to a folder: pinned, proved, and only what is asked for."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from zoogen.atomic import atomic_path, sha256_of
from zoogen.errors import IntegrityError, UnwritableError, ZooError
from zoogen.hub.client import HeldFile
from zoogen.hub.download import download
from zoogen.hub.errors import AGAIN
from zoogen.hub.reference import find_reference, is_reference
from zoogen.hub.remote import (
    Remote,
    check_held,
    find_remote,
    held_files,
    note_commit,
    published_manifest,
)
from zoogen.places import zoo_folder
from zoogen.spec.split import Split
from zoogen.store.card import CARD, PLOTS
from zoogen.store.folder import DOWNLOADS, LOCK, PARTS, WEIGHTS, locked, refuse_foreign
from zoogen.store.manifest import MANIFEST, TABLE, FileEntry, Manifest, read_manifest
from zoogen.store.shards import map_shard
from zoogen.store.subset import COLUMNS, Shelves, Subset
from zoogen.store.table import read_table

PICTURE = re.compile(rf"{PLOTS}/[A-Za-z0-9_-][A-Za-z0-9._-]*\.png")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a folder holds now.

    Attributes:
        folder: Where.
        manifest: Of the whole zoo.
        commit: The revision that was read, 40 hex digits.
        shards: The files of weights that were asked for.
        downloaded: The files that had to be downloaded.
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

    Every file is checked against the manifest, those that are there already too; the manifest
    comes last. A part of a zoo is the table and the shards that hold what is asked for: shards are
    runs of models, so few models are few shards, but most shards have models of every split.

    Args:
        zoo: ``hub:OWNER/NAME@REVISION``, or a registered name.
        revision: Branch, tag or commit; by default that of the reference, or ``main``.
        split: Only the shards with snapshots of this split.
        models: Only the shards with the first so many models, or with models of these numbers.
        out: Folder to fetch into; by default where ``load_zoo`` looks.
        endpoint: Address of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: By default ``$HF_TOKEN`` or that of ``hf auth login``.
        cache_dir: Where zoos are kept; by default ``$ZOOGEN_CACHE`` or ``~/.cache/zoogen``.

    Raises:
        UnknownNameError: If no zoo of that name is registered, or there is no such split.
        IntegrityError: If a file is not the one its manifest names.
        ZooError: If there is no such repository or revision, it holds no zoo, the Hub cannot be
            reached, or the folder holds something else or cannot be written. What was finished is
            kept.
    """
    subset = Subset(split=split, models=models)
    reference = find_reference(zoo, revision)
    remote = find_remote(reference, endpoint=endpoint, token=token, cache_dir=cache_dir)
    named = not is_reference(zoo) and subset.is_everything
    folder = out or (zoo_folder(zoo, cache_dir) if named else remote.folder)
    fetched = bring(remote, folder, subset)
    if folder == remote.folder:
        note_commit(remote)
    return fetched


def bring(remote: Remote, folder: Path, subset: Subset, *, weights: bool = True) -> Fetched:
    """Make a folder hold a zoo, or the part of it that is asked for.

    Args:
        remote: The zoo on the Hub.
        folder: Where to keep it.
        subset: Which snapshots.
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
        shelf = Shelf(folder, manifest)
        missing = [manifest.table] if not shelf.has(manifest.table) else []
        downloaded += shelf.add(remote, [entry.file for entry in missing], files)
        shards = needed_shards(folder, manifest, subset) if weights else []
        check_held(shards, files, remote)
        missing = [entry for entry in shards if not shelf.has(entry)]
        downloaded += shelf.add(remote, [entry.file for entry in missing], files)
        beside = [name for name in files if name == CARD or PICTURE.fullmatch(name)]
        beside = [name for name in beside if not (folder / name).exists()]
        downloaded += shelf.add(remote, beside, files)
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
    """Refuse a folder that holds anything but this zoo, before anything in it is touched.

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
            f"{folder} holds a zoo that is half built; go on with zoogen build, or choose another "
            "folder with --out"
        )


@contextmanager
def cleared(folder: Path) -> Iterator[None]:
    """Keep other processes out; leave nothing half-written, and no folder that holds nothing."""
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
class Shelf:
    """A folder to which proved files come."""

    folder: Path
    manifest: Manifest

    def has(self, entry: FileEntry) -> bool:
        """Tell whether the file is there and the one that the manifest names."""
        path = self.folder / entry.file
        return (
            path.is_file()
            and path.stat().st_size == entry.bytes
            and sha256_of(path) == entry.sha256
        )

    def add(self, remote: Remote, names: list[str], files: dict[str, HeldFile]) -> list[str]:
        """Download files to their places; return their names."""
        if names:
            download(remote, names, files, stage=self.folder / DOWNLOADS, keep=self.keep)
        return names

    def keep(self, name: str, path: Path) -> None:
        """Move a file to its place once it is proved.

        Raises:
            IntegrityError: If it is not what the manifest says.
            UnwritableError: If the folder cannot be written or is full.
        """
        entries = {entry.file: entry for entry in (self.manifest.table, *self.manifest.shards)}
        if name in entries:
            self.prove(entries[name], path)
        place = self.folder / name
        try:
            place.parent.mkdir(exist_ok=True)
            path.replace(place)
        except OSError as error:
            raise UnwritableError(
                f"cannot write {place}: {error.strerror or error}; make room, then {AGAIN}"
            ) from error

    def prove(self, entry: FileEntry, path: Path) -> None:
        """Hash a file and look at its form: what was hashed may be nonsense all the same."""
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
    """List the shards that hold what is asked for, by the table that is there."""
    shelves = Shelves(manifest)
    table = read_table(folder, manifest, COLUMNS)
    return shelves.needed(None if subset.is_everything else subset.rows(table, manifest))


def is_fetched(folder: Path, subset: Subset, *, weights: bool) -> bool:
    """Tell whether all that is asked for is in the folder; nothing is hashed again."""
    if not (folder / MANIFEST).exists() or not (folder / TABLE).exists():
        return False
    shards = needed_shards(folder, read_manifest(folder), subset) if weights else []
    return all((folder / entry.file).is_file() for entry in shards)
