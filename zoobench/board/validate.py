"""Check submissions without running their code: every score must follow from the predictions."""

from collections.abc import Mapping
from math import isclose
from pathlib import Path

from zoobench.board.board import Truth, read_truths, submission_folder, submission_names
from zoobench.board.entry import Entry, OnZoo, read_entry
from zoobench.evaluation.score import reconstruction_scores, scores_of
from zoobench.refusal import refuse
from zoobench.results.files import RESULT
from zoogen import UnknownNameError

TOLERANCE = 1e-9

Numbers = tuple[float | None, ...]


def validate(root: Path, name: str) -> Entry:
    """Check one submission of a board.

    Raises:
        UnknownNameError: If the board has no submission of that name.
        IntegrityError: If a file or field is refused; the message names it.
    """
    if name not in (known := submission_names(root)):
        raise UnknownNameError("submission", name, known)
    return checked_entry(submission_folder(root, name), name, read_truths(root))


def checked_entry(folder: Path, name: str, truths: Mapping[str, Truth]) -> Entry:
    """Read a submission and check its scores against its predictions."""
    entry = read_entry(folder, name, truths)
    for zoo, on_zoo in entry.zoos.items():
        check_reconstruction(folder / zoo / RESULT, on_zoo, truths[zoo])
        for task in on_zoo.result.tasks:
            of, values = truths[zoo].tasks[task.task], on_zoo.predictions[task.task]
            scores, interval = scores_of(of, truths[zoo].rows[of.id], values)
            path = folder / zoo / RESULT
            require_same(path, f"tasks.{task.task}.scores", task.scores, scores)
            require_same(path, f"tasks.{task.task}.interval", task.interval, interval)
    return entry


def check_reconstruction(path: Path, on_zoo: OnZoo, truth: Truth) -> None:
    """Check that the R² of a reconstruction, if any, follows from its errors.

    Only a run of the embedder's code can tell whether the errors follow from the weights.
    """
    claimed = on_zoo.result.reconstruction
    if claimed is None or on_zoo.errors is None:
        return
    scores, interval = reconstruction_scores(on_zoo.errors, truth.labels["model"].to_numpy())
    require_same(path, "reconstruction.scores", claimed.scores, scores)
    require_same(path, "reconstruction.interval", claimed.interval, interval)


def require_same(path: Path, field: str, given: Numbers, computed: Numbers) -> None:
    """Refuse numbers that do not follow from the predictions."""
    if not all(map(is_same, given, computed)):
        refuse(path, field, f"{given}, the predictions give {computed}")


def is_same(given: float | None, computed: float | None) -> bool:
    """Tell whether two numbers are equal up to rounding."""
    if given is None or computed is None:
        return given is computed
    return isclose(given, computed, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
