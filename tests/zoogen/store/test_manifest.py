"""Manifests: read strictly, and used to verify every other file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from zoogen import IntegrityError, Manifest, Zoo, ZooError
from zoogen.atomic import sha256_of
from zoogen.store.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    read_manifest,
    verify_files,
    write_manifest,
)
from zoogen.store.shards import shard_name

Fields = dict[str, Any]


def edit(folder: Path, change: Callable[[Fields], Any]) -> None:
    """Change the fields of a manifest on disk."""
    path = folder / MANIFEST
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def flip(path: Path, place: int = -1) -> None:
    """Alter one byte of a file."""
    blob = bytearray(path.read_bytes())
    blob[place] ^= 1
    path.write_bytes(blob)


def test_a_written_manifest_can_be_read_back(mixed_zoo: Zoo, tmp_path: Path):
    write_manifest(tmp_path, mixed_zoo.manifest)
    assert read_manifest(tmp_path) == mixed_zoo.manifest


def test_a_manifest_is_one_line_per_field(copied_zoo: Path):
    text = (copied_zoo / MANIFEST).read_text()
    assert len(text.splitlines()) == len(json.loads(text)) + 2


def test_a_folder_without_a_manifest_is_not_a_zoo(tmp_path: Path):
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(ZooError, match=rf"{folder} is not a zoo: it has no zoo\.json"):
            read_manifest(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '"zoo"', "{}", "\x00\xff", "[" * 500_000]
)
def test_the_message_for_a_damaged_manifest_says_what_to_do(copied_zoo: Path, text: str):
    (copied_zoo / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(IntegrityError, match=r"zoo\.json: not a manifest.*--overwrite"):
        read_manifest(copied_zoo)


@pytest.mark.parametrize("newer", [FORMAT_VERSION + 1, 99, "1.1"])
def test_another_format_version_is_refused_before_any_other_field(copied_zoo: Path, newer: Any):
    edit(copied_zoo, lambda fields: fields.update(format_version=newer, spec="of another kind"))
    with pytest.raises(ZooError, match=f"format version {newer}, this zoogen reads 1; install"):
        read_manifest(copied_zoo)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda fields: fields.update(note="hello"), "note"),
        (lambda fields: fields["spec"].update(warmup=3), "spec.warmup"),
        (lambda fields: fields["shards"][1].update(colour="red"), "shards.1.colour"),
        (lambda fields: fields.pop("failures"), "failures"),
        (lambda fields: fields["table"].update(sha256="0" * 63), "table.sha256"),
        (lambda fields: fields["table"].update(rows=-1), "table.rows"),
        (lambda fields: fields["spec"].update(epochs=0), "spec.epochs"),
        (lambda fields: fields.update(layout={"fc1.weight": "16"}), "layout"),
        *(
            (lambda fields, path=path: fields["shards"][0].update(file=path), "shards.0.file")
            for path in ("/etc/passwd", "../out", "weights/../../out", "weights/.hidden", "", "a\n")
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(
    copied_zoo: Path, change: Callable[[Fields], Any], field: str
):
    edit(copied_zoo, change)
    with pytest.raises(IntegrityError, match=rf"zoo\.json: {field}.*--overwrite"):
        read_manifest(copied_zoo)


def test_the_content_hash_changes_with_spec_table_and_every_shard(mixed_zoo: Zoo):
    manifest = mixed_zoo.manifest
    other = "0" * 64
    changed: list[Manifest] = [
        replace(manifest, spec=replace(manifest.spec, epochs=3)),
        replace(manifest, table=replace(manifest.table, sha256=other)),
        *(
            replace(
                manifest,
                shards=tuple(
                    replace(shard, sha256=other) if place == altered else shard
                    for place, shard in enumerate(manifest.shards)
                ),
            )
            for altered in range(len(manifest.shards))
        ),
        replace(manifest, shards=manifest.shards[::-1]),
    ]
    hashes = {one.content_sha256 for one in (manifest, *changed)}
    assert len(hashes) == 1 + len(changed)


def test_the_content_hash_ignores_software_versions(mixed_zoo: Zoo):
    elsewhere = replace(mixed_zoo.manifest, versions={"python": "3.99"})
    assert elsewhere.content_sha256 == mixed_zoo.manifest.content_sha256


def test_every_file_of_a_zoo_is_verified(mixed_zoo: Zoo):
    manifest = mixed_zoo.manifest
    proved = list(verify_files(mixed_zoo.folder, manifest))
    stored = {path.name for path in (mixed_zoo.folder / "weights").iterdir()}
    assert proved[0] == "snapshots.parquet"
    assert {Path(path).name for path in proved[1:]} == stored
    for entry in (manifest.table, *manifest.shards):
        assert (mixed_zoo.folder / entry.file).stat().st_size == entry.bytes


@pytest.mark.parametrize("file", ["snapshots.parquet", shard_name(0), shard_name(2)])
def test_an_altered_file_is_named_with_both_hashes(copied_zoo: Path, file: str):
    promised = sha256_of(copied_zoo / file)
    flip(copied_zoo / file)
    found = sha256_of(copied_zoo / file)
    with pytest.raises(IntegrityError, match=f"{file}: sha256 {found}, .* names {promised}"):
        list(verify_files(copied_zoo, read_manifest(copied_zoo)))


@pytest.mark.parametrize("file", ["snapshots.parquet", shard_name(1)])
def test_a_missing_file_is_named(copied_zoo: Path, file: str):
    (copied_zoo / file).unlink()
    with pytest.raises(IntegrityError, match=f"{file} is missing; build or fetch"):
        list(verify_files(copied_zoo, read_manifest(copied_zoo)))
