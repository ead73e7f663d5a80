"""Hostile sources: nothing is run, grows without limit or stays behind."""

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zoogen.importers.small_cnn_files import LAYOUT, small_cnn_files
from zoogen import IntegrityError, Zoo, ZooError, import_zoo
from zoogen.importers.arrays import float_rows
from zoogen.importers.sources import Member, members
from zoogen.importers.unxz import unxz

FORMAT = "small-cnn-zoo"


@pytest.fixture
def files(search_zoo: Zoo, tmp_path: Path) -> Path:
    return small_cnn_files(search_zoo, tmp_path / "mnist")


def import_it(source: Path, tmp_path: Path) -> None:
    import_zoo(FORMAT, source, tmp_path / "out" / "zoo", images="none")


def nothing_left(tmp_path: Path) -> bool:
    return not (tmp_path / "out" / "zoo").exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../out.csv", "a/../../out", "C:\\out", "..\\out"])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_with_a_path_outside_itself_is_refused(name: str, kind: str, tmp_path: Path):
    path = tmp_path / f"evil.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("layout.csv", LAYOUT)
            archive.writestr(name, "out")
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"out"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ZooError, match="names a file outside itself"):
        import_it(path, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_links_in_an_archive_are_not_followed(files: Path, tmp_path: Path):
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("layout.csv", "metrics.csv.gz"):
            archive.add(files / name, name)
        entry = tarfile.TarInfo("weights.npy")
        entry.type, entry.linkname = tarfile.SYMTYPE, str(files / "weights.npy")
        archive.addfile(entry)
    with pytest.raises(ZooError, match=r"has no weights\.npy"):
        import_it(path, tmp_path)
    assert nothing_left(tmp_path)


def test_a_table_that_decompresses_to_too_much_is_refused(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("zoogen.importers.small_cnn_zoo.metrics.LARGEST_TABLE", 1 << 20)
    with gzip.open(files / "metrics.csv.gz", "wb") as file:
        file.write(bytes(4 << 20))
    with pytest.raises(IntegrityError, match="decompresses to more than 1048576 bytes"):
        import_it(files, tmp_path)


def test_a_zip_bomb_is_refused_by_its_declared_size(tmp_path: Path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layout.csv", bytes(64 << 20))
    with pytest.raises(
        IntegrityError, match=r"layout\.csv has 67108864 bytes, expected at most 1048576"
    ):
        import_it(path, tmp_path)


def test_a_tar_header_cannot_claim_all_memory(tmp_path: Path):
    entry = tarfile.TarInfo("big")
    entry.type, entry.size = tarfile.XHDTYPE, 8 << 30
    path = tmp_path / "evil.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20))
    with pytest.raises(IntegrityError, match="a header of 8589934592 bytes"):
        import_it(path, tmp_path)


def npy(shape: str, *, order: str = "False", dtype: str = "<f4", data: bytes = b"") -> bytes:
    head = f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (npy("(270000, 4970)"), "declares 270000 rows .* but holds 0"),
        (npy("(1, 4970)", data=bytes(4970 * 4 + 1)), "declares 1 rows"),
        (npy("(1, 4970)", order="True", data=bytes(4970 * 4)), "in Fortran order"),
        (npy("(1, 4970)", dtype="|O", data=bytes(4970 * 8)), "holds object"),
        (npy("(1, 4970)", dtype="<f8", data=bytes(4970 * 8)), "holds float64"),
        (npy("(4970,)", data=bytes(4970 * 4)), r"float32 \[4970\]"),
        (npy("(-1, 4970)", data=bytes(4970 * 4)), "declares -1 rows"),
        (npy("__import__('os').getcwd()"), "unreadable header"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 31) + b"{", "header of 2147483648 bytes"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "unreadable header"),
        (b"\x93NUMPY\x01", "unreadable header|version 1 or 2"),
        (b"\x93NUMPY\x09\x00" + bytes(99), "version 1 or 2"),
        (b"PK\x03\x04 not an array", "version 1 or 2"),
        (b"", "version 1 or 2"),
    ],
)
def test_an_inconsistent_array_header_is_refused(
    blob: bytes, message: str, files: Path, tmp_path: Path
):
    (files / "weights.npy").write_bytes(blob)
    with pytest.raises(IntegrityError, match=message):
        import_it(files, tmp_path)
    assert nothing_left(tmp_path)


@given(st.binary(max_size=200))
def test_random_bytes_are_never_read_as_an_array_of_weights(blob: bytes):
    member = Member(Path("x"), "weights.npy", len(blob), io.BytesIO(blob))
    with pytest.raises(IntegrityError, match="weights"):
        float_rows(member, 4970)


@pytest.mark.parametrize("name", ["weights.npy", "metrics.csv.gz", "layout.csv"])
def test_a_truncated_file_is_refused_and_nothing_left(name: str, files: Path, tmp_path: Path):
    blob = (files / name).read_bytes()
    (files / name).write_bytes(blob[: len(blob) // 2])
    with pytest.raises(IntegrityError, match=name.replace(".", r"\.")):
        import_it(files, tmp_path)
    assert nothing_left(tmp_path)


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:xz", "zip"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_truncated_archive_is_refused_and_nothing_left(
    kind: str, share: float, files: Path, tmp_path: Path
):
    path = tmp_path / "cut"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            for file in files.iterdir():
                zipped.write(file, file.name)
    else:
        with tarfile.open(path, kind) as archive:
            archive.add(files, "mnist")
    blob = path.read_bytes()
    path.write_bytes(blob[: int(len(blob) * share)])
    with pytest.raises(ZooError, match="cut"):
        import_it(path, tmp_path)
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("w:gz", {"compresslevel": 0}), ("w:gz", {}), ("w:bz2", {}), ("w:xz", {"preset": 0})],
)
def test_a_corrupted_byte_is_caught_by_the_checksum_at_the_end(
    kind: str, options: dict[str, int], files: Path, tmp_path: Path
):
    """Stored uncompressed, as in the first case, only the checksum can show it."""
    path = tmp_path / "archive"
    with tarfile.open(path, kind, **options) as archive:
        archive.add(files, "mnist")
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 1
    path.write_bytes(blob)
    with pytest.raises(IntegrityError, match=r"archive: .*get the file again") as caught:
        import_it(path, tmp_path)
    assert "cannot write" not in str(caught.value)
    assert nothing_left(tmp_path)


def test_xz_is_decompressed_as_the_standard_library_does(tmp_path: Path):
    """Several streams, with padding between and after them, read in pieces of any size."""
    blob = np.random.default_rng(0).bytes(100_000) + bytes(300_000)
    packed = lzma.compress(blob) + bytes(8) + lzma.compress(b"more") + bytes(70_000)
    (tmp_path / "a.xz").write_bytes(packed)
    with unxz(tmp_path / "a.xz") as file:
        assert file.read(3) == blob[:3]
        file.seek(99_000)
        assert file.read(5000) == blob[99_000:104_000]
        file.seek(10, io.SEEK_CUR)
        assert (file.tell(), file.read()) == (104_010, blob[104_010:] + b"more")
        assert file.read() == b""
        with pytest.raises(io.UnsupportedOperation):
            file.seek(0)


def compressed_with(window: int, blob: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": window}]
    return lzma.compress(blob, filters=filters)


def test_an_xz_with_a_window_of_gigabytes_is_refused(tmp_path: Path):
    """In its second stream too; the window of ``xz -9`` is accepted."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("nothing"))
    path = tmp_path / "window.tar.xz"
    honest = lzma.compress(tar.getvalue(), preset=9)
    # The window size is one byte of the block header, which has its own checksum.
    small = compressed_with(1 << 20, bytes(1 << 20))
    head = bytearray(small[12:24])
    assert head[4] == 16  # 1 MiB
    head[4] = 39  # 3 GiB
    greedy = small[:12] + head[:8] + struct.pack("<I", zlib.crc32(bytes(head[:8]))) + small[24:]
    for blob in (greedy, honest + greedy):
        path.write_bytes(blob)
        with pytest.raises(IntegrityError, match="Memory usage limit exceeded"):
            import_it(path, tmp_path)
    path.write_bytes(honest)
    with pytest.raises(ZooError, match=r"has no layout\.csv"):
        import_it(path, tmp_path)


def test_a_zip_with_lzma_compression_is_refused(files: Path, tmp_path: Path):
    path = tmp_path / "lzma.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for file in files.iterdir():
            archive.write(file, file.name)
    with pytest.raises(IntegrityError, match="compression method 14 is not supported"):
        import_it(path, tmp_path)


@pytest.mark.parametrize("rows", [1, 50])
def test_a_table_with_fewer_rows_than_the_weights_is_refused(
    rows: int, files: Path, tmp_path: Path
):
    with gzip.open(files / "metrics.csv.gz", "rt") as file:
        lines = file.readlines()
    with gzip.open(files / "metrics.csv.gz", "wt") as file:
        file.writelines(lines[:-rows])
    with pytest.raises(IntegrityError, match=rf"180 rows but the metrics table has {180 - rows};"):
        import_it(files, tmp_path)
    assert nothing_left(tmp_path)


def test_a_source_that_does_not_exist_or_is_no_archive_is_reported(tmp_path: Path):
    with pytest.raises(ZooError, match="does not exist; expected a folder"):
        import_it(tmp_path / "missing", tmp_path)
    (tmp_path / "text").write_text("not an archive at all\n" * 100)
    with pytest.raises(IntegrityError, match="not a complete zip or tar archive"):
        import_it(tmp_path / "text", tmp_path)


def test_only_the_wanted_members_come_and_in_order(tmp_path: Path):
    for name in ("b/2", "b/1", "a", "b-c/1", "c"):
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    found = [one.name for one in members(tmp_path / "source", lambda name: name != "c")]
    assert found == ["a", "b/1", "b/2", "b-c/1"]
