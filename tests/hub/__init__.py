"""A Hugging Face Hub for tests: in this process, on 127.0.0.1, with faults on demand."""

from tests.hub.server import READ, STRANGER, WRITE, Hub
from tests.hub.store import Repository
from tests.hub.xet import XetStore

__all__ = ["READ", "STRANGER", "WRITE", "Hub", "Repository", "XetStore"]
