"""A full evaluation on tetris-seed: embeddings, seven tasks, intervals."""

import os
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.ratio import Ratio
from zoobench.embedders.find import find_embedder
from zoobench.evaluation.evaluate import evaluate
from zoobench.probes.probe import PROBES, Probe
from zoobench.task.tasks import find_tasks
from zoogen import Zoo, load_zoo

CLAIM = (
    "Layer statistics s(W) are computed, probed and scored on all seven tasks of tetris-seed with "
    "bootstrap intervals and an empty cache. The peer is a budget of 10 s."
)


def evaluation_seconds(zoo: Zoo, probe: Probe) -> float:
    """Evaluate once, with an empty cache."""
    cache = os.environ.get("ZOOBENCH_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOOBENCH_CACHE"] = folder
        try:
            begin = perf_counter()
            evaluate(
                find_embedder("weight-statistics"),
                zoo,
                find_tasks(zoo.spec, []),
                probe=probe,
                folder=Path(folder, "result"),
            )
            return perf_counter() - begin
        finally:
            os.environ.pop("ZOOBENCH_CACHE")
            if cache is not None:
                os.environ["ZOOBENCH_CACHE"] = cache


def measure() -> list[Ratio]:
    """Evaluate once for each probe."""
    zoo = load_zoo("tetris-seed")
    return [
        Ratio(
            name=f"{name} probe, against 10 s",
            ours=evaluation_seconds(zoo, probe),
            peer=10,
            required=1,
        )
        for name, probe in PROBES.items()
    ]
