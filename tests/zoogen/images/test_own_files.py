"""Files of the user's own images: any content is read in full or refused in one line."""

import pickle
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file as save_torch_file

from tests.zoogen.images.test_own import complaint, few_arrays, written
from zoogen import ZooError
from zoogen.images.own import ARRAYS, OWN_FORMATS, own_arrays


class Trap:
    """Leaves a trace when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def test_a_pickle_is_refused_and_never_loaded(tmp_path: Path):
    trap = np.array([Trap(tmp_path / "trace")] * 6, dtype=object)
    path = written(few_arrays() | {"train_labels": trap}, tmp_path / "own.npz")
    assert ": train_labels cannot be read (Object arrays cannot be loaded" in complaint(path)
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(Trap(tmp_path / "trace")))
    assert "cannot be read (not a zip archive" in complaint(tmp_path / "bare.npz")
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        for name in ARRAYS:
            archive.writestr(name, pickle.dumps(Trap(tmp_path / "trace")))
    assert ": train_images is [], expected [images, height" in complaint(tmp_path / "raw.npz")
    assert not (tmp_path / "trace").exists()


def test_a_file_without_arrays_is_refused(tmp_path: Path):
    np.save(tmp_path / "array.npy", few_arrays()["train_images"])
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    assert "cannot be read (not a zip archive" in complaint(tmp_path / "array.npz")
    for ending in OWN_FORMATS:
        assert complaint(tmp_path / f"absent{ending}").startswith(" is not a file; expected .npz ")
        (tmp_path / f"folder{ending}").mkdir()
        assert complaint(tmp_path / f"folder{ending}").startswith(" is not a file; expected .npz ")
        for content in (b"", b"text, no arrays\n" * 9, bytes(99)):
            (tmp_path / f"other{ending}").write_bytes(content)
            assert " cannot be read (" in complaint(tmp_path / f"other{ending}")


def test_a_type_unknown_to_numpy_is_named_with_its_array(tmp_path: Path):
    tensors = {name: torch.from_numpy(values) for name, values in few_arrays().items()}
    tensors["test_images"] = tensors["test_images"].bfloat16()
    save_torch_file(tensors, tmp_path / "own.safetensors")
    message = complaint(tmp_path / "own.safetensors")
    assert ": test_images cannot be read (" in message
    assert "bfloat16" in message


def archive(*, compressed: bool) -> bytes:
    """Return the bytes of a valid ``.npz`` file."""
    written = BytesIO()
    (np.savez_compressed if compressed else np.savez)(written, **few_arrays())
    return written.getvalue()


def marked(whole: bytes, field: tuple[int, int], value: int) -> bytes:
    """Set a two-byte field in both headers of every entry of a zip archive."""
    marked = bytearray(whole)
    for signature, at in zip((b"PK\x03\x04", b"PK\x01\x02"), field, strict=True):
        for header in re.finditer(re.escape(signature), whole):
            marked[header.start() + at : header.start() + at + 2] = value.to_bytes(2, "little")
    return bytes(marked)


def unknown_block() -> bytes:
    """Return a compressed archive in which the first entry starts with an unknown block type."""
    broken = bytearray(archive(compressed=True))
    name, extra = (int.from_bytes(broken[at : at + 2], "little") for at in (26, 28))
    broken[30 + name + extra] = 0b111
    return bytes(broken)


def immense() -> bytes:
    """Return an archive of arrays that claim to exceed any memory."""
    header, written = BytesIO(), BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": (10**15, 3, 2)}
    np.lib.format.write_array_header_1_0(header, described)
    with zipfile.ZipFile(written, "w") as zipped:
        for name in ARRAYS:
            zipped.writestr(f"{name}.npy", header.getvalue())
    return written.getvalue()


DAMAGED = {
    "encrypted": (lambda: marked(archive(compressed=False), (6, 8), 1), "password required"),
    "unknown method": (lambda: marked(archive(compressed=False), (8, 10), 77), "method is"),
    "unknown block": (unknown_block, "invalid block type"),
    "altered": (
        lambda: archive(compressed=False).replace(b"\x93NUMPY\x01", b"\x93NUMPY\x09"),
        "CRC",
    ),
    "immense": (immense, "Unable to allocate"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_an_unreadable_archive_is_refused_with_the_array_and_the_reason(
    damage: str, tmp_path: Path
):
    make, reason = DAMAGED[damage]
    (tmp_path / "own.npz").write_bytes(make())
    message = complaint(tmp_path / "own.npz")
    assert message.startswith(": train_images cannot be read (")
    assert reason in message


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The bytes of valid files: plain, compressed and safetensors."""
    place = tmp_path_factory.mktemp("whole")
    files = {
        path.name: written(few_arrays(), path).read_bytes()
        for path in (place / "own.npz", place / "own.safetensors")
    }
    return files | {"small.npz": archive(compressed=True)}


@given(data=st.data())
@pytest.mark.parametrize("name", ["small.npz", "own.npz", "own.safetensors"])
def test_a_damaged_file_is_refused_or_read_in_full(
    name: str, whole: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: Any
):
    content = bytearray(whole[name])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, 2 * len(content))) :]
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    try:
        arrays = own_arrays(path)
    except ZooError as error:
        assert str(path) in str(error)  # noqa: PT017 (either is right)
    else:
        assert [len(arrays[name]) for name in ARRAYS] == [6, 6, 4, 4]
