"""Run the command ``zoogen`` in a subprocess."""

import os
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

PATIENCE = 60

OWN_ZOO = """
from dataclasses import replace

from zoogen import zoo_spec
from zoogen.images.sets import IMAGES, tetris_set
from zoogen.images.tetris import Tetris

IMAGES["few"] = lambda _: tetris_set(Tetris(train_images=600, test_images=60))
SPEC = replace(
    zoo_spec("tetris-seed"),
    name="own",
    images="few",
    seeds=tuple(range(10)),
    epochs=2,
    models_per_shard=2,
)
SLOW = replace(SPEC, name="slow", epochs=500, snapshot_epochs=(1, 500))
"""


# Variables that a terminal or a CI service may set and tests must not depend on.
DRESS = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"}


def plain_environment() -> dict[str, str]:
    """Return the environment of a pipe, 80 columns wide."""
    return {name: value for name, value in os.environ.items() if name not in DRESS} | {
        "COLUMNS": "80"
    }


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "zoogen", *map(str, arguments)]


def run_zoogen(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``zoogen`` to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def start_zoogen(*arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
    """Start ``zoogen`` in a process group of its own."""
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Wait for a file while the process that writes it runs."""
    end = monotonic() + PATIENCE
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert monotonic() < end, f"{path} did not appear"
        sleep(0.01)
