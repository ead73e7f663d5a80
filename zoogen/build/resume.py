"""What an earlier build left: a zoo to keep, repair or enlarge, or finished shards."""

import logging
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from zoogen.atomic import sha256_of
from zoogen.errors import IntegrityError, ZooError
from zoogen.spec.configs import ModelConfig, Shards, plan
from zoogen.spec.imported import ImportedSpec
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.manifest import MANIFEST, TABLE, Manifest, read_manifest, verify_files
from zoogen.store.table import ShardNotes, TrainingPath, part_path, read_notes, write_table

log = logging.getLogger(__name__)


def holds_another(folder: Path, spec: ZooSpec, images_sha256: str) -> bool:
    """Tell whether a folder holds a damaged zoo or another one, finished or not."""
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
    """Return the manifest of the zoo in a folder, or None if no build of it has finished.

    Raises:
        ZooError: If the zoo has another spec, or other images under the same name.
        IntegrityError: If the manifest is damaged.
    """
    if not (folder / MANIFEST).exists():
        return None
    manifest = read_manifest(folder)
    refuse_other_spec(folder, built_spec(folder, manifest), spec)
    refuse_other_images(folder, manifest.images_sha256, spec, images_sha256)
    return manifest


def built_spec(folder: Path, manifest: Manifest) -> ZooSpec:
    """Return the spec of a zoo that was built, not imported.

    Raises:
        ZooError: If the zoo was imported.
    """
    if isinstance(manifest.spec, ImportedSpec):
        raise ZooError(
            f"{folder} holds {manifest.spec.name} as it was imported from "
            f"{manifest.spec.origin.format}; build it elsewhere with --out, or replace it with "
            "--overwrite"
        )
    return manifest.spec


def refuse_other_images(folder: Path, found: str | None, spec: ZooSpec, images_sha256: str) -> None:
    """Refuse to continue a zoo with other images than before."""
    if found != images_sha256:
        raise ZooError(
            f"{folder} was trained on other {spec.images} images (sha256 "
            f"{(found or '')[:12]}, now {images_sha256[:12]}); "
            "build it elsewhere with --out, or replace it with --overwrite"
        )


def refuse_other_spec(folder: Path, found: ZooSpec, spec: ZooSpec) -> None:
    """Refuse another spec; the message names the first field that differs."""
    for field, value in vars(spec).items():
        if vars(found)[field] != value:
            holds, expected = (
                shorten(str(one), 60, placeholder=" …") for one in (vars(found)[field], value)
            )
            raise ZooError(
                f"{folder} holds {found.name} with {field} {holds}, not {expected}; "
                "build it elsewhere with --out, or replace it with --overwrite"
            )


def is_intact(folder: Path, manifest: Manifest) -> bool:
    """Tell whether every file has the hash in the manifest; log the first that has not."""
    try:
        for _ in verify_files(folder, manifest):
            pass
    except IntegrityError as error:
        log.warning("%s; training the lost models again", error)
        return False
    return True


def reopen(folder: Path, manifest: Manifest, images_sha256: str) -> None:
    """Turn a sealed zoo back into finished shards, so that the build can train more models.

    The manifest is deleted last: if this is interrupted, the folder is still a sealed zoo.
    """
    import pandas as pd

    table = folder / TABLE
    if table.is_file() and sha256_of(table) == manifest.table.sha256:
        rows, spec = pd.read_parquet(table), built_spec(folder, manifest)
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
    """Return the path that trained a zoo; manifests without a path are of zoos trained by torch."""
    return "kernels" if manifest.versions.get("path") == "kernels" else "torch"


def path_of_parts(folder: Path) -> TrainingPath | None:
    """Return the path that trained the finished shards, or None if there are none."""
    parts = sorted(part_path(folder, 0).parent.glob("*.parquet"))
    notes = (read_notes(part) for part in parts)
    return next((note.path for note in notes if note is not None), None)


def missing_shards(folder: Path, spec: ZooSpec, shards: Shards, images_sha256: str) -> list[int]:
    """Return the numbers of the shards that no earlier build has finished."""
    return [
        number
        for number, configs in shards.items()
        if not is_finished(folder, number, spec, configs, images_sha256)
    ]


def is_finished(
    folder: Path, number: int, spec: ZooSpec, configs: Sequence[ModelConfig], images_sha256: str
) -> bool:
    """Tell whether an earlier build finished a shard, by its notes and its hash."""
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
