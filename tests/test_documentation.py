"""Everything that README and docs show is run, on full-size zoos, in the order it is shown."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub import WRITE, Hub

ROOT = Path(__file__).parents[1]
PAGES = (
    ROOT / "README.md",
    ROOT / "leaderboard" / "RULES.md",
    *sorted((ROOT / "docs").glob("*.md")),
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAVED_AS = re.compile(r"^Saved as `(\w+\.(?:py|toml))`", re.MULTILINE)
BESIDE = Path(sys.executable).parent


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment with our commands on the path, one cache and one Hub for all pages."""
    cache = tmp_path_factory.mktemp("zoos")
    with Hub() as hub:
        yield environment(cache) | {
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": WRITE,
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # kept beyond this machine
        }


def environment(cache: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{BESIDE}{os.pathsep}{os.environ['PATH']}",
        "ZOOGEN_CACHE": str(cache),
        "ZOOBENCH_CACHE": str(cache / "embeddings"),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # keep to 127.0.0.1
        "RAY_AUTH_MODE": "disabled",
    }


def run(command: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_runs(page: Path, tmp_path: Path, shell: dict[str, str]):
    text = page.read_text()
    for block in BLOCK.finditer(text):
        language, code = block.groups()
        saved = SAVED_AS.match(text[block.end() :].lstrip())
        if language == "python":
            name = saved[1] if saved else "example.py"
            (tmp_path / name).write_text(code)
            run(f"python -W error {name}", tmp_path, shell)
        if language == "toml" and saved:
            (tmp_path / saved[1]).write_text(code)
        if language == "sh":
            for line in code.splitlines():
                if line.startswith("make "):
                    targets_are_there(line)
                elif not line.startswith("zoobench reproduce"):
                    run(line, tmp_path, shell)


def targets_are_there(line: str) -> None:
    """``make`` itself is not run by a test that it runs; its targets must exist."""
    done = subprocess.run(
        [*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_make_demo_is_the_two_commands_that_the_readme_shows():
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = (ROOT / "README.md").read_text()
    for line in done.stdout.splitlines()[-2:]:
        assert line.removeprefix(".venv/bin/") in shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
