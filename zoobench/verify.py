"""Run a submission again and record whether its scores come out within their intervals."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from zoobench.board import Truth, read_truths, submission_folder
from zoobench.details import changed_settings
from zoobench.entry import VERIFIED, Entry, OnZoo
from zoobench.provenance import machine, package_versions, zoo_stamp
from zoobench.reference import REFERENCES, evaluate_reference
from zoobench.results import RESULT, STRICT, Result, Sha256
from zoobench.run import Request, run
from zoobench.tasks import find_tasks
from zoobench.validate import validate
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
        versions: Of the packages it was run with.
        machine: It was run on.
    """

    results: dict[str, Sha256]
    scores: dict[str, dict[str, Number | None]]
    versions: dict[str, str]
    machine: str


VERIFIED_JSON = TypeAdapter(Verified)


def is_verified(folder: Path, entry: Entry) -> bool:
    """Tell whether all results of a submission were run again, as they are now."""
    path = folder / VERIFIED
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return False
    try:
        verified = VERIFIED_JSON.validate_json(path.read_bytes())
    except ValidationError:
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
    scores = {zoo: again(on_zoo, truths[zoo]) for zoo, on_zoo in entry.zoos.items()}
    for zoo, on_zoo in entry.zoos.items():
        require_within(on_zoo.result, scores[zoo])
    cls = next(iter(entry.zoos.values())).result.embedder.cls
    verified = Verified(
        results={zoo: sha256_of(folder / zoo / RESULT) for zoo in entry.zoos},
        scores=scores,
        versions=package_versions(cls),
        machine=machine(),
    )
    write_text(folder / VERIFIED, VERIFIED_JSON.dump_json(verified, indent=2).decode() + "\n")
    return folder / VERIFIED


def again(on_zoo: OnZoo, truth: Truth) -> dict[str, float | None]:
    """Evaluate an embedder once more, from nothing but what its result says."""
    result = on_zoo.result
    zoo = load_zoo(result.zoo.name)
    if zoo_stamp(zoo) != truth.stamp:
        raise ZooError(f"{zoo.folder} is another {result.zoo.name} than the board's")
    with TemporaryDirectory() as place:
        if result.embedder.name in REFERENCES:
            tasks = find_tasks(zoo.spec, ())
            made = evaluate_reference(result.embedder.name, zoo, tasks, folder=Path(place))
        else:
            request = Request(
                embedder=result.embedder.reference,
                settings=dict(
                    pair.split("=", 1) for pair in changed_settings(result.embedder.name)
                ),
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
    return {task.task: task.mean for task in made.tasks}


def require_within(result: Result, scores: Mapping[str, float | None]) -> None:
    """Refuse scores that leave the intervals of the submitted ones."""
    for task in result.tasks:
        found, (low, high) = scores[task.task], task.interval
        if found is None and task.mean is None:
            continue
        bounds = [bound for bound in (low, high, task.mean) if bound is not None]
        if found is None or not min(bounds) - CERTAIN <= found <= max(bounds) + CERTAIN:
            raise ZooError(
                f"{result.zoo.name}/{task.task}: {found} here, {task.mean} was submitted, "
                f"95 % interval {low} … {high}; not verified"
            )
