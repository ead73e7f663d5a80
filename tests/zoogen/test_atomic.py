"""A file is whole or not there, whatever happens while it is written."""

import errno
import os
import stat
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from zoogen import ZooError, atomic_path, sha256_of, write_text
from zoogen.atomic import temporary_for


class Interruption(BaseException):
    """Ctrl-C or worse."""


def test_a_file_appears_under_its_name_when_it_is_done(tmp_path: Path):
    path = tmp_path / "deep" / "file.txt"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_who_reads_the_old_file_reads_it_to_its_end(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with path.open() as reader:
        write_text(path, "new")
        assert reader.read() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, Interruption, KeyboardInterrupt])
def test_on_an_error_the_old_file_stays_and_nothing_is_left(
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


def test_a_full_disk_is_named_with_the_way_out(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with (
        pytest.raises(ZooError, match=r"file\.txt: No space left on device.*make room"),
        atomic_path(path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(
        ZooError, match=r"cannot write .*inside\.txt: (File exists|Not a directory)"
    ):
        write_text(tmp_path / "file" / "inside.txt", "new")


def test_a_process_killed_while_writing_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    script = (
        "import os, pathlib, zoogen\n"
        f"with zoogen.atomic_path(pathlib.Path({str(path)!r})) as temporary:\n"
        "    temporary.write_text('ne')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert path.read_text() == "old"
    (left,) = (other for other in tmp_path.iterdir() if other != path)
    assert temporary_for(left.name) == path.name


def test_a_file_has_the_rights_that_the_umask_gives(tmp_path: Path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "file.txt", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == 0o640


@pytest.mark.parametrize("name", ["file.txt", ".hidden", ".hidden.txt", "file.1", ".lock"])
def test_only_temporary_names_are_taken_for_temporary(name: str):
    assert temporary_for(name) is None


def test_the_hash_is_that_of_the_bytes(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"bytes" * 100_000)
    assert sha256_of(tmp_path / "file") == sha256(b"bytes" * 100_000).hexdigest()
