"""The files to publish: those of the zoo, and a card and metadata made for the Hub."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import IntegrityError
from zoogen.hub.client import HeldFile, git_blob_id
from zoogen.load.zoo import Zoo
from zoogen.plots.zoo import CAPTIONS
from zoogen.store.card import CARD, PLOTS, zoo_card
from zoogen.store.croissant import CROISSANT
from zoogen.store.folder import WEIGHTS
from zoogen.store.manifest import MANIFEST, TABLE, Manifest, read_manifest

SHARD = re.compile(rf"{WEIGHTS}/\d{{5,}}\.safetensors")
Change = Literal["new", "changed", "same", "gone"]


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """A file, and what publishing it changes in the repository."""

    file: str
    bytes: int
    change: Change


def stage_files(zoo: Zoo, stage: Path) -> None:
    """Put links to shards, table and plots into a folder, and a copy of the manifest.

    The zoo's own folder is only read: it may belong to somebody else.

    Raises:
        IntegrityError: If the zoo changed since it was loaded.
    """
    for name in (TABLE, *(entry.file for entry in zoo.manifest.shards), *pictures(zoo.folder)):
        link = stage / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((zoo.folder / name).resolve())
    (stage / MANIFEST).write_bytes((zoo.folder / MANIFEST).read_bytes())
    if read_manifest(stage) != zoo.manifest:
        raise IntegrityError(f"{zoo.folder} changed while it was read; publish it again")


def pictures(folder: Path) -> Iterator[str]:
    """Yield the names of the plots in a zoo's folder."""
    return (f"{PLOTS}/{name}" for name in CAPTIONS if (folder / PLOTS / name).is_file())


def stage_card(zoo: Zoo, stage: Path, source: str) -> None:
    """Write a card that says how to load the zoo from the Hub."""
    drawn = set(pictures(zoo.folder))
    captions = {name: shown for name, shown in CAPTIONS.items() if f"{PLOTS}/{name}" in drawn}
    write_text(stage / CARD, zoo_card(zoo.manifest, zoo.properties, captions, source))


def staged_files(stage: Path) -> list[str]:
    """List the files to publish."""
    files = (path for path in stage.rglob("*") if path.is_file())
    return sorted(path.relative_to(stage).as_posix() for path in files)


def compare(stage: Path, manifest: Manifest, held: dict[str, HeldFile]) -> list[PlannedFile]:
    """List every staged file with its change, and every file of a zoo to delete on the Hub.

    Other files of the repository are left out: they are not ours.
    """
    staged = staged_files(stage)
    plan = [
        PlannedFile(
            file=name,
            bytes=(stage / name).stat().st_size,
            change="new" if name not in held else changed(stage, name, manifest, held[name]),
        )
        for name in staged
    ]
    return plan + [
        PlannedFile(file=name, bytes=published.bytes, change="gone")
        for name, published in sorted(held.items())
        if is_ours(name) and name not in staged
    ]


def changed(stage: Path, name: str, manifest: Manifest, held: HeldFile) -> Change:
    """Tell whether a staged file differs from the repository's."""
    if held.sha256 is None:
        same = held.bytes < SMALL and held.blob == git_blob_id(stage / name)
    else:
        same = held.sha256 == known_sha256(stage, name, manifest)
    return "same" if same else "changed"


def known_sha256(stage: Path, name: str, manifest: Manifest) -> str:
    """Return the hash of a staged file; files of the manifest have been verified already."""
    known = {entry.file: entry.sha256 for entry in (manifest.table, *manifest.shards)}
    return known.get(name) or sha256_of(stage / name)


SMALL = 50 * 2**20
"""Bytes of a file in git itself, at most; a larger one on the Hub cannot be the same."""


def is_ours(name: str) -> bool:
    """Tell whether zoogen publishes a file under this name.

    Other files in the folders ``weights`` and ``plots`` belong to somebody else.
    """
    drawn = {f"{PLOTS}/{picture}" for picture in CAPTIONS}
    known = {MANIFEST, TABLE, CARD, CROISSANT} | drawn
    return name in known or SHARD.fullmatch(name) is not None


def is_weights(name: str) -> bool:
    """Tell whether a file of this name is a shard."""
    return name.startswith(f"{WEIGHTS}/")
