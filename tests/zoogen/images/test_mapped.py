"""Images in files that processes share: the same images, held once, and gone in the end."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoogen.errors import UnwritableError
from zoogen.images.mapped import mapped
from zoogen.images.sets import HELD, ImageSet, load_images
from zoogen.store.folder import PARTS, clear_half_written


@pytest.fixture
def images() -> ImageSet:
    return load_images("small-28")


def test_what_is_opened_is_what_was_kept(images: ImageSet, tmp_path: Path):
    with mapped(images, tmp_path / "parts") as files:
        opened = files.open()
        assert opened.checksum == images.checksum
        assert opened.classes == images.classes
        assert isinstance(opened.train_images, np.memmap)
    assert list((tmp_path / "parts").iterdir()) == []


def test_what_one_process_writes_no_other_sees(images: ImageSet, tmp_path: Path):
    with mapped(images, tmp_path) as files:
        files.open().train_images[:] = 7
        assert files.open().checksum == images.checksum


def test_what_a_kill_leaves_is_cleared_by_the_next_build(images: ImageSet, tmp_path: Path):
    with mapped(images, tmp_path / PARTS):
        assert len(list((tmp_path / PARTS).iterdir())) == 4
        clear_half_written(tmp_path)
        assert list((tmp_path / PARTS).iterdir()) == []


def test_a_full_disk_is_told_as_such_and_nothing_is_left(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("zoogen.images.mapped.np.save", full)
    with (
        pytest.raises(UnwritableError, match=r"No space left.*--workers 1"),
        mapped(images, tmp_path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_named_set_is_held_while_it_is_used_and_no_longer():
    held = load_images("small-28")
    assert load_images("small-28") is held
    assert any(one is held for one in HELD.values())
    del held
    assert not any(name == "small-28" for name, _ in HELD)
