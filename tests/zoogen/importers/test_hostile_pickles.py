"""Hostile pickles and torch files: values are built, nothing is run."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoogen import IntegrityError
from zoogen.importers import pickles
from zoogen.importers.pickles import PLAIN, VALUES, RefusedGlobalError, unpickled
from zoogen.importers.torch_files import Limits, TorchFile


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", r"'os\.system'"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", r"'os\.system'"),
        (b"cbuiltins\neval\n.", r"'builtins\.eval'"),
        (b"cnumpy\nload\n.", r"'numpy\.load'"),
        (b"ctorch\nload\n.", r"'torch\.load'"),
        (b"ctorch.hub\nload\n.", r"'torch\.hub\.load'"),
        (b"czoogen.importers.pickles\nunpickled\n.", "zoogen"),
        (b"ccollections\nOrderedDict.fromkeys\n.", "OrderedDict.fromkeys"),
        (b"cgoogle_like\nThing\n.", "google_like"),
    ],
)
@pytest.mark.parametrize("known", [PLAIN, VALUES], ids=["plain", "values"])
def test_a_name_that_is_not_on_the_list_is_refused_and_reported(
    data: bytes, message: str, known: dict[str, Any]
):
    with pytest.raises(RefusedGlobalError, match=message):
        unpickled(data, "the file", known)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",  # a frame of 8 EiB
        b"\x80\x04\x8d" + struct.pack("<Q", 1 << 50) + b"x.",  # a string of 1 PiB
        b"\x80\x02]r\xff\xff\xff\xff.",  # the four-billionth place of the memo
        b"(" * 1000,
        b"\x80\x02ctorch\nFloatStorage\n)R.",  # calls something that is not a function
        b"I" + b"9" * 10_000 + b"\n.",
    ],
)
def test_a_broken_or_greedy_pickle_is_refused(data: bytes):
    with pytest.raises(IntegrityError, match="the file: not a readable pickle"):
        unpickled(data, "the file", VALUES)


@given(st.binary(max_size=300))
def test_a_pickle_can_only_build_values_or_fail(data: bytes):
    with suppress(IntegrityError, RefusedGlobalError):
        unpickled(data, "the file", VALUES)


def test_a_pickle_cannot_change_how_the_next_one_is_read():
    # These pickles set attributes of stand-ins, a function and a class.
    for name in (b"pathlib\nPosixPath", b"numpy\ndtype"):
        for state in (
            b"N}X\x0c\x00\x00\x00__defaults__K\x01s\x86b",
            b"}X\x04\x00\x00\x00codeK\x01sb",
            b"N}X\x04\x00\x00\x00codeK\x01s\x86b",
        ):
            with suppress(IntegrityError):
                unpickled(b"\x80\x02c" + name + b"\n" + state + b".", "the file", VALUES)
    assert pickles.path.__defaults__ is None
    assert not hasattr(pickles.path, "code")
    assert not hasattr(pickles.Dtype, "code")
    plain = pickle.dumps({"a": np.float64(1.5), "b": Path("/x/y")}, protocol=2)
    assert unpickled(plain, "the file", VALUES) == {"a": 1.5, "b": "/x/y"}


def saved(content: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file)
    return file


def rewritten(change: Callable[[str, bytes], bytes | None]) -> io.BytesIO:
    """Return a file of two tensors, with its records changed."""
    new = io.BytesIO()
    with (
        zipfile.ZipFile(saved({"a": torch.arange(6.0), "b": torch.zeros(2)})) as old,
        zipfile.ZipFile(new, "w") as archive,
    ):
        for name in old.namelist():
            record = change(name, old.read(name))
            if record is not None:
                archive.writestr(name, record)
    return new


def read_all(file: io.BytesIO, limits: Limits | None = None) -> dict[str, np.ndarray]:
    with closing(TorchFile(file, "the file", PLAIN, limits or Limits())) as opened:
        return {name: opened.array(tensor) for name, tensor in opened.content.items()}


def test_tensors_equal_those_that_torch_saved():
    base = torch.arange(24.0).reshape(4, 6)
    content = {"whole": base, "part": base[1:3, ::2], "turned": base.T, "long": torch.arange(3)}
    for name, array in read_all(saved(content)).items():
        np.testing.assert_array_equal(array, content[name].numpy())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, data: None if name.endswith("data/0") else data, "'data/0' is missing"),
        (lambda name, data: data[:-4] if name.endswith("data/0") else data, "has 20 bytes, expec"),
        (lambda name, data: b"big" if name.endswith("byteorder") else data, "byte order is b'big'"),
        (lambda name, data: None if name.endswith("data.pkl") else data, "holds 0 pickles"),
        (
            lambda name, data: data[:40] if name.endswith("data.pkl") else data,
            "not a readable pickle",
        ),
        # Change the shape (6,) to (66,), more than the storage holds.
        (
            lambda name, data: data.replace(b"K\x06\x85", b"K\x42\x85"),
            r"a tensor \[66\] at offset 0 does not fit in the 6 numbers",
        ),
    ],
)
def test_an_inconsistent_torch_file_is_refused(change: Any, message: str):
    with pytest.raises(IntegrityError, match=message):
        read_all(rewritten(change))


def test_pickle_and_storages_have_a_size_limit():
    with pytest.raises(IntegrityError, match=r"data\.pkl has \d+ bytes, expected at most 64"):
        read_all(saved({"a": torch.zeros(3)}), Limits(pickle=64))
    with pytest.raises(IntegrityError, match="data/0 has 4000 bytes, expected at most 100"):
        read_all(saved({"a": torch.zeros(1000)}), Limits(storage=100))


@pytest.mark.parametrize("blob", [b"", b"PK\x03\x04", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."])
def test_a_file_not_from_torch_is_reported(blob: bytes):
    with pytest.raises(IntegrityError, match=r"not written by torch\.save of torch 1\.6 or newer"):
        read_all(io.BytesIO(blob))
