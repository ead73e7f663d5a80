"""Devices: which can train, how precisely they multiply, and that settings are restored."""

import subprocess
import sys
from platform import libc_ver
from resource import getpagesize

import pytest
import torch

from zoogen import ZooError
from zoogen.device import (
    check_device,
    cores,
    device_name,
    gpu_arithmetic,
    one_thread,
    tiny_numbers_as_zero,
)


def precision() -> tuple[bool, bool, bool]:
    convolutions, matrices = torch.backends.cudnn, torch.backends.cuda.matmul
    return convolutions.allow_tf32, matrices.allow_tf32, convolutions.deterministic


@pytest.mark.parametrize("tf32", [False, True])
def test_tf32_is_used_on_request_and_algorithms_are_repeatable(tf32: bool):
    before = precision()
    with gpu_arithmetic(tf32=tf32):
        assert precision() == (tf32, tf32, True)
    assert precision() == before
    with pytest.raises(RuntimeError), gpu_arithmetic(tf32=not tf32):
        raise RuntimeError
    assert precision() == before


def halved(value: float) -> float:
    return float(torch.tensor([value]) * 0.5)


def test_numbers_too_small_for_full_precision_are_zero_inside_the_block():
    with tiny_numbers_as_zero():
        assert halved(1e-40) == 0
        assert halved(1e-36) > 0
    assert halved(1e-40) > 0
    with pytest.raises(RuntimeError), tiny_numbers_as_zero():
        raise RuntimeError
    assert halved(1e-40) > 0


@pytest.mark.parametrize("device", [None, "cpu"])
def test_the_cpu_can_always_be_used_but_has_no_tf32(device: str | None):
    check_device(device, tf32=False)
    with pytest.raises(ZooError, match=r"'cpu' cannot be used \(it has no TF32\); available: cpu"):
        check_device(device, tf32=True)


@pytest.mark.parametrize("device", ["mps", "meta", "abacus", "cuda:99"])
def test_a_device_that_cannot_train_is_refused_by_name(device: str):
    with pytest.raises(ZooError, match=rf"device '{device}' cannot be used \(.*\); available: cpu"):
        check_device(device, tf32=False)


def test_the_cpu_is_called_cpu_and_has_a_core():
    assert device_name("cpu", tf32=False) == "cpu"
    assert cores() >= 1


def test_one_thread_limits_torch_to_one_thread_inside_the_block():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


BLOCK, BLOCKS, ROUNDS = 5_000_000, 3, 80
TAKE_AND_FREE = f"""
from ctypes import CDLL
from resource import RUSAGE_SELF, getrusage

import torch

from zoogen.device import freed_memory_kept

CDLL(None).prctl(41, 1, 0, 0, 0)  # no huge pages, because their number varies between runs
with freed_memory_kept():
    before = getrusage(RUSAGE_SELF).ru_minflt
    for _ in range({ROUNDS}):
        blocks = [torch.ones({BLOCK}) for _ in range({BLOCKS})]
        del blocks
    print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory")
def test_freed_memory_is_used_again_instead_of_new_pages():
    command = [sys.executable, "-c", TAKE_AND_FREE]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    pages = ROUNDS * BLOCKS * BLOCK * 4 / getpagesize()
    assert int(done.stdout) < pages / 10
