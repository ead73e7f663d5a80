"""A zoo that lies: the lie is named, other files are untouched, no half-written file remains."""

import io
import json
import re
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.hub import WRITE, Hub
from tests.subprocesses import run_zoogen
from tests.zoogen.build.test_zoo import contents
from zoogen import IntegrityError, Zoo, ZooError, fetch_zoo, load_zoo, publish_zoo
from zoogen.store.manifest import MANIFEST, TABLE
from zoogen.store.shards import shard_name

Files = dict[str, bytes]
Fields = dict[str, Any]
SHARD = shard_name(1)


@pytest.fixture
def files(mixed_zoo: Zoo) -> Files:
    """The files of an honest zoo."""
    return {name: blob for name, (_, blob) in contents(mixed_zoo.folder).items()}


def edited(files: Files, change: Callable[[Fields], Any]) -> Files:
    fields = json.loads(files[MANIFEST])
    change(fields)
    return files | {MANIFEST: json.dumps(fields).encode()}


def with_shard(files: Files, blob: bytes) -> Files:
    """Replace a shard and its size and hash in the manifest."""
    digest = sha256(blob).hexdigest()
    change = {"bytes": len(blob), "sha256": digest}
    return edited(files, lambda fields: fields["shards"][1].update(change)) | {SHARD: blob}


def headed(blob: bytes, change: Callable[[Fields], Fields]) -> bytes:
    (size,) = struct.unpack("<Q", blob[:8])
    header = json.dumps(change(json.loads(blob[8 : 8 + size]))).encode()
    return struct.pack("<Q", len(header)) + header + blob[8 + size :]


def a_larger_shape(files: Files) -> Files:
    def change(header: Fields) -> Fields:
        return header | {"weights": header["weights"] | {"shape": [10**9, 109]}}

    return with_shard(files, headed(files[SHARD], change))


def offsets_beyond_the_end(files: Files) -> Files:
    def change(header: Fields) -> Fields:
        return header | {"weights": header["weights"] | {"data_offsets": [0, 2**62]}}

    return with_shard(files, headed(files[SHARD], change))


def an_oversized_header(files: Files) -> Files:
    return with_shard(files, struct.pack("<Q", 2**40) + files[SHARD][8:])


def a_header_of_megabytes(files: Files) -> Files:
    return with_shard(files, headed(files[SHARD], lambda header: {"a": "x" * (1 << 21)} | header))


def a_truncated_shard(files: Files) -> Files:
    return with_shard(files, files[SHARD][:-4])


def another_hash(files: Files) -> Files:
    return edited(files, lambda fields: fields["shards"][1].update(sha256="0" * 64))


def another_size(files: Files) -> Files:
    return edited(files, lambda fields: fields["shards"][1].update(bytes=7))


def another_table_hash(files: Files) -> Files:
    return edited(files, lambda fields: fields["table"].update(sha256="0" * 64))


def no_shard(files: Files) -> Files:
    return {name: blob for name, blob in files.items() if name != SHARD}


def more_rows_than_the_table(files: Files) -> Files:
    return edited(files, lambda fields: fields["table"].update(rows=385))


def no_table_at_all(files: Files) -> Files:
    blob = b"PAR1 nothing of the sort PAR1"
    change = {"bytes": len(blob), "sha256": sha256(blob).hexdigest()}
    return edited(files, lambda fields: fields["table"].update(change)) | {TABLE: blob}


def with_table(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Files], Files]:
    def lie(files: Files) -> Files:
        blob = io.BytesIO()
        change(pd.read_parquet(io.BytesIO(files[TABLE]))).to_parquet(blob)
        table = blob.getvalue()
        entry = {"bytes": len(table), "sha256": sha256(table).hexdigest()}
        return edited(files, lambda fields: fields["table"].update(entry)) | {TABLE: table}

    return lie


def named(path: str) -> Callable[[Files], Files]:
    def lie(files: Files) -> Files:
        return edited(files, lambda fields: fields["shards"][1].update(file=path))

    return lie


def no_manifest_at_all(files: Files) -> Files:
    return files | {MANIFEST: b"[" * 100_000}


def a_manifest_of_the_future(files: Files) -> Files:
    return edited(files, lambda fields: fields.update(format_version=2))


def another_layout(files: Files) -> Files:
    return edited(files, lambda fields: fields["layout"].update({"fc1.weight": [10**6, 10**6]}))


LIES = [
    (a_larger_shape, r"holds .*1000000000, 109.*, the manifest names"),
    (offsets_beyond_the_end, r"holds .*4611686018427387904.*, the manifest names"),
    (
        an_oversized_header,
        "the header has 1099511627776 bytes, expected at most 1048576(; it was not kept, t|$)",
    ),
    (a_header_of_megabytes, r"the header has \d+ bytes, expected at most 1048576"),
    (a_truncated_shard, r"\d+ bytes, expected \d+; it is truncated or altered"),
    (another_hash, f"{SHARD} has .*; its manifest names .*{'0' * 64}.*take another revision"),
    (another_size, f"{SHARD} has .*; its manifest names 7 bytes"),
    (another_table_hash, f"{TABLE} has .*; its manifest names .*{'0' * 64}"),
    (no_shard, f"lacks {SHARD}, which its manifest names"),
    (more_rows_than_the_table, r"384 rows, expected 38[45]; the table was altered"),
    (no_table_at_all, r"snapshots\.parquet cannot be read"),
    (with_table(lambda rows: rows.astype({"model": str})), "column model has .*, expected whole"),
    (with_table(lambda rows: rows.assign(model=None)), "column model has .*, expected whole"),
    (
        with_table(lambda rows: rows.assign(split="tset")),
        "column split has .*, expected train, val",
    ),
    (
        with_table(lambda rows: rows.assign(split=1)),
        "column split has int64 values, expected train",
    ),
    (with_table(lambda rows: rows.drop(columns="split")), r"snapshots\.parquet cannot be read"),
    (no_manifest_at_all, r"zoo\.json: not a manifest .*nothing was fetched"),
    (a_manifest_of_the_future, r"format version 2, this zoogen reads 1.*nothing was fetched"),
    (another_layout, "layout .* is not the network's|the manifest names"),
    *(
        (
            named(path),
            r"zoo\.json: shards\.1\.file: expected a path inside the zoo, not "
            f"{re.escape(repr(path))}; nothing was fetched",
        )
        for path in (
            "../../out",
            "/tmp/out",
            "weights/../../out",
            "C:\\out",
            "weights//x",
            "~/x",
            "weights/x\n",
        )
    ),
    *(
        (named(path), f"names the file {path} twice or in the wrong folder; nothing was fetched")
        for path in (MANIFEST, "README.md", "weights/deeper/x", shard_name(0))
    ),
]


@pytest.mark.parametrize(("lie", "message"), LIES)
def test_a_lie_is_named_and_leaves_no_zoo(
    hub: Hub, files: Files, tmp_path: Path, lie: Callable[[Files], Files], message: str
):
    hub.create("org/lies").put(lie(files))
    (tmp_path / "beside").write_text("mine")
    with pytest.raises(ZooError, match=message):
        fetch_zoo("hub:org/lies", out=tmp_path / "zoo", endpoint=hub.url)
    left = contents(tmp_path)
    assert left.pop("beside")[1] == b"mine"
    assert all(blob in lie(files).values() for _, blob in left.values())
    assert MANIFEST not in {Path(name).name for name in left}
    assert {path.name for path in tmp_path.iterdir()} <= {"beside", "zoo"}


@pytest.mark.parametrize("name", [SHARD, TABLE, MANIFEST])
def test_a_file_altered_on_the_server_is_not_kept(
    hub: Hub, files: Files, tmp_path: Path, name: str
):
    repository = hub.create("org/lies")
    repository.put(files)
    blob = bytearray(files[name])
    blob[-3] ^= 1
    repository.alter(name, bytes(blob))
    options = {"endpoint": hub.url, "out": tmp_path / "zoo"}
    with pytest.raises(IntegrityError, match=f"{name} arrived with hash .*altered on the way"):
        fetch_zoo("hub:org/lies", **options)
    assert all(kept in files.values() for _, kept in contents(tmp_path).values())
    assert MANIFEST not in contents(tmp_path / "zoo")
    repository.alter(name, files[name])
    fetch_zoo("hub:org/lies", **options)
    assert len(list(load_zoo(tmp_path / "zoo").verify())) == 4


def test_a_commit_that_is_not_a_hash_is_refused(
    hub: Hub, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The name of a commit becomes a folder of the cache."""
    repository = hub.create("org/lies")
    commit = repository.put(files)
    repository.commits["../../../out"] = repository.commits[commit]
    repository.heads["main"] = "../../../out"
    with pytest.raises(IntegrityError, match=r"to '\.\./\.\./\.\./out', expected a commit"):
        load_zoo("hub:org/lies", endpoint=hub.url, cache_dir=tmp_path / "cache")
    assert not list(tmp_path.iterdir())


def test_a_revision_with_a_path_in_it_stays_in_the_cache(hub: Hub, files: Files, tmp_path: Path):
    repository = hub.create("org/lies")
    repository.tags["../../../../out"] = repository.put(files)
    cache = tmp_path / "a" / "b" / "cache"
    zoo = load_zoo("hub:org/lies@../../../../out", endpoint=hub.url, cache_dir=cache)
    assert len(np.asarray(zoo.weights)) == 384
    assert {path.name for path in tmp_path.rglob("out*")} == set()


@pytest.mark.parametrize("name", ["epoch", "shard", "row", "group"])
def test_a_column_of_the_wrong_type_is_named_when_it_is_read(
    hub: Hub, files: Files, tmp_path: Path, name: str
):
    hub.create("org/lies").put(with_table(lambda rows: rows.assign(**{name: "here"}))(files))
    zoo = load_zoo("hub:org/lies", endpoint=hub.url, cache_dir=tmp_path / "cache")
    with pytest.raises(IntegrityError, match=f"column {name} has .*, expected whole numbers"):
        _ = zoo.properties


def test_an_unknown_column_is_ignored(hub: Hub, files: Files, tmp_path: Path):
    more = with_table(lambda rows: rows.assign(remark="good", when=pd.Timestamp(0)))(files)
    hub.create("org/more").put(more)
    zoo = load_zoo("hub:org/more", endpoint=hub.url, cache_dir=tmp_path / "cache")
    shown = run_zoogen("show", zoo.folder)
    assert shown.returncode == 0, shown.stderr
    assert "test_accuracy" in shown.stdout
    assert "remark" not in shown.stdout
    publish_zoo(zoo.folder, "org/again", endpoint=hub.url, token=WRITE)
    described = json.loads(hub.repository("org/again").contents()["croissant.json"])["recordSet"]
    names = {field["name"] for field in described[0]["field"]}
    assert names == set(map(str, zoo.properties)) - {"when"}


def test_text_from_others_does_not_control_the_terminal(
    hub: Hub, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Markup would raise an error, and the terminal would obey escape sequences."""
    evil = "\x1b]0;mine\x07\x1b[2J[/]"
    hub.create("org/evil").put(edited(files, lambda fields: fields["spec"].update(source=evil)))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    fetched = run_zoogen("fetch", "hub:org/evil", "--out", tmp_path / "zoo")
    assert fetched.returncode == 0, fetched.stderr
    shown = run_zoogen("show", tmp_path / "zoo")
    assert shown.returncode == 0, shown.stderr
    assert "\ufffd]0;mine\ufffd\ufffd[2J[/]" in shown.stdout
    refused = run_zoogen("fetch", "hub:org/evil@\x1b[2J" + "[/]" * 80)
    assert refused.returncode == 1
    assert "\x1b" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_manifest_that_is_a_folder_is_named(tmp_path: Path):
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(ZooError, match=r"zoo\.json cannot be read: Is a directory"):
        load_zoo(tmp_path)


def test_a_huge_manifest_is_not_read(hub: Hub, files: Files, tmp_path: Path):
    hub.create("org/lies").put(files | {MANIFEST: b" " * ((1 << 26) + 1)})
    with pytest.raises(IntegrityError, match=r"zoo\.json has 67108865 bytes, a manifest has"):
        load_zoo("hub:org/lies", endpoint=hub.url, cache_dir=tmp_path / "cache")
    assert not hub.calls("GET", "/resolve/")
