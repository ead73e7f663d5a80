"""The only reader of pickles: it builds plain values and records, and runs no foreign code.

A pickle names the functions that rebuild its objects. We look each name up in a short list of our
own stand-ins and raise an error for any other. No such name is ever imported.
"""

import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.sources import MIB


class RefusedGlobalError(ZooError):
    """A pickle that asks for a name that is not on the list."""


class Storage(NamedTuple):
    """The numbers behind a tensor, stored elsewhere in the file: type, name and count."""

    dtype: str
    key: str
    length: int


class Tensor(NamedTuple):
    """A view of a storage, not yet read."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Record:
    """The attributes of an instance of a foreign class, without its methods."""

    def __init__(self, *arguments: Any) -> None:
        """Accept and ignore any arguments."""

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})


class Dtype:
    """A ``numpy.dtype`` in a pickle."""

    def __init__(self, code: str, *_: Any) -> None:
        """Keep the type code, such as ``f8``."""
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Ignore the state; little-endian is assumed."""


def tensor(storage: Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Tensor:
    """Stand for ``torch._utils._rebuild_tensor_v2``."""
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not all(isinstance(one, int) for one in numbers):
        raise TypeError("a tensor needs a storage and whole numbers")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def parameter(data: Tensor, *_: Any) -> Tensor:
    """Stand for ``torch._utils._rebuild_parameter``."""
    return data


def path(*parts: str) -> str:
    """Stand for a ``pathlib`` path."""
    return "/".join(map(str, parts)).replace("//", "/")


def scalar(dtype: Dtype, data: bytes) -> Any:
    """Stand for a numpy scalar."""
    if dtype.code not in {"f4", "f8", "i4", "i8", "b1"}:
        raise ValueError(f"unsupported number type {dtype.code!r}")
    return np.frombuffer(data, f"<{dtype.code}", 1)[0].item()


def encode(text: str, encoding: str) -> bytes:
    """Stand for ``codecs.encode``, which old pickles use for bytes."""
    return text.encode({"latin1": "latin1"}[encoding])


STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}
PLAIN: Mapping[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": tensor,
    "torch._utils._rebuild_parameter": parameter,
    "torch.Size": tuple,
    **{f"torch.{name}": dtype for name, dtype in STORAGES.items()},
}
"""Names that a ``state_dict`` may use."""

VALUES: Mapping[str, Any] = {
    **PLAIN,
    "builtins.set": set,
    "__builtin__.set": set,
    "_codecs.encode": encode,
    "numpy.dtype": Dtype,
    "numpy.core.multiarray.scalar": scalar,
    "numpy._core.multiarray.scalar": scalar,
    **{f"pathlib.{name}": path for name in ("PosixPath", "PurePosixPath", "WindowsPath")},
}
"""Names that the attributes of a data set may use."""


def storage_of(identity: Any) -> Storage:
    """Return the storage that a pickle refers to."""
    kind, dtype, key, _, length = identity
    good = isinstance(key, str) and isinstance(length, int) and dtype in STORAGES.values()
    if kind != "storage" or not good:
        raise ValueError(f"a reference to {kind!r}, not to a storage")
    return Storage(dtype, key, length)


def private_copy(stand_in: Any) -> Any:
    """Copy a stand-in for one pickle, which may set attributes on it."""
    if isinstance(stand_in, FunctionType):
        return lambda *arguments: stand_in(*arguments)  # noqa: PLW0108, a new function is the point
    if isinstance(stand_in, type) and issubclass(stand_in, Record | Dtype):
        return type(stand_in.__name__, (stand_in,), {})
    return stand_in


class RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that knows only the names it is given."""

    def __init__(self, data: bytes, label: object, known: Mapping[str, Any]) -> None:
        """Read ``data``; errors call it ``label``."""
        super().__init__(BytesIO(data))
        self._label, self._known = label, known

    def find_class(self, module: str, name: str) -> Any:
        """Look up the stand-in for a name."""
        full = f"{module}.{name}"
        if full not in self._known:
            raise RefusedGlobalError(
                f"{self._label}: the pickle asks for {full[:200]!r}, which is not on the list of "
                "allowed names; nothing in the file was run"
            )
        return private_copy(self._known[full])

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that ``pid`` refers to."""
        return storage_of(pid)


def unpickled(data: bytes, label: object, known: Mapping[str, Any]) -> Any:
    """Load a pickle that uses only known names.

    Args:
        data: The pickle.
        label: Its name in errors.
        known: A stand-in for every name it may ask for.

    Raises:
        RefusedGlobalError: If it asks for any other name.
        IntegrityError: If it is not a pickle, is damaged, or needs too much memory.
    """
    try:
        with memory_limit(data):
            return RestrictedUnpickler(data, label, known).load()
    except ZooError:
        raise
    # The pickle chooses the arguments of stand-ins: a hostile one can make them raise anything.
    except (Exception, MemoryError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise IntegrityError(f"{label}: not a readable pickle ({what})") from error


@contextmanager
def memory_limit(data: bytes) -> Iterator[None]:
    """Limit memory to what an honest pickle can need, on systems that have ``/proc``.

    One byte of a pickle makes at most an object of 64 bytes and its slot in a list; a few bytes of
    a hostile one can ask for gigabytes.
    """
    status = Path("/proc/self/statm")
    if not status.exists():
        yield
        return
    import resource

    pages = int(status.read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    bound = pages * resource.getpagesize() + 256 * MIB + 80 * len(data)
    limits = [limit for limit in (soft, hard, bound) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
