"""Boards for tests: whole small zoos, results of real embedders, and submissions of them."""

from dataclasses import replace
from pathlib import Path

from zoobench.board.board import admit
from zoobench.board.submission import Submission, write_submission
from zoobench.board.submit import submit
from zoobench.embedders.find import find_embedder
from zoobench.embedders.provenance import embedder_stamp
from zoobench.evaluation.evaluate import evaluate
from zoobench.evaluation.reference_rows import evaluate_reference
from zoobench.probes.probe import find_probe
from zoobench.results.files import RESULT, read_result, write_result
from zoobench.results.store import result_folder
from zoobench.task.tasks import find_tasks
from zoogen import Zoo

COMMIT = "c0ffee" + "0" * 34


def about(name: str, **changes: object) -> Submission:
    """Return the fields of a submission."""
    fields = {
        "name": name,
        "authors": ("A. Tester",),
        "code": "https://example.org/code",
        "licence": "Apache-2.0",
        "training_data": "nothing but the train split",
        "description": "An embedder under test.",
        "track": "weights",
        "method": "other",
    }
    return Submission(**(fields | changes))  # type: ignore[arg-type]


def evaluated(root: Path, name: str, zoo: Zoo, *, seeds: int = 1, probe: str = "standard") -> Path:
    """Evaluate an embedder as if its code were committed; return the folder of its results."""
    embedder = find_embedder(name)
    evaluate(
        embedder,
        zoo,
        find_tasks(zoo.spec, []),
        probe=find_probe(probe),
        folder=result_folder(root, name, zoo.spec.name, probe),
        seeds=range(seeds),
        stamp=replace(
            embedder_stamp(embedder, name=name, reference=name), commit=COMMIT, dirty=False
        ),
    )
    return root / name


def guessed(root: Path, name: str, zoo: Zoo) -> Path:
    """Score a reference row as if its code were committed; return the folder of its results."""
    folder = result_folder(root, name, zoo.spec.name, "reference")
    evaluate_reference(name, zoo, find_tasks(zoo.spec, []), folder=folder)
    result = read_result(folder)
    clean = replace(result.embedder, commit=COMMIT, dirty=False)
    write_result(folder, replace(result, embedder=clean))
    assert (folder / RESULT).exists()
    return root / name


def submitted(board: Path, results: Path, name: str, **changes: object) -> Path:
    """Submit results under a name; return the folder of the submission."""
    file = results.parent / f"{name}.toml"
    write_submission(file, about(name, **changes))
    return submit(results, file, board)


def small_board(place: Path, *zoos: Zoo) -> Path:
    """Make a board with chance and two embedders, the second only on the first zoo."""
    board, results = place / "leaderboard", place / "results"
    for number, zoo in enumerate(zoos):
        admit(board, zoo)
        guessed(results, "chance", zoo)
        evaluated(results, "weight-statistics", zoo)
        if number == 0:
            evaluated(results, "random-projection", zoo, seeds=2)
    submitted(board, results / "chance", "chance", track="reference", method="reference")
    submitted(board, results / "weight-statistics", "statistics", method="statistics")
    submitted(board, results / "random-projection", "projection", method="projection")
    return board
