"""Where networks train: the CPU or a CUDA device, as torch names it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL
from platform import libc_ver
from textwrap import shorten

from zoogen.errors import ZooError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of ``mallopt``, from glibc's ``malloc.h``."""

LARGEST_BLOCK = 2**25
"""Bytes up to which glibc takes a block from its heap, at most."""

KEPT = 2**30
"""Bytes at the end of the heap that are kept."""


def check_device(device: str | None, *, tf32: bool) -> None:
    """Refuse a device that torch cannot use here, or TF32 where there is none.

    Raises:
        ZooError: If it does; the message names what is here.
    """
    device = "cpu" if device is None else device
    if device == "cpu" and not tf32:
        return
    import torch

    found = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    reason = "only cpu and cuda devices train zoos"
    try:
        named = torch.device(device)
        if named.type in {"cpu", "cuda"}:
            torch.zeros(1, device=named).cpu()
            reason = "it has no TF32" if tf32 and named.type == "cpu" else ""
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = shorten(str(error), 160, placeholder=" …")
    if reason:
        raise ZooError(f"device {device!r} cannot be used ({reason}); here are: {', '.join(found)}")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: shards share the cores, and sums keep their order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def tiny_numbers_as_zero() -> Iterator[None]:
    """Compute with zero instead of numbers below 1.2e-38, where the processor can.

    Weight decay takes the weights of dead units there, and arithmetic on such numbers is two
    hundred times as slow (``docs/decisions/0007-stacks-of-cnns.md``).
    """
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Use the memory again that a step of training frees, where glibc would hand it back.

    Each step takes and frees the same megabytes, and every page that comes anew from the system is
    zeroed first: a third of the time of a small CNN. Other C libraries are left as they are.
    """
    library = CDLL(None) if libc_ver()[0] == "glibc" else None
    if library is None:
        yield
        return
    library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
    library.mallopt(M_TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        library.mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_BLOCK)
        library.malloc_trim(0)


@contextmanager
def multiplied_in(*, tf32: bool) -> Iterator[None]:
    """Multiply float32 numbers in full on a GPU, unless TF32 is asked for; choose one algorithm.

    TF32 keeps ten bits of a factor. Without it and with cuDNN held to algorithms that add in one
    order, a run on one GPU can be repeated.
    """
    import torch

    convolutions, matrices = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, matrices.allow_tf32, convolutions.deterministic
    convolutions.allow_tf32 = matrices.allow_tf32 = tf32
    convolutions.deterministic = True
    try:
        yield
    finally:
        convolutions.allow_tf32, matrices.allow_tf32, convolutions.deterministic = before


def in_words(device: str, *, tf32: bool) -> str:
    """Name a device as the manifest does: ``cpu``, or a GPU by its model."""
    import torch

    if torch.device(device).type == "cpu":
        return "cpu"
    return torch.cuda.get_device_name(device) + (", TF32" if tf32 else "")
