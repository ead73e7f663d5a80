"""From names to a result: find the zoo, the embedder, the tasks and the probe, and evaluate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoobench.embedders.embed import Embedder
from zoobench.embedders.find import embedder_names, find_embedder
from zoobench.embedders.provenance import embedder_stamp
from zoobench.evaluation.evaluate import evaluate
from zoobench.evaluation.reference_rows import PROBE, REFERENCES, STATISTICS, evaluate_reference
from zoobench.probes.probe import Probe, find_probe
from zoobench.results.results import EmbedderStamp, Result
from zoobench.results.store import label, result_folder
from zoobench.task.elsewhere import tasks_elsewhere
from zoobench.task.pair import ZooPair, name_of
from zoobench.task.tasks import Task, find_tasks
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


@dataclass(frozen=True)
class Found:
    """What a request names, found before there is a zoo: nothing here knows a label yet."""

    embedder: Embedder
    stamp: EmbedderStamp
    probe: Probe


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
    found = find(request)
    if request.zoo in ZOOS:
        find_tasks(ZOOS[request.zoo], request.tasks)  # before a zoo is built in vain
    zoo = load_zoo(request.zoo)
    tasks = find_tasks(zoo.spec, request.tasks)
    return run_found(found, zoo, tasks, root, seeds=request.seeds, references=references)


def run_elsewhere(request: Request, other: str, root: Path, *, references: bool) -> Result:
    """Evaluate what was asked for on the test split of another zoo; results go below ``root``.

    The arguments are those of ``run``; of the tasks asked for, those with numbers are scored.

    Raises:
        ZooError: As ``run``, or if the two zoos have different networks.
    """
    found = find(request)
    pair = ZooPair(load_zoo(request.zoo), load_zoo(other))
    tasks = tasks_elsewhere(pair, request.tasks)
    return run_found(found, pair, tasks, root, seeds=request.seeds, references=references)


def find(request: Request) -> Found:
    """Find what is to be evaluated, and name it.

    Raises:
        UnknownNameError: If the embedder, a setting or the probe is not known.
    """
    embedder = find_embedder(request.embedder, request.settings)
    name = label(embedder.name, request.settings)
    stamp = embedder_stamp(embedder, name=name, reference=request.embedder)
    return Found(embedder, stamp, find_probe(request.probe))


def run_found(
    found: Found,
    zoo: Zoo | ZooPair,
    tasks: Sequence[Task],
    root: Path,
    *,
    seeds: int,
    references: bool,
) -> Result:
    """Evaluate an embedder, and the rows to read its scores against."""
    name, probe = found.stamp.name, found.probe
    result = evaluate(
        found.embedder,
        zoo,
        tasks,
        probe=probe,
        folder=result_folder(root, name, name_of(zoo), probe.name),
        seeds=range(seeds),
        stamp=found.stamp,
    )
    if references:
        run_references(zoo, tasks, probe, root, but=name)
    return result


def run_references(
    zoo: Zoo | ZooPair, tasks: Sequence[Task], probe: Probe, root: Path, *, but: str
) -> None:
    """Score what every score is read against: chance, hyper-parameters, layer statistics."""
    zoo_name = name_of(zoo)
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
