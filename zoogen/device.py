"""Devices that networks train on: the CPU or a CUDA device, named as in torch."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL
from platform import libc_ver
from textwrap import shorten

from zoogen.errors import ZooError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of ``mallopt``, from glibc's ``malloc.h``."""

LARGEST_BLOCK = 2**25
"""Size in bytes of the largest block that glibc can be told to take from its heap."""

HEAP_RESERVE = 2**30
"""Free bytes at the end of the heap that glibc keeps."""


def check_device(device: str | None, *, tf32: bool) -> None:
    """Refuse a device that torch cannot use on this machine, or TF32 on a device without it.

    Raises:
        ZooError: If the device cannot be used; the message lists the available ones.
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
        raise ZooError(
            f"device {device!r} cannot be used ({reason}); available: {', '.join(found)}"
        )


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, because shards share the cores and sums must keep their order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def tiny_numbers_as_zero() -> Iterator[None]:
    """Treat numbers below 1.2e-38 as zero, if the processor supports it.

    Weight decay shrinks the weights of dead units to such numbers, and arithmetic on them is two
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
    """Keep the memory that a training step frees instead of returning it to the system.

    Each step allocates and frees the same megabytes, and the system zeroes every new page: a third
    of the training time of a small CNN. Only glibc is changed, not other C libraries.
    """
    library = CDLL(None) if libc_ver()[0] == "glibc" else None
    if library is None:
        yield
        return
    library.mallopt(M_MMAP_THRESHOLD, LARGEST_BLOCK)
    library.mallopt(M_TRIM_THRESHOLD, HEAP_RESERVE)
    try:
        yield
    finally:
        library.mallopt(M_TRIM_THRESHOLD, 2 * LARGEST_BLOCK)
        library.malloc_trim(0)


@contextmanager
def gpu_arithmetic(*, tf32: bool) -> Iterator[None]:
    """Make GPU arithmetic repeatable, in full float32 precision or in TF32.

    TF32 keeps ten bits of each factor. cuDNN may only use algorithms that add in a fixed order, so
    that a training run on the same GPU gives the same weights.
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


def device_name(device: str, *, tf32: bool) -> str:
    """Name a device as in the manifest: ``cpu``, or the model of a GPU."""
    import torch

    if torch.device(device).type == "cpu":
        return "cpu"
    return torch.cuda.get_device_name(device) + (", TF32" if tf32 else "")
