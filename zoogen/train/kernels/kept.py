"""Compiled kernels kept on disk: the first process compiles them, all others load them."""

import json
import logging
import pickle
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
from filelock import FileLock
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from numba import __version__ as numba_version
from numba import cfunc, njit
from numba.core import config

from zoogen.atomic import sha256_of, write_text
from zoogen.errors import UnwritableError
from zoogen.places import cache_folder

FILES = "files.json"
LOCK = ".lock"
UNREADABLE = (OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError)

Made = TypeVar("Made")

SETTINGS: Any = config
"""Numba's settings; most are set when it is imported."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compiler:
    """Compiles functions that release Python's lock while they run.

    Attributes:
        keep: Whether Numba keeps the machine code on disk.
    """

    keep: bool

    def function(self, signature: Any, source: Callable[..., Any]) -> Any:
        """Compile a function that Python calls."""
        return njit(signature, error_model="numpy", nogil=True, cache=self.keep)(source)

    def callback(self, signature: Any, source: Callable[..., Any]) -> Any:
        """Compile a function that compiled code calls by its address."""
        return cfunc(signature, error_model="numpy", cache=self.keep)(source)


def kernels_folder() -> Path:
    """Return the folder of compiled kernels."""
    return cache_folder() / "kernels"


@cache
def machine_code_hash() -> str:
    """Hash everything that decides the machine code: sources, compiler and processor."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    parts = [
        *(sha256_of(source) for source in sources),
        numba_version,
        llvmlite.__version__,
        SETTINGS.CPU_NAME or get_host_cpu_name(),
        SETTINGS.CPU_FEATURES or get_host_cpu_features().flatten(),
    ]
    return sha256("\n".join(parts).encode()).hexdigest()


def load_or_compile(name: str, what: str, make: Callable[[Compiler], Made]) -> Made:
    """Load kernels from disk, or compile them and keep them there.

    Kernels that cannot be kept are compiled for this process alone; damaged ones are compiled
    again. Processes that need the same kernels wait for the first one.

    Args:
        name: Name that distinguishes kernels from the same sources.
        what: Network that the kernels are for, in messages.
        make: Makes the kernels with a compiler.
    """
    key = sha256(f"{machine_code_hash()}/{name}".encode()).hexdigest()[:16]
    folder = kernels_folder() / key
    if is_whole(folder):
        try:
            return compiled_in(folder, make)
        except UNREADABLE:
            log.warning(
                "the kernel for %s in %s cannot be loaded; compiling it again", what, folder
            )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(LOCK)):
            if is_whole(folder):
                return compiled_in(folder, make)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            log.warning("compiling the kernel for %s, once, about 10 s", what)
            made = compiled_in(folder, make)
            write_text(folder / FILES, json.dumps(hashes(folder), indent=1))
            return made
    except (*UNREADABLE, UnwritableError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        reason = getattr(error, "strerror", None) or error
        log.warning(
            "compiling the kernel for %s, about 10 s; it cannot be kept in %s (%s), so every "
            "process compiles it: make room there, or choose another folder with ZOOGEN_CACHE",
            *(what, folder.parent, reason),
        )
    return make(Compiler(keep=False))


def hashes(folder: Path) -> dict[str, str]:
    """Hash the files of a folder of kernels."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != FILES)
    return {str(path.relative_to(folder)): sha256_of(path) for path in files}


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds complete, unaltered kernels: machine code is run unchecked."""
    try:
        named = json.loads((folder / FILES).read_bytes())
        return bool(named == hashes(folder))
    except (OSError, ValueError):
        return False


def compiled_in(folder: Path, make: Callable[[Compiler], Made]) -> Made:
    """Make kernels while Numba's cache is in a folder."""
    before = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = str(folder)
    try:
        return make(Compiler(keep=True))
    finally:
        SETTINGS.CACHE_DIR = before
