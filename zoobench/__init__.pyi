"""Score how much an embedder knows about the networks of a zoo."""

from .api import evaluate, tasks
from .embedders.alone import EmbedderError
from .embedders.embed import Embedder
from .embedders.find import find_embedder
from .embedders.space import Choice, SearchSpace, Uniform
from .places import cache_folder
from .probes.probe import Probe, find_probe
from .report.result import Result
from .task.pair import ZooPair
from .task.tasks import Task

__all__ = [
    "Choice",
    "Embedder",
    "EmbedderError",
    "Probe",
    "Result",
    "SearchSpace",
    "Task",
    "Uniform",
    "ZooPair",
    "cache_folder",
    "evaluate",
    "find_embedder",
    "find_probe",
    "tasks",
]
