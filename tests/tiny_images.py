"""Miniature public image sets in their own formats, on a local server."""

import gzip
import hashlib
import pickle
import struct
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Event
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from torchvision import datasets

from zoogen.images.public import IDX_MD5, Source

TRAIN, TEST = 10, 4


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A miniature image set.

    Attributes:
        archives: Downloads by name.
        files: Unpacked files by their path below the root.
        pixels: Train and test images, ``[images, channels, height, width]``.
        labels: Train and test labels.
    """

    archives: Mapping[str, bytes]
    files: Mapping[str, bytes]
    pixels: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def drawn(source: Source) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draw pixels and labels; every label occurs among the first ten."""
    random = np.random.default_rng(len(source))
    shape = (1, 28, 28) if "MNIST" in source else (3, 32, 32)
    sizes = {"train": TRAIN, "test": TEST}
    pixels = {part: random.integers(0, 256, (n, *shape), np.uint8) for part, n in sizes.items()}
    return pixels, {part: random.permutation(10)[:n] for part, n in sizes.items()}


def publish(source: Source, url: str, patch: pytest.MonkeyPatch) -> Publication:
    """Make a miniature image set that torchvision and zoogen take for the real one."""
    pixels, labels = drawn(source)
    make = {"CIFAR10": cifar10, "SVHN": svhn}.get(source)
    if make is None:
        archives, files = idx(source, pixels, labels)
        opener = getattr(datasets, source)
        listed = [(name, md5(data)) for name, data in archives.items()]
        patch.setattr(opener, "mirrors", [f"{url}/"])
        patch.setattr(opener, "resources", listed)
        known = {path.rpartition("/")[2]: md5(data) for path, data in files.items()}
        patch.setitem(IDX_MD5, source, known)
    else:
        archives, files = make(pixels, labels, url, patch)
    return Publication(archives=archives, files=files, pixels=pixels, labels=labels)


Parts = dict[str, np.ndarray]
Files = dict[str, bytes]


def idx(source: Source, pixels: Parts, labels: Parts) -> tuple[Files, Files]:
    """Return four files in the format of MNIST, each gzipped."""
    raw = {}
    for part, name in (("train", "train"), ("test", "t10k")):
        numbers = pixels[part][:, 0]
        header = struct.pack(">4I", 0x803, *numbers.shape)
        raw[f"{name}-images-idx3-ubyte"] = header + numbers.tobytes()
        header = struct.pack(">2I", 0x801, len(numbers))
        raw[f"{name}-labels-idx1-ubyte"] = header + labels[part].astype(np.uint8).tobytes()
    files = {f"{source}/raw/{name}": data for name, data in raw.items()}
    return {f"{name}.gz": gzip.compress(data) for name, data in raw.items()}, files


def cifar10(
    pixels: Parts, labels: Parts, url: str, patch: pytest.MonkeyPatch
) -> tuple[Files, Files]:
    """Return five batches, a test batch and the names of the classes, in one tar."""

    def batch(part: str, images: slice) -> bytes:
        flat = pixels[part][images].reshape(-1, 3072)
        return pickle.dumps({"data": flat, "labels": labels[part][images].tolist()}, protocol=2)

    each = TRAIN // 5
    raw = {
        f"data_batch_{number + 1}": batch("train", slice(number * each, (number + 1) * each))
        for number in range(5)
    }
    raw |= {"test_batch": batch("test", slice(None))}
    raw |= {"batches.meta": pickle.dumps({"label_names": list("abcdefghij")}, protocol=2)}
    files = {f"cifar-10-batches-py/{name}": data for name, data in raw.items()}
    tar = BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, BytesIO(data))
    archives = {"cifar-10-python.tar.gz": tar.getvalue()}
    opener, listed = datasets.CIFAR10, [[name, md5(data)] for name, data in raw.items()]
    patch.setattr(opener, "url", f"{url}/cifar-10-python.tar.gz")
    patch.setattr(opener, "tgz_md5", md5(tar.getvalue()))
    patch.setattr(opener, "train_list", listed[:5])
    patch.setattr(opener, "test_list", listed[5:6])
    patch.setattr(opener, "meta", {**opener.meta, "md5": listed[6][1]})
    return archives, files


def svhn(pixels: Parts, labels: Parts, url: str, patch: pytest.MonkeyPatch) -> tuple[Files, Files]:
    """Return two MATLAB files, not archived, with images last and label 10 for the digit 0."""
    files, split_list = {}, {}
    for part in ("train", "test"):
        written, name = BytesIO(), f"{part}_32x32.mat"
        numbers = np.where(labels[part] == 0, 10, labels[part])[:, None].astype(np.uint8)
        savemat(written, {"X": pixels[part].transpose(2, 3, 1, 0), "y": numbers})
        files[name] = written.getvalue()
        split_list[part] = [f"{url}/{name}", name, md5(files[name])]
    patch.setattr(datasets.SVHN, "split_list", split_list)
    return files, files


class Server(ThreadingHTTPServer):
    """Serves archives, records requests, and can be made to answer badly."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.held: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.manner = "good"
        self.may_answer = Event()
        self.may_answer.set()


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.server.asked.append(name)
        self.server.may_answer.wait()
        data, manner = self.server.held.get(name), self.server.manner
        if manner == "garbage":
            self.wfile.write(b"this is no answer\r\n\r\n")
        elif data is None or manner == "not found":
            self.send_error(404)
        elif manner != "hang up":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(ConnectionError):  # clients that only want the headers hang up
                self.wfile.write(data[: len(data) // 2] if manner == "half" else data)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""
