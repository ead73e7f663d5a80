"""The records of a Ray Tune run: which trials there are, how they were set, what they logged."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from rich.console import Console

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.sources import GIB, MIB, Digests, Member, members

RESULTS = "result.json"
SETTINGS = ("params.json", "config.json")
LARGEST_RESULTS, LARGEST_SETTINGS = 64 * MIB, MIB
LARGEST_RECORDS = GIB
"""Of all trials together; those of 4000 trials of 50 epochs have 0.3."""

CHECKPOINT = re.compile(r"(?P<trial>.+)/checkpoint_(?P<epoch>\d{1,9})/checkpoints")
"""Both namings of Ray: ``checkpoint_7`` and ``checkpoint_000007``."""

ITERATION = "training_iteration"
LOGGED = ("train_loss", "train_acc", "test_loss", "test_acc", "val_loss", "val_acc")


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a trial logged.

    Attributes:
        settings: How it was set, as its lines say.
        logged: Numbers by epoch; of the last line where an epoch has several.
        repeated: Lines that a later one replaces.
        broken: Lines that cannot be read, as the last of a trial that was killed.
    """

    settings: object
    logged: Mapping[int, Mapping[str, float]]
    repeated: int
    broken: int


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial: the name of its folder, how it was set, what it logged, files by epoch."""

    name: str
    settings: Mapping[str, Any]
    results: Results
    checkpoints: Mapping[int, str]


@dataclass
class Files:
    """What was found of trials, by folder, while a source is walked once."""

    settings: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Results] = field(default_factory=dict)
    checkpoints: dict[str, dict[int, str]] = field(default_factory=dict)


def read_trials(source: Path, digests: Digests) -> list[Trial]:
    """Read the records of all trials, by name; checkpoints are listed, not read.

    Raises:
        ZooError: If there is no trial, or two files for one epoch of one.
        IntegrityError: If a record is oversized, or settings cannot be read.
    """
    files, size = Files(), 0

    def wanted(name: str) -> bool:
        if match := CHECKPOINT.fullmatch(name):
            note_checkpoint(source, files, match, name)
        return PurePosixPath(name).name in {RESULTS, *SETTINGS} and not foreign_to(name)

    with Console(stderr=True).status(f"looking for trials in {source.name}"):
        for member in members(source, wanted):
            size += member.size
            if size > LARGEST_RECORDS:
                raise IntegrityError(
                    f"{source} has more than {LARGEST_RECORDS} bytes of {RESULTS} and settings"
                )
            trial = str(PurePosixPath(member.name).parent)
            if PurePosixPath(member.name).name == RESULTS:
                files.results[trial] = results_of(member.whole(LARGEST_RESULTS))
            elif trial not in files.settings or member.name.endswith(SETTINGS[0]):
                files.settings[trial] = settings_of(member)
            digests.add(member.name, member.sha256)
    trials = [trial_of(folder, files) for folder in sorted(files.results)]
    found = [trial for trial in trials if trial is not None]
    if not found:
        raise ZooError(
            f"{source} has no trial: expected folders with {RESULTS} and {SETTINGS[0]}, and "
            "checkpoint_N/checkpoints in them"
        )
    return found


def foreign_to(name: str) -> bool:
    """Tell what macOS adds to archives."""
    return name.startswith("__MACOSX/")


def note_checkpoint(source: Path, files: Files, match: re.Match[str], name: str) -> None:
    """Note a checkpoint by trial and epoch."""
    of_trial = files.checkpoints.setdefault(match["trial"], {})
    epoch = int(match["epoch"])
    if epoch in of_trial and of_trial[epoch] != name:
        raise ZooError(f"{source}: {name} and {of_trial[epoch]} are of one epoch; keep one of them")
    of_trial[epoch] = name


def settings_of(member: Member) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        IntegrityError: If it is none.
    """
    try:
        settings = json.loads(member.whole(LARGEST_SETTINGS))
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{member} is not JSON ({error!r:.200})") from error
    if not isinstance(settings, dict):
        raise IntegrityError(f"{member} is no JSON object but a {type(settings).__name__}")
    return settings


def results_of(text: bytes) -> Results:
    """Read the lines of a trial."""
    logged, settings = dict[int, dict[str, float]](), None
    repeated = broken = 0
    for one in text.splitlines():
        line = line_of(one)
        if line is None:
            broken += bool(one.strip())
            continue
        settings = settings or line.get("config")
        epoch = line[ITERATION]
        repeated += epoch in logged
        logged[epoch] = {key: float(line[key]) for key in LOGGED if is_number(line.get(key))}
    return Results(settings=settings, logged=logged, repeated=repeated, broken=broken)


def trial_of(folder: str, files: Files) -> Trial | None:
    """Put one trial together; None if it has no settings, in no file and in no line."""
    results = files.results[folder]
    settings = files.settings.get(folder) or results.settings
    if not isinstance(settings, dict):
        return None
    return Trial(
        name=folder,
        settings=settings,
        results=results,
        checkpoints=files.checkpoints.get(folder, {}),
    )


def line_of(text: bytes) -> dict[str, Any] | None:
    """Read one result, or None if it is cut short or says of no epoch."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    epoch = line.get(ITERATION) if isinstance(line, dict) else None
    return line if isinstance(epoch, int) and not isinstance(epoch, bool) and epoch >= 0 else None


def is_number(value: object) -> bool:
    """Tell a number that a float can be, NaN too."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 1000
    return whole or isinstance(value, float)
