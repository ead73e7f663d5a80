"""Run a submission again, and mark it if its scores come out within their intervals."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from zoobench.board.board import Truth, read_truths, submission_folder
from zoobench.board.details import changed_settings
from zoobench.board.entry import VERIFIED, Entry, OnZoo
from zoobench.board.validate import validate
from zoobench.embedders.provenance import machine, package_versions, zoo_stamp
from zoobench.evaluation.reference_rows import REFERENCE_PROBE, evaluate_reference
from zoobench.evaluation.run import Evaluation, run
from zoobench.places import cache_at
from zoobench.results.files import RESULT
from zoobench.results.record import RECONSTRUCTION, ReconstructionResult, Record, TaskResult
from zoobench.results.stamps import STRICT, EmbedderStamp, Sha256
from zoobench.task.tasks import find_tasks
from zoogen import ZooError, load_zoo
from zoogen.atomic import sha256_of, write_text

MOST_BYTES = 100_000
MARGIN = 1e-3
"""Difference allowed beyond an interval, for intervals without width such as chance's."""

Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Verified:
    """The mark of a submission whose code was run again.

    Attributes:
        results: Hash of each ``result.json`` that was run again, by zoo.
        scores: Scores of the new run, by zoo and task.
        embedder: Stamp of the embedder that was run, with the commit of its code.
        versions: Versions of the packages of the new run.
        machine: Machine of the new run.
    """

    results: dict[str, Sha256]
    scores: dict[str, dict[str, Number | None]]
    embedder: EmbedderStamp
    versions: dict[str, str]
    machine: str


VERIFIED_JSON = TypeAdapter(Verified)


def is_verified(folder: Path, entry: Entry) -> bool:
    """Tell whether a new run has confirmed all results of a submission as they are now."""
    path = folder / VERIFIED
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return False
    try:
        verified = VERIFIED_JSON.validate_json(path.read_bytes())
        for zoo, on_zoo in entry.zoos.items():
            require_within(on_zoo.result, verified.scores.get(zoo, {}))
    except (ValidationError, ZooError):
        return False
    return verified.results == {zoo: sha256_of(folder / zoo / RESULT) for zoo in entry.zoos}


def verify(root: Path, name: str) -> Path:
    """Run a submission again, which runs the code of its authors, and mark it.

    Returns:
        The file that marks the submission as verified.

    Raises:
        IntegrityError: If the submission is not valid.
        ZooError: If a zoo here differs from the board's, or a score falls outside the submitted
            interval; the submission is not marked.
    """
    entry, truths = validate(root, name), read_truths(root)
    folder = submission_folder(root, name)
    records = {zoo: evaluate_again(on_zoo, truths[zoo]) for zoo, on_zoo in entry.zoos.items()}
    scores = {
        zoo: {name: score.mean for name, score in scores_by_name(result).items()}
        for zoo, result in records.items()
    }
    for zoo, on_zoo in entry.zoos.items():
        require_within(on_zoo.result, scores[zoo])
    embedder = next(iter(records.values())).embedder
    verified = Verified(
        results={zoo: sha256_of(folder / zoo / RESULT) for zoo in entry.zoos},
        scores=scores,
        embedder=embedder,
        versions=package_versions(embedder.cls),
        machine=machine(),
    )
    write_text(folder / VERIFIED, VERIFIED_JSON.dump_json(verified, indent=2).decode() + "\n")
    return folder / VERIFIED


def evaluate_again(on_zoo: OnZoo, truth: Truth) -> Record:
    """Evaluate an embedder again as its result says, with an empty cache."""
    result = on_zoo.result
    zoo = load_zoo(result.zoo.name)
    if zoo_stamp(zoo) != truth.stamp:
        raise ZooError(
            f"{zoo.folder} differs from the board's {result.zoo.name}, expected the content "
            f"{truth.stamp.content_sha256}; verify where that zoo is"
        )
    with TemporaryDirectory() as place, cache_at(Path(place) / "cache"):
        if result.probe == REFERENCE_PROBE:
            tasks = find_tasks(zoo.spec, ())
            record = evaluate_reference(result.embedder.name, zoo, tasks, folder=Path(place))
        else:
            evaluation = Evaluation(
                embedder=result.embedder.reference,
                settings=changed_settings(result.embedder),
                zoo=result.zoo.name,
                probe=result.probe,
                seeds=len(result.seeds),
            )
            record = run(evaluation, Path(place), references=False)
    if record.embedder.settings != result.embedder.settings:
        raise ZooError(
            f"{result.embedder.reference} has settings {record.embedder.settings} here, "
            f"expected {result.embedder.settings} as in the result; not verified"
        )
    return record


def require_within(result: Record, scores: Mapping[str, float | None]) -> None:
    """Refuse scores outside the intervals of the submitted ones."""
    for name, claim in scores_by_name(result).items():
        found, (low, high) = scores.get(name), claim.interval
        if found is None and claim.mean is None:
            continue
        bounds = [bound for bound in (low, high, claim.mean) if bound is not None]
        if found is None or not min(bounds) - MARGIN <= found <= max(bounds) + MARGIN:
            raise ZooError(
                f"{result.zoo.name}/{name}: {found} here, {claim.mean} was submitted, "
                f"95 % interval {low} … {high}; not verified"
            )


def scores_by_name(result: Record) -> dict[str, TaskResult | ReconstructionResult]:
    """Return the scores of a result: of each task, and of the reconstruction if any."""
    reconstruction = result.reconstruction
    return {**result.by_task, **({RECONSTRUCTION: reconstruction} if reconstruction else {})}
