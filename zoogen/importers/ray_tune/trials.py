"""The records of a Ray Tune run: its trials, their settings and results."""

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
"""For all trials together; 4000 trials of 50 epochs take 0.3 GiB."""

CHECKPOINT = re.compile(r"(?P<trial>.+)/checkpoint_(?P<epoch>\d{1,9})/checkpoints")
"""Matches both of Ray's spellings: ``checkpoint_7`` and ``checkpoint_000007``."""

ITERATION = "training_iteration"
LOGGED = ("train_loss", "train_acc", "test_loss", "test_acc", "val_loss", "val_acc")


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a trial logged.

    Attributes:
        settings: The settings repeated in its lines, if any.
        logged: Numbers by epoch, from the last line if an epoch has several.
        repeated: Number of lines for an epoch that an earlier line already has.
        broken: Number of unreadable lines, such as the last one of a killed trial.
    """

    settings: object
    logged: Mapping[int, Mapping[str, float]]
    repeated: int
    broken: int


@dataclass(frozen=True, kw_only=True)
class RayTrial:
    """One trial: its folder, settings and results, and its checkpoint files by epoch."""

    name: str
    settings: Mapping[str, Any]
    results: Results
    checkpoints: Mapping[int, str]


@dataclass
class Records:
    """Records found so far in a source, by folder of the trial."""

    settings: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Results] = field(default_factory=dict)
    checkpoints: dict[str, dict[int, str]] = field(default_factory=dict)


def read_trials(source: Path, digests: Digests) -> list[RayTrial]:
    """Read the records of all trials, sorted by folder; list checkpoints without reading them.

    Raises:
        ZooError: If there is no trial, or a trial has two checkpoints for one epoch.
        IntegrityError: If a record is too large, or settings cannot be read.
    """
    records, size = Records(), 0

    def wanted(name: str) -> bool:
        if match := CHECKPOINT.fullmatch(name):
            add_checkpoint(source, records, match, name)
        return PurePosixPath(name).name in {RESULTS, *SETTINGS} and not is_macos_extra(name)

    with Console(stderr=True).status(f"looking for trials in {source.name}"):
        for member in members(source, wanted):
            size += member.size
            if size > LARGEST_RECORDS:
                raise IntegrityError(
                    f"{source} has more than {LARGEST_RECORDS} bytes of {RESULTS} and settings"
                )
            trial = str(PurePosixPath(member.name).parent)
            if PurePosixPath(member.name).name == RESULTS:
                records.results[trial] = parse_results(member.whole(LARGEST_RESULTS))
            elif trial not in records.settings or member.name.endswith(SETTINGS[0]):
                records.settings[trial] = read_settings(member)
            digests.add(member.name, member.sha256)
    trials = [assemble_trial(folder, records) for folder in sorted(records.results)]
    found = [trial for trial in trials if trial is not None]
    if not found:
        raise ZooError(
            f"{source} has no trial: expected folders with {RESULTS} and {SETTINGS[0]}, and "
            "checkpoint_N/checkpoints in them"
        )
    return found


def is_macos_extra(name: str) -> bool:
    """Return whether a file is one that macOS adds to archives."""
    return name.startswith("__MACOSX/")


def add_checkpoint(source: Path, records: Records, match: re.Match[str], name: str) -> None:
    """Add a checkpoint by trial and epoch.

    Raises:
        ZooError: If the epoch already has one.
    """
    of_trial = records.checkpoints.setdefault(match["trial"], {})
    epoch = int(match["epoch"])
    if epoch in of_trial and of_trial[epoch] != name:
        raise ZooError(f"{source}: {name} and {of_trial[epoch]} are of the same epoch; keep one")
    of_trial[epoch] = name


def read_settings(member: Member) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        IntegrityError: If the file holds anything else.
    """
    try:
        settings = json.loads(member.whole(LARGEST_SETTINGS))
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{member} is not JSON ({error!r:.200})") from error
    if not isinstance(settings, dict):
        raise IntegrityError(f"{member} holds a {type(settings).__name__}, expected a JSON object")
    return settings


def parse_results(text: bytes) -> Results:
    """Parse the result lines of a trial."""
    logged, settings = dict[int, dict[str, float]](), None
    repeated = broken = 0
    for one in text.splitlines():
        line = parse_line(one)
        if line is None:
            broken += bool(one.strip())
            continue
        settings = settings or line.get("config")
        epoch = line[ITERATION]
        repeated += epoch in logged
        logged[epoch] = {key: float(line[key]) for key in LOGGED if is_number(line.get(key))}
    return Results(settings=settings, logged=logged, repeated=repeated, broken=broken)


def assemble_trial(folder: str, records: Records) -> RayTrial | None:
    """Assemble a trial; None if neither a file nor a line gives its settings."""
    results = records.results[folder]
    settings = records.settings.get(folder) or results.settings
    if not isinstance(settings, dict):
        return None
    return RayTrial(
        name=folder,
        settings=settings,
        results=results,
        checkpoints=records.checkpoints.get(folder, {}),
    )


def parse_line(text: bytes) -> dict[str, Any] | None:
    """Parse one result; None if it is cut short or has no epoch."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    epoch = line.get(ITERATION) if isinstance(line, dict) else None
    return line if isinstance(epoch, int) and not isinstance(epoch, bool) and epoch >= 0 else None


def is_number(value: object) -> bool:
    """Return whether a value is a number that fits in a float; NaN does."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 1000
    return whole or isinstance(value, float)
