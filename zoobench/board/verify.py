"""Run a submission again and record whether its scores come out within their intervals."""

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
from zoobench.evaluation.reference_rows import PROBE as REFERENCE
from zoobench.evaluation.reference_rows import evaluate_reference
from zoobench.evaluation.run import Request, run
from zoobench.places import cache_at
from zoobench.results.results import (
    RECONSTRUCTION,
    RESULT,
    STRICT,
    EmbedderStamp,
    ReconstructionResult,
    Result,
    Sha256,
    TaskResult,
)
from zoobench.task.tasks import find_tasks
from zoogen import ZooError, load_zoo, sha256_of, write_text

MOST_BYTES = 100_000
CERTAIN = 1e-3
"""An interval of no width, as chance has, allows for this much."""

Number = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Verified:
    """That somebody else's run of the code gave the scores.

    Attributes:
        results: Hash of each ``result.json`` that was run again, by zoo.
        scores: What came out, by zoo and task.
        embedder: What was run, with the commit of its code.
        versions: Of the packages it was run with.
        machine: It was run on.
    """

    results: dict[str, Sha256]
    scores: dict[str, dict[str, Number | None]]
    embedder: EmbedderStamp
    versions: dict[str, str]
    machine: str


VERIFIED_JSON = TypeAdapter(Verified)


def is_verified(folder: Path, entry: Entry) -> bool:
    """Tell whether all results of a submission, as they are now, came out when run again."""
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
    """Run a submission again; it runs code of whoever submitted it.

    Returns:
        The file that marks it as verified.

    Raises:
        IntegrityError: If the submission is not valid.
        ZooError: If a zoo here is another one, or a score leaves the interval of the submitted
            one; the submission is not marked.
    """
    entry, truths = validate(root, name), read_truths(root)
    folder = submission_folder(root, name)
    made = {zoo: again(on_zoo, truths[zoo]) for zoo, on_zoo in entry.zoos.items()}
    scores = {
        zoo: {name: claim.mean for name, claim in claims(result).items()}
        for zoo, result in made.items()
    }
    for zoo, on_zoo in entry.zoos.items():
        require_within(on_zoo.result, scores[zoo])
    embedder = next(iter(made.values())).embedder
    verified = Verified(
        results={zoo: sha256_of(folder / zoo / RESULT) for zoo in entry.zoos},
        scores=scores,
        embedder=embedder,
        versions=package_versions(embedder.cls),
        machine=machine(),
    )
    write_text(folder / VERIFIED, VERIFIED_JSON.dump_json(verified, indent=2).decode() + "\n")
    return folder / VERIFIED


def again(on_zoo: OnZoo, truth: Truth) -> Result:
    """Evaluate an embedder once more, from nothing but what its result says.

    What earlier runs have cached does not count: the embedder itself must come to its scores.
    """
    result = on_zoo.result
    zoo = load_zoo(result.zoo.name)
    if zoo_stamp(zoo) != truth.stamp:
        raise ZooError(
            f"{zoo.folder} is another {result.zoo.name} than the board's, which has the content "
            f"{truth.stamp.content_sha256}; run it where that one is"
        )
    with TemporaryDirectory() as place, cache_at(Path(place) / "cache"):
        if result.probe == REFERENCE:
            tasks = find_tasks(zoo.spec, ())
            made = evaluate_reference(result.embedder.name, zoo, tasks, folder=Path(place))
        else:
            request = Request(
                embedder=result.embedder.reference,
                settings=changed_settings(result.embedder),
                zoo=result.zoo.name,
                probe=result.probe,
                seeds=len(result.seeds),
            )
            made = run(request, Path(place), references=False)
    if made.embedder.settings != result.embedder.settings:
        raise ZooError(
            f"{result.embedder.reference} has settings {made.embedder.settings} here, "
            f"the result {result.embedder.settings}"
        )
    return made


def require_within(result: Result, scores: Mapping[str, float | None]) -> None:
    """Refuse scores that leave the intervals of the submitted ones."""
    for name, claim in claims(result).items():
        found, (low, high) = scores.get(name), claim.interval
        if found is None and claim.mean is None:
            continue
        bounds = [bound for bound in (low, high, claim.mean) if bound is not None]
        if found is None or not min(bounds) - CERTAIN <= found <= max(bounds) + CERTAIN:
            raise ZooError(
                f"{result.zoo.name}/{name}: {found} here, {claim.mean} was submitted, "
                f"95 % interval {low} … {high}; not verified"
            )


def claims(result: Result) -> dict[str, TaskResult | ReconstructionResult]:
    """Return all that a result has a score for: the tasks, and reconstruction if any."""
    kept = result.reconstruction
    return {**result.by_task, **({RECONSTRUCTION: kept} if kept else {})}
