"""Files of the public image sets: their names, their MD5 and how they are downloaded.

A folder that the user names is only read. In the cache, torchvision downloads missing or damaged
files from the servers of the authors or of PyTorch.
"""

import hashlib
import json
import logging
import shlex
from http.client import HTTPException
from pathlib import Path
from textwrap import shorten
from typing import Literal

from filelock import FileLock

from zoogen.errors import ZooError
from zoogen.places import cache_folder

log = logging.getLogger(__name__)

Source = Literal["MNIST", "FashionMNIST", "CIFAR10", "SVHN"]
"""A class of ``torchvision.datasets``."""

IDX_MD5 = {
    "MNIST": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "FashionMNIST": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}
"""MD5 of the files inside the published archives; torchvision only lists the archives' own."""


def published_root(source: Source, named: Path | None) -> Path:
    """Return a folder that holds the published files of an image set, after checking their MD5.

    Args:
        source: Image set.
        named: Folder that the user named, or None for the cache, which downloads missing files.

    Raises:
        ZooError: If a file is missing or damaged in a folder that the user named, or cannot be
            downloaded; the message names the first such file, its MD5 and the way out.
    """
    place = named or cache_folder() / "images"
    wrong = faults(source, place)
    if wrong and named:
        raise ZooError(
            f"{first_fault(wrong)}; to repair the folder, delete the damaged files and run: "
            f"{download_command(source, place)}; or name another folder with --images or "
            "ZOOGEN_IMAGES, or none to download the files to the cache"
        )
    if wrong:
        fetch(source, place, wrong)
    return place


def is_at_hand(source: Source, named: Path | None) -> bool:
    """Tell whether ``published_root`` needs no download."""
    return not faults(source, named or cache_folder() / "images")


def published_files(source: Source) -> dict[str, str]:
    """Return the published MD5 of each file of an image set, by its path below the root."""
    from torchvision.datasets import CIFAR10, SVHN

    if source == "CIFAR10":
        names = [CIFAR10.meta["filename"], CIFAR10.meta["md5"]]
        listed = (*CIFAR10.train_list, *CIFAR10.test_list, names)
        return {f"{CIFAR10.base_folder}/{name}": md5 for name, md5 in listed}
    if source == "SVHN":
        return dict(SVHN.split_list[portion][1:] for portion in ("train", "test"))
    return {f"{source}/raw/{name}": md5 for name, md5 in IDX_MD5[source].items()}


def faults(source: Source, root: Path) -> dict[Path, str]:
    """Return what is wrong with each file that is not the published one."""
    found = {}
    for name, expected in published_files(source).items():
        path = root / name
        try:
            md5 = md5_of(path)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "is missing" if missing else f"cannot be read ({error.strerror})"
            found[path] = f"{path} {reason}, expected the published file with MD5 {expected}"
        else:
            if md5 != expected:
                found[path] = f"{path} is damaged: its MD5 is {md5}, expected {expected}"
    return found


def md5_of(path: Path) -> str:
    """Return the MD5 of a file; the published checksums are MD5."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def first_fault(wrong: dict[Path, str]) -> str:
    """Return what is wrong with the first file, and how many other files are wrong."""
    first, *others = wrong.values()
    return f"{first} (and {len(others)} more)" if others else first


def fetch(source: Source, root: Path, wrong: dict[Path, str]) -> None:
    """Download missing or damaged files to the cache, one process at a time.

    Raises:
        ZooError: If the download fails or brings other files than the published ones.
    """
    way_out = (
        "run the same command again, or download the files elsewhere with: "
        f"{download_command(source, Path('images'))}, and name that folder with --images or "
        "ZOOGEN_IMAGES"
    )
    log.warning("downloading %s to %s", source, root)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{source}.lock"):
            # Look again: another process may have downloaded them by now. Damaged files must go,
            # because torchvision accepts any existing MNIST file.
            for path in faults(source, root):
                path.unlink(missing_ok=True)
            download(source, root)
    except (OSError, RuntimeError, HTTPException) as error:
        wrong = faults(source, root) or wrong
        reason = shorten(str(error), 240, placeholder=" …")
        raise ZooError(
            f"{first_fault(wrong)}; the download failed ({reason}); {way_out}"
        ) from error
    if wrong := faults(source, root):
        raise ZooError(f"{first_fault(wrong)}, after the download; {way_out}")


def download(source: Source, root: Path) -> None:
    """Download and unpack an image set with torchvision."""
    from torchvision import datasets

    if source == "SVHN":
        for portion in ("train", "test"):
            datasets.SVHN(root, split=portion, download=True)
    else:
        getattr(datasets, source)(root, download=True)


def download_command(source: Source, root: Path) -> str:
    """Return a command that downloads an image set without zoogen."""
    folder = json.dumps(str(root))
    code = f"D({folder}, download=True)"
    if source == "SVHN":
        code = f'[D({folder}, split=part, download=True) for part in ("train", "test")]'
    return f"python -c {shlex.quote(f'from torchvision.datasets import {source} as D; {code}')}"
