"""Atomic writing: a file is complete or missing, whatever happens while it is written."""

import errno
import os
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from zoogen import ZooError
from zoogen.atomic import atomic_path, sha256_of, temporary_for, write_text


class Interruption(BaseException):
    """An interruption that no ``except Exception`` catches."""


def test_a_file_appears_under_its_name_when_it_is_complete(tmp_path: Path):
    path = tmp_path / "deep" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_an_open_reader_still_reads_the_old_file(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, Interruption, KeyboardInterrupt])
def test_an_error_keeps_the_old_file_and_leaves_no_temporary_file(
    tmp_path: Path, error: type[BaseException]
):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("ne")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_message_for_a_full_disk_says_what_to_do(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with (
        pytest.raises(ZooError, match=r"file\.txt: No space left on device.*make room"),
        atomic_path(path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(
        ZooError, match=r"cannot write .*inside\.txt: (File exists|Not a directory)"
    ):
        write_text(tmp_path / "file" / "inside.txt", "new")


def test_a_process_killed_while_writing_keeps_the_old_file(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    script = (
        "import os, pathlib, zoogen.atomic\n"
        f"with zoogen.atomic.atomic_path(pathlib.Path({str(path)!r})) as temporary:\n"
        "    temporary.write_text('ne')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert path.read_text() == "old"
    (left,) = (other for other in tmp_path.iterdir() if other != path)
    assert temporary_for(left.name) == path.name


def test_a_file_has_the_permissions_of_the_umask(tmp_path: Path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "file.txt", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["file.txt", ".hidden", ".hidden.txt", "file.1", ".lock"])
def test_other_names_are_not_taken_for_temporary_files(name: str):
    assert temporary_for(name) is None


def test_the_hash_is_the_sha256_of_the_bytes(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"bytes" * 100_000)
    assert sha256_of(tmp_path / "file") == sha256(b"bytes" * 100_000).hexdigest()
