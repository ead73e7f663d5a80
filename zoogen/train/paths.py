"""Choose the path that trains a network: compiled kernels on the CPU, or stacks in torch."""

import logging
import platform
from functools import cache
from typing import Any

from zoogen.errors import ZooError
from zoogen.spec.architectures import CNN, MLP
from zoogen.store.table import TrainingPath

NEEDED = {"x86_64": ("avx2", "fma"), "amd64": ("avx2", "fma"), "aarch64": (), "arm64": ()}
"""Instructions that the kernels need, by kind of processor."""

WIDEST = 256
"""Most weights in a row of a convolution: machine code has an instruction for each."""

log = logging.getLogger(__name__)


def training_path(network: MLP | CNN, device: str) -> TrainingPath:
    """Choose the path that trains a network on a device; warn once if it is the slow one."""
    if not device.startswith("cpu"):
        return "torch"
    reason = why_no_kernel_for(network) or why_no_kernels()
    if reason:
        say_once(f"training with torch, many times slower: {reason}")
    return "torch" if reason else "kernels"


def path_to_take(
    network: MLP | CNN, device: str, begun: TrainingPath | None, folder: object
) -> TrainingPath:
    """Return the path of a build; a build that has begun stays on its path.

    Args:
        network: The network to train.
        device: Device to train on, as torch names it.
        begun: The path that the build has begun on; None for a new build.
        folder: Folder named in the message.

    Raises:
        ZooError: If the build has begun on a path that this device does not have.
    """
    if begun is None:
        return training_path(network, device)
    reason = "" if begun == "torch" else why_no_kernels_on(device)
    if reason:
        raise ZooError(
            f"{folder} was begun with kernels, which are not available here ({reason}), and torch "
            "would give other bits; build the zoo in another folder with --out"
        )
    return begun


def why_no_kernels_on(device: str) -> str:
    """Return why kernels cannot run on a device; empty if they can."""
    return why_no_kernels() if device.startswith("cpu") else f"they run on the CPU, not on {device}"


def why_no_kernel_for(network: MLP | CNN) -> str:
    """Return why no kernel can train a network; empty if one can."""
    if isinstance(network, MLP):
        return ""
    flat = network.maps[-1][2] if network.features == "flatten" else 1
    widest = max(flat, *(block.kernel for block in network.convolutions))
    if widest <= WIDEST:
        return ""
    return f"no kernel can train {network}: it has a row of {widest} weights, at most {WIDEST} fit"


@cache
def why_no_kernels() -> str:
    """Return why kernels cannot run here, and the way out; empty if they can."""
    try:
        from llvmlite.binding import get_host_cpu_features
        from numba.core import config
    except (ImportError, OSError, AttributeError) as error:
        return f"numba cannot be loaded ({error}); run: pip install --upgrade numba"
    settings: Any = config
    if settings.DISABLE_JIT:
        return "NUMBA_DISABLE_JIT is set, so numba compiles nothing; unset it"
    kind, features = platform.machine().lower(), get_host_cpu_features()
    if kind not in NEEDED:
        return f"the kernels are not written for {kind} processors"
    lacking = [name for name in NEEDED[kind] if not features.get(name)]
    return f"this processor lacks {' and '.join(lacking)}" if lacking else ""


@cache
def say_once(message: str) -> None:
    """Log a warning, once per process."""
    log.warning(message)
