"""Which path trains a network: compiled kernels on the CPU, or stacks of it in torch."""

import logging
import platform
from functools import cache
from typing import Any

from zoogen.errors import ZooError
from zoogen.spec.architectures import CNN, MLP
from zoogen.store.table import TrainingPath

NEEDED = {"x86_64": ("avx2", "fma"), "amd64": ("avx2", "fma"), "aarch64": (), "arm64": ()}
"""Instructions the kernels are written for, by kind of processor."""

WIDEST = 256
"""Weights to a row of a kernel, at most: they are written out one by one in machine code."""

log = logging.getLogger(__name__)


def training_path(network: MLP | CNN, device: str) -> TrainingPath:
    """Choose the path that trains a network on a device; say once why it is not the fast one."""
    if not device.startswith("cpu"):
        return "torch"
    reason = no_kernel_for(network) or no_kernels()
    if reason:
        say_once(f"training with torch, many times slower: {reason}")
    return "torch" if reason else "kernels"


def path_to_take(
    network: MLP | CNN, device: str, begun: TrainingPath | None, folder: object
) -> TrainingPath:
    """Return the path of a build: that on which it was begun, for two never mix in one zoo.

    Raises:
        ZooError: If that path is closed on this device.
    """
    if begun is None:
        return training_path(network, device)
    closed = "" if begun == "torch" else no_kernels_on(device)
    if closed:
        raise ZooError(
            f"{folder} was begun with kernels, which cannot go on ({closed}), and torch would "
            "give other bits; build it elsewhere with --out"
        )
    return begun


def no_kernels_on(device: str) -> str:
    """Say why kernels cannot run on a device; nothing if they can."""
    return no_kernels() if device.startswith("cpu") else f"they run on the CPU, not on {device}"


def no_kernel_for(network: MLP | CNN) -> str:
    """Say why no kernel takes a network; nothing if one does."""
    if isinstance(network, MLP):
        return ""
    flat = network.maps[-1][2] if network.features == "flatten" else 1
    widest = max(flat, *(block.kernel for block in network.convolutions))
    if widest <= WIDEST:
        return ""
    return f"no kernel takes {network}: a row of {widest} weights, {WIDEST} are the most"


@cache
def no_kernels() -> str:
    """Say why kernels cannot run here, and the way to have them; nothing if they can."""
    try:
        from llvmlite.binding import get_host_cpu_features
        from numba.core import config
    except (ImportError, OSError, AttributeError) as error:
        return f"numba cannot be loaded ({error}); run: pip install --upgrade numba"
    settings: Any = config
    if settings.DISABLE_JIT:
        return "numba does not compile while NUMBA_DISABLE_JIT is set; unset it"
    kind, features = platform.machine().lower(), get_host_cpu_features()
    if kind not in NEEDED:
        return f"the kernels are not written for {kind} processors"
    lacking = [name for name in NEEDED[kind] if not features.get(name)]
    return f"this processor lacks {' and '.join(lacking)}" if lacking else ""


@cache
def say_once(message: str) -> None:
    """Warn, once in a process."""
    log.warning(message)
