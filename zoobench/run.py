"""From names to a result: find the zoo, the embedder, the tasks and the probe, and evaluate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoobench.evaluate import evaluate
from zoobench.find import embedder_names, find_embedder
from zoobench.probe import Probe, find_probe
from zoobench.provenance import embedder_stamp
from zoobench.reference import PROBE, REFERENCES, STATISTICS, evaluate_reference
from zoobench.results import Result
from zoobench.store import label, result_folder
from zoobench.tasks import Task, find_tasks
from zoogen import ZOOS, Zoo, load_zoo


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user asks for, everything by name.

    Attributes:
        tasks: All tasks of the zoo if empty.
        seeds: Number of runs of the embedder, seeds 0, 1, ….
    """

    embedder: str
    zoo: str
    probe: str = "standard"
    settings: Mapping[str, str]
    tasks: tuple[str, ...] = ()
    seeds: int = 1


def run(request: Request, root: Path, *, references: bool) -> Result:
    """Evaluate what was asked for; results go below ``root``.

    Args:
        request: What to evaluate.
        root: Folder of all results.
        references: Whether to score chance, hyper-parameters and layer statistics too.

    Raises:
        UnknownNameError: If a zoo, embedder, setting, task or probe is not known.
        ZooError: If the embedder breaks the protocol or something cannot be read or written.
    """
    probe = find_probe(request.probe)
    embedder = find_embedder(request.embedder, request.settings)
    if request.zoo in ZOOS:
        find_tasks(ZOOS[request.zoo], request.tasks)  # before a zoo is built in vain
    name = label(embedder.name, request.settings)  # asked before anything here knows a label
    zoo = load_zoo(request.zoo)
    tasks = find_tasks(zoo.spec, request.tasks)
    result = evaluate(
        embedder,
        zoo,
        tasks,
        probe=probe,
        folder=result_folder(root, name, zoo.spec.name, probe.name),
        seeds=range(request.seeds),
        stamp=embedder_stamp(embedder, name=name, reference=request.embedder),
    )
    if references:
        run_references(zoo, tasks, probe, root, but=name)
    return result


def run_references(zoo: Zoo, tasks: Sequence[Task], probe: Probe, root: Path, *, but: str) -> None:
    """Score what every score is read against: chance, hyper-parameters, layer statistics."""
    zoo_name = zoo.spec.name
    for name in REFERENCES:
        evaluate_reference(name, zoo, tasks, folder=result_folder(root, name, zoo_name, PROBE))
    if but != STATISTICS and STATISTICS in embedder_names():
        statistics = find_embedder(STATISTICS)
        evaluate(
            statistics,
            zoo,
            tasks,
            probe=probe,
            folder=result_folder(root, STATISTICS, zoo_name, probe.name),
            stamp=embedder_stamp(statistics, name=STATISTICS, reference=STATISTICS),
        )
