"""The one reader of pickles: it builds plain values and records, and runs nobody's code.

A pickle names the functions that rebuild its objects. Here a name is looked up in a short list of
our own stand-ins; what is not on it is an error that names it. None of the names is ever imported.
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
    """A pickle that asks for something that is not on the list."""


class Storage(NamedTuple):
    """Numbers of a tensor that lie elsewhere in the file: their type, name and how many."""

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
    """An instance of one of the field's own classes, as its attributes; it has no methods."""

    def __init__(self, *arguments: Any) -> None:
        """Take anything."""

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {})


class Dtype:
    """A ``numpy.dtype`` in a pickle."""

    def __init__(self, code: str, *_: Any) -> None:
        """Keep its code, ``f8`` for example."""
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Its byte order is the little one everywhere."""


def tensor(storage: Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Tensor:
    """Stand for ``torch._utils._rebuild_tensor_v2``."""
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or not all(isinstance(one, int) for one in numbers):
        raise TypeError("a tensor of something else than a storage and whole numbers")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def parameter(data: Tensor, *_: Any) -> Tensor:
    """Stand for ``torch._utils._rebuild_parameter``."""
    return data


def path(*parts: str) -> str:
    """Stand for the paths of ``pathlib``."""
    return "/".join(map(str, parts)).replace("//", "/")


def scalar(dtype: Dtype, data: bytes) -> Any:
    """Stand for numpy's scalars."""
    if dtype.code not in {"f4", "f8", "i4", "i8", "b1"}:
        raise ValueError(f"a number of type {dtype.code!r}")
    return np.frombuffer(data, f"<{dtype.code}", 1)[0].item()


def encode(text: str, encoding: str) -> bytes:
    """Stand for ``codecs.encode``, which old pickles need for bytes."""
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
"""What a ``state_dict`` is made of."""

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
"""What else the attributes of a data set are made of."""


def storage_of(identity: Any) -> Storage:
    """Stand for the storage that a pickle refers to."""
    kind, dtype, key, _, length = identity
    good = isinstance(key, str) and isinstance(length, int) and dtype in STORAGES.values()
    if kind != "storage" or not good:
        raise ValueError(f"a reference to {kind!r}, expected a storage")
    return Storage(dtype, key, length)


def fresh(stand_in: Any) -> Any:
    """Return a stand-in of the pickle's own: it may set attributes of whatever it is given."""
    if isinstance(stand_in, FunctionType):
        return lambda *arguments: stand_in(*arguments)  # noqa: PLW0108, a function of its own
    if isinstance(stand_in, type) and issubclass(stand_in, Record | Dtype):
        return type(stand_in.__name__, (stand_in,), {})
    return stand_in


class Restricted(pickle.Unpickler):
    """An unpickler that knows the names it was given and no others."""

    def __init__(self, data: bytes, label: object, known: Mapping[str, Any]) -> None:
        """Read ``data``, which is called ``label`` in errors."""
        super().__init__(BytesIO(data))
        self._label, self._known = label, known

    def find_class(self, module: str, name: str) -> Any:
        """Look a name up in the list."""
        full = f"{module}.{name}"
        if full not in self._known:
            raise RefusedGlobalError(
                f"{self._label}: the pickle asks for {full[:200]!r}, which is not on the list of "
                "what may be read; the file was not opened and nothing in it was run"
            )
        return fresh(self._known[full])

    def persistent_load(self, pid: Any) -> Storage:
        """Refer to a storage."""
        return storage_of(pid)


def unpickled(data: bytes, label: object, known: Mapping[str, Any]) -> Any:
    """Read a pickle made of known names.

    Args:
        data: The pickle.
        label: What it is called in errors.
        known: What stands for every name it may ask for.

    Raises:
        RefusedGlobalError: If it asks for any other.
        IntegrityError: If it is no pickle, is damaged, or asks for too much memory.
    """
    try:
        with memory_for(data):
            return Restricted(data, label, known).load()
    except ZooError:
        raise
    # Stand-ins are called with what the pickle says: a hostile one can make them raise anything.
    except (Exception, MemoryError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise IntegrityError(f"{label}: not a pickle that can be read ({what})") from error


@contextmanager
def memory_for(data: bytes) -> Iterator[None]:
    """Let a pickle take as much memory as its values may need, where the system can say so.

    A byte of a pickle makes an object of 64 bytes and its place in a list, no more; a few bytes of
    a hostile one ask for gigabytes.
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
