"""Kernels are compiled once and loaded from disk later, and a bad disk does no harm."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
from numba import types

from zoogen.train.kernels import kept
from zoogen.train.kernels.kept import FILES, Compiler, is_whole

VECTOR = types.Array(types.float32, 1, "C")
COMPILES = "compiling the kernel for doubling"
IN_A_PROCESS = "from tests.zoogen.train.kernels.test_kept import check_doubling; check_doubling()"


def double(numbers: Any) -> None:
    """Double numbers in place."""
    for i in range(len(numbers)):
        numbers[i] *= 2


def doubling() -> Any:
    """Return a small kernel, from disk or compiled."""

    def make(compiler: Compiler) -> Any:
        return compiler.function(types.void(VECTOR), double)

    return kept.load_or_compile("double", "doubling", make)


def check_doubling() -> None:
    """Check that the kernel works."""
    numbers = np.arange(3, dtype=np.float32)
    doubling()(numbers)
    assert numbers.tolist() == [0, 2, 4]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the test's own cache; return the folder of its kernels."""
    monkeypatch.setenv("ZOOGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kernels"


def in_a_process(code: str = IN_A_PROCESS) -> "subprocess.Popen[str]":
    """Use the kernel in another process."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[4],
        stderr=subprocess.PIPE,
        text=True,
    )


def kernels_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


def test_kernels_are_compiled_once_with_a_message(folder: Path, caplog: Any):
    check_doubling()
    assert caplog.text.count(COMPILES) == 1
    check_doubling()
    assert caplog.text.count(COMPILES) == 1
    assert [is_whole(path) for path in kernels_in(folder)] == [True]


def test_a_later_process_loads_kept_kernels():
    check_doubling()
    process = in_a_process()
    assert process.communicate()[1] == ""
    assert process.returncode == 0


def test_of_two_processes_at_once_one_compiles_and_the_other_waits(folder: Path):
    said = [process.communicate()[1] for process in [in_a_process(), in_a_process()]]
    assert sorted(COMPILES in words for words in said) == [False, True]
    assert [is_whole(path) for path in kernels_in(folder)] == [True]


def test_the_cache_folder_of_numba_is_restored():
    before = kept.SETTINGS.CACHE_DIR
    check_doubling()
    assert before == kept.SETTINGS.CACHE_DIR


@pytest.mark.parametrize("harm", ["altered", "truncated", "missing", "no list", "nonsense"])
def test_damaged_kernels_are_compiled_again(folder: Path, caplog: Any, harm: str):
    check_doubling()
    (kernels,) = kernels_in(folder)
    path = next(kernels.rglob("*.nbc"))
    blob = path.read_bytes()
    if harm == "missing":
        path.unlink()
    elif harm == "no list":
        (kernels / FILES).unlink()
    elif harm == "nonsense":
        (kernels / FILES).write_text("[1")
    else:
        middle = len(blob) // 2
        altered = blob[:middle] + bytes([blob[middle] ^ 1]) + blob[middle + 1 :]
        path.write_bytes(altered if harm == "altered" else blob[:middle])
    check_doubling()
    assert caplog.text.count(COMPILES) == 2
    assert is_whole(kernels)


def test_kernels_that_numba_cannot_read_are_compiled_again(folder: Path, caplog: Any):
    check_doubling()
    (kernels,) = kernels_in(folder)
    for path in kernels.rglob("*.nbc"):
        path.write_bytes(b"not a pickle")
    kept.write_text(kernels / FILES, kept.json.dumps(kept.hashes(kernels)))
    check_doubling()
    assert "cannot be loaded" in caplog.text


def test_a_kill_while_compiling_leaves_no_broken_kernels(folder: Path, caplog: Any):
    slow = (
        "import time; from zoogen.train.kernels import kept; "
        "kept.hashes = lambda _: time.sleep(600);"
    )
    process = in_a_process(slow + IN_A_PROCESS)
    while not list(folder.rglob("*.nbc")):
        assert process.poll() is None
        sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not is_whole(kernels_in(folder)[0])
    check_doubling()
    assert COMPILES in caplog.text
    assert is_whole(kernels_in(folder)[0])


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["making the folder", "while Numba writes", "at the end"])
def test_a_full_disk_costs_no_more_than_compiling(
    folder: Path, caplog: Any, monkeypatch: pytest.MonkeyPatch, where: str
):
    with monkeypatch.context() as patch:
        if where == "making the folder":
            patch.setattr(Path, "mkdir", full)
        elif where == "while Numba writes":
            patch.setattr("numba.core.caching.IndexDataCacheFile.save", full)
        else:
            patch.setattr(kept, "write_text", full)
        check_doubling()
    assert "it cannot be kept in" in caplog.text
    assert "No space left" in caplog.text
    assert not folder.exists() or kernels_in(folder) == []
    check_doubling()
    assert [is_whole(path) for path in kernels_in(folder)] == [True]


def test_a_file_in_place_of_the_folder_costs_no_more_than_compiling(folder: Path, caplog: Any):
    folder.parent.mkdir()
    folder.write_text("a file")
    check_doubling()
    assert "it cannot be kept in" in caplog.text
    assert "ZOOGEN_CACHE" in caplog.text
    assert folder.read_text() == "a file"


def test_other_sources_or_another_processor_need_other_kernels(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    check_doubling()
    monkeypatch.setattr(kept, "machine_code_hash", lambda: "another processor")
    check_doubling()
    assert len(kernels_in(folder)) == 2
