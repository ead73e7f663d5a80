"""What an earlier build left: a zoo to keep, to mend or to enlarge, or shards that are whole."""

import logging
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from zoogen.atomic import sha256_of
from zoogen.errors import IntegrityError, ZooError
from zoogen.spec.configs import ModelConfig, plan
from zoogen.spec.imported import ImportedSpec
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.manifest import MANIFEST, TABLE, Manifest, read_manifest, verify_files
from zoogen.store.table import ShardNotes, TrainingPath, part_path, read_notes, write_table

log = logging.getLogger(__name__)


def holds_another(folder: Path, spec: ZooSpec, images_sha256: str) -> bool:
    """Tell whether a folder holds anything but this very zoo, whole or in parts."""
    try:
        sealed_zoo(folder, spec, images_sha256)
    except ZooError:
        return True
    notes = (read_notes(part) for part in part_path(folder, 0).parent.glob("*.parquet"))
    return any(
        note is not None and (note.spec != spec or note.images_sha256 != images_sha256)
        for note in notes
    )


def sealed_zoo(folder: Path, spec: ZooSpec, images_sha256: str) -> Manifest | None:
    """Return the manifest of the zoo in a folder, if a build of it came to its end.

    Raises:
        ZooError: If it is a zoo of another spec, or of other images under the same name.
        IntegrityError: If the manifest is damaged.
    """
    if not (folder / MANIFEST).exists():
        return None
    manifest = read_manifest(folder)
    refuse_other_spec(folder, trained_here(folder, manifest), spec)
    refuse_other_images(folder, manifest.images_sha256, spec, images_sha256)
    return manifest


def trained_here(folder: Path, manifest: Manifest) -> ZooSpec:
    """Return the spec of a zoo that can be trained on.

    Raises:
        ZooError: If it was imported.
    """
    if isinstance(manifest.spec, ImportedSpec):
        raise ZooError(
            f"{folder} holds {manifest.spec.name} as it was imported from "
            f"{manifest.spec.origin.format}; build it elsewhere with --out, or replace it with "
            "--overwrite"
        )
    return manifest.spec


def refuse_other_images(folder: Path, found: str | None, spec: ZooSpec, images_sha256: str) -> None:
    """Refuse to go on with other images than those a zoo was begun with."""
    if found != images_sha256:
        raise ZooError(
            f"{folder} was trained on other {spec.images} images (sha256 "
            f"{(found or '')[:12]}, now {images_sha256[:12]}); "
            "build it elsewhere with --out, or replace it with --overwrite"
        )


def refuse_other_spec(folder: Path, found: ZooSpec, spec: ZooSpec) -> None:
    """Name the first field in which two specs differ."""
    for field, value in vars(spec).items():
        if vars(found)[field] != value:
            holds, asked = (
                shorten(str(one), 60, placeholder=" …") for one in (vars(found)[field], value)
            )
            raise ZooError(
                f"{folder} holds {found.name} with {field} {holds}, not {asked}; "
                "build it elsewhere with --out, or replace it with --overwrite"
            )


def is_intact(folder: Path, manifest: Manifest) -> bool:
    """Tell whether every file is the one the manifest names; say which is not."""
    try:
        for _ in verify_files(folder, manifest):
            pass
    except IntegrityError as error:
        log.warning("%s; training again what is lost", error)
        return False
    return True


def reopen(folder: Path, manifest: Manifest, images_sha256: str) -> None:
    """Turn a sealed zoo back into parts, so that models can join it or be trained again.

    The manifest goes last: until every part is there, the folder is the zoo it was.
    """
    import pandas as pd

    table = folder / TABLE
    if table.is_file() and sha256_of(table) == manifest.table.sha256:
        rows, spec = pd.read_parquet(table), trained_here(folder, manifest)
        shards = plan(spec, manifest.models_built)
        for (number, configs), entry in zip(shards.items(), manifest.shards, strict=True):
            models = tuple(config.model for config in configs)
            notes = ShardNotes(
                spec=spec,
                images_sha256=images_sha256,
                models=models,
                failures=tuple(one for one in manifest.failures if one.model in models),
                weights=entry,
                device=manifest.versions.get("device", "cpu"),
                path=path_of(manifest),
            )
            write_table(part_path(folder, number), rows[rows["shard"] == number], notes)
    (folder / MANIFEST).unlink()


def path_of(manifest: Manifest) -> TrainingPath:
    """Return the path on which a zoo was trained; before there were two, it was torch."""
    return "kernels" if manifest.versions.get("path") == "kernels" else "torch"


def path_begun(folder: Path) -> TrainingPath | None:
    """Return the path of the shards that are finished, if any is."""
    parts = sorted(part_path(folder, 0).parent.glob("*.parquet"))
    notes = (read_notes(part) for part in parts)
    return next((note.path for note in notes if note is not None), None)


def is_whole(
    folder: Path, number: int, spec: ZooSpec, configs: Sequence[ModelConfig], images_sha256: str
) -> bool:
    """Tell whether an earlier build finished this very shard, by its notes and its hash."""
    notes = read_notes(part_path(folder, number))
    if notes is None:
        return False
    refuse_other_spec(folder, notes.spec, spec)
    refuse_other_images(folder, notes.images_sha256, spec, images_sha256)
    path = folder / notes.weights.file
    return (
        notes.models == tuple(config.model for config in configs)
        and path.is_file()
        and sha256_of(path) == notes.weights.sha256
    )
