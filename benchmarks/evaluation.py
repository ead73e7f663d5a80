"""A full evaluation on tetris-seed: embeddings, seven tasks, intervals."""

import os
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.ratio import Ratio
from zoobench.evaluate import evaluate
from zoobench.find import find_embedder
from zoobench.probe import PROBES
from zoobench.tasks import find_tasks
from zoogen import load_zoo

CLAIM = (
    "Layer statistics s(W) are embedded, probed and scored on all seven tasks of tetris-seed with "
    "bootstrap intervals, nothing cached; the peer is a budget of 10 s."
)


def measure() -> list[Ratio]:
    """Evaluate once for each probe, in a cache of its own."""
    zoo = load_zoo("tetris-seed")
    ratios = []
    for name, probe in PROBES.items():
        with tempfile.TemporaryDirectory() as folder:
            os.environ["ZOOBENCH_CACHE"] = folder
            begin = perf_counter()
            evaluate(
                find_embedder("weight-statistics"),
                zoo,
                find_tasks(zoo.spec, []),
                probe=probe,
                folder=Path(folder, "result"),
            )
            ours = perf_counter() - begin
            del os.environ["ZOOBENCH_CACHE"]
        ratios.append(Ratio(name=f"{name} probe", ours_seconds=ours, peer_seconds=10, required=1))
    return ratios
