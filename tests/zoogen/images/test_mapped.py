"""Images in files that processes share: the same images, in memory once, deleted at the end."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoogen.errors import UnwritableError
from zoogen.images.mapped import mapped
from zoogen.images.sets import IN_USE, ImageSet, load_images
from zoogen.store.folder import PARTS, clear_half_written


@pytest.fixture
def images() -> ImageSet:
    return load_images("small-28")


def test_mapped_images_are_the_original_ones(images: ImageSet, tmp_path: Path):
    with mapped(images, tmp_path / "parts") as files:
        opened = files.open()
        assert opened.checksum == images.checksum
        assert opened.classes == images.classes
        assert isinstance(opened.train_images, np.memmap)
    assert list((tmp_path / "parts").iterdir()) == []


def test_changes_to_mapped_images_stay_in_one_process(images: ImageSet, tmp_path: Path):
    with mapped(images, tmp_path) as files:
        files.open().train_images[:] = 7
        assert files.open().checksum == images.checksum


def test_the_next_build_removes_the_files_of_a_killed_one(images: ImageSet, tmp_path: Path):
    with mapped(images, tmp_path / PARTS):
        assert len(list((tmp_path / PARTS).iterdir())) == 4
        clear_half_written(tmp_path)
        assert list((tmp_path / PARTS).iterdir()) == []


def test_a_full_disk_is_named_and_no_file_remains(
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


def test_a_named_set_stays_in_memory_only_while_it_is_in_use():
    images = load_images("small-28")
    assert load_images("small-28") is images
    assert any(one is images for one in IN_USE.values())
    del images
    assert not any(name == "small-28" for name, _ in IN_USE)
